//! `ai run`: the pipeline of the shell functions in one process.

use crate::cli::overrides::Overrides;
use clap::Args;
use std::ffi::OsString;

use crate::cli::parse::split;
use crate::command::{commit, route};
use crate::core::config::Layer;
use crate::core::failure::Result;
use crate::core::plan::{RunCommand, native_args};
use crate::session::context::Context;
use crate::session::native;
use crate::session::run::in_container;

#[derive(Debug, Args)]
#[command(override_usage = "ai run [OPTIONS] TOOL [-- ARGS...]\n       ai run [OPTIONS] --auto [-- ARGS...]")]
pub struct RunArgs {
    /// The tool that `[[route]]` picks for these words: `ai route --explain` says why
    #[arg(long)]
    pub auto: bool,
    /// Run the host's own program, in no container, as `claude --native` does
    #[arg(long, alias = "local")]
    pub native: bool,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Tool or profile, then the arguments for it
    #[arg(required_unless_present = "auto", trailing_var_arg = true, allow_hyphen_values = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

pub fn run(run: RunArgs) -> Result<u8> {
    let words = if run.auto { route::lead(run.words)? } else { run.words };
    if run.native {
        let (name, args) = split(words)?;
        return native::run(&Context::new(&name, run.overrides.layer())?, native_args(&args).unwrap_or(&args));
    }
    tool(run.overrides.layer(), words)
}

/// Runs a tool; the value is its exit code.
pub fn tool(flags: Layer, words: Vec<OsString>) -> Result<u8> {
    let (name, args) = split(words)?;
    let context = Context::new(&name, flags)?;
    if let Some(args) = native_args(&args) {
        return native::run(&context, args);
    }
    let command = RunCommand::of(&context.tool, args)?;
    let ended = in_container(&context, command)?;
    commit::after::offer(&context.host, &ended.lease);
    Ok(ended.code)
}

//! `ai exec`: any command in the image and workspace of the tools.

use std::ffi::OsString;

use clap::Args;

use crate::cli::overrides::Overrides;
use crate::core::failure::Result;
use crate::core::plan::RunCommand;
use crate::core::tool;
use crate::session::context::Context;
use crate::session::run::in_container;

#[derive(Debug, Args)]
pub struct ExecArgs {
    #[command(flatten)]
    pub overrides: Overrides,
    /// One word, run by the container's shell: pipes and redirections work
    #[arg(long = "shell", value_name = "LINE", conflicts_with = "words")]
    pub line: Option<OsString>,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub words: Vec<OsString>,
}

/// Runs any command in the image of the tools; without one, a shell.
pub fn run(exec: ExecArgs) -> Result<u8> {
    let context = Context::new(tool::EXEC, exec.overrides.layer())?;
    let command = match exec.line {
        Some(line) => RunCommand::Line(line),
        None => RunCommand::bare(exec.words)?,
    };
    in_container(&context, command).map(|ended| ended.code)
}

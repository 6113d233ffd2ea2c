//! `ai spare TOOL`: makes a container that waits for the next run. `ai go SESSION -- TOOL ARGS…`: is the run that takes it.

use std::ffi::OsString;

use clap::Args;

use crate::cli::parse::split;
use crate::core::config::Layer;
use crate::core::failure::Result;
use crate::core::lease::SessionId;
use crate::core::plan::RunCommand;
use crate::core::spare::PATIENCE;
use crate::host::output;
use crate::session::context::Context;
use crate::session::spare::{self, SpareMade};

#[derive(Debug, Args)]
pub struct SpareArgs {
    /// For a run at a terminal
    #[arg(long)]
    pub terminal: bool,
    /// How long it waits
    #[arg(long, default_value_t = PATIENCE)]
    pub seconds: u32,
    pub tool: String,
}

#[derive(Debug, Args)]
pub struct GoArgs {
    pub session: SessionId,
    /// The tool and its arguments
    #[arg(last = true, required = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

/// Makes a container that waits, or says why there is none.
pub fn run(args: &SpareArgs) -> Result<u8> {
    let context = Context::new(&args.tool, Layer::default())?;
    match spare::make(&context, args.terminal, args.seconds)? {
        SpareMade::Waits(container) => output::note(&format!("{container} waits for the next run of {}", args.tool)),
        SpareMade::None(why) => output::note(&format!("no container waits for the next run of {}: {why}", args.tool)),
    }
    Ok(0)
}

/// Is a run in the container that was taken for its session.
pub fn go(args: GoArgs) -> Result<u8> {
    let (name, words) = split(args.words)?;
    let context = Context::new(&name, Layer::default())?;
    let command = RunCommand::of(&context.tool, words)?;
    spare::go(&context, args.session, command)
}

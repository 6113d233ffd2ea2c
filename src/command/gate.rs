//! `ai gate SECONDS -- WORDS…`, in a container: waits for a run, as process 1. `ai at-gate -- CMD…` is the step between it and the command.

use std::ffi::OsString;

use clap::Args;

use crate::core::failure::Result;
use crate::host::spare::gate;

#[derive(Debug, Args)]
pub struct GateArgs {
    /// How long to wait
    pub seconds: u32,
    /// What the image puts before every command
    #[arg(last = true, value_name = "CMD")]
    pub entry: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct AtGateArgs {
    #[arg(last = true, required = true, value_name = "CMD")]
    pub words: Vec<OsString>,
}

pub fn run(args: &GateArgs) -> Result<u8> {
    gate::serve(args.seconds, &args.entry)
}

/// Becomes the command.
pub fn become_job(args: &AtGateArgs) -> Result<u8> {
    Err(gate::become_job(&args.words))
}

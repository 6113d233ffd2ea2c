//! `ai run` and `ai exec`: the pipeline of the shell functions in one process.

use std::ffi::OsString;

use crate::cli::Exec;
use crate::cli::parse::split;
use crate::core::config::Layer;
use crate::core::failure::Result;
use crate::core::plan::{Command, native_args};
use crate::core::tool;
use crate::host::machine::process;
use crate::session::context::Context;
use crate::session::native;
use crate::session::run::in_container;

/// Runs a tool; the value is its exit code.
pub fn run(flags: Layer, words: Vec<OsString>) -> Result<u8> {
    let (name, args) = split(words)?;
    let context = Context::new(&name, flags)?;
    if let Some(args) = native_args(&args) {
        let argv = native::argv(&context, &context.facts(None), args)?;
        return Err(process::exec(&argv, &[]));
    }
    let command = Command::of(&context.tool, args)?;
    in_container(&context, command)
}

/// Runs any command in the image of the tools; without one, a shell.
pub fn exec(exec: Exec) -> Result<u8> {
    let context = Context::new(tool::EXEC, exec.overrides.layer())?;
    let command = match exec.line {
        Some(line) => Command::Line(line),
        None => Command::words(exec.words),
    };
    in_container(&context, command)
}

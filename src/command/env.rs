//! `ai env`: becomes a command that has the secrets of a tool in its environment, so that no text ever holds them.

use clap::Args;
use std::ffi::OsString;

use crate::cli::parse::split;
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::host::machine::process;
use crate::session::context::Context;
use crate::session::secrets;

#[derive(Debug, Args)]
#[command(override_usage = "ai env TOOL -- CMD...")]
pub struct EnvArgs {
    /// Tool or profile, then the command
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

pub fn run(words: Vec<OsString>) -> Result<u8> {
    let (name, argv) = split(words)?;
    if argv.is_empty() {
        return Err(Failure::new(Kind::Usage, "cannot run nothing: there is no command").hint(format!("ai env {name} -- CMD")));
    }
    let context = Context::new(&name, Layer::default())?;
    let env = secrets::fetch(&context, &context.facts(None))?;
    Err(process::exec(&argv, &env))
}

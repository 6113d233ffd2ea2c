//! `ai env`: becomes a command that has the secrets of a tool in its environment, so that no text ever holds them.

use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::parse::split;
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::secret;
use crate::host::machine::process;
use crate::host::store::secret_files;
use crate::session::context::Context;
use crate::session::secrets;

#[derive(Debug, Args)]
#[command(override_usage = "ai env TOOL -- CMD...")]
pub struct EnvArgs {
    /// Write those that are to be files into this directory
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    pub files: Option<PathBuf>,
    /// Tool or profile, then the command
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

pub fn run(env: EnvArgs) -> Result<u8> {
    let (name, argv) = split(env.words)?;
    if argv.is_empty() {
        return Err(Failure::new(Kind::Usage, "cannot run nothing: there is no command").hint(format!("ai env {name} -- CMD")));
    }
    let context = Context::new(&name, Layer::default())?;
    if let Some(directory) = &env.files {
        secret_files::check_owner(&context.host, directory)?;
    }
    let mut wanted = secret::decide(&context.tool, &context.config, &context.facts(None))?;
    // What stays outside of a container is for a program of the host's own.
    if env.files.is_none() {
        wanted.found.append(&mut wanted.outside);
    }
    let fetched = secrets::fetch(&context, wanted.found, env.files.as_deref())?;
    Err(process::exec(&argv, &fetched))
}

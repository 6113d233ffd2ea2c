//! Subcommand → function. Each gathers, decides, acts, prints.

use std::ffi::OsString;
use std::path::Path;

use crate::cli::{Cli, Command, parse};
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::tool::{self};
use crate::host::Host;
use crate::host::output;
use crate::host::store::log;

mod complete;
mod config;
mod creds;
mod doctor;
mod env;
mod help;
mod image;
mod init;
mod install;
mod login;
mod mode;
mod project;
mod resolve;
mod run;
mod sessions;
mod sync;
mod sync_job;
mod tools;

/// Runs one command line; the value is the exit code.
pub fn main(mut args: Vec<OsString>) -> Result<u8> {
    if let Some(tool) = called_as(&args) {
        let words = std::iter::once(tool.into()).chain(args.drain(1..)).collect();
        return run::run(Layer::default(), words);
    }
    let cli = match parse::parse(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if keeps_a_log(&cli.command) {
        let name = args.get(1).map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        log::watched(&name, || dispatch(cli))
    } else {
        dispatch(cli)
    }
}

/// Whether a command may write into the store. The others promise to write nothing.
fn keeps_a_log(command: &Command) -> bool {
    use Command::{Creds, Env, Exec, Gc, Image, Install, Login, Logout, Project, Run, Stop, Sync, Uninstall};
    matches!(
        command,
        Creds(_)
            | Env(_)
            | Exec(_)
            | Gc(_)
            | Image(_)
            | Install(_)
            | Login(_)
            | Logout(_)
            | Project(_)
            | Run(_)
            | Stop(_)
            | Sync(_)
            | Uninstall(_)
    )
}

fn dispatch(cli: Cli) -> Result<u8> {
    match cli.command {
        Command::Init(init) => init::run(&init),
        Command::Resolve(resolve) => resolve::run(resolve),
        Command::Sync(sync) => sync::run(sync),
        Command::Run(run) => run::run(run.overrides.layer(), run.words),
        Command::Exec(exec) => run::exec(exec),
        Command::Image(image) => image::run(image.command),
        Command::Env(env) => env::run(env.words),
        Command::Config(config) => config::run(&config),
        Command::Tools(tools) => tools::run(&tools),
        Command::Use(wanted) => mode::run(&wanted),
        Command::Commit(commit) => mode::commit(&commit),
        Command::Word(word) => mode::word(&word),
        Command::Install(install) => install::install(&install),
        Command::Uninstall(uninstall) => install::uninstall(&uninstall),
        Command::Completions(completions) => complete::script(&completions),
        Command::Complete(complete) => complete::answer(complete),
        Command::Help(help) => help::run(&help.words),
        Command::Login(login) => login::login(&login.tool, &login.args),
        Command::Logout(logout) => login::logout(&logout.tool),
        Command::Creds(creds) => creds::run(creds.command),
        Command::Project(project) => project::run(project.command),
        Command::Ps(ps) => sessions::ps(&ps),
        Command::Stop(stop) => sessions::stop(&stop),
        Command::Gc(gc) => sessions::gc(&gc),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Alone { words } => Err(crate::host::machine::process::exec_alone(&words)),
        Command::SyncJob { file } => sync_job::run(&file),
    }
}

/// The tool that we were called as: through a link named `claude`, say.
fn called_as(args: &[OsString]) -> Option<String> {
    let name = Path::new(args.first()?).file_name()?.to_str()?;
    (name != "ai" && tool::is_valid_name(name) && Host::new().ok()?.tool_names().iter().any(|tool| tool == name)).then(|| name.to_owned())
}

/// clap's own text: help is data, a mistake is talk.
fn usage(error: &clap::Error) -> Result<u8> {
    if error.use_stderr() {
        let text = error.render().to_string();
        let text = text.trim_end().strip_prefix("error: ").unwrap_or(text.trim_end()).to_owned();
        return Err(Failure::new(Kind::Usage, text));
    }
    let text = error.render();
    output::styled(&text.ansi().to_string())?;
    Ok(0)
}

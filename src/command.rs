//! Sub-command → function. Each has a file of its own, with its arguments: it gathers, asks `session` or `host`, and prints.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};

use crate::cli::{Cli, Command, parse};
use crate::core::config::Layer;
use crate::core::failure::{Kind, Result};
use crate::core::text::visible::visible;
use crate::core::tool;
use crate::host::machine::process;
use crate::host::store::log;
use crate::host::{Host, output};

pub mod audit;
pub mod changes;
pub mod commit;
pub mod complete;
pub mod completions;
pub mod config;
pub mod cost;
pub mod creds;
pub mod dial;
pub mod doctor;
pub mod egress;
pub mod env;
pub mod exec;
pub mod forward;
pub mod gate;
pub mod gc;
pub mod guard;
pub mod help;
pub mod history;
pub mod image;
pub mod incident;
pub mod init;
pub mod install;
pub mod login;
pub mod metrics;
pub mod open_page;
pub mod paste_picture;
pub mod policy;
pub mod project;
pub mod ps;
pub mod replay;
pub mod resolve;
pub mod resume;
pub mod route;
pub mod run;
pub mod spare;
pub mod stats;
pub mod stop;
pub mod sync;
#[cfg(feature = "faults")]
mod sync_job;
pub mod tools;
pub mod trust;
pub mod use_tool;
pub mod word;

/// Runs one command line; the value is the exit code.
pub fn main(mut args: Vec<OsString>) -> Result<u8> {
    if let Some(tool) = called_as(&args) {
        let words = std::iter::once(tool.into()).chain(args.drain(1..)).collect();
        return run::tool(Layer::default(), words);
    }
    let cli = match parse::parse(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &args),
    };
    if cli.command.writes() {
        let name = args.get(1).map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        log::watched(&name, || dispatch(cli))
    } else {
        dispatch(cli)
    }
}

fn dispatch(cli: Cli) -> Result<u8> {
    match cli.command {
        Command::Init(init) => init::run(&init),
        Command::Resolve(resolve) => resolve::run(resolve),
        Command::Sync(sync) => sync::run(sync),
        Command::Route(route) => route::run(&route),
        Command::Run(run) => run::run(run),
        Command::Exec(exec) => exec::run(exec),
        Command::Image(image) => image::run(image.command),
        Command::Env(args) => env::run(args),
        Command::Config(config) => config::run(config),
        Command::Tools(tools) => tools::run(&tools),
        Command::Policy(policy) => policy::run(policy.command),
        Command::Trust(trust) => trust::run(&trust),
        Command::Use(wanted) => use_tool::run(&wanted),
        Command::Commit(commit) => commit::run(&commit),
        Command::Word(word) => word::run(&word),
        Command::Install(install) => install::install(&install),
        Command::Uninstall(uninstall) => install::uninstall(&uninstall),
        Command::Completions(completions) => completions::run(&completions),
        Command::Complete(complete) => complete::run(complete),
        Command::Help(help) => help::run(&help.words),
        Command::Egress(egress) => egress::run(&egress),
        Command::Login(login) => login::login(&login),
        Command::Logout(logout) => login::logout(&logout),
        Command::Creds(creds) => creds::run(creds.command),
        Command::Project(project) => project::run(project.command),
        Command::Changes(changes) => changes::run(&changes),
        Command::Ps(ps) => ps::run(&ps),
        Command::History(history) => history::run(&history),
        Command::Resume(resume) => resume::run(&resume),
        Command::Stats(stats) => stats::run(&stats),
        Command::Cost(cost) => cost::run(&cost),
        Command::Metrics(args) => metrics::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Stop(stop) => stop::run(&stop),
        Command::Gc(gc) => gc::run(&gc),
        Command::Incident(incident) => incident::run(&incident),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Guard(guard) => guard::run(&guard),
        Command::Helper(helper) => guard::serve(&helper),
        Command::Forward(forward) => forward::run(&forward),
        Command::Dial(dial) => dial::run(&dial),
        Command::Spare(args) => spare::run(&args),
        Command::Go(args) => spare::go(args),
        Command::Gate(args) => gate::run(&args),
        Command::AtGate(args) => gate::become_job(&args),
        Command::OpenPage(page) => open_page::run(&page),
        Command::PastePicture(paste) => paste_picture::run(&paste),
        Command::Alone { terminal, words } => Err(process::exec_alone(&words, terminal)),
        #[cfg(feature = "faults")]
        Command::SyncJob { file } => sync_job::run(&file),
    }
}

/// Returns the tool that we were called as: through a link named `claude`, say.
fn called_as(args: &[OsString]) -> Option<String> {
    let name = Path::new(args.first()?).file_name()?.to_str()?;
    (name != "ai" && tool::is_valid_name(name) && Host::new().ok()?.tool_names().iter().any(|tool| tool == name)).then(|| name.to_owned())
}

/// clap's own text: help is data, a mistake is talk.
fn usage(error: &clap::Error, args: &[OsString]) -> Result<u8> {
    if error.use_stderr() {
        let text = shown(args).unwrap_or_else(|| error.render().to_string());
        output::misused(text.trim_end().strip_prefix("error: ").unwrap_or(&text));
        return Ok(Kind::Usage.exit_code());
    }
    let text = error.render();
    output::styled(&text.ansi().to_string())?;
    Ok(0)
}

/// Returns what clap says of these words once they are visible. It quotes words as they are, and a line end in one of them must not begin a
/// line.
fn shown(args: &[OsString]) -> Option<String> {
    let words: Vec<OsString> = args.iter().map(|arg| visible(&arg.to_string_lossy()).into_owned().into()).collect();
    parse::parse(&words).err().filter(clap::Error::use_stderr).map(|mut error| {
        // Commands that only `ai` itself calls are nobody's typing mistake.
        if let Some(ContextValue::Strings(names)) = error.remove(ContextKind::SuggestedSubcommand) {
            let names: Vec<String> = names.into_iter().filter(|name| !name.starts_with("__")).collect();
            if !names.is_empty() {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(names));
            }
        }
        error.render().to_string()
    })
}

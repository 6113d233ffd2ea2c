//! Subcommand → function. Each gathers, decides, acts, prints.

use std::ffi::OsString;
use std::path::Path;

use crate::cli::{Cli, Command, parse};
use crate::config::{Config, Layer};
use crate::facts::Facts;
use crate::failure::{Failure, Kind, Result};
use crate::host::{Host, Wanted, log};
use crate::nearest::nearest;
use crate::output;
use crate::plan::{self, secret};
use crate::session::SessionId;
use crate::tool::{self, Tool};

mod complete;
mod config;
mod creds;
mod doctor;
mod ended;
mod env;
mod fallback;
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
mod settings;
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
        Command::Alone { words } => Err(crate::host::process::exec_alone(&words)),
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

/// What every command about one tool starts from.
struct Context {
    host: Host,
    tool: Tool,
    config: Config,
}

impl Context {
    fn new(name: &str, flags: Layer) -> Result<Self> {
        let host = Host::new()?;
        let tool = Tool::load(name, |name| host.manifest(name))?.ok_or_else(|| unknown_tool(name, &host))?;
        let config = Config::new(name, &host.config_sources()?, &host.env, flags)?;
        config.refuse_misspelt(&host.tool_names())?;
        Ok(Self { host, tool, config })
    }

    /// The facts that a plan of this tool depends on.
    fn facts(&self, session: Option<&SessionId>) -> Facts {
        let mut files: Vec<_> = plan::OPTIONAL_FILES.iter().map(Into::into).collect();
        files.extend(secret::files(&self.tool, &self.config));
        files.extend(self.tool.login_file());
        let native = Some(self.tool.native_program());
        self.host.facts(&Wanted { engine: self.config.settings.engine.value, files, session, native })
    }
}

fn unknown_tool(name: &str, host: &Host) -> Failure {
    let names = host.tool_names();
    let failure = Failure::new(Kind::Usage, format!("there is no tool `{name}`; there are {}", names.join(", ")));
    match nearest(name, &names) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint(format!("describe it in {}", host.store.tools().join("NAME.toml").display())),
    }
}

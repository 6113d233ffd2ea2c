//! `ai creds`: logins, their backups, and the directories of an older layout.

use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

use crate::core::config::Layer;
use crate::core::facts::User;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::login::backup::{About, By, last_good};
use crate::core::plan;
use crate::core::tool::Tool;
use crate::host::engine::learn;
use crate::host::engine::volume::Volume;
use crate::host::fs::files;
use crate::host::output;
use crate::host::store::login::LoginStore;
use crate::host::store::{hold, lease};
use crate::host::{self, Host};
use crate::session::context::unknown_tool;

mod import;
mod migrate;
mod status;

#[derive(Debug, Args)]
pub struct CredsArgs {
    #[command(subcommand)]
    pub command: CredsCommand,
}

#[derive(Debug, Subcommand)]
pub enum CredsCommand {
    /// Where logins are, whose, until when; shows no secret
    Status {
        /// Only this tool
        tool: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Take over the host's own login of a tool, once; the host's copy is of no use afterwards
    Import {
        tool: String,
        /// The credential file, or the directory that it is in
        #[arg(long, value_name = "PATH")]
        from: Option<PathBuf>,
        /// Even if the store's login is of another account, or newer
        #[arg(long)]
        replace: bool,
    },
    /// Keep the logins as they are now
    Backup {
        /// Only this tool
        tool: Option<String>,
        /// Copy the newest backup to this directory too; may be repeated
        #[arg(long, value_name = "DIR")]
        to: Vec<PathBuf>,
    },
    /// Go back to a backup; what is there now is kept as one
    Restore {
        tool: String,
        /// A backup's name, as `ai creds status` shows it
        #[arg(required_unless_present = "last_good", conflicts_with = "last_good")]
        backup: Option<String>,
        /// The newest backup that is whole and holds a login
        #[arg(long)]
        last_good: bool,
    },
    /// Take over what the old directories hold; they stay as they are
    Migrate {
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Undo the last migration
        #[arg(long, conflicts_with = "dry_run")]
        undo: bool,
        /// Also what lies in this project, by its id: whoever made the project may have put it there
        #[arg(long, value_name = "ID", conflicts_with = "undo")]
        project: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Remove the old directories after a verified migration
    Prune {
        /// The directories that `ai creds migrate` took over
        #[arg(long, required = true)]
        legacy: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub fn run(command: CredsCommand) -> Result<u8> {
    let host = if matches!(command, CredsCommand::Status { .. }) { Host::new()? } else { Host::to_write()? };
    match command {
        CredsCommand::Status { tool, json } => status::run(&host, tool.as_deref(), json),
        CredsCommand::Import { tool, from, replace } => import::import(&host, &tool, from, replace),
        CredsCommand::Backup { tool, to } => backup(&host, tool.as_deref(), &to),
        CredsCommand::Restore { tool, backup, last_good: _ } => restore(&host, &tool, backup.as_deref()),
        CredsCommand::Migrate { undo: true, .. } => migrate::undo(&host),
        CredsCommand::Migrate { dry_run, json, project, .. } => migrate::run(&host, dry_run, json, project.as_deref()),
        CredsCommand::Prune { legacy: _, yes } => migrate::prune(&host, yes),
    }
}

/// Returns the tools that have a login, or only `name`.
fn places(host: &Host, name: Option<&str>) -> Result<Vec<(String, LoginStore)>> {
    if let Some(name) = name {
        return Ok(vec![(name.to_owned(), place(host, name)?)]);
    }
    let mut places = Vec::new();
    for name in host.tool_names() {
        let tool = load(host, &name)?;
        if LoginStore::of(&tool, host, &host.store).is_some() {
            places.push((name, in_use(host, &tool)?));
        }
    }
    Ok(places)
}

/// Returns each backup of a login, by tool and name; what cannot be read has none.
pub fn backups(host: &Host) -> Vec<(String, String)> {
    let tools = host.tool_names().into_iter();
    let of = |name: String| {
        let place = load(host, &name).ok().and_then(|tool| LoginStore::of(&tool, host, &host.store));
        let backups = place.and_then(|place| place.backups().ok()).unwrap_or_default();
        backups.into_iter().map(move |about| (name.clone(), about.name()))
    };
    tools.flat_map(of).collect()
}

fn load(host: &Host, name: &str) -> Result<Tool> {
    Tool::load(name, |name| host.manifest(name))?.ok_or_else(|| unknown_tool(name, host))
}

/// Returns where `name` keeps its login.
pub fn place(host: &Host, name: &str) -> Result<LoginStore> {
    in_use(host, &load(host, name)?)
}

/// Returns the login that sessions of `tool` use: on an engine whose locks fail, the one in its volume.
pub fn in_use(host: &Host, tool: &Tool) -> Result<LoginStore> {
    let place = LoginStore::of(tool, host, &host.store).ok_or_else(|| no_login(tool))?;
    let config = host.config(tool, Layer::default())?;
    let user = User { uid: host::uid(), gid: host::gid(), ..User::default() };
    let engine = host.engine(config.settings.engine.value);
    let known = learn::last(&host.store, &engine);
    let volume = Volume::of(&engine.with(known), &plan::image(tool, &config), tool, &user)?;
    Ok(place.with(volume))
}

/// Returns why a profile such as glm cannot log in.
pub fn no_login(tool: &Tool) -> Failure {
    let failure = Failure::new(Kind::Usage, format!("cannot log in to {}: it has no login", tool.name));
    match tool.manifest.secret.values().next() {
        _ if tool.login_settings().next().is_some() => {
            failure.hint(format!("its program keeps it among its settings: ai login {0}, ai logout {0}", tool.name))
        }
        Some(secret) => failure.hint(format!(
            "it takes a key: export {}=…{}",
            secret.env.first().map_or("KEY", String::as_str),
            secret.file.as_ref().map_or_else(String::new, |file| format!(", or put it into the store as {file}"))
        )),
        None => {
            let is_key = |name: &&String| name.ends_with("_KEY") || name.ends_with("_TOKEN");
            let key = tool.manifest.env.pass.iter().find(is_key);
            failure.hint(
                key.map_or_else(|| "ai tools".to_owned(), |key| format!("it takes a key: export {key}=…; ai tools show {}", tool.name)),
            )
        }
    }
}

fn cannot(verb: &str, tool: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::General, format!("cannot {verb} the login of {tool}")).because(error)
}

/// A session that runs would write its own login over the new one.
fn nobody_runs(host: &Host, tool: &str, verb: &str) -> Result<()> {
    let live = lease::all(&host.store).into_iter().find(|lease| lease.tool == tool && lease::is_owner_alive(lease));
    match live {
        None => Ok(()),
        Some(lease) => {
            Err(Failure::new(Kind::Busy, format!("cannot {verb} the login of {tool}: session {} in {} uses it", lease.session, lease.root))
                .hint("end its sessions first; `ai ps` shows them"))
        }
    }
}

fn backup(host: &Host, name: Option<&str>, to: &[PathBuf]) -> Result<u8> {
    let mut code = 0;
    for (name, place) in places(host, name)? {
        let failed = |error: std::io::Error| cannot("back up", &name, error);
        match place.keep_good(By::Person).map_err(failed)? {
            Some(backup) => output::note(&format!("kept the login of {name} as {backup}")),
            None => output::note(&format!("nothing new to keep of {name}")),
        }
        let newest = last_good(&place.backups().map_err(failed)?).first().map(|about| (*about).clone());
        let Some(newest) = newest else { continue };
        for destination in to {
            code = code.max(copy(&name, &place, &newest, destination));
        }
    }
    Ok(code)
}

/// Copies to one more place; the value is the exit code. One that is missing, such as a disk that is not plugged in, is told and no
/// failure; whatever goes wrong in one that is there does not keep the others from theirs.
fn copy(name: &str, place: &LoginStore, newest: &About, destination: &Path) -> u8 {
    let cannot = |error| output::warn(&format!("cannot copy the backup of {name} to `{}`: {error}", destination.display()));
    if let Err(error) = Host::existing_directory(destination) {
        cannot(error);
        return 0;
    }
    let directory = destination.join("ai-creds").join(name);
    match files::private_dir(&directory).and_then(|()| place.copy_backup(newest, &directory)) {
        Ok(copy) => output::note(&format!("copied it to `{}` and read it back", copy.display())),
        Err(error) => {
            cannot(error);
            return Kind::General.exit_code();
        }
    }
    0
}

fn restore(host: &Host, name: &str, backup: Option<&str>) -> Result<u8> {
    let place = place(host, name)?;
    let _lock = hold::store(&host.store)?;
    let failed = |error: std::io::Error| cannot("restore", name, error);
    nobody_runs(host, name, "restore")?;
    let backups = place.backups().map_err(failed)?;
    let (about, files) = match backup {
        Some(wanted) => {
            let about = backups
                .iter()
                .find(|about| about.name() == wanted)
                .ok_or_else(|| cannot("restore", name, format!("there is no backup `{wanted}`")).hint(format!("ai creds status {name}")))?;
            let files =
                place.open_backup(about).map_err(|error| cannot("restore", name, format!("the backup `{wanted}` is bad: {error}")))?;
            (about, files)
        }
        None => last_good(&backups)
            .into_iter()
            .find_map(|about| Some((about, place.open_backup(about).ok().filter(|files| holds_login(&place, files))?)))
            .ok_or_else(|| cannot("restore", name, "no backup is whole and holds one").hint(format!("ai login {name}")))?,
    };
    let before = place.snapshot().map_err(failed)?;
    place.replace(&files).map_err(failed)?;
    let before = before.map_or_else(String::new, |before| format!("; what was there is kept as {before}"));
    output::note(&format!("restored the login of {name} from {}{before}", about.name()));
    output::note(&format!("if its server refuses it, it was renewed since: ai login {name}"));
    Ok(0)
}

fn holds_login(place: &LoginStore, files: &std::collections::BTreeMap<String, Vec<u8>>) -> bool {
    files.get(place.main()).is_some_and(|main| place.read(main).is_good())
}

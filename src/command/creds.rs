//! `ai creds`: logins, their backups, and the directories of an older layout.

use std::path::{Path, PathBuf};

use crate::cli::creds::CredsCommand;
use crate::core::config::{Config, Layer};
use crate::core::facts::User;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::login::Login;
use crate::core::login::backup::{About, Why};
use crate::core::login::import::{self, Decision, Reason};
use crate::core::plan;
use crate::core::tool::Tool;
use crate::host::engine::learn;
use crate::host::engine::volume::Volume;
use crate::host::fs::files;
use crate::host::output;
use crate::host::store::login::{self, Place};
use crate::host::store::{guard, state};
use crate::host::{self, Host};
use crate::session::context::unknown_tool;

mod migrate;
mod status;

pub fn run(command: CredsCommand) -> Result<u8> {
    let host = Host::new()?;
    match command {
        CredsCommand::Status { tool, json } => status::run(&host, tool.as_deref(), json),
        CredsCommand::Import { tool, from, replace } => import(&host, &tool, from, replace),
        CredsCommand::Backup { tool, to } => backup(&host, tool.as_deref(), &to),
        CredsCommand::Restore { tool, backup, last_good: _ } => restore(&host, &tool, backup.as_deref()),
        CredsCommand::Migrate { undo: true, .. } => migrate::undo(&host),
        CredsCommand::Migrate { dry_run, json, .. } => migrate::run(&host, dry_run, json),
        CredsCommand::Prune { legacy: _, yes } => migrate::prune(&host, yes),
    }
}

/// The tools that have a login, or only `name`.
fn places(host: &Host, name: Option<&str>) -> Result<Vec<(String, Place)>> {
    if let Some(name) = name {
        return Ok(vec![(name.to_owned(), place(host, name)?)]);
    }
    let mut places = Vec::new();
    for name in host.tool_names() {
        let tool = load(host, &name)?;
        if Place::of(&tool, host, &host.store).is_some() {
            places.push((name, in_use(host, &tool)?));
        }
    }
    Ok(places)
}

/// Each backup of a login, by tool and name; what cannot be read has none.
pub fn backups(host: &Host) -> Vec<(String, String)> {
    let tools = host.tool_names().into_iter();
    let of = |name: String| {
        let place = load(host, &name).ok().and_then(|tool| Place::of(&tool, host, &host.store));
        let backups = place.and_then(|place| place.backups().ok()).unwrap_or_default();
        backups.into_iter().map(move |about| (name.clone(), about.name()))
    };
    tools.flat_map(of).collect()
}

fn load(host: &Host, name: &str) -> Result<Tool> {
    Tool::load(name, |name| host.manifest(name))?.ok_or_else(|| unknown_tool(name, host))
}

/// Where `name` keeps its login.
pub fn place(host: &Host, name: &str) -> Result<Place> {
    in_use(host, &load(host, name)?)
}

/// The login that sessions of `tool` use: on an engine whose locks fail, the one in its volume.
fn in_use(host: &Host, tool: &Tool) -> Result<Place> {
    let place = Place::of(tool, host, &host.store).ok_or_else(|| no_login(tool))?;
    let config = Config::new(&tool.name, &host.config_sources()?, &host.env, Layer::default())?;
    let user = User { uid: host::uid(), gid: host::gid() };
    let engine = host.engine(config.settings.engine.value);
    let known = learn::last(&host.store, &engine);
    let volume = Volume::of(&engine.with(known), &plan::image(tool, &config), tool, &user)?;
    Ok(place.with(volume))
}

/// Why a profile such as glm cannot log in.
pub fn no_login(tool: &Tool) -> Failure {
    let failure = Failure::new(Kind::Usage, format!("cannot log in to {}: it has no login", tool.name));
    match tool.manifest.secret.values().next() {
        Some(secret) => failure.hint(format!(
            "it takes a key: export {}=…{}",
            secret.env.first().map_or("KEY", String::as_str),
            secret.file.as_ref().map_or_else(String::new, |file| format!(", or put it into the store as {file}"))
        )),
        None => failure.hint("ai tools"),
    }
}

fn cannot(verb: &str, tool: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::General, format!("cannot {verb} the login of {tool}")).because(error)
}

/// A session that runs would write its own login over the new one.
fn nobody_runs(host: &Host, tool: &str, verb: &str) -> Result<()> {
    let live = state::leases(&host.store).into_iter().find(|lease| lease.tool == tool && state::is_owner_alive(lease));
    match live {
        None => Ok(()),
        Some(lease) => {
            Err(Failure::new(Kind::Busy, format!("cannot {verb} the login of {tool}: session {} in {} uses it", lease.session, lease.root))
                .hint("end its sessions first; `ai ps` shows them"))
        }
    }
}

fn import(host: &Host, name: &str, from: Option<PathBuf>, replace: bool) -> Result<u8> {
    let place = place(host, name)?;
    let _lock = guard::hold(&host.store)?;
    let path = match (from, place.host_directory()) {
        (Some(path), _) if !files::is_directory(&path) => path,
        (Some(directory), _) => directory.join(place.main()),
        (None, Some(directory)) => directory.join(place.main()),
        (None, None) => return Err(cannot("import", name, "it is not known where the host keeps it").hint("--from PATH")),
    };
    let found = login::look_at(&path).map_err(|error| cannot("import", name, format!("`{}`: {error}", path.display())))?;
    let Some(found) = found else {
        return Err(cannot("import", name, format!("`{}` is not there", path.display())).hint(format!("ai login {name}")));
    };
    let store = place.look().map_err(|error| cannot("read", name, error))?;
    let kept = place.backups().map_err(|error| cannot("read", name, error))?;
    let parent = path.parent().unwrap_or(Path::new("/")).to_owned();
    // A file of another name is by itself: what is beside it may be anybody's.
    let is_alone = path.file_name().is_none_or(|name| name != place.main());
    let files = || -> std::io::Result<_> {
        let mut files = std::collections::BTreeMap::new();
        for name in place.names().iter().filter(|name| !is_alone || *name == place.main()) {
            let from = if is_alone { path.clone() } else { parent.join(name) };
            files.extend(files::read_own(&from)?.map(|(bytes, _)| (name.clone(), bytes)));
        }
        Ok(files)
    };
    match import::decide(&found.login, store.as_ref().map(|store| &store.login), &kept, replace) {
        Decision::Same => output::note(&format!("the store has this login of {name} already; {}", only_once(&path))),
        Decision::Refuse(reason) => return Err(cannot("import", name, refusal(reason)).hint(way_out(reason, name))),
        Decision::Keep(_) => {
            let backup = files().and_then(|files| place.keep(&files, Why::Loser, &kept)).map_err(|error| cannot("keep", name, error))?;
            output::note(&format!(
                "the store's login of {name} is newer and stays; the host's is kept as {backup}; --replace takes it anyway"
            ));
        }
        Decision::Adopt => {
            nobody_runs(host, name, "import")?;
            let failed = |error| cannot("import", name, error);
            place.keep_good().map_err(failed)?;
            let before = place.snapshot().map_err(failed)?;
            place.replace(&files().map_err(failed)?).map_err(failed)?;
            place.keep_good().map_err(failed)?;
            if let Some(before) = before {
                output::note(&format!("what the store had is kept as {before}"));
            }
            output::note(&format!("the login of {name} is now the store's own; {}", only_once(&path)));
        }
    }
    Ok(0)
}

/// Refresh tokens work once: whoever renews first logs the other out.
fn only_once(path: &Path) -> String {
    format!("do not use `{}` any more: the first of two copies that renews logs the other out", path.display())
}

fn refusal(reason: Reason) -> String {
    match reason {
        Reason::HostIsNotGood(validity) => format!("the host's holds none ({validity:?})").to_lowercase(),
        Reason::HostIsOlder => "the store's came out of it and has been renewed since; the host's would be refused by its server".into(),
        Reason::OtherAccount => "it is of another account than the store's".into(),
        Reason::StoreIsNewer => "the store's is newer".into(),
    }
}

fn way_out(reason: Reason, name: &str) -> String {
    match reason {
        Reason::OtherAccount | Reason::StoreIsNewer => format!("ai creds import {name} --replace"),
        Reason::HostIsNotGood(_) | Reason::HostIsOlder => format!("ai login {name}"),
    }
}

fn backup(host: &Host, name: Option<&str>, to: &[PathBuf]) -> Result<u8> {
    let mut code = 0;
    for (name, place) in places(host, name)? {
        let failed = |error: std::io::Error| cannot("back up", &name, error);
        match place.keep_good().map_err(failed)? {
            Some(backup) => output::note(&format!("kept the login of {name} as {backup}")),
            None => output::note(&format!("nothing new to keep of {name}")),
        }
        let newest = place.backups().map_err(failed)?.into_iter().rfind(|about| about.why == Why::Good);
        let Some(newest) = newest else { continue };
        for destination in to {
            code = code.max(copy(&name, &place, &newest, destination));
        }
    }
    Ok(code)
}

/// Copies to one more place; the value is the exit code. One that is missing, such as a disk that is not plugged in, is told and no
/// failure; whatever goes wrong in one that is there does not keep the others from theirs.
fn copy(name: &str, place: &Place, newest: &About, destination: &Path) -> u8 {
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
    let _lock = guard::hold(&host.store)?;
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
        None => backups
            .iter()
            .rev()
            .filter(|about| about.why == Why::Good)
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

fn holds_login(place: &Place, files: &std::collections::BTreeMap<String, Vec<u8>>) -> bool {
    files.get(place.main()).is_some_and(|main| Login::read(main).is_good())
}

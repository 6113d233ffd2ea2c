//! Who calls us, as the system knows them.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::core::engine::Address;
use crate::core::engine::kind::Engine;
use crate::core::facts::{Env, User};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::person::{self, Zone};
use crate::host::Host;
use crate::host::fs::files::read_own;
use crate::host::fs::look::Look;
use crate::host::fs::own;

impl Host {
    /// Does the same as [`Host::new`], for whoever will write into the store or the home. As root in somebody else's, that would leave
    /// files that their owner cannot read, and take their login away when it is renewed.
    ///
    /// # Errors
    /// Where root would write into what belongs to somebody else.
    pub fn to_write() -> Result<Self> {
        let host = Self::new()?;
        let Some(path) = host.of_somebody_else() else { return Ok(host) };
        Err(Failure::new(Kind::NotAllowed, format!("cannot work as root in `{}`: it belongs to somebody else", path.display()))
            .hint("sudo -H, for root's own home; or without sudo; or AI_HOME=/a/directory/of/root"))
    }

    /// Returns the home or the store, if we are root and it is not root's.
    pub fn of_somebody_else(&self) -> Option<PathBuf> {
        let is_theirs = |path: &&Path| path.look().is_ok_and(|metadata| metadata.uid() != 0);
        let store = self.store.root().ancestors().find(|path| path.leads_to_directory());
        let home = self.home.as_deref().filter(|_| !self.env.is_set("AI_HOME"));
        store.into_iter().chain(home).find(is_theirs).filter(|_| super::uid() == 0).map(Path::to_owned)
    }
}

/// Gathers what a container is told about the person.
pub fn user(env: &Env, engine: &Engine) -> User {
    let (uid, gid) = (super::uid(), super::gid());
    let listed: Vec<u32> = rustix::process::getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect();
    let of_engine = match &engine.endpoint.address {
        Address::Socket { path, .. } => path.look().ok().map(|metadata| metadata.gid()),
        _ => None,
    };
    let known = if listed.iter().all(|id| *id == gid || *id == 0) { String::new() } else { text("/etc/group") };
    let name = person::name(uid, env.text("USER").or_else(|| env.text("LOGNAME")));
    User { uid, gid, groups: person::groups(&listed, gid, of_engine, &known), name, umask: umask() }
}

/// Returns what new files are closed to. It can only be read by setting it, and nobody else runs in this process yet.
fn umask() -> u32 {
    let umask = rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    rustix::process::umask(umask);
    umask.bits()
}

/// Returns the person's time zone: a name, or a rule where the machine has only a file without one.
pub fn time_zone(env: &Env) -> Option<String> {
    match env.get("TZ").and_then(|value| value.to_str()).map(person::zone) {
        Some(Zone::Said(zone)) => Some(zone.into()),
        Some(Zone::File(path)) => of_file(path),
        None => of_file("/etc/localtime"),
    }
}

fn of_file(path: &str) -> Option<String> {
    let found = Path::new(path).resolved().ok()?;
    if let Some(name) = found.to_str().and_then(person::in_database) {
        return Some(name.into());
    }
    let own = || (path == "/etc/localtime").then(|| text("/etc/timezone").trim().to_owned()).filter(|zone| !zone.is_empty());
    own().or_else(|| person::rule(&read_own(&found).ok()??.0).map(str::to_owned))
}

fn text(path: &str) -> String {
    own::read_text(path).unwrap_or_default()
}

//! The volume for a login, on engines where locks on shared folders were seen to fail. The host cannot look into it: small
//! containers do.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::time::Duration;

use crate::core::container::ContainerPath;
use crate::core::container::SHARED;
use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::facts::User;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, login_volume, user_parts};
use crate::core::render;
use crate::core::store::Store;
use crate::core::store::seen::Seen;
use crate::core::tool::Tool;
use crate::host::fs::look::Look;
use crate::host::machine::process;

/// Where the store's own directory is, while the volume is filled.
const FROM: &str = "/from";
/// Longest time that one container may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a container ends with where a file is not there.
const ABSENT: u8 = 44;

/// A volume that holds a tool's login.
#[derive(Debug)]
pub struct Volume {
    program: OsString,
    kind: EngineKind,
    pub name: String,
    image: String,
    /// The login's directory in a container.
    pub at: String,
    /// Whose files they are there, as `uid:gid`.
    owner: String,
    /// What decides which users there are.
    users: Vec<Part>,
}

/// Makes the volume of `tool`, labelled as ours, unless it is there. A new one belongs to root: a container makes the
/// login's directory in it, gives it to the user, and takes over the login that the store has, which nobody uses then.
pub fn ensure(engine: &Engine, store: &Store, image: &str, tool: &Tool, user: &User) -> Result<()> {
    let Some(volume) = Volume::wanted(engine, image, tool, user)? else { return Ok(()) };
    if volume.is_there()? {
        return Ok(());
    }
    let name = volume.name.as_str();
    let failed = |stderr: &[u8]| {
        Failure::new(Kind::Unavailable, format!("cannot make the volume {name}")).because(String::from_utf8_lossy(stderr)).hint("ai doctor")
    };
    let labels = [format!("ai.owner={}", user.uid), format!("ai.tool={}", tool.name)];
    let (status, _, stderr) = process::output(&volume.program, &["volume", "create", "--label", &labels[0], "--label", &labels[1], name])?;
    if !status.success() {
        return Err(failed(&stderr));
    }
    let shared = store.shared(&tool.name);
    let from = shared
        .leads_to_directory()
        .then(|| Part::Mount(Mount::bind(store.fixed(Seen::Shared(&tool.name)), ContainerPath::new(FROM), Access::ReadOnly)));
    let script =
        "mkdir -p \"$1\" && { [ ! -d \"$3\" ] || cp -a \"$3/.\" \"$1/\"; } && chown -Rh \"$2\" /ai/shared && chmod 0700 /ai/shared \"$1\"";
    let below = volume.at.strip_prefix(SHARED).unwrap_or_default();
    let argv = volume.argv(from, script, &[&volume.at, &volume.owner, &format!("{FROM}{below}")]);
    let (status, _, stderr) = process::output_within(&volume.program, &argv, PATIENCE)?;
    if status.success() {
        return Ok(());
    }
    // Half a volume would be taken for a whole one by the next run.
    process::output(&volume.program, &["volume", "rm", "--force", name])?;
    Err(failed(&stderr))
}

impl Volume {
    /// Returns the volume that sessions of `tool` use; `None` where the store has the login, as long as no run has made the volume.
    pub fn of(engine: &Engine, image: &str, tool: &Tool, user: &User) -> Result<Option<Self>> {
        let Some(volume) = Self::wanted(engine, image, tool, user)? else { return Ok(None) };
        Ok(if volume.is_there()? { Some(volume) } else { None })
    }

    fn wanted(engine: &Engine, image: &str, tool: &Tool, user: &User) -> Result<Option<Self>> {
        let (Some(state), true) = (&tool.manifest.state, engine.locks_fail()) else { return Ok(None) };
        let flags = user_parts(user, engine);
        let owner = flags.iter().find_map(|flag| match flag {
            Part::User { uid, gid } => Some(format!("{uid}:{gid}")),
            _ => None,
        });
        Ok(Some(Self {
            program: super::program(engine)?.clone().into_os_string(),
            kind: engine.kind,
            name: login_volume(&tool.name),
            image: image.into(),
            at: state.login.at.clone(),
            owner: owner.unwrap_or_default(),
            users: flags.into_iter().filter(|flag| *flag == Part::SameUser).collect(),
        }))
    }

    fn is_there(&self) -> Result<bool> {
        let filter = format!("name=^{}$", self.name);
        let (status, stdout, stderr) = process::output_within(&self.program, &["volume", "ls", "--quiet", "--filter", &filter], PATIENCE)?;
        if status.success() {
            return Ok(!stdout.is_empty());
        }
        let message = format!("cannot look for the volume {}, which holds the login", self.name);
        Err(Failure::new(Kind::Unavailable, message).because(String::from_utf8_lossy(&stderr)).hint("ai doctor"))
    }

    /// Returns a container of root's that has the volume and runs `script`.
    fn argv(&self, more: Option<Part>, script: &str, args: &[&str]) -> Vec<OsString> {
        let target = ContainerPath::new(SHARED);
        let flags = [Part::Program("sh"), Part::Ephemeral, Part::Input, Part::NoDownload, Part::NoLog, Part::Network("none".into())];
        let flags = flags.into_iter().chain([Part::User { uid: 0, gid: 0 }, Part::Volume { name: self.name.clone(), target }]);
        let parts: Vec<Part> = flags.chain(self.users.iter().cloned()).chain(more).collect();
        let command: Vec<OsString> = ["-c", script, "sh"].into_iter().chain(args.iter().copied()).map(OsString::from).collect();
        render::container(parts.iter(), &self.image, &command, self.kind)
    }

    /// Returns those of the login's files that are there.
    pub fn read(&self, names: &[String]) -> io::Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        for name in names {
            let argv = self.argv(None, &format!("[ -f \"$1\" ] || exit {ABSENT}; cat \"$1\""), &[&format!("{}/{name}", self.at)]);
            let (status, stdout, stderr) = process::output_within(&self.program, &argv, PATIENCE).map_err(other)?;
            match process::exit_code(status) {
                0 => drop(files.insert(name.clone(), stdout)),
                ABSENT => {}
                _ => return Err(io::Error::other(String::from_utf8_lossy(&stderr).trim().to_owned())),
            }
        }
        Ok(files)
    }

    /// Writes one file of the login as a whole, or removes it.
    pub fn write(&self, name: &str, bytes: Option<&[u8]>) -> io::Result<()> {
        let script = match bytes {
            Some(_) => "umask 077; cat >\"$1.new\" && chown \"$2\" \"$1.new\" && mv -f \"$1.new\" \"$1\"",
            None => "rm -f \"$1\"",
        };
        let mut argv = vec![self.program.clone()];
        argv.extend(self.argv(None, script, &[&format!("{}/{name}", self.at), &self.owner]));
        match process::feed(&argv, bytes.unwrap_or_default()).map_err(other)? {
            0 => Ok(()),
            code => Err(io::Error::other(format!("the container that writes into the volume {} ended with {code}", self.name))),
        }
    }
}

fn other(failure: Failure) -> io::Error {
    io::Error::other(failure.to_string())
}

//! The machine: the only layer that reads or changes it. Gathers [`Facts`] once; acts when told.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::core::config::Config;
use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::facts::{Env, Facts, Machine, SshAgent, Terminal};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::fs::look::Look;

pub mod commit;
pub mod control;
pub mod doctor;
pub mod engine;
pub mod fs;
pub mod guard;
pub mod history;
pub mod identity;
pub mod ledger;
pub mod machine;
pub mod made;
pub mod migrate;
pub mod notify;
pub mod output;
pub mod person;
pub mod pick;
mod planted;
pub mod policy;
pub mod restore;
mod scope;
pub mod setup;
pub mod spare;
pub mod store;
pub mod sync;
pub mod syslog;
mod temporary;
pub mod transcripts;

/// What is known before anything is decided: where we are and who called.
#[derive(Debug)]
pub struct Host {
    pub env: Env,
    /// `$HOME` as it is set.
    home: Option<PathBuf>,
    pub store: Store,
    /// The working directory, once it was asked for.
    cwd: OnceCell<Option<PathBuf>>,
    /// The home with all links resolved, once it was asked for.
    real_home: OnceCell<Option<PathBuf>>,
    /// The directory around us that a container gets to write, once it was asked for.
    writable: OnceCell<Option<PathBuf>>,
    pub setups: setup::memory::SetupMemory,
}

/// What a plan wants to know beside what is always gathered.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    pub engine: Option<EngineKind>,
    /// Files and directories whose presence matters, relative to the store.
    pub files: Vec<PathBuf>,
    /// The session whose state is mounted.
    pub session: Option<&'a SessionId>,
    /// A program to look for on PATH.
    pub native: Option<&'a str>,
    /// The image that is run.
    pub image: Option<&'a str>,
    /// What is let in, with the words of the person: their paths are looked at.
    pub admit: Option<(&'a Config, &'a [OsString])>,
    /// What instructions and settings bring along: where it is inside, and on the host.
    pub brought: Vec<(PathBuf, PathBuf)>,
}

impl Host {
    #[expect(clippy::disallowed_methods, reason = "the environment enters here")]
    pub fn new() -> Result<Self> {
        let env: Env = std::env::vars_os().collect();
        let home = env.get("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let store = match (env.get("AI_HOME").filter(|path| !path.is_empty()), &home) {
            (Some(store), _) => PathBuf::from(store),
            (None, Some(home)) => home.join(".docker-ai-config"),
            (None, None) => {
                return Err(Failure::new(Kind::Config, "cannot find the store: neither HOME nor AI_HOME is set").hint("export HOME"));
            }
        };
        if !store.is_absolute() {
            return Err(Failure::new(Kind::Config, format!("cannot use the store `{}`: the path is not absolute", store.display()))
                .hint("export AI_HOME=/an/absolute/path, or unset it"));
        }
        let store = store.resolved().unwrap_or(store);
        crate::core::log::threshold(&env)?;
        let (cwd, real_home, writable, setups) = Default::default();
        let host = Self { env, home, store: Store::new(store), cwd, real_home, writable, setups };
        host.refuse_planted_store().map(|()| host)
    }

    pub fn facts(&self, wanted: &Wanted) -> Facts {
        let cwd = self.cwd().map(Path::to_owned);
        let (engine, ssh_agent) = (self.engine(wanted.engine), self.ssh_agent());
        let repo = cwd.as_deref().and_then(machine::git::repo);
        let state = wanted.session.map_or_else(|| self.store.clone(), |session| self.state_of(session));
        let (session_roots, identities) = self.renamable(repo.as_ref());
        Facts {
            consents: repo.as_ref().map_or_else(Vec::new, |_| store::consent::read(&self.store)),
            repo,
            cwd,
            home: self.home(),
            present: self.present(&wanted.files, &state),
            store: self.store.root().to_owned(),
            state: state.root().to_owned(),
            user: person::user(&self.env, &engine),
            terminal: terminal(),
            machine: machine(&engine),
            time_zone: person::time_zone(&self.env),
            named: self.named(&engine.endpoint, &ssh_agent),
            writable: self.writable_project().map(Path::to_owned),
            ssh_agent,
            exe: self.exe(),
            looked: self.look(wanted.admit),
            brought: wanted.brought.clone(),
            session_roots,
            identities,
            system_authorities: machine::look::system_authorities(),
            inside: wanted.admit.and_then(|(config, _)| self.inside(config)),
            tokens: Vec::new(),
            openssl: wanted.admit.and_then(|(config, _)| self.openssl(config)),
            native: wanted.native.and_then(|program| self.program(program)),
            pinned: wanted.image.and_then(|image| store::image::pin_by_id(&self.store, &engine, image)),
            env: self.env.clone(),
            engine,
        }
    }

    /// Returns the working directory with all links resolved; `None` where it was deleted.
    #[expect(clippy::disallowed_methods, reason = "the working directory enters here")]
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.get_or_init(|| std::env::current_dir().ok().and_then(|cwd| cwd.resolved().ok())).as_deref()
    }

    /// `$HOME` with all links resolved.
    pub fn home(&self) -> Option<PathBuf> {
        let real = || self.home.as_ref().map(|home| home.resolved().unwrap_or_else(|_| home.clone()));
        self.real_home.get_or_init(real).clone()
    }

    /// Whether the caller says that it is a machine, which answers no question.
    pub fn is_machine(&self) -> bool {
        self.env.text("CI").is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// Returns those of the optional files that exist, in the session's state or in the store.
    pub fn present(&self, files: &[PathBuf], state: &Store) -> Vec<PathBuf> {
        let has = |path: &&PathBuf| state.root().join(path).is_there() || self.store.root().join(path).is_there();
        files.iter().filter(has).cloned().collect()
    }

    /// Adds what the engine said about itself when it was last asked.
    pub fn recall(&self, engine: Engine) -> Engine {
        let report = engine::learn::recall(&self.store, &engine);
        engine.with(report)
    }

    /// Fails unless a directory is there.
    pub fn existing_directory(path: &Path) -> std::io::Result<()> {
        if path.leads_to_directory() { Ok(()) } else { Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such directory")) }
    }

    /// Returns what `SSH_AUTH_SOCK` leads to.
    pub fn ssh_agent(&self) -> SshAgent {
        match self.env.get("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from) {
            None => SshAgent::Absent,
            Some(path) if is_socket(&path) => SshAgent::Socket(path),
            Some(path) => SshAgent::Broken(path),
        }
    }

    /// Returns the engine that was asked for, else the first that is installed.
    pub fn engine(&self, wanted: Option<EngineKind>) -> Engine {
        let installed = |kind: EngineKind| self.program(kind.program()).map(|program| (kind, program));
        let found = match wanted {
            Some(kind) => installed(kind),
            None => EngineKind::ALL.into_iter().find_map(installed),
        };
        let kind = found.as_ref().map_or(wanted.unwrap_or(EngineKind::Docker), |(kind, _)| *kind);
        let endpoint = engine::endpoint::find(kind, &self.env, self.home().as_deref());
        let product = crate::core::engine::product(kind, &endpoint, cfg!(target_os = "linux"));
        let rootless = crate::core::engine::is_rootless(kind, &endpoint, product, rustix::process::getuid().as_raw());
        let engine = Engine { kind, program: found.map(|(_, program)| program), rootless, endpoint, product, report: None };
        self.recall(engine)
    }
}

pub fn terminal() -> Terminal {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let in_front = rustix::termios::tcgetpgrp(&stdin).map_or(true, |group| group == rustix::process::getpgrp());
    Terminal { stdin: stdin.is_terminal(), stdout: stdout.is_terminal(), stderr: io::stderr().is_terminal(), in_front }
}

fn is_socket(path: &Path) -> bool {
    path.look().is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Returns how many processors this process may use. What a group of ours is limited to does not limit the engine, and nine calls
/// would be needed to learn it.
#[cfg(target_os = "linux")]
fn processors() -> u32 {
    rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count())
}

#[cfg(not(target_os = "linux"))]
fn processors() -> u32 {
    std::thread::available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX))
}

/// Returns what the engine said that it has, else what this machine has.
fn machine(engine: &Engine) -> Machine {
    if let Some(report) = engine.report.as_ref().filter(|report| report.memory > 0 && report.cpus > 0) {
        return Machine { cpus: report.cpus, memory: report.memory };
    }
    let cpus = processors();
    Machine { cpus, memory: memory().unwrap_or(u64::MAX) }
}

/// Not a link, nor what somebody else put where everybody may: its lease would say which container to remove.
fn is_own_dir(path: &Path) -> bool {
    path.look_at_link().is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::getuid().as_raw())
}

/// Returns what keeps a directory from being written: the nearest one above that exists, and whether it is the caller's own.
pub fn closed_directory(path: &Path) -> (&Path, bool) {
    let nearest = path.ancestors().find(|path| path.leads_to_directory()).unwrap_or(path);
    (nearest, is_own_dir(nearest))
}

#[cfg(target_os = "linux")]
fn memory() -> Option<u64> {
    let info = rustix::system::sysinfo();
    Some(info.totalram * u64::from(info.mem_unit))
}

/// Engines on other systems run in a machine of their own, whose size only they know.
#[cfg(not(target_os = "linux"))]
fn memory() -> Option<u64> {
    None
}

/// Returns a fresh id; from the kernel's generator, so that sessions started in the same instant differ.
pub fn fresh_session() -> Result<SessionId> {
    let mut bytes = [0; 6];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| Failure::new(Kind::General, "cannot make a session's id").because(std::io::Error::from(error)))?;
    Ok(SessionId::from_random(bytes))
}

/// Returns who calls us.
pub fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Returns the caller's group.
pub fn gid() -> u32 {
    rustix::process::getgid().as_raw()
}

/// Waits.
pub fn pause(seconds: u64) {
    machine::clock::pause(std::time::Duration::from_secs(seconds));
}

/// Returns the program's arguments, first word included.
#[expect(clippy::disallowed_methods, reason = "the arguments enter here")]
pub fn args() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    machine::clock::since_1970().as_secs()
}

/// Whether this file is closed to everybody but its owner.
pub fn is_private(path: &Path) -> bool {
    path.look().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0)
}

//! What the environment names, looked at for whether a container can write it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::core::engine::{Address, Chosen, Endpoint};
use crate::core::facts::SshAgent;
use crate::core::failure::Result;
use crate::core::planted::{self, EnvironmentPath};
use crate::core::workspace;
use crate::host::Host;
use crate::host::fs::look::Look;
use crate::host::machine::git;
use crate::host::machine::{process, shim};

impl Host {
    /// Fails if `AI_HOME` is where a container can write: what is in a store says what the host runs.
    pub(super) fn refuse_planted_store(&self) -> Result<()> {
        if self.env.get("AI_HOME").is_none_or(OsStr::is_empty) {
            return Ok(());
        }
        let fix = "unset AI_HOME, or name a directory that is in no project";
        let store = EnvironmentPath { by: "AI_HOME", path: real(self.store.root()), fix };
        planted::refusal([&store], self.writable_project()).map_or(Ok(()), Err)
    }

    /// Returns what the environment names and a run will trust, but the store.
    pub(super) fn named(&self, endpoint: &Endpoint, agent: &SshAgent) -> Vec<EnvironmentPath> {
        let mut named = Vec::new();
        for (by, fix) in [
            ("XDG_RUNTIME_DIR", "unset XDG_RUNTIME_DIR, or name a directory that is in no project"),
            ("TMPDIR", "unset TMPDIR, or name a directory that is in no project"),
            // They name programs that the engine's client starts: credential helpers, plugins, hooks, runtimes.
            ("DOCKER_CONFIG", "unset DOCKER_CONFIG, or name a directory that is in no project"),
            ("DOCKER_CERT_PATH", "unset DOCKER_CERT_PATH, or name a directory that is in no project"),
            ("CONTAINERS_CONF", "unset CONTAINERS_CONF, or name a file that is in no project"),
            ("CONTAINERS_CONF_OVERRIDE", "unset CONTAINERS_CONF_OVERRIDE, or name a file that is in no project"),
            ("CONTAINERS_REGISTRIES_CONF", "unset CONTAINERS_REGISTRIES_CONF, or name a file that is in no project"),
            ("CONTAINERS_STORAGE_CONF", "unset CONTAINERS_STORAGE_CONF, or name a file that is in no project"),
            ("NERDCTL_TOML", "unset NERDCTL_TOML, or name a file that is in no project"),
            ("XDG_CONFIG_HOME", "unset XDG_CONFIG_HOME, or name a directory that is in no project"),
        ] {
            named.extend(self.directory(by).map(|path| EnvironmentPath { by, path: real(&path), fix }));
        }
        if let Address::Socket { real, .. } = &endpoint.address {
            let (by, fix) = match endpoint.chosen {
                Chosen::Variable(name) => (name, "unset the variable, or name the engine's own socket"),
                Chosen::Context(_) => ("the socket of the context", "docker context use default"),
                Chosen::Default => ("the engine's socket", "docker context ls"),
            };
            named.push(EnvironmentPath { by, path: real.clone(), fix });
        }
        if let SshAgent::Socket(path) = agent {
            named.push(EnvironmentPath { by: planted::AGENT, path: real(path), fix: "unset SSH_AUTH_SOCK, or AI_SSH_AGENT=no" });
        }
        named.extend(process::this_program().ok().map(|path| EnvironmentPath {
            by: "the program",
            path,
            fix: "install ai outside of the project",
        }));
        named
    }

    fn directory(&self, name: &str) -> Option<PathBuf> {
        self.env.get(name).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// Returns the directory that temporary state is made in: never one that a container can write, for its leases say what is to be ended.
    pub fn temporary_base(&self) -> PathBuf {
        let project = self.writable_project();
        let named = ["XDG_RUNTIME_DIR", "TMPDIR"].into_iter().filter_map(|name| self.directory(name));
        let mut safe = named.filter(|path| planted::writable(&real(path), project).is_none());
        safe.next().unwrap_or_else(|| PathBuf::from("/tmp"))
    }

    /// Returns an executable file on PATH, by absolute path. Relative entries of PATH are passed over: they would find what a
    /// repository planted. So is what lies in the project, where a container can write, or is a link there; and this program
    /// itself, under whatever name, or by a script of ours.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let me = process::this_program().ok();
        let project = self.writable_project();
        let path = self.env.get("PATH")?;
        let absolute: Vec<PathBuf> = std::env::split_paths(path).filter(|entry| entry.is_absolute()).collect();
        let path = std::env::join_paths(absolute).ok()?;
        let mut found = which::which_in_all(name, Some(path), "/").ok()?;
        found.find(|program| (me.is_none() || program.resolved().ok() != me) && !shim::is_shim(program) && !is_planted(program, project))
    }

    /// Returns the directory around us that a container gets to write, unless it is one that is never mounted.
    pub(super) fn writable_project(&self) -> Option<&Path> {
        let writable = || {
            let cwd = self.cwd()?;
            let root = git::root(cwd).unwrap_or(cwd);
            let is_above_home = self.home().is_some_and(|home| home.starts_with(root));
            (!is_above_home && !workspace::is_system(root)).then(|| root.to_owned())
        };
        self.writable.get_or_init(writable).as_deref()
    }

    /// Our own program as shells should call it: by the path on PATH where that leads here (it survives an upgrade
    /// better than the resolved one), else by where it is. A link in the project may lead elsewhere tomorrow.
    pub fn exe(&self) -> PathBuf {
        let me = process::this_program().unwrap_or_else(|_| PathBuf::from("ai"));
        let on_path = self.env.get("PATH").into_iter().flat_map(std::env::split_paths).filter(|entry| entry.is_absolute());
        let mut same = on_path
            .map(|entry| entry.join("ai"))
            .filter(|program| program.is_there() && program.resolved().is_ok_and(|program| program == me));
        let project = self.writable_project();
        same.find(|program| !is_planted(program, project)).unwrap_or(me)
    }
}

/// Whether a program lies where a container can write, or is found by a link that does.
fn is_planted(program: &Path, project: Option<&Path>) -> bool {
    let places = [program.resolved(), program.parent().unwrap_or(program).resolved()];
    places.into_iter().flatten().any(|place| planted::writable(&place, project).is_some())
}

/// Returns the path with its links resolved, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let above = path.ancestors().find_map(|above| Some((above, above.resolved().ok()?)));
    above.map_or_else(|| path.to_owned(), |(above, real)| path.strip_prefix(above).map_or(real.clone(), |below| real.join(below)))
}

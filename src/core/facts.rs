//! What is true of the host now, read once by `host` and never again.
//!
//! Plain values: nothing here looks at the machine.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::core::admit::path::{Looked, Thing};
use crate::core::engine::kind::Engine;
use crate::core::person::Group;
use crate::core::planted::EnvironmentPath;

/// Everything that a decision may depend on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The working directory with all links resolved; `None` where it was deleted.
    pub cwd: Option<PathBuf>,
    /// `$HOME` with all links resolved.
    pub home: Option<PathBuf>,
    /// Where everything that we keep lives: `$AI_HOME`, else `~/.docker-ai-config`.
    pub store: PathBuf,
    /// Where state is mounted from: the store, or a temporary directory of this run where the store cannot be written.
    pub state: PathBuf,
    pub user: User,
    pub env: Env,
    pub repo: Option<Repo>,
    pub consents: Vec<Consent>,
    pub terminal: Terminal,
    pub engine: Engine,
    pub machine: Machine,
    /// IANA name of the time zone, such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    pub ssh_agent: SshAgent,
    /// What the environment names and a run trusts: sockets, temporary directories, our own program.
    pub named: Vec<EnvironmentPath>,
    /// The directory around the working directory that a container gets to write.
    pub writable: Option<PathBuf>,
    /// Our own program, as the shells should call it.
    pub exe: PathBuf,
    /// Optional files of the store that exist now, relative to it.
    pub present: Vec<PathBuf>,
    /// What is at the paths of the host that the plan asked about.
    pub looked: Vec<Looked>,
    /// What the person's instructions import and their settings read from outside the tool's own directory: where it is inside, and on
    /// the host with all links resolved.
    pub brought: Vec<(PathBuf, PathBuf)>,
    /// Roots of the projects that other sessions have mounted: their containers can rename what is below.
    pub session_roots: Vec<PathBuf>,
    /// Device and inode, as `device:inode`, of the directories that a race could exchange.
    pub identities: Vec<(PathBuf, String)>,
    /// The bundle of certificate authorities of a system whose administrator added some.
    pub system_authorities: Option<PathBuf>,
    /// Our own program, where it was asked for and any Linux image can run it.
    pub inside: Option<PathBuf>,
    /// The host's own `openssl`, where it was asked for.
    pub openssl: Option<PathBuf>,
    /// The places in the tool's login that hold a token, of those that were asked about.
    pub tokens: Vec<String>,
    /// Where this tool is on the host: for `--native`.
    pub native: Option<PathBuf>,
    /// The content that the name of the image must stand for, which the engine is told instead of the name.
    pub pinned: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// Beside `gid`, by which files may be reached.
    pub groups: Vec<Group>,
    /// As it is in a container.
    pub name: String,
    /// What new files are closed to.
    pub umask: u32,
}

/// Which standard streams are terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Whether we may read from the terminal: a job in the background would be stopped.
    pub in_front: bool,
}

/// What `$SSH_AUTH_SOCK` leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshAgent {
    Absent,
    Socket(PathBuf),
    /// It is set, but no socket is there.
    Broken(PathBuf),
}

/// What the engine's machine can give: the ceiling of all limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    pub cpus: u32,
    /// Bytes of memory.
    pub memory: u64,
}

/// The nearest repository at or above the working directory. Everything in it may have been made by a container or come out of an
/// archive: what of it lies elsewhere is judged before it is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    /// The directory that holds `.git`, or what other version control has in its place.
    pub root: PathBuf,
    pub kind: RepoKind,
    /// Object directories of other repositories that this one borrows from.
    pub alternates: Vec<Spot>,
    /// What git knows of linked worktrees.
    pub trees: Vec<LinkedWorktree>,
}

/// A directory that belongs to a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The directory, links resolved.
    pub path: PathBuf,
    /// As the repository names it: absolute, or relative to the root.
    pub spelled: PathBuf,
}

/// A linked worktree, by what its administrative directory says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedWorktree {
    /// Its directory below `worktrees`.
    pub name: String,
    /// Where its `.git` file is said to be.
    pub file: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepoKind {
    /// `.git` is a directory, or leads to nothing outside of the root that we have a reason to follow.
    Plain,
    /// A linked worktree whose administrative directory points back at it. The shared `.git` directory is the spot.
    Worktree(Spot),
    /// A submodule: `superproject` holds the `.git` directory with its `modules`.
    Submodule {
        superproject: PathBuf,
        /// Its directory there, links resolved.
        directory: PathBuf,
        proven: SubmoduleProof,
    },
    /// `.git` leads to a directory elsewhere that says nothing of this one: made with `--separate-git-dir`, or a link.
    Elsewhere(Spot),
    /// It leads to a place that cannot be mounted by itself, or is of a version control that keeps its data elsewhere; why, in words.
    Beyond(String),
    /// The working directory is inside a `.git` directory or a bare repository without a work tree.
    Bare,
}

/// Whether the repository above says by itself that a submodule is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmoduleProof {
    /// Its configuration and `.gitmodules`, which nobody in the submodule can write, name this directory.
    Given,
    Missing,
}

/// A project may have a directory beyond itself, as the person agreed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Consent {
    pub root: PathBuf,
    pub path: PathBuf,
    /// Which directory the root was, in the words of a project's record; one of an older program does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
}

/// The environment, read once; in the system's order, which is as good as any for a few look-ups.
#[derive(Clone, Debug, Default)]
pub struct Env(Vec<(OsString, OsString)>);

impl Env {
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().map(|(name, _)| name.as_os_str())
    }

    /// Returns the value, if it is set, valid text and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().filter(|value| !value.is_empty())
    }

    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl FromIterator<(OsString, OsString)> for Env {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Facts {
    /// Returns the identity of a directory that was looked at, as `device:inode`.
    pub fn identity(&self, path: &Path) -> Option<&str> {
        self.identities.iter().find(|(known, _)| known == path).map(|(_, identity)| identity.as_str())
    }

    /// Returns what is at a path that was asked about.
    pub fn look(&self, path: &Path) -> Option<&Thing> {
        self.looked.iter().find(|looked| looked.path == path)?.found.as_ref()
    }

    /// Says why nothing is at a path that was asked about.
    pub fn absence(&self, path: &Path) -> String {
        self.looked.iter().find(|looked| looked.path == path).map_or_else(|| "it is not there".into(), Looked::absence)
    }

    /// Whether a path was asked about, and nothing is there.
    pub fn is_known_to_be_absent(&self, path: &Path) -> bool {
        self.looked.iter().any(|looked| looked.path == path && looked.found.is_none())
    }

    /// Whether the store holds this optional file or directory.
    pub fn has(&self, path: &Path) -> bool {
        self.present.iter().any(|present| present == path)
    }
}

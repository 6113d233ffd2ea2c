//! What of the store containers see: the sources of mounts.

use std::path::{Path, PathBuf};

use crate::core::guard::clipboard::PASTE;
use crate::core::guard::order::XDG_OPEN;
use crate::core::lease::SessionId;
use crate::core::store::Store;

/// A path that nobody but the host can lead elsewhere: a place of the store whose parents no container can write, or what the
/// person named. Nothing else but the workspace becomes a mount's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed(PathBuf);

impl Fixed {
    /// Returns a path that the person's own configuration or environment names.
    pub fn of_person(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

/// A place of the store that containers see.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    Passwd,
    Group,
    User,
    Ssh,
    SshHome(&'a str),
    Gh(&'a str),
    Git(&'a str),
    /// Of a project, or `all`.
    Cache(&'a str),
    GitHost(&'a str),
    /// A directory that a project has to itself inside, by its name there.
    Overlay(&'a str, &'a str),
    /// The file of one worktree, by the hash of where it is.
    Tree(&'a str, &'a str),
    /// Of a tool.
    Shared(&'a str),
    /// Of a tool, by a path in its home.
    Common(&'a str, &'a str),
    /// Of a tool in a project.
    Home(&'a str, &'a str),
    /// Of a session.
    Sockets(&'a SessionId),
    Opener(&'a SessionId),
    Paste(&'a SessionId),
    Gate(&'a SessionId),
}

impl Store {
    pub fn fixed(&self, place: Seen) -> Fixed {
        Fixed(match place {
            Seen::Passwd => self.user().join("passwd"),
            Seen::Group => self.user().join("group"),
            Seen::User => self.user(),
            Seen::Ssh => self.ssh(),
            Seen::SshHome(project) => self.ssh_home(project),
            Seen::Gh(project) => self.gh_home(project),
            Seen::Git(project) => self.git(project),
            Seen::Cache(scope) => self.cache(scope),
            Seen::GitHost(project) => self.git_host(project),
            Seen::Overlay(project, name) => self.overlays(project).join(name),
            Seen::Tree(project, name) => self.trees(project).join(name),
            Seen::Shared(tool) => self.shared(tool),
            Seen::Common(tool, path) => self.common(tool, path),
            Seen::Home(tool, project) => self.home(tool, project),
            Seen::Sockets(session) => self.sockets(session),
            Seen::Opener(session) => self.guard(session).join(XDG_OPEN),
            Seen::Paste(session) => self.guard(session).join(PASTE),
            Seen::Gate(session) => self.gate(session),
        })
    }
}

//! The mounts of a tool's state: one directory for the login, one home for the project, and who the user is.

use std::path::{Path, PathBuf};

use crate::core::config::Origin;
use crate::core::container::ContainerPath;
use crate::core::container::{GH, GIT, GIT_HOST, HOME, SHARED, USER};
use crate::core::facts::Facts;
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Parts};
use crate::core::store::Store;
use crate::core::tool::{Purpose, Tool};

pub(super) fn push(tool: &Tool, store: &Store, project: &str, facts: &Facts, parts: &mut Parts) {
    identity(store, project, facts, parts);
    let Some(state) = &tool.manifest.state else { return };
    let origin = || Origin::Manifest(tool.name.clone());
    let bind = |parts: &mut Parts, source: &Path, target: ContainerPath, reason: &'static str| {
        parts.push(Part::Mount(Mount::bind(source, target, Access::ReadWrite)), reason, origin());
    };
    let shared = store.shared(&tool.name);
    let home = store.home(&tool.name, project);
    let at = ContainerPath::new(&state.home.at);
    if facts.engine.locks_fail() {
        let volume = Part::Volume { name: login_volume(&tool.name), target: ContainerPath::new(SHARED) };
        parts.push(volume, "locks on shared folders were seen to fail: the login is in a volume", origin());
    } else {
        bind(parts, &shared, ContainerPath::new(SHARED), "one login for all projects, with the tool's own locks");
    }
    let login = tool.login_file().and_then(|file| Some(store.root().join(file.parent()?)));
    match login.filter(|_| state.login.at_home && tool.purpose == Purpose::Login) {
        Some(login) => bind(parts, &login, at.clone(), "the login itself, since the tool replaces its files by name"),
        None => {
            bind(parts, &home, at.clone(), "settings, history and trust of this project");
            if let Some(spelled) = host_spelling(tool, facts).filter(|spelled| spelled != at.as_path()) {
                bind(parts, &home, ContainerPath::new(spelled), "your settings name their programs by the host's path");
            }
        }
    }
    for path in &state.shared {
        bind(parts, &shared.join(path), at.join(path), "the same for all projects");
    }
    for path in &state.private {
        let target = at.join(path).as_os_str().to_string_lossy().into_owned();
        parts.push(Part::Scratch { target, exec: false }, "of no use to another run", origin());
    }
}

/// The tool's own directory as the host spells it.
fn host_spelling(tool: &Tool, facts: &Facts) -> Option<PathBuf> {
    Some(facts.home.as_ref()?.join(tool.host_directory()?))
}

/// The volume that holds a tool's login where the store cannot: `ai sync in` makes it.
pub fn login_volume(tool: &str) -> String {
    format!("ai-login-{tool}")
}

/// passwd and group so that git and ssh know the user, and the settings of git, ssh and gh that are the container's own.
fn identity(store: &Store, project: &str, facts: &Facts, parts: &mut Parts) {
    let mut bind = |source: &str, target: ContainerPath, access: Access, reason: &'static str| {
        if facts.has(Path::new(source)) {
            parts.push(Part::Mount(Mount::bind(store.root().join(source), target, access)), reason, Origin::Default);
        }
    };
    let read = Access::ReadOnly;
    bind("global_state/user/passwd", ContainerPath::new("/etc/passwd"), read, "git and ssh ask for the user's name");
    bind("global_state/user/group", ContainerPath::new("/etc/group"), read, "the user's group has a name");
    bind("global_state/user", ContainerPath::new(USER), read, "who the user is");
    let home = ContainerPath::new(HOME);
    bind("global_state/ssh", home.join(".ssh"), Access::ReadWrite, "known hosts, kept apart from the host's");
    bind("global_state/ssh/config", home.join(".ssh/config"), read, "your SSH settings, as far as they mean something in a container");
    bind(GH_DIRECTORY, ContainerPath::new(GH), Access::ReadWrite, "GitHub's command line has its own login here");
    let git = Mount::bind(store.git(project), ContainerPath::new(GIT), Access::ReadWrite);
    parts.push(Part::Mount(git), "your name and mail for git, as they are for this project", Origin::Default);
    let made = Mount::bind(store.git_host(project), ContainerPath::new(GIT_HOST), Access::ReadOnly);
    parts.push(Part::Mount(made), "your other settings of git, with the files that they name", Origin::Default);
}

/// The directory of GitHub's command line, relative to the store.
pub(super) const GH_DIRECTORY: &str = "global_state/gh";

/// The optional files and directories that [`push`] asks about, relative to the store.
pub const OPTIONAL: [&str; 6] = [
    "global_state/user",
    "global_state/user/passwd",
    "global_state/user/group",
    "global_state/ssh",
    "global_state/ssh/config",
    GH_DIRECTORY,
];

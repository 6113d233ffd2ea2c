//! The mounts of a tool's state: one directory for the login, one home for the project, and who the user is.

use std::iter;
use std::path::{Path, PathBuf};

use crate::core::config::Origin;
use crate::core::container::ContainerPath;
use crate::core::container::{GH, GIT, GIT_HOST, HOME, SHARED, SSH, USER};
use crate::core::facts::{Env, Facts};
use crate::core::plan::keys::{self, KeyPlan};
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Parts};
use crate::core::store::Store;
use crate::core::store::seen::Seen;
use crate::core::text::path::without_dots;
use crate::core::tool::Tool;

pub(super) fn push(tool: &Tool, store: &Store, project: &str, facts: &Facts, keys: Option<&KeyPlan>, parts: &mut Parts) {
    identity(store, project, facts, parts);
    let Some(state) = &tool.manifest.state else { return };
    let origin = || Origin::Manifest(tool.name.clone());
    let bind = |parts: &mut Parts, place: Seen, target: ContainerPath, reason: &'static str| {
        parts.push(Part::Mount(Mount::bind(store.fixed(place), target, Access::ReadWrite)), reason, origin());
    };
    let (at, home) = (ContainerPath::new(&state.home.at), ContainerPath::new(home(tool, facts)));
    if let Some(keys) = keys {
        keys::no_login(parts, &keys.origin);
    } else if facts.engine.locks_fail() {
        let volume = Part::Volume { name: login_volume(&tool.name), target: ContainerPath::new(SHARED) };
        parts.push(volume, "locks on shared folders were seen to fail: the login is in a volume", origin());
    } else {
        bind(parts, Seen::Shared(&tool.name), ContainerPath::new(SHARED), "one login for all projects, with the tool's own locks");
    }
    if !tool.logs_in_at_home() {
        bind(parts, Seen::Home(&tool.name, project), at.clone(), "settings, history and trust of this project");
        for spelled in host_spellings(tool, facts.home.as_deref(), &facts.env).into_iter().filter(|spelled| spelled != at.as_path()) {
            let reason = "your settings name their programs by the host's path";
            bind(parts, Seen::Home(&tool.name, project), ContainerPath::new(spelled), reason);
        }
    }
    for path in &state.shared {
        bind(parts, Seen::Common(&tool.name, path), home.join(path), "the same for all projects");
    }
    for path in &state.private {
        let target = home.join(path).as_os_str().to_string_lossy().into_owned();
        parts.push(Part::Scratch { target, exec: false, size: PRIVATE }, "of no use to another run", origin());
    }
}

/// Returns the tool's own directory as the host spells it: by `$HOME` with its links resolved, and as it is written.
pub fn host_spellings(tool: &Tool, home: Option<&Path>, env: &Env) -> Vec<PathBuf> {
    let (Some(below), Some(home)) = (tool.host_directory(), home) else { return Vec::new() };
    let mut spelled: Vec<PathBuf> = iter::once(home.to_owned()).chain(written_home(env)).map(|home| home.join(below)).collect();
    spelled.dedup();
    spelled
}

/// Returns `$HOME` as it is written.
pub(super) fn written_home(env: &Env) -> Option<PathBuf> {
    let home = env.get("HOME").map(|home| without_dots(Path::new(home)));
    home.filter(|home| home.is_absolute() && home.components().count() > 1)
}

/// Returns the path by which a run of the tool finds its home.
pub(super) fn home(tool: &Tool, facts: &Facts) -> String {
    let rules = tool.manifest.state.as_ref().map(|state| &state.home);
    let is_as_on_host = rules.is_some_and(|rules| rules.as_on_host) && tool.is_at_work();
    let spelled = tool.host_directory().filter(|_| is_as_on_host).and_then(|below| Some(written_home(&facts.env)?.join(below)));
    let spelled = spelled.and_then(|spelled| spelled.into_os_string().into_string().ok());
    spelled.unwrap_or_else(|| rules.map_or_else(|| HOME.to_owned(), |rules| rules.at.clone()))
}

/// Returns the volume that holds a tool's login where the store cannot: `ai sync in` makes it.
pub fn login_volume(tool: &str) -> String {
    format!("ai-login-{tool}")
}

/// passwd and group so that git and ssh know the user, and the settings of git, ssh and gh that are the container's own.
fn identity(store: &Store, project: &str, facts: &Facts, parts: &mut Parts) {
    let mut bind = |needs: &str, place: Seen, target: ContainerPath, access: Access, reason: &'static str| {
        if facts.has(Path::new(needs)) {
            parts.push(Part::Mount(Mount::bind(store.fixed(place), target, access)), reason, Origin::Default);
        }
    };
    let (read, write) = (Access::ReadOnly, Access::ReadWrite);
    bind("global_state/user/passwd", Seen::Passwd, ContainerPath::new("/etc/passwd"), read, "git and ssh ask for the user's name");
    bind("global_state/user/group", Seen::Group, ContainerPath::new("/etc/group"), read, "the user's group has a name");
    bind("global_state/user", Seen::User, ContainerPath::new(USER), read, "who the user is");
    let home = ContainerPath::new(HOME);
    bind(SSH_DIRECTORY, Seen::SshHome(project), home.join(".ssh"), write, "known hosts of this project, kept apart from the host's");
    let reason = "your SSH settings, as far as they mean something in a container";
    bind(SSH_DIRECTORY, Seen::Ssh, ContainerPath::new(SSH), read, reason);
    bind(GH_DIRECTORY, Seen::Gh(project), ContainerPath::new(GH), write, "GitHub's command line has its own login in this project");
    let git = Mount::bind(store.fixed(Seen::Git(project)), ContainerPath::new(GIT), write);
    parts.push(Part::Mount(git), "your name and mail for git, as they are for this project", Origin::Default);
    let made = Mount::bind(store.fixed(Seen::GitHost(project)), ContainerPath::new(GIT_HOST), Access::ReadOnly);
    parts.push(Part::Mount(made), "your other settings of git, with the files that they name", Origin::Default);
}

/// The directories of SSH and of GitHub's command line, relative to the store: they say that a run made the state.
const SSH_DIRECTORY: &str = "global_state/ssh";
pub(super) const GH_DIRECTORY: &str = "global_state/gh";

/// Bytes of what a tool keeps for one run.
const PRIVATE: u64 = 256 << 20;

/// The optional files and directories that [`push`] asks about, relative to the store.
pub const OPTIONAL: [&str; 5] = ["global_state/user", "global_state/user/passwd", "global_state/user/group", SSH_DIRECTORY, GH_DIRECTORY];

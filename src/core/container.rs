//! Names inside the container, and the container's own name.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::core::lease::SessionId;

/// Home directory in the container, of whatever user runs there.
pub const HOME: &str = "/home/ai";
/// Where a tool's shared directory is mounted.
pub const SHARED: &str = "/ai/shared";
/// Where the generated user files are mounted, read-only.
pub const USER: &str = "/ai/user";
/// Where the project's own settings of git are mounted.
pub const GIT: &str = "/ai/git";
/// Where the settings of git that were made from the host's are mounted, read-only, with the files that they name.
pub const GIT_HOST: &str = "/ai/git-host";
/// Where the directory of GitHub's command line is mounted. Not below the home: the engine would make `~/.config` as root.
pub const GH: &str = "/ai/gh";
/// Where the caches of package managers are mounted.
pub const CACHE: &str = "/ai/cache";
/// Where the settings of SSH that the host made are mounted, read-only.
pub const SSH: &str = "/ai/ssh";
/// Where worktrees that are not mounted are said to be.
pub const TREES: &str = "/ai/trees";
/// Where the sockets of a run's helper are mounted, read-only.
pub const SOCKETS: &str = "/ai/sock";
/// Where this very program is mounted, read-only.
pub const AI: &str = "/ai/ai";
/// Where the gate of a waiting container is mounted, read-only.
pub const GATE: &str = "/ai/gate";
/// Where the files are mounted that hold the secrets of a run, read-only.
pub const SECRETS: &str = "/ai/secrets";
/// Where the SSH agent's socket is mounted.
pub const SSH_AGENT: &str = "/ai/ssh-agent.sock";

/// A path inside the container; never mixed up with one of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerPath(PathBuf);

impl ContainerPath {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    #[must_use]
    pub fn join(&self, below: impl AsRef<Path>) -> Self {
        let below = below.as_ref();
        if below.as_os_str().is_empty() { self.clone() } else { Self(self.0.join(below)) }
    }

    pub fn as_path(&self) -> &Path {
        &self.0
    }

    pub fn as_os_str(&self) -> &OsStr {
        self.0.as_os_str()
    }
}

/// `ai-<tool>-<slug>-<session>`: matches what engines take as a name.
pub fn container_name(tool: &str, project_name: &str, session: &SessionId) -> String {
    let slug = slug(project_name);
    format!("ai-{tool}-{slug}-{session}")
}

/// Returns a project's name in the characters that engines take in names, at most 24 of them, never empty.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if slug.len() == 24 {
            break;
        }
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "project".into() } else { slug.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_every_engine() {
        let session: SessionId = "0123456789ab".parse().unwrap();
        for (name, slug) in [("My Repo", "my-repo"), ("ü", "project"), ("--x--", "x"), ("a.b_c", "a-b-c")] {
            assert_eq!(container_name("claude", name, &session), format!("ai-claude-{slug}-0123456789ab"));
        }
        assert_eq!(slug(&"a".repeat(99)).len(), 24);
    }
}

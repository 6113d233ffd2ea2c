//! Looks for links and pipes within a directory of git's: git writes through the one and waits for the other, and makes neither itself.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::FileType;

use crate::core::control::kinds::{ANY_IN_GIT, Shape};
use crate::core::control::tables::WRITTEN_BY_GIT;
use crate::core::control::{ControlPath, Trace, Watched, unescaped};
use crate::host::control::gather::Gathering;
use crate::host::control::ground;
use crate::host::fs::Child;

/// Names in all directories of git's, and how deep these go: git itself makes a directory for each part of a branch's name.
const MOST_NAMES: usize = 1_000_000;
const DEEPEST: usize = 100;

/// Directories that are listed and not entered: git's objects have names of their own, modules and worktrees are looked at by
/// themselves, and the others hold what programs beside git keep.
const ENTERED_ELSEWHERE: [&str; 5] = ["annex", "lfs", "modules", "objects", "worktrees"];

/// A directory that is being looked through.
struct OpenLevel {
    path: ControlPath,
    dir: OwnedFd,
    /// Directories in it that are still to be entered.
    inner: Vec<OsString>,
}

/// Adds what is neither file nor directory below an open directory of git's, and what is deeper than git goes.
pub fn within(gathering: &mut Gathering, at: &ControlPath, dir: &OwnedFd) {
    if !gathering.with_links {
        return;
    }
    let Child::Directory(first) = gathering.child(at.anchor, dir, ".") else { return };
    let mut levels = vec![level(gathering, at.clone(), first, &ENTERED_ELSEWHERE)];
    while let Some(last) = levels.last_mut() {
        let Some(name) = last.inner.pop() else {
            levels.pop();
            continue;
        };
        let path = last.path.join(&name);
        if let Child::Directory(dir) = gathering.child(at.anchor, &last.dir, &name) {
            if levels.len() < DEEPEST {
                levels.push(level(gathering, path, dir, &[]));
            } else if !name.as_bytes().starts_with(b".") {
                // No part of a branch's name begins with a dot, and what was set aside does.
                gathering.strange(&path, ANY_IN_GIT, "a directory deeper than git makes them", String::new());
            }
        }
    }
    if gathering.snapshot.is_git_cut {
        written_by_git(gathering, at, dir);
    }
}

/// Lists one directory, and adds what is neither file nor directory there; `passed` are directories that are not entered, but listed.
fn level(gathering: &mut Gathering, path: ControlPath, dir: OwnedFd, passed: &[&str]) -> OpenLevel {
    let mut inner = Vec::new();
    let mut listed = Vec::new();
    let left = MOST_NAMES.saturating_sub(gathering.snapshot.names_in_git);
    let (count, more) = ground::each(&dir, left, |name, kind| match kind {
        FileType::Directory if passed.iter().any(|passed| name == *passed) => listed.push(name.to_owned()),
        FileType::Directory => inner.push(name.to_owned()),
        FileType::RegularFile | FileType::Socket => {}
        _ => gathering.file(&path.join(name), &dir, name, ANY_IN_GIT),
    });
    gathering.snapshot.names_in_git += count;
    gathering.snapshot.is_git_cut |= more;
    for name in listed {
        if let Child::Directory(dir) = gathering.child(path.anchor, &dir, &name) {
            let path = path.join(&name);
            level(gathering, path, dir, &[]);
        }
    }
    OpenLevel { path, dir, inner }
}

/// Adds, of more names than are looked at, those that git writes to whatever they are.
fn written_by_git(gathering: &mut Gathering, at: &ControlPath, dir: &OwnedFd) {
    let head = ground::trace(dir, OsStr::new("HEAD")).map(|(_, bytes)| bytes).unwrap_or_default();
    let branch = head.strip_prefix(b"ref: ").map(|name| Path::new(OsStr::from_bytes(name.trim_ascii())));
    let branch = branch.filter(|name| name.components().all(|part| matches!(part, Component::Normal(_))));
    let of_branch = branch.into_iter().flat_map(|name| [name.to_owned(), Path::new("logs").join(name)]);
    for name in of_branch.chain(WRITTEN_BY_GIT.iter().map(PathBuf::from)) {
        gathering.path(at, dir, &name, Shape::File, ANY_IN_GIT);
    }
}

impl Gathering<'_> {
    /// Adds a name if it is a link or a pipe. Where another row says more about it, that row counts.
    pub fn kind(&mut self, path: &ControlPath, dir: &OwnedFd, name: &OsStr) {
        let is_crossing = |kind| matches!(kind, FileType::Symlink | FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice);
        if self.snapshot.watched.contains_key(path) || !ground::kind_at(dir, name).is_some_and(is_crossing) {
            return;
        }
        let Some((trace, _)) = ground::trace(dir, name) else { return };
        // As old gits say which branch is checked out.
        let is_branch = |to: &str| unescaped(to).is_some_and(|to| to.starts_with(b"refs/") && !to.windows(2).any(|two| two == b".."));
        if name.as_bytes() == b"HEAD" && matches!(&trace, Trace::Link { to } if is_branch(to)) {
            return;
        }
        self.snapshot.watched.insert(path.clone(), Watched { tier: ANY_IN_GIT.tier, reads: ANY_IN_GIT.reads, trace });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::control::kinds::Reads;
    use crate::host::control::gather::Snapshot;
    use crate::host::control::ground::Ground;
    use crate::host::fs::own;
    use std::collections::BTreeSet;

    // BO-12: where there are more names than are looked at, git still writes to those that it always writes to.
    #[test]
    fn what_git_writes_to_is_looked_at_among_any_number_of_names() {
        let directory = tempfile::tempdir().unwrap();
        let git = directory.path().join(".git");
        for inner in ["", "refs", "logs", "logs/refs", "logs/refs/heads", "logs/refs/heads/a"] {
            own::make_directory(git.join(inner)).unwrap();
        }
        own::overwrite(git.join("HEAD"), "ref: refs/heads/a/b\n").unwrap();
        let links = ["COMMIT_EDITMSG", "FETCH_HEAD", "logs/HEAD", "logs/refs/heads/a/b", "refs/heads", "packed-refs"];
        for name in links {
            own::make_link(git.join(name), "/elsewhere").unwrap();
        }
        let (ground, _) = Ground::open(directory.path()).unwrap();
        let at = ControlPath::new(0, ".git");
        let dir = ground.enter(&at.below).unwrap();
        let leaves = BTreeSet::new();
        for names_in_git in [0, MOST_NAMES - 2, MOST_NAMES] {
            let mut snapshot = Snapshot::default();
            snapshot.names_in_git = names_in_git;
            let grounds = std::slice::from_ref(&ground);
            let mut gathering = Gathering { grounds, with_direnv: false, with_links: true, leaves: &leaves, known: None, snapshot };
            within(&mut gathering, &at, &dir);
            let found: BTreeSet<_> = gathering.snapshot.watched.keys().map(|path| path.below.strip_prefix(".git").unwrap()).collect();
            assert_eq!(found, links.iter().map(Path::new).collect(), "{names_in_git}");
            assert!(gathering.snapshot.watched.values().all(|watched| watched.reads == Reads::Kind));
            assert_eq!(gathering.snapshot.is_git_cut, names_in_git > 0);
        }
    }
}

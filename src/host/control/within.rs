//! Looks for links and pipes within a directory of git's: git writes through the one and waits for the other, and makes neither itself.

use std::collections::VecDeque;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::FileType;

use crate::core::control::kinds::ANY_IN_GIT;
use crate::core::control::{ControlPath, Trace, Watched, unescaped};
use crate::host::control::gather::Gathering;
use crate::host::control::ground::{self, DirName};
use crate::host::fs::Child;

/// Names in all directories of git's, and how deep these go. A branch is a file, and a file of its history.
const MOST_NAMES: usize = 10_000;
const DEEPEST: usize = 12;

/// Directories that are listed and not entered: git's objects have names of their own, modules and worktrees are looked at by
/// themselves, and the others hold what programs beside git keep.
const ENTERED_ELSEWHERE: [&str; 5] = ["annex", "lfs", "modules", "objects", "worktrees"];

/// Adds what is neither file nor directory below an open directory of git's.
pub fn within(gathering: &mut Gathering, at: &ControlPath, dir: &OwnedFd) {
    if !gathering.with_links {
        return;
    }
    let mut queue = VecDeque::from([at.clone()]);
    let depth_of = |path: &ControlPath| path.below.iter().count();
    let first = depth_of(at);
    while let Some(path) = queue.pop_front() {
        let below = path.below.strip_prefix(&at.below).unwrap_or(Path::new(""));
        let Some(inner) = below_of(gathering, at.anchor, dir, below) else { continue };
        let (names, more) = ground::list(&inner, MOST_NAMES.saturating_sub(gathering.snapshot.names_in_git));
        gathering.snapshot.names_in_git += names.len();
        gathering.snapshot.is_cut |= more;
        let is_entered = !ENTERED_ELSEWHERE.iter().any(|name| below == Path::new(name)) && depth_of(&path) < first + DEEPEST;
        for DirName { name, kind } in &names {
            match kind {
                FileType::Directory if is_entered => queue.push_back(path.join(name)),
                FileType::Directory | FileType::RegularFile | FileType::Socket => {}
                _ => gathering.file(&path.join(name), &inner, name, ANY_IN_GIT),
            }
        }
    }
}

fn below_of(gathering: &Gathering, anchor: u8, dir: &OwnedFd, below: &Path) -> Option<OwnedFd> {
    let Child::Directory(mut inner) = gathering.child(anchor, dir, ".") else { return None };
    for name in below {
        let Child::Directory(next) = gathering.child(anchor, &inner, name) else { return None };
        inner = next;
    }
    Some(inner)
}

impl Gathering<'_> {
    /// Adds a name if it is a link or a pipe. Where another row says more about it, that row counts.
    pub fn kind(&mut self, path: &ControlPath, dir: &OwnedFd, name: &std::ffi::OsStr) {
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

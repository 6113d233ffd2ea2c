//! Reads the control files of a project: bounded, and without following any link.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;

use crate::core::control::kinds::{self, ControlKind, ControlRow, Shape};
use crate::core::control::record::Tag;
use crate::core::control::tables::{IN_GIT_DIRECTORY, OF_A_PROMPT};
use crate::core::control::{ControlPath, Trace, Watched};
use crate::host::control::ground::{self, Ground};
use crate::host::control::within::within;
use crate::host::fs::Child;

/// Files that run, and bytes of them, that are compared by content. Of those beyond, only whether they changed at all is known.
const RUNS: Room = Room { files: 20_000, bytes: 64 << 20 };
/// Others, which have room of their own, so that nothing takes it away from what runs.
const OTHERS: Room = Room { files: 2_000, bytes: 16 << 20 };
/// Files in one directory that runs, in one of the others, and how deep these go.
const MOST_IN_RUNNING_TREE: usize = 10_000;
const MOST_IN_TREE: usize = 256;
const DEEPEST_TREE: usize = 4;
/// Names whose changes are known without their content, in a directory of too many.
const MOST_STAMPED: usize = 1_000_000;
/// Directories of git's: submodules, worktrees, repositories within the project; and how deep the names of submodules go.
const MOST_GIT_DIRECTORIES: usize = 2_000;
const DEEPEST_MODULE: usize = 32;

/// The control files of a project at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub watched: BTreeMap<ControlPath, Watched>,
    /// Contents by hash.
    pub contents: BTreeMap<String, Vec<u8>>,
    pub git_directories: BTreeSet<ControlPath>,
    /// What settings and links name in the project.
    pub named: BTreeMap<ControlPath, Tag>,
    /// `.git` files and settings by which git comes to a directory out of the project, or to another one than their words say.
    pub lead_outside: BTreeSet<ControlPath>,
    /// Whether the project has more directories than were looked through.
    pub is_cut: bool,
    /// Whether git's own have more in them, or there are more of these.
    pub is_git_cut: bool,
    /// Work trees, each with the directory of git's that it has.
    pub trees: Vec<(ControlPath, ControlPath)>,
    /// Names that were looked at in directories of git's.
    pub names_in_git: usize,
    runs: Room,
    others: Room,
}

/// What was taken of the room for one sort of files.
#[derive(Debug, Default)]
struct Room {
    files: usize,
    bytes: usize,
}

/// Whose control files, and what is known about them beforehand.
pub struct Gathering<'a> {
    pub grounds: &'a [Ground],
    pub with_direnv: bool,
    pub with_links: bool,
    /// Names that count in a directory in which no directory is.
    pub leaves: &'a BTreeSet<String>,
    /// Directories of git's that are looked at in any case.
    pub known: Option<&'a BTreeSet<ControlPath>>,
    pub snapshot: Snapshot,
}

impl Gathering<'_> {
    /// Adds what rows of a table name in a directory below an anchor.
    pub fn rows(&mut self, at: &ControlPath, dir: &OwnedFd, rows: &[ControlRow]) {
        for (path, shape, kind) in rows {
            self.path(at, dir, Path::new(path), *shape, *kind);
        }
    }

    /// Adds what stands at `below` in a directory that is open. A component that is no directory is what stands there.
    pub fn path(&mut self, at: &ControlPath, dir: &OwnedFd, below: &Path, shape: Shape, kind: ControlKind) {
        let mut entered: Option<OwnedFd> = None;
        let mut path = at.clone();
        let mut names = below.iter().peekable();
        while let Some(name) = names.next() {
            path = path.join(name);
            let from = entered.as_ref().unwrap_or(dir);
            if names.peek().is_none() && shape == Shape::File {
                return self.file(&path, from, name, kind);
            }
            match self.child(at.anchor, from, name) {
                Child::Absent => return,
                Child::Directory(inner) => entered = Some(inner),
                Child::Other => return self.file(&path, from, name, kind),
            }
        }
        if let Some(dir) = entered {
            self.tree(&path, &dir, kind, 0);
        }
    }

    fn tree(&mut self, at: &ControlPath, dir: &OwnedFd, kind: ControlKind, depth: usize) {
        let is_running = kind.tier == kinds::Tier::Runs;
        let (names, more) = ground::list(dir, if is_running { MOST_IN_RUNNING_TREE } else { MOST_IN_TREE });
        if more && is_running {
            // Among too many names, the one that runs could be any: the directory as a whole is what changed.
            let (stamp, more) = ground::stamp_of_all(dir, MOST_STAMPED);
            self.snapshot.is_git_cut |= more;
            return self.strange(at, kind, "a directory of more than 10,000 files", stamp);
        }
        for entry in names.iter().filter(|_| depth <= DEEPEST_TREE) {
            let path = at.join(&entry.name);
            if kinds::is_sample(path.below.strip_prefix(at.below.parent().unwrap_or(Path::new(""))).unwrap_or(&path.below)) {
                continue;
            }
            match self.child(at.anchor, dir, &entry.name) {
                Child::Directory(inner) => self.tree(&path, &inner, kind, depth + 1),
                _ => self.file(&path, dir, &entry.name, kind),
            }
        }
    }

    /// Adds one file, if it is there.
    pub fn file(&mut self, path: &ControlPath, dir: &OwnedFd, name: &OsStr, kind: ControlKind) {
        if kind.reads == kinds::Reads::Kind {
            return self.kind(path, dir, name);
        }
        if self.snapshot.watched.get(path).is_some_and(|known| known.tier < kind.tier) {
            // What it is said to be already is worse.
            return;
        }
        let most = if kind.tier == kinds::Tier::Runs { RUNS } else { OTHERS };
        let room = self.room(kind);
        if room.files >= most.files || room.bytes > most.bytes {
            self.snapshot.is_cut = true;
            if kind.tier == kinds::Tier::Runs && ground::kind_at(dir, name).is_some() {
                self.strange(path, kind, "one file too many to look at", ground::stamp(dir, name));
            }
            return;
        }
        let Some((trace, bytes)) = ground::trace(dir, name) else { return };
        match &trace {
            Trace::File { hash, .. } => {
                if kind.reads == kinds::Reads::Settings {
                    self.name(path, &bytes);
                }
                if kind.reads == kinds::Reads::Script {
                    self.name_read_in(path, &bytes);
                }
                self.room(kind).bytes += bytes.len();
                self.snapshot.contents.insert(hash.clone(), bytes);
            }
            Trace::Link { to } if kind.tier == kinds::Tier::Runs => self.follow(path, to),
            _ => {}
        }
        self.room(kind).files += 1;
        self.snapshot.watched.insert(path.clone(), Watched { tier: kind.tier, reads: kind.reads, trace });
    }

    fn room(&mut self, kind: ControlKind) -> &mut Room {
        if kind.tier == kinds::Tier::Runs { &mut self.snapshot.runs } else { &mut self.snapshot.others }
    }

    pub fn strange(&mut self, path: &ControlPath, kind: ControlKind, why: &str, stamp: String) {
        let trace = Trace::Strange { why: why.into(), stamp };
        self.snapshot.watched.insert(path.clone(), Watched { tier: kind.tier, reads: kind.reads, trace });
    }

    /// Adds the programs of a prompt in a directory that is on PATH.
    pub fn programs(&mut self, at: &ControlPath) {
        let Some(dir) = self.grounds.get(usize::from(at.anchor)).and_then(|ground| ground.enter(&at.below)) else { return };
        for name in OF_A_PROMPT {
            self.file(&at.join(name), &dir, OsStr::new(name), kinds::NAMED);
        }
    }

    /// Returns what a name in an open directory below an anchor leads to.
    pub fn child(&self, anchor: u8, dir: &OwnedFd, name: impl AsRef<OsStr>) -> Child {
        self.grounds.get(usize::from(anchor)).map_or(Child::Absent, |ground| ground.child(dir, name.as_ref()))
    }

    pub fn absolute(&self, path: &ControlPath) -> PathBuf {
        self.grounds.get(usize::from(path.anchor)).map_or_else(|| path.below.clone(), |ground| ground.path.join(&path.below))
    }

    /// Adds one of git's own directories, with those of its submodules and worktrees.
    pub fn git_directory(&mut self, at: &ControlPath) {
        if self.snapshot.git_directories.contains(at) {
            return;
        }
        if self.snapshot.git_directories.len() >= MOST_GIT_DIRECTORIES {
            self.snapshot.is_git_cut = true;
            if !self.known.is_some_and(|known| known.contains(at)) {
                return;
            }
        }
        let Some(dir) = self.grounds.get(usize::from(at.anchor)).and_then(|ground| ground.enter(&at.below)) else { return };
        self.snapshot.git_directories.insert(at.clone());
        self.rows(at, &dir, IN_GIT_DIRECTORY);
        within(self, at, &dir);
        self.worktrees(&at.join("worktrees"), &dir);
        if let Child::Directory(modules) = self.child(at.anchor, &dir, "modules") {
            self.modules(&at.join("modules"), &modules, 0);
        }
    }

    fn worktrees(&mut self, at: &ControlPath, dir: &OwnedFd) {
        let Child::Directory(worktrees) = self.child(at.anchor, dir, "worktrees") else { return };
        let (names, more) = ground::list(&worktrees, MOST_GIT_DIRECTORIES);
        self.snapshot.is_git_cut |= more;
        for entry in names.iter().filter(|entry| entry.is_directory()) {
            let path = at.join(&entry.name);
            if let Child::Directory(inner) = self.child(at.anchor, &worktrees, &entry.name) {
                self.snapshot.git_directories.insert(path.clone());
                self.rows(&path, &inner, IN_GIT_DIRECTORY);
                within(self, &path, &inner);
            }
        }
    }

    /// A name of a submodule may have slashes, so that what has no `HEAD` is gone into.
    fn modules(&mut self, at: &ControlPath, dir: &OwnedFd, depth: usize) {
        let (names, more) = ground::list(dir, MOST_GIT_DIRECTORIES);
        self.snapshot.is_git_cut |= more || depth > DEEPEST_MODULE;
        for entry in names.iter().filter(|entry| entry.is_directory() && depth <= DEEPEST_MODULE) {
            let path = at.join(&entry.name);
            let Child::Directory(inner) = self.child(at.anchor, dir, &entry.name) else { continue };
            if ground::kind_at(&inner, "HEAD").is_some() {
                self.git_directory(&path);
            } else {
                self.modules(&path, &inner, depth + 1);
            }
        }
    }
}

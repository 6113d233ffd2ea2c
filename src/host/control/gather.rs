//! Reads the control files of a project: bounded, and without following any link.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;

use crate::core::control::gitconfig::parse;
use crate::core::control::kinds::{self, ControlKind, ControlRow, IN_GIT_DIRECTORY, Shape};
use crate::core::control::named::{inside, linked, named};
use crate::core::control::record::Tag;
use crate::core::control::{ControlPath, Trace, Watched, unescaped};
use crate::host::control::ground::{self, Ground};
use crate::host::control::within::within;
use crate::host::fs::{self, Child, Trust};

/// Control files in one project, files in one directory of them, and how deep these go.
const MOST_FILES: usize = 2_000;
const MOST_IN_TREE: usize = 256;
const DEEPEST_TREE: usize = 4;
/// Bytes of them.
const MOST_BYTES: usize = 16 << 20;
/// Directories of git's: submodules, worktrees, repositories within the project.
pub const MOST_GIT_DIRECTORIES: usize = 200;

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
    pub is_cut: bool,
    /// Names that were looked at in directories of git's.
    pub names_in_git: usize,
    bytes: usize,
}

/// Whose control files, and what is known about them beforehand.
pub struct Gathering<'a> {
    pub grounds: &'a [Ground],
    pub with_direnv: bool,
    pub with_links: bool,
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
            match fs::child(from, name, Trust::State) {
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
        let (names, more) = ground::list(dir, MOST_IN_TREE);
        if more && kind.tier == kinds::Tier::Runs {
            // Among too many names, the one that runs could be any: the directory as a whole is what changed.
            return self.strange(at, kind, "a directory of more than 256 files");
        }
        for entry in names.iter().filter(|_| depth <= DEEPEST_TREE) {
            let path = at.join(&entry.name);
            if kinds::is_sample(path.below.strip_prefix(at.below.parent().unwrap_or(Path::new(""))).unwrap_or(&path.below)) {
                continue;
            }
            match fs::child(dir, &entry.name, Trust::State) {
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
        if self.snapshot.watched.len() >= MOST_FILES || self.snapshot.bytes > MOST_BYTES {
            self.snapshot.is_cut = true;
            if kind.tier == kinds::Tier::Runs && ground::kind_at(dir, name).is_some() {
                self.strange(path, kind, "one file too many to look at");
            }
            return;
        }
        let Some((trace, bytes)) = ground::trace(dir, name) else { return };
        match &trace {
            Trace::File { hash, .. } => {
                if kind.reads == kinds::Reads::Settings {
                    self.name(path, &bytes);
                }
                self.snapshot.bytes += bytes.len();
                self.snapshot.contents.insert(hash.clone(), bytes);
            }
            Trace::Link { to } if kind.tier == kinds::Tier::Runs => self.follow(path, to),
            _ => {}
        }
        self.snapshot.watched.insert(path.clone(), Watched { tier: kind.tier, reads: kind.reads, trace });
    }

    fn strange(&mut self, path: &ControlPath, kind: ControlKind, why: &str) {
        let trace = Trace::Strange { why: why.into() };
        self.snapshot.watched.insert(path.clone(), Watched { tier: kind.tier, reads: kind.reads, trace });
    }

    /// Notes what settings name in the project. Those of a submodule are seen from its work tree, those of all others from the
    /// directory that `.git` is in.
    fn name(&mut self, path: &ControlPath, bytes: &[u8]) {
        let Ok(settings) = parse(bytes) else { return };
        let Some(root) = self.grounds.first().map(|ground| ground.path.clone()) else { return };
        let file = self.absolute(path);
        let worktree = settings.iter().find(|setting| setting.section == "core" && setting.key == "worktree");
        let beside = file.parent().and_then(Path::parent).unwrap_or(&root).to_owned();
        let value = worktree.and_then(|setting| setting.value.as_deref()).map(|value| Path::new(OsStr::from_bytes(value)));
        let tree = match value {
            Some(value) => {
                let below = inside(&root, file.parent().unwrap_or(&root), value);
                if below.as_ref().is_none_or(|below| self.leads_elsewhere(below)) {
                    self.snapshot.lead_outside.insert(path.clone());
                }
                below.map(|below| root.join(below))
            }
            // The settings of a repository may also be those of a linked worktree, whose root is ours.
            None if beside.starts_with(&root) => Some(beside),
            None => None,
        };
        for named in named(&settings, &root, &file, &tree.unwrap_or(root.clone())) {
            self.snapshot.named.insert(ControlPath::new(0, named.below), named.kind.into());
        }
    }

    /// Says whether a link stands on the way to a directory of the project.
    fn leads_elsewhere(&self, below: &Path) -> bool {
        let Some(ground) = self.grounds.first() else { return false };
        let there = fs::enter_following(&ground.path.join(below)).ok().flatten();
        !ground::is_same(ground.enter(below), there)
    }

    /// Notes where a link in a place of git's leads, if that is in the project: the host runs what is there.
    fn follow(&mut self, path: &ControlPath, to: &str) {
        let Some(root) = self.grounds.first().map(|ground| &ground.path) else { return };
        let Some(target) = unescaped(to) else { return };
        let below = linked(root, &self.absolute(path), Path::new(OsStr::from_bytes(&target)));
        if let Some(below) = below.filter(|below| !kinds::is_in_git(below)) {
            self.snapshot.named.insert(ControlPath::new(0, below), kinds::NAMED.into());
        }
    }

    pub fn absolute(&self, path: &ControlPath) -> PathBuf {
        self.grounds.get(usize::from(path.anchor)).map_or_else(|| path.below.clone(), |ground| ground.path.join(&path.below))
    }

    /// Adds what was named by settings, those of an earlier moment among them.
    pub fn named(&mut self, earlier: &BTreeMap<ControlPath, Tag>) {
        let mut done = BTreeSet::new();
        // What is included may include again; git itself stops after ten.
        for _ in 0..10 {
            let all: Vec<(ControlPath, Tag)> = self.snapshot.named.iter().chain(earlier).map(|(path, tag)| (path.clone(), *tag)).collect();
            let new: Vec<_> = all.into_iter().filter(|(path, _)| done.insert(path.clone())).collect();
            if new.is_empty() || done.len() > MOST_IN_TREE {
                break;
            }
            for (path, tag) in new {
                self.one_named(&path, tag);
            }
        }
        self.snapshot.named.extend(earlier.iter().map(|(path, tag)| (path.clone(), *tag)));
    }

    fn one_named(&mut self, path: &ControlPath, tag: Tag) {
        if self.snapshot.watched.get(path).is_some_and(|known| known.tier == kinds::Tier::Runs) {
            return;
        }
        let grounds = self.grounds;
        let Some(ground) = grounds.get(usize::from(path.anchor)) else { return };
        if tag.reads == kinds::Reads::Kind {
            // Any component of it may be the link.
            return self.path(&ControlPath::new(path.anchor, ""), &ground.dir, &path.below, Shape::File, tag.into());
        }
        let (Some(name), Some(parent)) = (path.below.file_name(), path.below.parent()) else { return };
        let Some(dir) = ground.enter(parent) else { return };
        let at = ControlPath::new(path.anchor, parent);
        let shape = match fs::child(&dir, name, Trust::State) {
            Child::Directory(_) => Shape::Tree,
            _ => Shape::File,
        };
        self.path(&at, &dir, Path::new(name), shape, tag.into());
    }

    /// Adds one of git's own directories, with those of its submodules and worktrees.
    pub fn git_directory(&mut self, at: &ControlPath) {
        if self.snapshot.git_directories.contains(at) {
            return;
        }
        if self.snapshot.git_directories.len() >= MOST_GIT_DIRECTORIES {
            self.snapshot.is_cut = true;
            return;
        }
        let Some(dir) = self.grounds.get(usize::from(at.anchor)).and_then(|ground| ground.enter(&at.below)) else { return };
        self.snapshot.git_directories.insert(at.clone());
        self.rows(at, &dir, IN_GIT_DIRECTORY);
        within(self, at, &dir);
        self.worktrees(&at.join("worktrees"), &dir);
        if let Child::Directory(modules) = child(&dir, "modules") {
            self.modules(&at.join("modules"), &modules, 0);
        }
    }

    fn worktrees(&mut self, at: &ControlPath, dir: &OwnedFd) {
        let Child::Directory(worktrees) = child(dir, "worktrees") else { return };
        let (names, more) = ground::list(&worktrees, MOST_GIT_DIRECTORIES);
        self.snapshot.is_cut |= more;
        for entry in names.iter().filter(|entry| entry.is_directory()) {
            let path = at.join(&entry.name);
            if let Child::Directory(inner) = child(&worktrees, &entry.name) {
                self.snapshot.git_directories.insert(path.clone());
                self.rows(&path, &inner, IN_GIT_DIRECTORY);
                within(self, &path, &inner);
            }
        }
    }

    /// A name of a submodule may have slashes, so that what has no `HEAD` is gone into.
    fn modules(&mut self, at: &ControlPath, dir: &OwnedFd, depth: usize) {
        let (names, more) = ground::list(dir, MOST_IN_TREE);
        self.snapshot.is_cut |= more || depth > DEEPEST_TREE;
        for entry in names.iter().filter(|entry| entry.is_directory() && depth <= DEEPEST_TREE) {
            let path = at.join(&entry.name);
            let Child::Directory(inner) = child(dir, &entry.name) else { continue };
            if ground::kind_at(&inner, "HEAD").is_some() {
                self.git_directory(&path);
            } else {
                self.modules(&path, &inner, depth + 1);
            }
        }
    }
}

fn child(dir: &OwnedFd, name: impl AsRef<OsStr>) -> Child {
    fs::child(dir, name.as_ref(), Trust::State)
}

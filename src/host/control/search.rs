//! Looks for repositories within a project, and for control files beside them: the first levels of it, never all.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::FileType;

use crate::core::control::kinds::{self, GIT_FILE, Shape, Tier};
use crate::core::control::named::inside;
use crate::core::control::tables::{IN_WORK_TREE, WITH_DIRENV};
use crate::core::control::{ControlPath, Trace, Watched};
use crate::host::control::gather::Gathering;
use crate::host::control::ground::{self, DirName, Ground};
use crate::host::fs::{self, Child};

/// Directories that are looked at, and names in those that have others in them. A repository of 100,000 files costs no more.
const MOST_DIRECTORIES: usize = 500;
const MOST_NAMES: usize = 5_000;

/// Directories that are full and hold what programs made: looked into last.
const LAST: [&str; 10] = [".cache", ".tox", ".venv", "build", "dist", "node_modules", "target", "vendor", "venv", "__pycache__"];

/// Looks through what is below an anchor, level by level; `seeds` are directories that are looked at in any case.
pub fn search(gathering: &mut Gathering, anchor: u8, seeds: &[PathBuf]) {
    let Some(root) = gathering.grounds.get(usize::from(anchor)) else { return };
    let mut search = Search { anchor, root, seeds, queue: VecDeque::new(), later: VecDeque::new(), names: 0, directories: 0 };
    for seed in std::iter::once(Path::new("")).chain(seeds.iter().map(PathBuf::as_path)) {
        search.queue.push_back(seed.to_owned());
    }
    while let Some(below) = search.queue.pop_front().or_else(|| search.later.pop_front()) {
        search.look_into(gathering, &below);
    }
    gathering.snapshot.is_cut |= search.names >= MOST_NAMES || search.directories >= MOST_DIRECTORIES;
}

struct Search<'a> {
    anchor: u8,
    root: &'a Ground,
    seeds: &'a [PathBuf],
    queue: VecDeque<PathBuf>,
    later: VecDeque<PathBuf>,
    names: usize,
    directories: usize,
}

impl Search<'_> {
    fn look_into(&mut self, gathering: &mut Gathering, below: &Path) {
        let path = self.root.path.join(below);
        if (0_u8..).zip(gathering.grounds).any(|(anchor, ground)| anchor != self.anchor && ground.path == path) {
            // It is looked through by itself.
            return;
        }
        let Some(dir) = self.root.enter(below) else { return };
        let at = ControlPath::new(self.anchor, below);
        git_entry(gathering, &at, &dir);
        let (mut names, more) = ground::list(&dir, MOST_NAMES.saturating_sub(self.names));
        self.names += names.len();
        if is_bare(|wanted| names.iter().any(|entry| entry.name == *wanted)) {
            gathering.git_directory(&at);
        }
        if more && (below.as_os_str().is_empty() || self.seeds.iter().any(|seed| seed == below)) {
            // A shell stands here: what it runs is found among any number of names.
            let rows = IN_WORK_TREE.iter().chain(if gathering.with_direnv { WITH_DIRENV } else { &[] });
            let first = rows.filter_map(|(path, ..)| path.split('/').next());
            names.extend(first.map(|name| DirName { name: name.into(), kind: FileType::RegularFile }));
        }
        control_files(gathering, &at, &dir, &names);
        for entry in names.iter().filter(|entry| entry.is_directory() && !entry.name.eq_ignore_ascii_case(".git")) {
            self.directory(gathering, below, &dir, &entry.name);
        }
    }

    /// Notes what can be seen of a directory in one that is open, and goes into it where that is worth it.
    fn directory(&mut self, gathering: &mut Gathering, below: &Path, dir: &OwnedFd, name: &OsStr) {
        if self.directories >= MOST_DIRECTORIES {
            return;
        }
        self.directories += 1;
        let path = below.join(name);
        // What is set up in `.config` has many names.
        if !self.root.counts_links || name == ".config" || !ground::is_leaf(dir, name) {
            let queue = if LAST.iter().any(|last| name == *last) { &mut self.later } else { &mut self.queue };
            queue.push_back(path);
            return;
        }
        // No directory is in it. A file that says where one of git's is, may be; and links may stand for what one of git's has.
        let inner = |file: &str| ground::kind_at(dir, Path::new(name).join(file)).is_some();
        if is_bare(inner) {
            gathering.git_directory(&ControlPath::new(self.anchor, &path));
        }
        let leaves = gathering.leaves;
        if (inner(".git") || leaves.iter().any(|leaf| inner(leaf)))
            && let Child::Directory(inner) = self.root.child(dir, name)
        {
            let at = ControlPath::new(self.anchor, &path);
            git_entry(gathering, &at, &inner);
            let names: Vec<DirName> = leaves.iter().map(|leaf| DirName { name: leaf.into(), kind: FileType::RegularFile }).collect();
            control_files(gathering, &at, &inner, &names);
        }
    }
}

/// Says whether git takes a directory with these names for one of its own (`is_git_directory` in its setup.c).
pub fn is_bare(has: impl Fn(&str) -> bool) -> bool {
    has("HEAD") && (has("commondir") || has("objects") && has("refs"))
}

/// Adds what `.git` in a directory is, and what it leads to.
pub fn git_entry(gathering: &mut Gathering, at: &ControlPath, dir: &OwnedFd) {
    let path = at.join(".git");
    match ground::kind_at(dir, ".git") {
        None => {}
        Some(FileType::Directory) => {
            let trace = Trace::Directory;
            gathering.snapshot.watched.insert(path.clone(), Watched { tier: GIT_FILE.tier, reads: GIT_FILE.reads, trace });
            gathering.git_directory(&path);
            gathering.snapshot.trees.push((at.clone(), path));
        }
        Some(_) => {
            gathering.file(&path, dir, OsStr::new(".git"), GIT_FILE);
            led_to(gathering, at, &path);
        }
    }
}

/// Follows a `.git` file, by its words alone, to a directory that is watched too. Where git would come to another one, by a link or
/// out of the project, it is noted.
fn led_to(gathering: &mut Gathering, at: &ControlPath, path: &ControlPath) {
    let Some(Trace::File { hash, .. }) = gathering.snapshot.watched.get(path).map(|watched| &watched.trace) else { return };
    let bytes = gathering.snapshot.contents.get(hash).cloned().unwrap_or_default();
    let Some(target) = bytes.strip_prefix(b"gitdir:").map(<[u8]>::trim_ascii) else { return };
    let target = Path::new(OsStr::from_bytes(target));
    let file = gathering.absolute(path);
    let beside = file.parent().unwrap_or(Path::new("/"));
    let git_comes_to = || fs::enter_following(&beside.join(target)).ok().flatten();
    for (anchor, ground) in (0_u8..).zip(gathering.grounds) {
        if let Some(below) = inside(&ground.path, beside, target) {
            if !ground::is_same(ground.enter(&below), git_comes_to()) {
                gathering.snapshot.lead_outside.insert(path.clone());
            }
            let directory = ControlPath::new(anchor, below);
            gathering.git_directory(&directory);
            gathering.snapshot.trees.push((at.clone(), directory));
            return;
        }
    }
    if git_comes_to().is_some() {
        gathering.snapshot.lead_outside.insert(path.clone());
    }
}

/// Most files in one directory that are known by how their names begin or end, and are only reported.
const MOST_OPENED: usize = 64;

/// Adds the control files among the names of a directory. What only a build runs counts at the root alone.
fn control_files(gathering: &mut Gathering, at: &ControlPath, dir: &OwnedFd, names: &[DirName]) {
    let is_root = at.below.as_os_str().is_empty();
    for entry in names {
        let with_direnv = gathering.with_direnv;
        for (path, shape, kind) in kinds::rows_of(&entry.name, with_direnv).filter(|(.., kind)| is_root || kind.tier != Tier::Builds) {
            // As it is spelled here, where that differs.
            let mut below = PathBuf::from(&entry.name);
            below.extend(Path::new(path).iter().skip(1));
            let known = gathering.snapshot.watched.contains_key(&at.join(&below));
            if !known {
                gathering.path(at, dir, &below, *shape, *kind);
            }
        }
    }
    let by_pattern = names.iter().filter_map(|entry| Some((&entry.name, kinds::by_pattern(&entry.name, gathering.with_direnv)?)));
    let (runs, opens): (Vec<_>, Vec<_>) = by_pattern.partition(|(_, kind)| kind.tier == Tier::Runs);
    for (name, kind) in runs.into_iter().chain(opens.into_iter().take(MOST_OPENED)) {
        if !gathering.snapshot.watched.contains_key(&at.join(name)) {
            gathering.path(at, dir, Path::new(name), Shape::File, kind);
        }
    }
}

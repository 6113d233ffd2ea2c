//! What settings, scripts and links name in a project: the host runs it as if it stood in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::core::control::gitconfig::parse;
use crate::core::control::kinds::{self, Shape};
use crate::core::control::named::{inside, linked, named, named_by_script};
use crate::core::control::record::Tag;
use crate::core::control::{ControlPath, unescaped};
use crate::host::control::gather::Gathering;
use crate::host::control::ground;
use crate::host::fs::{self, Child};

/// Paths that settings and scripts name in one project; more than that are said.
const MOST_NAMED: usize = 100_000;

impl Gathering<'_> {
    /// Notes what settings name in the project. Those of a submodule are seen from its work tree, those of all others from the
    /// directory that `.git` is in.
    pub fn name(&mut self, path: &ControlPath, bytes: &[u8]) {
        let Ok(settings) = parse(bytes) else { return };
        let Some((tree_of, root)) = self.tree_of(path) else { return };
        let file = self.absolute(path);
        let worktree = settings.iter().find(|setting| setting.section == "core" && setting.key == "worktree");
        let beside = file.parent().and_then(Path::parent).unwrap_or(&root).to_owned();
        let value = worktree.and_then(|setting| setting.value.as_deref()).map(|value| Path::new(OsStr::from_bytes(value)));
        let tree = match value {
            Some(value) => {
                let below = inside(&root, file.parent().unwrap_or(&root), value);
                if below.as_ref().is_none_or(|below| self.leads_elsewhere(tree_of, below)) {
                    self.snapshot.lead_outside.insert(path.clone());
                }
                below.map(|below| root.join(below))
            }
            // The settings of a repository may also be those of a linked worktree, whose root is ours.
            None if beside.starts_with(&root) => Some(beside),
            None => None,
        };
        for named in named(&settings, &root, &file, &tree.unwrap_or(root.clone())) {
            self.snapshot.named.insert(ControlPath::new(tree_of, named.below), named.kind.into());
        }
    }

    /// Notes what a script names in the project.
    pub fn name_read_in(&mut self, path: &ControlPath, bytes: &[u8]) {
        let Some((tree_of, root)) = self.tree_of(path) else { return };
        for below in named_by_script(bytes, &root, &self.absolute(path)) {
            self.snapshot.named.entry(ControlPath::new(tree_of, below)).or_insert_with(|| kinds::READ_IN.into());
        }
    }

    /// Returns the work tree that a path belongs to, which is the first one for a directory of git's that lies elsewhere.
    fn tree_of(&self, path: &ControlPath) -> Option<(u8, PathBuf)> {
        let is_git = path.anchor > 0 && self.snapshot.git_directories.contains(&ControlPath::new(path.anchor, ""));
        let anchor = if is_git { 0 } else { path.anchor };
        self.grounds.get(usize::from(anchor)).map(|ground| (anchor, ground.path.clone()))
    }

    /// Says whether a link stands on the way to a directory of the project.
    fn leads_elsewhere(&self, anchor: u8, below: &Path) -> bool {
        let Some(ground) = self.grounds.get(usize::from(anchor)) else { return false };
        let there = fs::enter_following(&ground.path.join(below)).ok().flatten();
        !ground::is_same(ground.enter(below), there)
    }

    /// Notes where a link in a place of git's leads, if that is in the project: the host runs what is there.
    pub fn follow(&mut self, path: &ControlPath, to: &str) {
        let Some((tree_of, root)) = self.tree_of(path) else { return };
        let Some(target) = unescaped(to) else { return };
        let below = linked(&root, &self.absolute(path), Path::new(OsStr::from_bytes(&target)));
        if let Some(below) = below.filter(|below| !kinds::is_in_git(below)) {
            self.snapshot.named.insert(ControlPath::new(tree_of, below), kinds::NAMED.into());
        }
    }

    /// Adds what was named by settings, those of an earlier moment among them.
    pub fn named(&mut self, earlier: &BTreeMap<ControlPath, Tag>) {
        let mut done = BTreeSet::new();
        // What is read in may read in again.
        loop {
            let all: Vec<(ControlPath, Tag)> = self.snapshot.named.iter().chain(earlier).map(|(path, tag)| (path.clone(), *tag)).collect();
            let new: Vec<_> = all.into_iter().filter(|(path, _)| done.insert(path.clone())).collect();
            if new.is_empty() {
                break;
            }
            if done.len() > MOST_NAMED {
                self.snapshot.is_git_cut = true;
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
        let shape = match ground.child(&dir, name) {
            Child::Directory(_) if tag.reads == kinds::Reads::Script => return,
            Child::Directory(_) => Shape::Tree,
            _ => Shape::File,
        };
        self.path(&at, &dir, Path::new(name), shape, tag.into());
    }
}

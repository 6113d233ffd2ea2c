//! Where something that the host would run at its next prompt can come to be: directories, and the names in them that count.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::core::control::kinds::{ControlRow, Shape, Tier, is_of_mise};
use crate::core::control::tables::{IN_GIT_DIRECTORY, IN_WORK_TREE, OF_A_PROMPT, WITH_DIRENV};
use crate::core::control::{ControlPath, Watched};

/// The names in a directory that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceNames {
    Every,
    Some(BTreeSet<OsString>),
}

impl PlaceNames {
    pub fn has(&self, name: &OsStr) -> bool {
        match self {
            Self::Every => true,
            // Where a file of mise's counts, so does one of any environment.
            Self::Some(names) => names.contains(name) || (is_of_mise(name) && names.contains(OsStr::new("mise.toml"))),
        }
    }
}

/// Directories, each with the names in it that count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPlaces(pub BTreeMap<ControlPath, PlaceNames>);

impl ControlPlaces {
    /// Returns the places of a project: `trees` are directories of its work tree that a shell may be in.
    pub fn new<'a>(
        trees: impl Iterator<Item = &'a ControlPath>,
        git_directories: &BTreeSet<ControlPath>,
        watched: &BTreeMap<ControlPath, Watched>,
        with_direnv: bool,
    ) -> Self {
        let mut places = Self::default();
        for tree in trees {
            places.tree(tree, with_direnv);
        }
        for directory in git_directories {
            places.rows(directory, IN_GIT_DIRECTORY);
            for inner in ["modules", "worktrees"] {
                places.name(directory, OsStr::new(inner));
                places.0.insert(directory.join(inner), PlaceNames::Every);
            }
        }
        for path in watched.iter().filter(|(_, watched)| watched.tier == Tier::Runs).map(|(path, _)| path) {
            if let (Some(parent), Some(name)) = (path.below.parent(), path.below.file_name()) {
                places.name(&ControlPath::new(path.anchor, parent), name);
            }
        }
        places
    }

    /// Adds a directory of the work tree.
    pub fn tree(&mut self, tree: &ControlPath, with_direnv: bool) {
        self.name(tree, OsStr::new(".git"));
        self.rows(tree, IN_WORK_TREE);
        if with_direnv {
            self.rows(tree, WITH_DIRENV);
        }
    }

    /// Adds a directory of programs that are started by a prompt.
    pub fn programs(&mut self, directory: &ControlPath) {
        let mut at = ControlPath::new(directory.anchor, "");
        for name in &directory.below {
            self.name(&at, name);
            at = at.join(name);
        }
        for program in OF_A_PROMPT {
            self.name(&at, OsStr::new(program));
        }
    }

    fn rows(&mut self, at: &ControlPath, rows: &[ControlRow]) {
        for (path, shape, _) in rows.iter().filter(|(.., kind)| kind.tier == Tier::Runs) {
            let mut directory = at.clone();
            for name in Path::new(path) {
                self.name(&directory, name);
                directory = directory.join(name);
            }
            if *shape == Shape::Tree {
                self.0.insert(directory, PlaceNames::Every);
            }
        }
    }

    fn name(&mut self, directory: &ControlPath, name: &OsStr) {
        let names = self.0.entry(directory.clone()).or_insert_with(|| PlaceNames::Some(BTreeSet::new()));
        if let PlaceNames::Some(names) = names {
            names.insert(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::control::Trace;
    use crate::core::control::kinds::Reads;

    // BO-06
    #[test]
    fn every_place_of_what_runs_at_a_prompt_is_known_before_it_is_there() {
        let at = |below: &str| ControlPath::new(0, below);
        let trees = [at(""), at("sub")];
        let included = Watched { tier: Tier::Runs, reads: Reads::Settings, trace: Trace::Directory };
        let opened = Watched { tier: Tier::Opens, ..included.clone() };
        let watched = BTreeMap::from([(at("conf/git.inc"), included), (at(".vscode/tasks.json"), opened)]);
        let mut places = ControlPlaces::new(trees.iter(), &BTreeSet::from([at(".git")]), &watched, true);
        places.programs(&at(".venv/bin"));
        for (directory, name) in [
            ("", ".git"),
            ("", ".envrc"),
            ("", ".direnv"),
            ("", "mise.production.toml"),
            ("sub", ".git"),
            ("sub", ".envrc"),
            (".git", "config"),
            (".git", "commondir"),
            (".git", "hooks"),
            (".git", "modules"),
            (".git/hooks", "post-checkout"),
            (".git/info", "attributes"),
            (".git/objects", "info"),
            (".git/objects/info", "alternates"),
            (".git/modules", "any"),
            (".hg", "hgrc"),
            ("conf", "git.inc"),
            ("", ".venv"),
            (".venv/bin", "git"),
        ] {
            assert!(places.0.get(&at(directory)).is_some_and(|names| names.has(OsStr::new(name))), "{directory} {name}");
        }
        // What git does all day is none of it.
        for (directory, name) in [(".git", "index.lock"), (".git", "HEAD"), (".git/objects", "ab"), ("", "src"), ("conf", "other")] {
            assert!(!places.0.get(&at(directory)).is_some_and(|names| names.has(OsStr::new(name))), "{directory} {name}");
        }
        assert!(!places.0.contains_key(&at(".vscode")));
        let without = ControlPlaces::new(trees.iter(), &BTreeSet::new(), &BTreeMap::new(), false);
        assert!([".envrc", "mise.ci.toml"].iter().all(|name| !without.0[&at("")].has(OsStr::new(name))));
    }
}

//! What a control file is: when the host runs it, what of it counts; and which name is one.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::control::ControlPath;
use crate::core::control::tables::{IN_GIT_DIRECTORY, IN_WORK_TREE, WITH_DIRENV};

/// When the host runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// At the next `git status`, `cd` or prompt: put back or set aside at once.
    Runs,
    /// When a person opens the project, commits or goes on: reported.
    Opens,
    /// When a person builds: counted.
    Builds,
}

/// What of a file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// Every byte, and whether it can be run.
    Whole,
    /// Git's settings, by key.
    Settings,
    /// Where a directory of git's is: git's own spelling passes.
    Pointer,
    /// Lines that start a program when a rebase goes on.
    Todo,
    /// Every byte, and the files that it names: a script, which reads in others.
    Script,
    /// Versions of tools: one that is a path says which program a prompt asks for its version.
    Versions,
    /// Only whether it is a link or a pipe: git writes through the one, and waits for the other.
    Kind,
}

/// One kind of control file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlKind {
    pub tier: Tier,
    pub reads: Reads,
}

pub const fn kind(tier: Tier, reads: Reads) -> ControlKind {
    ControlKind { tier, reads }
}

/// What a row of a table names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    File,
    /// Every file in a directory, and in those below it.
    Tree,
}

/// One row: a path, what it names, what it is.
pub type ControlRow = (&'static str, Shape, ControlKind);

/// A file that says where a directory of git's is, or a link or a directory in its place.
pub const GIT_FILE: ControlKind = kind(Tier::Runs, Reads::Pointer);

/// Whatever else is in a directory of git's.
pub const ANY_IN_GIT: ControlKind = kind(Tier::Runs, Reads::Kind);

/// A file of settings that git's own include, and a directory that they name for hooks.
pub const INCLUDED: ControlKind = kind(Tier::Runs, Reads::Settings);
pub const NAMED: ControlKind = kind(Tier::Runs, Reads::Whole);

/// A file that a script names: it reads it in, or has it watched.
pub const READ_IN: ControlKind = kind(Tier::Runs, Reads::Script);

/// What a shell reads when it starts, and what programs of the person's are set up by, where their home leads into the project.
pub const OF_THE_HOME: ControlKind = kind(Tier::Opens, Reads::Whole);

/// What an editor opens as a project, whatever its name, and what hooks that a person installed are set up by.
const OPENED: ControlKind = kind(Tier::Opens, Reads::Whole);

/// Returns what a file is that no row names, by how its name begins or ends.
pub fn by_pattern(name: &OsStr, with_direnv: bool) -> Option<ControlKind> {
    let (name, lower) = (Path::new(name), name.to_string_lossy().to_ascii_lowercase());
    let stem = lower.strip_prefix('.').unwrap_or(&lower);
    let (first, rest) = stem.split_once('.').unwrap_or((stem, ""));
    match first {
        "mise" if with_direnv && is_of_mise(name.as_os_str()) => Some(READ_IN),
        "lefthook" | "lefthook-local" if ["yml", "yaml", "toml", "json", "jsonc"].contains(&rest) => Some(OPENED),
        "huskyrc" | "lintstagedrc" => Some(OPENED),
        "lint-staged" if rest.starts_with("config.") => Some(OPENED),
        _ => name.extension().is_some_and(|end| end == "code-workspace" || end == "sublime-project").then_some(OPENED),
    }
}

/// Returns whether mise reads a file of this name in some environment: `mise.production.toml`, `.mise.ci.local.toml`.
pub fn is_of_mise(name: &OsStr) -> bool {
    let lower = name.to_string_lossy().to_ascii_lowercase();
    lower.strip_prefix('.').unwrap_or(&lower).starts_with("mise.") && lower.ends_with(".toml")
}

/// Returns the rows of a work tree that begin with a directory entry of this name. On some file systems names differ only in
/// spelling, so that case does not count.
pub fn rows_of(name: &OsStr, with_direnv: bool) -> impl Iterator<Item = &'static ControlRow> {
    let (name, length) = (name.as_encoded_bytes(), name.len());
    // Thousands of names are asked about, and nearly all are told apart by this.
    let may_begin = name.first().is_some_and(|first| LENGTHS[usize::from(first.to_ascii_lowercase() % 128)] >> length.min(63) & 1 == 1);
    let (rows, direnv) = if may_begin { (IN_WORK_TREE, if with_direnv { WITH_DIRENV } else { &[] }) } else { (&[][..], &[][..]) };
    let begins = move |row: &&ControlRow| {
        let path = row.0.as_bytes();
        matches!(path.get(length), None | Some(b'/')) && path.get(..length).is_some_and(|first| first.eq_ignore_ascii_case(name))
    };
    direnv.iter().chain(rows).filter(begins)
}

/// How long the first names of rows are that begin with a letter, in lower case: a bit for each length.
const LENGTHS: [u64; 128] = lengths();

const fn lengths() -> [u64; 128] {
    let mut lengths = [0; 128];
    let tables = [WITH_DIRENV, IN_WORK_TREE];
    let (mut table, mut row) = (0, 0);
    while table < tables.len() {
        if row == tables[table].len() {
            (table, row) = (table + 1, 0);
            continue;
        }
        let path = tables[table][row].0.as_bytes();
        let mut length = 0;
        while length < path.len() && path[length] != b'/' {
            length += 1;
        }
        lengths[(path[0].to_ascii_lowercase() % 128) as usize] |= 1 << length;
        row += 1;
    }
    lengths
}

/// Returns what a path below an anchor is, given where git's own directories are: what whoever watches a run asks about an event.
#[cfg_attr(not(test), expect(dead_code, reason = "the helper that watches a run asks; a comparison reads the tables"))]
pub fn kind_of(path: &ControlPath, git_directories: &BTreeSet<ControlPath>, with_direnv: bool) -> Option<ControlKind> {
    if path.below.file_name().is_some_and(|name| name.eq_ignore_ascii_case(".git")) {
        return Some(GIT_FILE);
    }
    let below = |directory: &ControlPath| path.below.strip_prefix(&directory.below).ok().filter(|_| directory.anchor == path.anchor);
    let innermost = git_directories.iter().filter_map(below).min_by_key(|below| below.as_os_str().len());
    if let Some(below) = innermost {
        return find(IN_GIT_DIRECTORY, below).filter(|_| !is_sample(below));
    }
    let direnv = if with_direnv { WITH_DIRENV } else { &[] };
    // In whatever directory of the work tree it is.
    let mut rests = path.below.ancestors().filter_map(|directory| path.below.strip_prefix(directory).ok());
    rests.find_map(|below| find(direnv, below).or_else(|| find(IN_WORK_TREE, below)))
}

fn find(rows: &[ControlRow], below: &Path) -> Option<ControlKind> {
    let is_row = |(path, shape, _): &&ControlRow| {
        let head: PathBuf = below.components().take(path.split('/').count()).collect();
        head.as_os_str().eq_ignore_ascii_case(path) && (*shape == Shape::Tree || head == below)
    };
    rows.iter().find(is_row).map(|(.., kind)| *kind)
}

/// A hook of this name is never run.
pub fn is_sample(below: &Path) -> bool {
    below.starts_with("hooks") && below.extension().is_some_and(|kind| kind == "sample")
}

/// Says whether a path below a root is in a directory named `.git`, in whatever case.
pub fn is_in_git(below: &Path) -> bool {
    below.components().any(|part| matches!(part, Component::Normal(name) if name.eq_ignore_ascii_case(".git")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_a_row_or_none() {
        let rows = |name: &str| rows_of(OsStr::new(name), true).map(|row| row.0).collect::<Vec<_>>();
        assert_eq!(rows(".Husky"), [".husky"]);
        assert_eq!(rows(".envrc"), [".envrc", ".envrc"]);
        assert_eq!(rows("makeFile"), ["Makefile", "makefile"]);
        for (path, ..) in IN_WORK_TREE {
            assert!(rows(path.split('/').next().unwrap()).contains(path), "{path}");
        }
        for name in ["", ".", ".claud", ".claude/", "Makefile2", "a name that is longer than that of any row"] {
            assert!(rows(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_path_has_a_tier_or_none() {
        let directories = BTreeSet::from([".git", ".git/modules/sub", "nested/.git"].map(|below| ControlPath::new(0, below)));
        let tier = |path: &str, direnv| kind_of(&ControlPath::new(0, path), &directories, direnv).map(|kind| kind.tier);
        for below in [
            "config",
            "CONFIG",
            "hooks",
            "hooks/pre-commit",
            "hooks/a/b",
            "HOOKS/x",
            "info/attributes",
            "commondir",
            "config.worktree",
            "modules/sub/config",
            "modules/sub/hooks/x",
            "objects/info/alternates",
        ] {
            assert_eq!(tier(&format!(".git/{below}"), false), Some(Tier::Runs), "{below}");
        }
        for below in
            ["hooks/pre-commit.sample", "index", "info/exclude", "HEAD", "config.lock", "refs/heads/main", "hooksx/y", "modules/sub/index"]
        {
            assert_eq!(tier(&format!(".git/{below}"), false), None, "{below}");
        }
        assert_eq!(tier(".git", false), Some(Tier::Runs));
        assert_eq!(tier("a/.GIT", false), Some(Tier::Runs));
        assert_eq!(tier("nested/.git/hooks/x", false), Some(Tier::Runs));
        assert_eq!(tier("packages/a/.envrc", true), Some(Tier::Runs));
        assert_eq!(tier(".envrc", false), Some(Tier::Opens));
        assert_eq!(tier("a/.VSCode/tasks.json", false), Some(Tier::Opens));
        assert_eq!(tier("Makefile", false), Some(Tier::Builds));
        assert_eq!(tier("src/main.rs", true), None);
    }

    // S2, BO-06: what lefthook 2.2, husky 4, lint-staged and mise read beside the files that rows name.
    #[test]
    fn a_name_without_a_row_is_known_by_how_it_begins() {
        let tier = |name: &str, direnv| by_pattern(OsStr::new(name), direnv).map(|kind| kind.tier);
        for name in ["lefthook.yml", ".Lefthook-local.toml", "lefthook-local.jsonc", ".huskyrc", ".huskyrc.json", ".lintstagedrc.mjs"] {
            assert_eq!(tier(name, false), Some(Tier::Opens), "{name}");
        }
        for name in ["lint-staged.config.cjs", "a b.code-workspace", "x.sublime-project"] {
            assert_eq!(tier(name, false), Some(Tier::Opens), "{name}");
        }
        for name in ["mise.production.toml", ".mise.ci.local.toml", "MISE.x.TOML"] {
            assert_eq!((tier(name, true), tier(name, false)), (Some(Tier::Runs), None), "{name}");
        }
        for name in ["lefthook.md", "lefthook", "lint-staged.js", "mise.md", "premise.x.toml", ".code-workspacex", "", "."] {
            assert_eq!(tier(name, true), None, "{name}");
        }
    }
}

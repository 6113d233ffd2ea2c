//! The list of control files, as data: what the host runs by itself from a project, in three tiers.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::control::ControlPath;

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
    /// Only whether it is a link or a pipe: git writes through the one, and waits for the other.
    Kind,
}

/// One kind of control file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlKind {
    pub tier: Tier,
    pub reads: Reads,
}

const fn kind(tier: Tier, reads: Reads) -> ControlKind {
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

/// What a directory of git's holds: `.git`, that of a submodule, a bare repository.
pub const IN_GIT_DIRECTORY: &[ControlRow] = &[
    ("config", Shape::File, kind(Tier::Runs, Reads::Settings)),
    ("config.worktree", Shape::File, kind(Tier::Runs, Reads::Settings)),
    ("commondir", Shape::File, kind(Tier::Runs, Reads::Pointer)),
    ("hooks", Shape::Tree, kind(Tier::Runs, Reads::Whole)),
    ("info/attributes", Shape::File, kind(Tier::Runs, Reads::Whole)),
    ("objects/info/alternates", Shape::File, kind(Tier::Runs, Reads::Whole)),
    // Places of remotes, as old gits kept them.
    ("remotes", Shape::Tree, kind(Tier::Runs, Reads::Whole)),
    ("branches", Shape::Tree, kind(Tier::Runs, Reads::Whole)),
    ("rebase-merge/git-rebase-todo", Shape::File, kind(Tier::Opens, Reads::Todo)),
    ("sequencer/todo", Shape::File, kind(Tier::Opens, Reads::Todo)),
];

/// What runs as soon as a shell is in the directory, where direnv or mise is. Mise trusts a path, whatever is in it later.
pub const WITH_DIRENV: &[ControlRow] = &[
    (".envrc", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".direnv", Shape::Tree, kind(Tier::Runs, Reads::Whole)),
    (".config/mise", Shape::Tree, kind(Tier::Runs, Reads::Whole)),
    (".config/mise.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".mise", Shape::Tree, kind(Tier::Runs, Reads::Whole)),
    (".mise.local.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".mise.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
    ("mise.local.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
    ("mise.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
    ("mise/config.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
];

/// What a directory of the work tree holds.
pub const IN_WORK_TREE: &[ControlRow] = &[
    (".hg/hgrc", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".hg/hgrc-not-shared", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".hg/sharedpath", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".jj/repo/config.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".jj/workspace-config.toml", Shape::File, kind(Tier::Runs, Reads::Whole)),
    (".aider.conf.yml", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".bazelrc", Shape::File, kind(Tier::Builds, Reads::Whole)),
    (".cargo", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".claude/hooks", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".claude/settings.json", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".claude/settings.local.json", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".codex", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".crushrc", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".cursor", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".devcontainer", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".devcontainer.json", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".dir-locals.el", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".dir-locals-2.el", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".env", Shape::File, kind(Tier::Builds, Reads::Whole)),
    (".envrc", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".exrc", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".fleet", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".gemini", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".gitattributes", Shape::File, kind(Tier::Builds, Reads::Whole)),
    (".githooks", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".helix", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".gitmodules", Shape::File, kind(Tier::Builds, Reads::Whole)),
    (".husky", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".idea", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".kiro", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".lefthook.yml", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".lvimrc", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".mcp.json", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".mise.toml", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".npmrc", Shape::File, kind(Tier::Builds, Reads::Whole)),
    (".nova", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".nvim.lua", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".nvimrc", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".opencode", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".pnpmfile.cjs", Shape::File, kind(Tier::Builds, Reads::Whole)),
    (".pre-commit-config.yaml", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".qwen", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".run", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".tool-versions", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".vimrc", Shape::File, kind(Tier::Opens, Reads::Whole)),
    (".vs", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".vscode", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".windsurf", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    (".yarnrc.yml", Shape::File, kind(Tier::Builds, Reads::Whole)),
    (".zed", Shape::Tree, kind(Tier::Opens, Reads::Whole)),
    ("CMakeLists.txt", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("Cargo.toml", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("GNUmakefile", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("Makefile", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("Rakefile", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("Taskfile.yml", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("build.gradle", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("build.gradle.kts", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("build.rs", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("conftest.py", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("crushrc", Shape::File, kind(Tier::Opens, Reads::Whole)),
    ("flake.nix", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("justfile", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("lefthook.yml", Shape::File, kind(Tier::Opens, Reads::Whole)),
    ("makefile", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("mise.toml", Shape::File, kind(Tier::Opens, Reads::Whole)),
    ("noxfile.py", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("opencode.json", Shape::File, kind(Tier::Opens, Reads::Whole)),
    ("package.json", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("pom.xml", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("pyproject.toml", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("rust-toolchain", Shape::File, kind(Tier::Opens, Reads::Whole)),
    ("rust-toolchain.toml", Shape::File, kind(Tier::Opens, Reads::Whole)),
    ("setup.py", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("shell.nix", Shape::File, kind(Tier::Builds, Reads::Whole)),
    ("tox.ini", Shape::File, kind(Tier::Builds, Reads::Whole)),
];

/// A file that says where a directory of git's is, or a link or a directory in its place.
pub const GIT_FILE: ControlKind = kind(Tier::Runs, Reads::Pointer);

/// Whatever else is in a directory of git's.
pub const ANY_IN_GIT: ControlKind = kind(Tier::Runs, Reads::Kind);

/// A file of settings that git's own include, and a directory that they name for hooks.
pub const INCLUDED: ControlKind = kind(Tier::Runs, Reads::Settings);
pub const NAMED: ControlKind = kind(Tier::Runs, Reads::Whole);

/// What an editor opens as a project, whatever its name.
pub const OPENED: ControlKind = kind(Tier::Opens, Reads::Whole);

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
        assert_eq!(rows(".CLAUDE"), [".claude/hooks", ".claude/settings.json", ".claude/settings.local.json"]);
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
}

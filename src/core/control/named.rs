//! What a repository's settings name in the project itself: the host runs it as if it were in `.git`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::core::control::gitconfig::GitSetting;
use crate::core::control::kinds::{ANY_IN_GIT, ControlKind, INCLUDED, NAMED};
use crate::core::text::path::without_dots;

/// The hooks that git calls in a repository of a person's (githooks(5)).
const HOOKS: [&str; 20] = [
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-rewrite",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "prepare-commit-msg",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

/// A path below the root that settings name, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    pub below: PathBuf,
    pub kind: ControlKind,
}

/// Returns what settings name below `root`. `file` is where they stand, `tree` the work tree that git runs programs in; all absolute.
pub fn named(settings: &[GitSetting], root: &Path, file: &Path, tree: &Path) -> Vec<NamedPath> {
    settings.iter().flat_map(|setting| of_setting(setting, root, file, tree)).collect()
}

fn of_setting(setting: &GitSetting, root: &Path, file: &Path, tree: &Path) -> Vec<NamedPath> {
    let Some(value) = setting.value.as_deref() else { return Vec::new() };
    let beside = file.parent().unwrap_or(root);
    let at = |base: &Path, value: &[u8], kind| {
        let below = inside(root, base, Path::new(OsStr::from_bytes(value)))?;
        Some(NamedPath { below, kind })
    };
    match (setting.section.as_str(), setting.key.as_str()) {
        ("include" | "includeif", "path") => at(beside, value, INCLUDED).into_iter().collect(),
        // The whole project is no directory of hooks, and what git calls in it is known by name.
        ("core", "hookspath") if without_dots(&tree.join(Path::new(OsStr::from_bytes(value)))) == root => {
            HOOKS.iter().map(|hook| NamedPath { below: hook.into(), kind: NAMED }).collect()
        }
        ("core", "hookspath" | "attributesfile") => at(tree, value, NAMED).into_iter().collect(),
        // Git writes what it checks out to wherever a link leads that stands there.
        ("core", "worktree") => at(beside, value, ANY_IN_GIT).into_iter().collect(),
        ("core", "fsmonitor" | "sshcommand" | "pager" | "editor" | "askpass")
        | ("filter", "clean" | "smudge" | "process")
        | ("diff", "external" | "command" | "textconv")
        | ("merge", "driver")
        | ("credential", "helper")
        | ("gpg", "program" | "defaultkeycommand")
        | ("hook", "command")
        | ("sequence", "editor") => words(value).filter_map(|word| at(tree, word, NAMED)).collect(),
        _ => Vec::new(),
    }
}

/// Words of a command that have a slash: a program, or a script that one is given.
fn words(command: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = command.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'|' | b'&' | b'!' | b'='));
    words.filter(|word| word.contains(&b'/'))
}

/// Returns what a script of direnv's or mise's names below `root`: what it reads in, what it has watched, what it runs by a path.
pub fn named_by_script(script: &[u8], root: &Path, file: &Path) -> Vec<PathBuf> {
    let beside = file.parent().unwrap_or(root);
    let mut found = Vec::new();
    for line in script.split(|byte| matches!(byte, b'\n' | b';' | b'&' | b'|')) {
        let words = line.split(|byte| byte.is_ascii_whitespace() || br#""'=()[],`"#.contains(byte)).filter(|word| !word.is_empty());
        let words: Vec<&[u8]> = words.take_while(|word| !word.starts_with(b"#")).collect();
        let (first, rest) = words.split_first().map_or((&b""[..], &[][..]), |(first, rest)| (*first, rest));
        let names: Vec<&[u8]> = match (first, rest) {
            (b"use", [b"flake", rest @ ..]) => {
                let elsewhere = rest.iter().filter_map(|word| word.split(|byte| *byte == b'#').next());
                for directory in elsewhere.filter(|word| word.contains(&b'/')) {
                    found.extend(inside(root, beside, &Path::new(OsStr::from_bytes(directory)).join("flake.nix")));
                }
                vec![b"flake.nix", b"flake.lock"]
            }
            (b"use", [b"nix", rest @ ..]) => [&[&b"shell.nix"[..], b"default.nix"], rest].concat(),
            (b"dotenv" | b"dotenv_if_exists", []) => vec![b".env"],
            (
                b"source"
                | b"."
                | b"source_env"
                | b"source_env_if_exists"
                | b"dotenv"
                | b"dotenv_if_exists"
                | b"watch_file"
                | b"_.source"
                | b"_.file"
                | b"env_file",
                rest,
            ) if !rest.iter().any(|word| word.starts_with(b"$(") || *word == b"$") => rest.to_vec(),
            _ => words.iter().copied().filter(|word| word.contains(&b'/')).collect(),
        };
        for name in names {
            let name = [&b"$PWD/"[..], b"${PWD}/", b"$DIRENV_DIR/"].iter().find_map(|here| name.strip_prefix(*here)).unwrap_or(name);
            let path = Path::new(OsStr::from_bytes(name));
            // Behind a substitution, what is left of a path begins with a slash.
            let below = inside(root, beside, path).or_else(|| inside(root, beside, path.strip_prefix("/").ok()?));
            found.extend(below);
        }
    }
    found
}

/// Returns where a link that stands at `link` leads, if that is below `root`.
pub fn linked(root: &Path, link: &Path, to: &Path) -> Option<PathBuf> {
    inside(root, link.parent()?, to)
}

/// `path` as seen from `base`, relative to `root`, if it is below it; without asking any file system.
pub fn inside(root: &Path, base: &Path, path: &Path) -> Option<PathBuf> {
    without_dots(&base.join(path)).strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::control::gitconfig::parse;

    // BO-12: direnv asks again about `.envrc` itself, and about nothing that it reads in.
    #[test]
    fn what_a_script_reads_in_is_found() {
        let check = |text: &str, expected: &[&str]| {
            let found = named_by_script(text.as_bytes(), Path::new("/p"), Path::new("/p/a/.envrc"));
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{text}");
        };
        check("source env.sh\n. ./b.sh # x/y\nsource_env ../.envrc", &["a/env.sh", "a/b.sh", ".envrc"]);
        check("use flake\nuse flake ./nix#dev", &["a/flake.nix", "a/flake.lock", "a/nix/flake.nix", "a/flake.nix", "a/flake.lock"]);
        check("use nix", &["a/shell.nix", "a/default.nix"]);
        check("dotenv\nwatch_file x y", &["a/.env", "a/x", "a/y"]);
        check("export A=\"$(./bin/version)\"; eval \"$(cat $PWD/c/d)\"", &["a/bin/version", "a/c/d"]);
        check("source \"$(git rev-parse --show-toplevel)/e.sh\"", &["a/e.sh"]);
        check("[env]\n_.source = \"s.sh\"\n_.file = ['.env', '../b.env']", &["a/s.sh", "a/.env", "b.env"]);
        check("export EDITOR=vi\nlayout python\nsource /etc/profile ../../x", &["a/etc/profile"]);
    }

    #[test]
    fn what_settings_name_in_the_project_is_found() {
        let check = |text: &str, expected: &[&str]| {
            let settings = parse(text.as_bytes()).unwrap();
            let found = named(&settings, Path::new("/p"), Path::new("/p/.git/config"), Path::new("/p"));
            let found: Vec<&str> = found.iter().map(|named| named.below.to_str().unwrap()).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("[core]\nhooksPath = .husky/_", &[".husky/_"]);
        check("[include]\npath = ../.gitconfig\n[includeIf \"gitdir:/p/\"]\npath = /p/x", &[".gitconfig", "x"]);
        check("[core]\nworktree = ../../../sub", &[]);
        check("[core]\nworktree = ../sub", &["sub"]);
        check("[core]\nhooksPath = /etc/hooks\n[filter \"lfs\"]\nclean = git-lfs clean -- %f", &[]);
        check(
            "[filter \"x\"]\nclean = sh \"./tools/clean.sh\" --for=%f\n[core]\nfsmonitor = .git/hooks/watch",
            &["tools/clean.sh", ".git/hooks/watch"],
        );
        check("[diff \"x\"]\ntextconv = ../outside", &[]);
    }
}

//! What a repository's settings name in the project itself: the host runs it as if it were in `.git`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::core::control::gitconfig::GitSetting;
use crate::core::control::kinds::{ANY_IN_GIT, ControlKind, INCLUDED, NAMED};
use crate::core::text::path::without_dots;

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

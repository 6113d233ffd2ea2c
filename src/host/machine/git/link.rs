//! Where `.git` leads, if it is no directory, and whether what is there leads back.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{is_git_directory, path, read};
use crate::core::facts::{RepoKind, Spot, SubmoduleProof};
use crate::core::text::path::without_dots;
use crate::host::fs::look::Look;

pub(super) fn kind(root: &Path) -> RepoKind {
    let file = root.join(".git");
    let Ok(metadata) = file.look_at_link() else { return other(root) };
    if metadata.is_dir() {
        return RepoKind::Plain;
    }
    let spelled = if metadata.is_symlink() { file.link_target().ok() } else { gitdir(root) };
    let Some(spelled) = spelled else { return RepoKind::Plain };
    let Ok(directory) = root.join(&spelled).resolved() else { return RepoKind::Plain };
    // What lies in the root comes with it; a container may have made it.
    if directory.starts_with(root) || metadata.is_symlink() {
        return elsewhere(root, directory, spelled);
    }
    worktree(root, &directory, &spelled).or_else(|| submodule(root, &directory)).unwrap_or_else(|| elsewhere(root, directory, spelled))
}

/// Returns the path in a `.git` file, as it is spelled there.
fn gitdir(root: &Path) -> Option<PathBuf> {
    let bytes = read(root, ".git")?;
    let path = bytes.strip_prefix(b"gitdir:")?;
    Some(PathBuf::from(OsStr::from_bytes(path.trim_ascii())))
}

/// Returns a linked worktree, if `<common>/worktrees/<name>/gitdir` names the `.git` file of this very root. Without that check, a planted
/// file could have any directory mounted.
fn worktree(root: &Path, administrative: &Path, spelled: &Path) -> Option<RepoKind> {
    let common = administrative.parent().filter(|parent| parent.file_name().is_some_and(|name| name == "worktrees"))?.parent()?;
    let back = path(&read(administrative, "gitdir")?);
    let back = administrative.join(back);
    let is_back = back.file_name().is_some_and(|name| name == ".git") && back.parent()?.resolved().ok()? == root;
    if !is_back || !is_git_directory(common) {
        return None;
    }
    let spelled = spelled.parent()?.parent()?;
    Some(RepoKind::Worktree(Spot { path: common.to_owned(), spelled: spelled.to_owned() }))
}

/// Returns a submodule, if its administrative directory is below `modules` of a repository above it.
fn submodule(root: &Path, administrative: &Path) -> Option<RepoKind> {
    let above = root.ancestors().skip(1).find(|above| administrative.starts_with(above.join(".git/modules")))?;
    let proven = if is_own(root, above, administrative) { SubmoduleProof::Given } else { SubmoduleProof::Missing };
    Some(RepoKind::Submodule { superproject: above.to_owned(), directory: administrative.to_owned(), proven })
}

/// Whether the module is that of `root`, by what only the repository above can have written: the module's `core.worktree`, and
/// `.gitmodules` of the repository that `root` lies in.
fn is_own(root: &Path, above: &Path, administrative: &Path) -> bool {
    let config = read(administrative, "config").unwrap_or_default();
    let worktree = value(&String::from_utf8_lossy(&config), "[core]", "worktree").map(|path| without_dots(&administrative.join(path)));
    let parents = root.ancestors().skip(1).take_while(|parent| parent.starts_with(above));
    let is_listed = |parent: &Path| {
        let text = read(parent, ".gitmodules").unwrap_or_default();
        let paths = String::from_utf8_lossy(&text).into_owned();
        paths.lines().filter_map(|line| assigned(line, "path")).any(|path| parent.join(path) == root)
    };
    worktree.as_deref() == Some(root) && parents.into_iter().any(is_listed)
}

/// Returns the last value of a key in a section of git's configuration; only what git itself writes is understood.
fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let mut is_inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            is_inside = line.eq_ignore_ascii_case(section);
        } else if is_inside && let Some(value) = assigned(line, key) {
            found = Some(value);
        }
    }
    found
}

fn assigned(line: &str, key: &str) -> Option<String> {
    let (name, value) = line.split_once('=')?;
    name.trim().eq_ignore_ascii_case(key).then(|| value.trim().trim_matches('"').to_owned())
}

/// Returns a directory of git's that says nothing of this root: the person has to agree before it is mounted.
fn elsewhere(root: &Path, directory: PathBuf, spelled: PathBuf) -> RepoKind {
    if directory.starts_with(root) {
        return RepoKind::Plain;
    }
    let is_whole = |name: &str| directory.join(name).look_at_link().is_ok_and(|found| !found.is_symlink());
    if !is_git_directory(&directory) {
        return RepoKind::Plain;
    }
    if ["HEAD", "objects", "refs"].into_iter().all(is_whole) {
        return RepoKind::Elsewhere(Spot { path: directory, spelled });
    }
    RepoKind::Beyond(format!("`.git` leads to `{}`, which is spread over several directories", directory.display()))
}

/// Version control that is not git's, and where it keeps the history.
fn other(root: &Path) -> RepoKind {
    let leads_out =
        [(".jj/repo", "jj"), (".jj/repo/store/git_target", "jj"), (".hg/sharedpath", "hg")].into_iter().find_map(|(name, tool)| {
            let target = PathBuf::from(OsStr::from_bytes(read(root, name)?.trim_ascii()));
            let from = root.join(name);
            let target = from.parent()?.join(target).resolved().ok()?;
            (!target.starts_with(root)).then(|| format!("{tool} keeps the history of this project in `{}`", target.display()))
        });
    leads_out.map_or(RepoKind::Plain, RepoKind::Beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(value(text, "[core]", "worktree").as_deref(), expected, "{text}");
    }

    #[test]
    fn a_value_is_read_as_git_writes_it() {
        check("[core]\n\tbare = false\n\tworktree = ../../../sub\n", Some("../../../sub"));
        check("[core]\n\tworktree = a\n[user]\n\tworktree = b\n", Some("a"));
        check("[core]\n\tworktree = \"a b\"\n[CORE]\nWorkTree=c\n", Some("c"));
        check("[user]\n\tworktree = b\n", None);
    }
}

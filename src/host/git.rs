//! Finding the repository without git: `core.worktree` of a hostile repository can make git answer `/`.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::facts::{Repo, RepoKind};

/// The nearest repository at or above `cwd`, which has its links resolved.
pub fn repo(cwd: &Path) -> Option<Repo> {
    if let Some(root) = cwd.ancestors().find(|path| is_git_directory(path)) {
        return Some(inside_git_directory(root));
    }
    let root = cwd.ancestors().find(|path| path.join(".git").symlink_metadata().is_ok())?;
    Some(Repo { root: root.to_owned(), kind: kind(root) })
}

/// `.git` itself or a bare repository: what git itself checks for.
fn is_git_directory(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

/// The work tree around a `.git` directory; a bare repository has none.
fn inside_git_directory(directory: &Path) -> Repo {
    let around = directory.parent().filter(|_| directory.file_name().is_some_and(|name| name == ".git"));
    match around {
        Some(root) => Repo { root: root.to_owned(), kind: kind(root) },
        None => Repo { root: directory.to_owned(), kind: RepoKind::Bare },
    }
}

fn kind(root: &Path) -> RepoKind {
    let file = root.join(".git");
    let Some(spelled) = link(&file) else { return RepoKind::Plain };
    worktree(&file, root, &spelled).or_else(|| submodule(root, &spelled)).unwrap_or(RepoKind::Plain)
}

/// The path in a `.git` file, as it is spelled there.
fn link(file: &Path) -> Option<PathBuf> {
    let is_file = file.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < 64 << 10);
    let bytes = is_file.then(|| std::fs::read(file).ok()).flatten()?;
    let path = bytes.strip_prefix(b"gitdir:")?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(path.trim_ascii())))
}

/// A linked worktree, if `<common>/worktrees/<name>/gitdir` names this very `.git` file. Without that check, a planted
/// file could have any directory mounted.
fn worktree(file: &Path, root: &Path, spelled: &Path) -> Option<RepoKind> {
    let administrative = root.join(spelled).canonicalize().ok()?;
    let back = std::fs::read(administrative.join("gitdir")).ok()?;
    let back = administrative.join(std::ffi::OsStr::from_bytes(back.trim_ascii_end())).canonicalize().ok()?;
    if back != file.canonicalize().ok()? || administrative.parent()?.file_name()? != "worktrees" {
        return None;
    }
    let common = administrative.parent()?.parent()?;
    let spelled_common = spelled.parent()?.parent()?;
    is_git_directory(common).then(|| RepoKind::Worktree { common: common.to_owned(), spelled: spelled_common.to_owned() })
}

/// A submodule, if its administrative directory is below `modules` of a repository above it.
fn submodule(root: &Path, spelled: &Path) -> Option<RepoKind> {
    let administrative = root.join(spelled).canonicalize().ok()?;
    let above = root.ancestors().skip(1).find(|above| administrative.starts_with(above.join(".git/modules")))?;
    Some(RepoKind::Submodule { superproject: above.to_owned() })
}

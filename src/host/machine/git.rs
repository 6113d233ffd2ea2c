//! Finding the repository without git: `core.worktree` of a hostile repository can make git answer `/`.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::core::facts::{Repo, RepoKind, Spot};

/// The nearest repository at or above `cwd`, which has its links resolved.
pub fn repo(cwd: &Path) -> Option<Repo> {
    if let Some(root) = cwd.ancestors().find(|path| is_git_directory(path)) {
        return Some(inside_git_directory(root));
    }
    Some(found(root(cwd)?))
}

/// The nearest directory at or above `cwd` that holds `.git`.
pub fn root(cwd: &Path) -> Option<&Path> {
    cwd.ancestors().find(|path| path.join(".git").symlink_metadata().is_ok())
}

/// `.git` itself or a bare repository: what git itself checks for.
fn is_git_directory(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

/// The work tree around a `.git` directory; a bare repository has none.
fn inside_git_directory(directory: &Path) -> Repo {
    let around = directory.parent().filter(|_| directory.file_name().is_some_and(|name| name == ".git"));
    match around {
        Some(root) => found(root),
        None => Repo { root: directory.to_owned(), kind: RepoKind::Bare, alternates: Vec::new(), siblings: Vec::new() },
    }
}

fn found(root: &Path) -> Repo {
    let kind = kind(root);
    let mut alternates = Vec::new();
    for (objects, spelled) in object_directories(root, &kind) {
        borrowed(&objects, &spelled, 0, &mut alternates);
    }
    let siblings = siblings(root, &kind);
    Repo { root: root.to_owned(), kind, alternates, siblings }
}

/// Most worktrees beside the one in use that get a mount of their own.
const MOST: usize = 64;

fn siblings(root: &Path, kind: &RepoKind) -> Vec<Spot> {
    let (directory, spelled) = match kind {
        RepoKind::Plain => (root.join(".git/worktrees"), PathBuf::from(".git/worktrees")),
        RepoKind::Worktree { common, spelled, .. } => (common.join("worktrees"), spelled.join("worktrees")),
        RepoKind::Submodule { .. } | RepoKind::Bare => return Vec::new(),
    };
    let own = root.join(".git").canonicalize().ok();
    let is_own = |path: &Path| {
        let back = std::fs::read(path.join("gitdir")).unwrap_or_default();
        path.join(std::ffi::OsStr::from_bytes(back.trim_ascii_end())).canonicalize().is_ok_and(|back| Some(back) == own)
    };
    let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
    let others = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_own(&entry.path()));
    let mut spots: Vec<Spot> =
        others.map(|entry| Spot { path: entry.path(), spelled: spelled.join(entry.file_name()) }).take(MOST).collect();
    spots.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    spots
}

/// The object directories of a repository, and where each is as seen from what gets mounted.
fn object_directories(root: &Path, kind: &RepoKind) -> Vec<(PathBuf, PathBuf)> {
    match kind {
        RepoKind::Plain => vec![(root.join(".git/objects"), ".git/objects".into())],
        RepoKind::Worktree { common, spelled, .. } => vec![(common.join("objects"), spelled.join("objects"))],
        RepoKind::Submodule { superproject, directory } => {
            let own = directory.strip_prefix(superproject).map(|below| (directory.join("objects"), below.join("objects")));
            own.into_iter().chain([(superproject.join(".git/objects"), ".git/objects".into())]).collect()
        }
        RepoKind::Bare => Vec::new(),
    }
}

/// As deep as git itself follows.
const DEEPEST: u8 = 5;

/// What `info/alternates` names, as long as it is the object directory of a repository that belongs to the same user:
/// the file comes with the repository, and could name anything.
fn borrowed(objects: &Path, spelled: &Path, depth: u8, found: &mut Vec<Spot>) {
    let Ok(Some(text)) = crate::host::fs::files::read_text(&objects.join("info/alternates")) else { return };
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Ok(target) = objects.join(line).canonicalize() else { continue };
        let is_objects = target.file_name().is_some_and(|name| name == "objects") && target.parent().is_some_and(is_git_directory);
        let is_new = !found.iter().any(|known| known.path == target);
        if is_objects && is_new && owner(&target) == owner(objects) {
            let spelled = spelled.join(line);
            found.push(Spot { path: target.clone(), spelled: spelled.clone() });
            if depth < DEEPEST {
                borrowed(&target, &spelled, depth + 1, found);
            }
        }
    }
}

fn owner(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|metadata| metadata.uid())
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
    is_git_directory(common).then(|| RepoKind::Worktree {
        common: common.to_owned(),
        spelled: spelled_common.to_owned(),
        name: administrative.file_name().unwrap_or_default().to_owned(),
    })
}

/// A submodule, if its administrative directory is below `modules` of a repository above it.
fn submodule(root: &Path, spelled: &Path) -> Option<RepoKind> {
    let administrative = root.join(spelled).canonicalize().ok()?;
    let above = root.ancestors().skip(1).find(|above| administrative.starts_with(above.join(".git/modules")))?;
    Some(RepoKind::Submodule { superproject: above.to_owned(), directory: administrative })
}

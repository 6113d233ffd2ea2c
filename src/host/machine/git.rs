//! Finding the repository without git: `core.worktree` of a hostile repository can make git answer `/`.
//!
//! Whatever a repository says is read without following a link and up to a limit; where it leads out of itself, only what both sides
//! agree on counts.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::core::facts::{LinkedWorktree, Repo, RepoKind, Spot};
use crate::core::sync::Reading;
use crate::core::text::path::without_dots;
use crate::host::fs::look::Look;
use crate::host::fs::{self, Absent, Trust, slot::slot};

mod link;
pub mod trees;

/// What marks the root of a project, the best known first.
const MARKS: [&str; 3] = [".git", ".jj", ".hg"];

/// Returns the nearest repository at or above `cwd`, which has its links resolved.
pub fn repo(cwd: &Path) -> Option<Repo> {
    if let Some(root) = cwd.ancestors().find(|path| is_git_directory(path)) {
        return Some(inside_git_directory(root));
    }
    Some(found(root(cwd)?))
}

/// Returns the nearest directory at or above `cwd` that holds `.git`, or what other version control has in its place.
pub fn root(cwd: &Path) -> Option<&Path> {
    cwd.ancestors().find(|path| MARKS.iter().any(|mark| path.join(mark).look_at_link().is_ok()))
}

/// `.git` itself or a bare repository: what git itself checks for.
fn is_git_directory(path: &Path) -> bool {
    path.join("HEAD").leads_to_file() && path.join("objects").leads_to_directory() && path.join("refs").leads_to_directory()
}

/// Returns the work tree around a `.git` directory; a bare repository has none.
fn inside_git_directory(directory: &Path) -> Repo {
    let around = directory.parent().filter(|_| directory.file_name().is_some_and(|name| name == ".git"));
    match around {
        Some(root) => found(root),
        None => Repo { root: directory.to_owned(), kind: RepoKind::Bare, alternates: Vec::new(), trees: Vec::new() },
    }
}

fn found(root: &Path) -> Repo {
    let kind = link::kind(root);
    let mut alternates = Vec::new();
    for (objects, spelled) in object_directories(root, &kind) {
        borrowed(&objects, &spelled, 0, &mut alternates);
    }
    let trees = match &kind {
        RepoKind::Plain => trees(root, ".git/worktrees"),
        RepoKind::Worktree(common) | RepoKind::Elsewhere(common) => trees(&common.path, "worktrees"),
        RepoKind::Submodule { .. } | RepoKind::Beyond(_) | RepoKind::Bare => Vec::new(),
    };
    Repo { root: root.to_owned(), kind, alternates, trees }
}

/// Largest file of a repository that is read here, in bytes.
const LARGEST: u64 = 64 << 10;

/// Returns the text of a small file of a repository. No link below `root` is followed.
fn read(root: &Path, below: impl AsRef<Path>) -> Option<Vec<u8>> {
    match slot(root, below.as_ref(), Absent::Leave).ok()??.read_as(Trust::Login, LARGEST).ok()? {
        Reading::File { bytes, .. } => Some(bytes),
        _ => None,
    }
}

/// Returns a path that is the whole of a file.
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes.trim_ascii_end()))
}

/// Most worktrees that git is told about.
const MOST: usize = 64;

/// Returns what git knows of linked worktrees, in `below` the directory `root`. Those of which git would say nothing anyway are left out.
fn trees(root: &Path, below: &str) -> Vec<LinkedWorktree> {
    let below = Path::new(below);
    let Ok(Some(dir)) = fs::enter(root, below, Absent::Leave) else { return Vec::new() };
    let mut names: Vec<String> =
        fs::names(&dir, below).unwrap_or_default().into_iter().filter_map(|name| name.into_string().ok()).collect();
    names.sort_unstable();
    let tree = |name: String| {
        let administrative = below.join(&name);
        let file = path(&read(root, administrative.join("gitdir"))?);
        Some(LinkedWorktree { file: without_dots(&root.join(administrative).join(file)), name })
    };
    names.into_iter().filter_map(tree).take(MOST).collect()
}

/// Returns the object directories of a repository, and where each is as seen from what gets mounted.
fn object_directories(root: &Path, kind: &RepoKind) -> Vec<(PathBuf, PathBuf)> {
    match kind {
        RepoKind::Plain => vec![(root.join(".git/objects"), ".git/objects".into())],
        RepoKind::Worktree(common) | RepoKind::Elsewhere(common) => vec![(common.path.join("objects"), common.spelled.join("objects"))],
        RepoKind::Submodule { superproject, directory, .. } => {
            let own = directory.strip_prefix(superproject).map(|below| (directory.join("objects"), below.join("objects")));
            own.into_iter().chain([(superproject.join(".git/objects"), ".git/objects".into())]).collect()
        }
        RepoKind::Beyond(_) | RepoKind::Bare => Vec::new(),
    }
}

/// As deep as git itself follows.
const DEEPEST: u8 = 5;

/// Most object directories that a repository may borrow from.
const MOST_BORROWED: usize = 16;

/// Adds what `info/alternates` names, as long as it is the object directory of a repository that belongs to the same user: the file comes
/// with the repository, and could name anything.
fn borrowed(objects: &Path, spelled: &Path, depth: u8, found: &mut Vec<Spot>) {
    let Some(bytes) = read(objects, "info/alternates") else { return };
    let Ok(text) = String::from_utf8(bytes) else { return };
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).take(MOST_BORROWED) {
        let Ok(target) = objects.join(line).resolved() else { continue };
        let is_objects = target.file_name().is_some_and(|name| name == "objects") && target.parent().is_some_and(is_git_directory);
        let is_new = found.len() < MOST_BORROWED && !found.iter().any(|known| known.path == target);
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
    path.look().ok().map(|metadata| metadata.uid())
}

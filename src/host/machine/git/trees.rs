//! Worktrees that were made in a container name its paths. What lies in the project is led to where it is on the host, so that both
//! sides can work in it: its `.git` file by a relative path, which is true on both, and git's own list by the host's.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::{LinkedWorktree, read, trees};
use crate::core::facts::RepoKind;
use crate::host::fs::Absent;
use crate::host::fs::look::Look;
use crate::host::fs::slot::slot;
use crate::host::output;

/// Where projects are mounted, unless it is the same path as on the host.
const WORKSPACE: &str = "/workspace";

/// Leads the worktrees of the project at `root` that a container made to where they are. `since`: when the run began that has just
/// ended, in seconds since 1970; those that it made where nothing is kept are named.
pub fn mend(root: &Path, since: Option<u64>) {
    let (base, below) = match super::link::kind(root) {
        RepoKind::Plain => (root.to_owned(), PathBuf::from(".git/worktrees")),
        RepoKind::Worktree(common) | RepoKind::Elsewhere(common) => (common.path, "worktrees".into()),
        _ => return,
    };
    for tree in trees(&base, &below.to_string_lossy()) {
        // Another process may be at it, or the container is still there: what cannot be written now is written the next time.
        let administrative = below.join(&tree.name);
        let mended = mend_one(root, &base, &administrative, &tree).is_some();
        if !mended && since.is_some_and(|since| is_lost(&base.join(administrative), &tree, since)) {
            let place = tree.file.parent().unwrap_or(&tree.file).display();
            output::note(&format!("the worktree `{place}` was made where nothing is kept, and is gone; hint: git worktree prune"));
        }
    }
}

/// Whether the run that began at `since` made a worktree among its container's own files. Its branch would stay taken.
fn is_lost(administrative: &Path, tree: &LinkedWorktree, since: u64) -> bool {
    let is_new = administrative.look_at_link().is_ok_and(|found| u64::try_from(found.ctime()).is_ok_and(|changed| changed >= since));
    is_new && ["/workspace", "/home/ai", "/tmp"].iter().any(|place| tree.file.starts_with(place)) && !tree.file.is_there()
}

/// Leads one worktree to where it is; nothing if it is not of this root or needs nothing.
fn mend_one(root: &Path, base: &Path, administrative: &Path, tree: &LinkedWorktree) -> Option<()> {
    let name = root.file_name()?;
    let below = [Path::new(WORKSPACE).join(name), WORKSPACE.into()].into_iter().find_map(|target| {
        let below = tree.file.strip_prefix(&target).ok()?.parent()?.to_owned();
        let is_plain = below.components().all(|part| matches!(part, Component::Normal(_))) && below.file_name().is_some();
        (is_plain && read(root, below.join(".git"))?.starts_with(b"gitdir: ")).then_some(below)
    })?;
    let own = read(root, below.join(".git"))?;
    let told = own.strip_prefix(b"gitdir: ")?.trim_ascii_end();
    // It must be the one that this administrative directory is about.
    if Path::new(std::ffi::OsStr::from_bytes(told)).file_name()? != administrative.file_name()? {
        return None;
    }
    let file = slot(root, &below.join(".git"), Absent::Leave).ok()??;
    let target = base.join(administrative);
    let link = match target.strip_prefix(root) {
        Ok(inside) => below.components().map(|_| Path::new("..")).collect::<PathBuf>().join(inside),
        Err(_) => target,
    };
    let text = [b"gitdir: ", link.as_os_str().as_bytes(), b"\n"].concat();
    file.write_at_once(&text).ok()?;
    let list = slot(base, &administrative.join("gitdir"), Absent::Leave).ok()??;
    list.write_at_once(&[root.join(&below).join(".git").as_os_str().as_bytes(), b"\n"].concat()).ok()
}

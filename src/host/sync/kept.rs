//! The copies that syncs put aside, as a person looks for them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::core::store::Store;
use crate::host::fs::files;
use crate::host::fs::tree::{self, EntryKind};

/// One copy of one file.
#[derive(Clone, Debug, Serialize)]
pub struct SyncCopy {
    pub tool: String,
    pub project: String,
    /// Whose file it was: `host`, `hub` or `project`.
    pub place: String,
    /// The file, below that place.
    pub path: String,
    /// `conflict`, or `unreadable`.
    pub why: &'static str,
    /// When it was put aside, in seconds since 1970.
    pub since: u64,
    pub copy: PathBuf,
}

/// Returns all copies, newest first.
pub fn all(store: &Store) -> Vec<SyncCopy> {
    let mut found = Vec::new();
    for (shelf, why) in [("conflicts", "conflict"), ("quarantine", "unreadable")] {
        let root = store.root().join("sync").join(shelf);
        // Nothing was put aside where the shelf is not there.
        let entries = tree::walk(&root).unwrap_or_default();
        let files = entries.into_iter().filter(|entry| entry.kind == EntryKind::File);
        found.extend(files.filter_map(|entry| kept(&root, &entry.below, why, u64::try_from(entry.modified).unwrap_or(0))));
    }
    found.sort_by(|one, other| (other.since, &one.copy).cmp(&(one.since, &other.copy)));
    found
}

/// Reads a copy, if it is there and of reasonable size.
pub fn content(kept: &SyncCopy) -> Option<Vec<u8>> {
    files::read_own(&kept.copy).ok().flatten().map(|(bytes, _)| bytes)
}

/// Reads what the path of a copy says: `TOOL/PROJECT/PLACE/PATH/NUMBER-HASH`. Other things that were put aside have other paths.
fn kept(root: &Path, copy: &Path, why: &'static str, since: u64) -> Option<SyncCopy> {
    let below = copy.parent()?.to_str()?;
    let (tool, below) = below.split_once('/')?;
    let (project, below) = below.split_once('/')?;
    let (place, path) = below.split_once('/')?;
    let is_place = ["host", "hub", "project"].contains(&place);
    let [tool, project, place, path] = [tool, project, place, path].map(str::to_owned);
    is_place.then_some(SyncCopy { tool, project, place, path, why, since, copy: root.join(copy) })
}

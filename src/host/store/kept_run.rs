//! Runs as they were started, each in a file of its own, where the person wants them kept.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::core::kept_run::{self, KeptRun, MOST};
use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::fs::files::{private_dir, read_own, write_unsynced};
use crate::host::fs::look::Look;
use crate::host::fs::own;

/// Keeps a run, and lets go of the oldest beyond the bound.
pub fn keep(store: &Store, run: &KeptRun, vector: &[OsString]) -> io::Result<()> {
    private_dir(&store.kept_runs())?;
    write_unsynced(&store.kept_run(&run.session), &kept_run::text(run, vector)?)?;
    let kept = list(store);
    for session in kept.iter().skip(MOST) {
        own::remove(store.kept_run(session))?;
    }
    Ok(())
}

/// Returns the runs that are kept, the last one first.
pub fn list(store: &Store) -> Vec<SessionId> {
    let entries = own::entries(store.kept_runs()).into_iter().flatten().flatten();
    let session = |entry: std::fs::DirEntry| {
        let session = entry.file_name().to_str()?.parse().ok()?;
        let found = entry.path().look().ok()?;
        Some(((found.mtime(), found.mtime_nsec()), session))
    };
    let mut kept: Vec<((i64, i64), SessionId)> = entries.filter_map(session).collect();
    kept.sort_by(|one, other| other.cmp(one));
    kept.into_iter().map(|(_, session)| session).collect()
}

/// Reads a run that was kept.
pub fn read(store: &Store, session: &SessionId) -> Option<(KeptRun, Vec<OsString>)> {
    let (text, _) = read_own(&store.kept_run(session)).ok()??;
    kept_run::parse(&text)
}

/// Returns what is at each of these places now: device and inode of a directory, and of a file its size and when it was written, since
/// files are replaced.
pub fn seen(sources: &[PathBuf]) -> BTreeMap<String, Option<String>> {
    let seen = |path: &PathBuf| {
        let found = path.look().ok()?;
        let is_directory = found.is_dir();
        Some(if is_directory { format!("{}:{}", found.dev(), found.ino()) } else { format!("{} {}", found.len(), found.mtime()) })
    };
    sources.iter().map(|path| (path.to_string_lossy().into_owned(), seen(path))).collect()
}

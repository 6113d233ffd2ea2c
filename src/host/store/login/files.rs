//! The files of a login and of its backups, read and written by descriptor.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::core::login::backup::About;
use crate::core::sync::Reading;
use crate::core::text::digest::sha256;
use crate::host::fs::files::write_private;
use crate::host::fs::own;
use crate::host::fs::slot::{Slot, slot};
use crate::host::fs::{self, Absent, Trust};

/// What a backup consists of.
pub(super) type BackupFiles = BTreeMap<String, Vec<u8>>;

pub(super) const ABOUT: &str = "about.json";
/// No credential file comes near this size, in bytes.
const LARGEST: u64 = 4 << 20;

pub(super) fn write_backup(parent: &Path, about: &About, files: &BackupFiles) -> io::Result<()> {
    let staging =
        tempfile::Builder::new().prefix(".new-").permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir_in(parent)?;
    for (name, bytes) in files {
        write_private(&staging.path().join(name), bytes)?;
    }
    write_private(&staging.path().join(ABOUT), &serde_json::to_vec_pretty(about)?)?;
    let target = parent.join(about.name());
    own::rename(staging.path(), target)?;
    // The directory has its final name now; there is nothing left to clean up.
    let _ = staging.keep();
    own::sync_directory(parent)
}

pub(super) fn read_backup(directory: &Path, about: &About) -> io::Result<BackupFiles> {
    let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut files = BackupFiles::new();
    for (name, hash) in &about.files {
        let (bytes, _) = read(slot(directory, Path::new(name), Absent::Leave)?)?.ok_or_else(|| bad(format!("`{name}` is missing")))?;
        if sha256(&bytes) != *hash {
            return Err(bad(format!("`{name}` is not what was kept")));
        }
        files.insert(name.clone(), bytes);
    }
    Ok(files)
}

/// Returns the names in a login's directory that a name of its manifest means: itself, or what its `*` stands for; itself without that
/// where there is none yet.
pub(super) fn matching(tool: &Path, login: &Path, name: &str) -> Vec<String> {
    let Some((start, end)) = name.split_once('*') else { return vec![name.to_owned()] };
    let directory = fs::enter(tool, login, Absent::Leave).ok().flatten();
    let names = directory.and_then(|directory| fs::names(&directory, &tool.join(login)).ok()).unwrap_or_default();
    let is_meant = |found: &String| found.len() >= start.len() + end.len() && found.starts_with(start) && found.ends_with(end);
    let mut found: Vec<String> = names.into_iter().filter_map(|found| found.into_string().ok()).filter(is_meant).collect();
    found.sort_unstable();
    if found.is_empty() { vec![format!("{start}{end}")] } else { found }
}

/// Returns the content of a file and its permission bits; `None` if there is none. What is no plain file of reasonable size is an error.
pub(super) fn read(slot: Option<Slot>) -> io::Result<Option<(Vec<u8>, u32)>> {
    let Some(slot) = slot else { return Ok(None) };
    match slot.read_as(Trust::Login, LARGEST)? {
        Reading::Absent => Ok(None),
        Reading::File { bytes, .. } => Ok(Some((bytes, slot.perm().unwrap_or(0)))),
        Reading::Refused(why) => Err(io::Error::new(io::ErrorKind::InvalidData, why.to_string())),
    }
}

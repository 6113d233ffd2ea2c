//! The files that shells complete from without asking: one for each command that a line begins with.
//!
//! A directory's name holds what it was made from, so a shell that was told the name of one never reads answers that do not belong to
//! its program. A file that is missing, cut off or unreadable costs a question, nothing more: nobody is told, and nobody waits for the disk.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::core::shell::Shell;
use crate::core::text::digest::sha256;
use crate::host::Host;
use crate::host::fs::files::{is_directory, private_dir, write_unsynced};
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::process;

/// How many states a shell's files are kept of: shells that are open go on reading theirs.
const KEPT: usize = 4;

/// Returns the directory of this shell's files.
pub fn directory(host: &Host, shell: Shell) -> PathBuf {
    host.store.places().join(format!("{shell}-{}", state(host)))
}

/// A name for all that the answers depend on: this program, the person's manifests, the recorded words.
fn state(host: &Host) -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    describe(&mut text, &process::this_program().unwrap_or_default());
    for directory in [host.store.tools(), host.store.vocabulary("")] {
        let mut paths: Vec<PathBuf> = own::entries(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort_unstable();
        for path in paths {
            describe(&mut text, &path);
        }
    }
    sha256(text.as_bytes())[..16].to_owned()
}

fn describe(text: &mut String, path: &Path) {
    if let Ok(found) = path.look() {
        // Writing into a string does not fail.
        let _ = write!(text, "\n{} {} {}.{}", path.display(), found.len(), found.mtime(), found.mtime_nsec());
    }
}

/// Whether this shell reads such files, and has none.
pub fn are_missing(host: &Host, shell: Shell) -> bool {
    shell != Shell::Fish && !is_directory(&directory(host, shell))
}

/// Writes the files of one shell, all or none. A store that is not there, or is somebody else's, gets none.
pub fn write(host: &Host, shell: Shell, files: &BTreeMap<String, String>) {
    if !is_directory(host.store.root()) || host.of_somebody_else().is_some() {
        return;
    }
    // Whoever was quicker, or cannot write, leaves it at that.
    let _ = try_to_write(&host.store.places(), &directory(host, shell), files);
    tidy(host, shell, KEPT);
}

fn try_to_write(places: &Path, directory: &Path, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    private_dir(places)?;
    let made = tempfile::Builder::new().prefix(".").permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir_in(places)?;
    for (name, text) in files {
        write_unsynced(&made.path().join(name), text.as_bytes())?;
    }
    own::rename(made.path(), directory)?;
    // It has another name now.
    let _ = made.keep();
    Ok(())
}

/// Removes what was known: shells that are open ask again.
pub fn forget(host: &Host, shell: Shell) {
    if host.of_somebody_else().is_none() {
        tidy(host, shell, 0);
    }
}

/// Keeps the newest of one shell's directories.
fn tidy(host: &Host, shell: Shell, kept: usize) {
    let prefix = format!("{shell}-");
    let entries = own::entries(host.store.places()).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    let mut found: Vec<_> = ours.map(|entry| (entry.metadata().and_then(|found| found.modified()).ok(), entry.path())).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    for (_, path) in found.into_iter().skip(kept) {
        let _ = own::remove_tree(path);
    }
}

//! Secrets as files: in memory, in a directory of one session, which only its person can enter.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::statfs;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::Lease;
use crate::core::plan::secret::DIRECTORY;
use crate::host::Host;
use crate::host::fs::files::{private_dir, write};
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::store::lease;

/// Kinds of file systems that are in memory: `tmpfs` and `ramfs`, as statfs(2) numbers them.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// Writes one secret.
///
/// # Errors
/// Where the directory is somebody else's, or would be on a disk.
pub fn write_one(directory: &Path, name: &str, value: &[u8]) -> io::Result<()> {
    private_dir(directory)?;
    let found = directory.look_at_link()?;
    if !found.is_dir() || found.uid() != crate::host::uid() || found.mode() & 0o077 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("`{}` is not yours alone", directory.display())));
    }
    if !IN_MEMORY.contains(&statfs(directory)?.f_type) {
        return Err(io::Error::new(io::ErrorKind::Unsupported, format!("`{}` is on a disk", directory.display())));
    }
    write(&directory.join(name), value, 0o600)
}

/// Fails unless a session that was begun answers for this directory, and removes it in the end.
pub fn check_owner(host: &Host, directory: &Path) -> Result<()> {
    let session = directory.file_name().and_then(|name| name.to_str()?.strip_prefix(DIRECTORY)?.parse().ok());
    let lease = session.and_then(|session| lease::read(&host.state_of(&session), &session));
    if lease.and_then(|lease| lease.secret_files).is_some_and(|known| Path::new(&known) == directory) {
        return Ok(());
    }
    let why = "cannot deliver secrets as files: no session was begun that would remove them; no container was started";
    Err(Failure::new(Kind::NotStarted, why).hint("ai run, or the functions of your shell, begin a session; or deliver = \"env\""))
}

/// Removes those of a session that ended.
pub fn remove(lease: &Lease) {
    let Some(directory) = lease.secret_files.as_deref().map(Path::new) else { return };
    // The lease says where; nothing else is removed for what it says.
    if directory.file_name().is_some_and(|name| name.to_string_lossy() == format!("{DIRECTORY}{}", lease.session)) {
        // Memory forgets what is left when the machine stops.
        let _ = own::remove_tree(directory);
    }
}

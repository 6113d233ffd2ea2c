//! Files and directories that no container and no repository can have made: the person's own, the system's, and those of the store that
//! only the host writes. They are named by path, and links are followed. Reading is bounded all the same, and waits for nobody.

use std::fs::{File, OpenOptions, ReadDir};
use std::io;
use std::iter;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::host::fs::files::{nonblocking, read_within};

/// Most names of a directory that are looked at.
const NAMES: usize = 100_000;
/// Largest file that is read: the journal of a large migration; in bytes.
const LARGEST: u64 = 64 << 20;

/// Returns the content of a plain file.
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    read_within(path.as_ref(), LARGEST)?.map(|(bytes, _)| bytes).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Returns the content of a plain file of text.
pub fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Returns what is in a directory.
pub fn entries(path: impl AsRef<Path>) -> io::Result<iter::Take<ReadDir>> {
    Ok(std::fs::read_dir(path)?.take(NAMES))
}

/// Opens a file or a directory for reading, to lock it or to have it written out.
pub fn open(path: impl AsRef<Path>) -> io::Result<File> {
    File::options().read(true).custom_flags(nonblocking()).open(path)
}

/// Opens what is to be read and written: a terminal, a lock.
pub fn open_to_write(path: impl AsRef<Path>, flags: OFlags) -> io::Result<File> {
    File::options().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Makes a file that is not there yet, as open as the person's other files.
pub fn create_new(path: impl AsRef<Path>) -> io::Result<File> {
    File::create_new(path)
}

/// Writes a file where it is, as no file that matters is written unless it has been kept elsewhere.
pub fn overwrite(path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> io::Result<()> {
    std::fs::write(path, text)
}

/// Opens a file of ours to add lines to it, and makes it if it is not there.
pub fn open_to_append(path: impl AsRef<Path>) -> io::Result<File> {
    // A link would lead the line into a file of somebody else's choice.
    let flags = nonblocking() | OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)
}

/// Has what was renamed in a directory written out.
pub fn sync_directory(path: impl AsRef<Path>) -> io::Result<()> {
    open(path)?.sync_all()
}

pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    std::fs::rename(from, to)
}

pub fn remove(path: impl AsRef<Path>) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Removes a directory that is empty.
pub fn remove_empty(path: impl AsRef<Path>) -> io::Result<()> {
    std::fs::remove_dir(path)
}

/// Removes a directory with everything in it. No link in it is followed, also where containers write.
pub fn remove_tree(path: impl AsRef<Path>) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

/// Makes one directory, which must not be there.
pub fn make_directory(path: impl AsRef<Path>) -> io::Result<()> {
    std::fs::create_dir(path)
}

pub fn make_link(path: impl AsRef<Path>, target: impl AsRef<Path>) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

pub fn set_mode(path: impl AsRef<Path>, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))
}

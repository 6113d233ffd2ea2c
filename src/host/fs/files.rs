//! Small files of ours: private, whole, never through a planted link.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use crate::core::failure::{Failure, Kind, Result};
use crate::host::fs::Absent;
use crate::host::fs::enter;

/// Largest file of the person's own that we read: configuration, manifests, logins; in bytes.
const LARGEST: u64 = 1 << 20;

/// Returns the text of a configuration file; `None` if there is none.
pub fn read_text(path: &Path) -> Result<Option<String>> {
    let refused = |why: &str| Failure::new(Kind::Config, format!("cannot read `{}`: {why}", path.display()));
    let Some((bytes, _)) = read_own(path).map_err(|error| refused(&error.to_string()))? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|_| refused("it is not UTF-8"))
}

/// Returns the content of a file of the person's own, which may be a link, and its permission bits; `None` if there is none. Anything but a
/// regular file of reasonable size is refused, so that a FIFO or a device cannot hang a run.
pub fn read_own(path: &Path) -> io::Result<Option<(Vec<u8>, u32)>> {
    read_within(path, LARGEST)
}

/// Does the same as [`read_own`], for a file of another size.
pub fn read_within(path: &Path, limit: u64) -> io::Result<Option<(Vec<u8>, u32)>> {
    let file = match OpenOptions::new().read(true).custom_flags(nonblocking()).open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is no regular file of at most {} MiB", limit >> 20)));
    }
    // One byte more than there is: the end is found without making room for what does not come.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it grew while it was read"));
    }
    Ok(Some((bytes, metadata.permissions().mode() & 0o7777)))
}

/// Reads the first bytes of a regular file of the person's own.
pub fn head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(nonblocking()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub fn nonblocking() -> i32 {
    OFlags::NONBLOCK.bits().cast_signed()
}

pub fn is_directory(path: &Path) -> bool {
    path.is_dir()
}

/// Makes a directory and its parents, closed to others. What exists stays as it is.
pub fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a directory and its parents, as open as the user's other directories.
pub fn public_dir(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Closes the store and the directories in it on the way to `below` to others: an older program made them open.
pub fn tighten(store: &Path, below: &Path) -> io::Result<()> {
    for below in below.ancestors() {
        let Ok(Some(directory)) = enter(store, below, Absent::Leave) else { continue };
        let mode = rustix::fs::fstat(&directory)?.st_mode;
        if mode & 0o077 != 0 {
            rustix::fs::fchmod(&directory, rustix::fs::Mode::from_raw_mode(mode & 0o700))?;
        }
    }
    Ok(())
}

/// Replaces a file of ours as a whole, mode 0600, unless it already has this content.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o600)
}

/// Replaces a file as a whole; `mode` is what it has afterwards.
pub fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    if is_there(path, content) {
        return Ok(());
    }
    let file = staged(path, content, mode)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Whether a plain file has this content. What is no plain file, or of another size, is not read.
fn is_there(path: &Path, content: &[u8]) -> bool {
    let flags = nonblocking() | rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(path) else { return false };
    let length = content.len() as u64;
    if !file.metadata().is_ok_and(|found| found.is_file() && found.len() == length) {
        return false;
    }
    let mut bytes = Vec::with_capacity(content.len());
    file.take(length + 1).read_to_end(&mut bytes).is_ok() && bytes == content
}

/// Writes a file atomically but without a flush: it may be empty after a power cut. That is enough for leases, which a reboot ends
/// anyway; waiting for the disk would be most of what a run without changes costs.
pub fn write_unsynced(path: &Path, content: &[u8]) -> io::Result<()> {
    staged(path, content, 0o600)?.persist(path).map(drop).map_err(|error| error.error)
}

/// Writes a small file of ours where it is if it is as long as `content`, and anew otherwise. The caller holds the lock under which it is
/// written; a file of less than a page is written as a whole or not at all, whatever ends this process.
pub fn write_over(path: &Path, content: &[u8]) -> io::Result<()> {
    let flags = nonblocking() | OFlags::NOFOLLOW.bits().cast_signed();
    let open = OpenOptions::new().write(true).custom_flags(flags).open(path);
    match open.ok().filter(|file| file.metadata().is_ok_and(|there| there.is_file() && there.len() == content.len() as u64)) {
        Some(mut file) => file.write_all(content),
        None => write_unsynced(path, content),
    }
}

/// Returns the content in a file beside the one it is for.
fn staged(path: &Path, content: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(parent)?;
    file.write_all(content)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_file_of_the_same_length_is_written_where_it_is() {
        let scratch = tempfile::tempdir().unwrap();
        let (file, other) = (scratch.path().join("file"), scratch.path().join("other"));
        let inode = || file.symlink_metadata().unwrap().ino();
        write_over(&file, b"one").unwrap();
        let first = inode();
        write_over(&file, b"two").unwrap();
        assert_eq!((read_own(&file).unwrap().unwrap().0.as_slice(), inode()), (&b"two"[..], first));
        write_over(&file, b"three").unwrap();
        assert_ne!(inode(), first, "a reader never sees half of either");
        // A link is replaced, and what it leads to stays.
        write_over(&other, b"other").unwrap();
        symlink(&other, scratch.path().join("link")).unwrap();
        write_over(&scratch.path().join("link"), b"alias").unwrap();
        assert_eq!(read_own(&other).unwrap().unwrap().0, b"other");
        assert!(scratch.path().join("link").symlink_metadata().unwrap().is_file());
    }
}

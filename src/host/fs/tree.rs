//! Whole directory trees: walked, hashed, and copied so that the copy can be put back byte for byte.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::core::text::digest::hex;
use crate::host::fs::files::private_dir;
use crate::host::migrate::set_mode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Directory,
    File,
    Link,
    /// FIFO, socket or device: never opened.
    Other,
}

#[derive(Debug)]
pub struct TreeEntry {
    /// Below the root of the walk; empty for the root itself.
    pub below: PathBuf,
    pub kind: EntryKind,
    pub mode: u32,
}

/// Returns everything at and below `root`, parents first, sorted. No link is followed.
pub fn walk(root: &Path) -> io::Result<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    visit(root, PathBuf::new(), &mut entries)?;
    Ok(entries)
}

fn visit(root: &Path, below: PathBuf, entries: &mut Vec<TreeEntry>) -> io::Result<()> {
    let path = if below.as_os_str().is_empty() { root.to_owned() } else { root.join(&below) };
    let metadata = path.symlink_metadata()?;
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => EntryKind::Directory,
        kind if kind.is_file() => EntryKind::File,
        kind if kind.is_symlink() => EntryKind::Link,
        _ => EntryKind::Other,
    };
    entries.push(TreeEntry { below: below.clone(), kind, mode: metadata.mode() & 0o7777 });
    if kind == EntryKind::Directory {
        let mut names = fs::read_dir(&path)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        for name in names {
            visit(root, below.join(name), entries)?;
        }
    }
    Ok(())
}

/// Returns the SHA-256 of a file of any size.
pub fn hash(path: &Path) -> io::Result<String> {
    hash_open(open(path)?)
}

/// Returns a plain file, without following a link or waiting for a pipe.
fn open(path: &Path) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    fs::File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Returns the SHA-256 of an open plain file.
pub fn hash_open(mut file: fs::File) -> io::Result<String> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file"));
    }
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// Copies a tree with its modes, and reads every file of the copy back.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let entries = walk(from)?;
    for entry in &entries {
        let (source, target) = (at(from, &entry.below), at(to, &entry.below));
        match entry.kind {
            EntryKind::Directory => private_dir(&target)?,
            EntryKind::File => copy_file(&source, &target, entry.mode)?,
            EntryKind::Link => symlink(fs::read_link(&source)?, &target)?,
            EntryKind::Other => {}
        }
    }
    // Last, so that a directory that nobody may write to could be filled.
    for entry in entries.iter().rev().filter(|entry| entry.kind == EntryKind::Directory) {
        set_mode(&at(to, &entry.below), entry.mode)?;
    }
    Ok(())
}

fn at(root: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) }
}

/// Copies one file, makes it last, and compares.
pub fn copy_file(from: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let source = open(from)?;
    if !source.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is not a regular file", from.display())));
    }
    // No longer than it was when we opened it: nobody fills our disk while we copy.
    let length = source.metadata()?.len();
    io::copy(&mut source.take(length), &mut fs::File::create(to)?)?;
    set_mode(to, mode)?;
    fs::File::open(to)?.sync_all()?;
    if hash(from)? == hash(to)? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("the copy of `{}` reads back differently", from.display())))
}

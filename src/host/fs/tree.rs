//! Whole directory trees: walked, hashed, and copied so that the copy can be put back byte for byte.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::retry_on_intr;
use sha2::{Digest, Sha256};

use crate::core::text::digest::hex;
use crate::host::fs::files::private_dir;
use crate::host::fs::look::Look;
use crate::host::fs::{self, own};

/// Most things in a tree.
const NODES: usize = 1_000_000;
/// Most directories in one another.
const DEPTH: usize = 200;

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
    /// Its permissions with the bits that say its kind.
    pub mode: u32,
    pub bytes: u64,
    /// Seconds since 1970.
    pub modified: i64,
}

/// Returns everything at and below `root`, parents first, sorted. Directories are entered by descriptor, and no link is followed, also
/// where `root` is one.
///
/// # Errors
/// Where there is nothing, or more than anybody keeps: [`NODES`] things, or directories [`DEPTH`] deep.
pub fn walk(root: &Path) -> io::Result<Vec<TreeEntry>> {
    let stat = retry_on_intr(|| rustix::fs::statat(CWD, root, AtFlags::SYMLINK_NOFOLLOW))?;
    let mut entries = vec![entry(PathBuf::new(), &stat)];
    if entries[0].kind == EntryKind::Directory {
        visit(&open_root(root)?, Path::new(""), DEPTH, &mut entries)?;
    }
    Ok(entries)
}

fn visit(dir: &OwnedFd, below: &Path, depth: usize, entries: &mut Vec<TreeEntry>) -> io::Result<()> {
    let too_much = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("there is {what} than anybody keeps"));
    let left = NODES.saturating_sub(entries.len());
    let mut names = fs::some_names(dir, below, left + 1)?;
    if names.len() > left {
        return Err(too_much("more"));
    }
    names.sort_unstable();
    for name in names {
        let stat = retry_on_intr(|| rustix::fs::statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW))?;
        let below = below.join(&name);
        let found = entry(below.clone(), &stat);
        let is_directory = found.kind == EntryKind::Directory;
        entries.push(found);
        if is_directory {
            let depth = depth.checked_sub(1).ok_or_else(|| too_much("a deeper directory"))?;
            let inner = fs::step(dir, &name)?.ok_or(io::ErrorKind::NotFound)?;
            visit(&inner, &below, depth, entries)?;
        }
    }
    Ok(())
}

/// Returns what is at one place below `root`.
pub fn look(root: &Path, below: &Path) -> io::Result<TreeEntry> {
    let (Some(parent), Some(name)) = (below.parent(), below.file_name()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    let dir = fs::enter(root, parent, fs::Absent::Leave)?.ok_or(io::ErrorKind::NotFound)?;
    Ok(entry(below.to_owned(), &rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?))
}

fn entry(below: PathBuf, stat: &Stat) -> TreeEntry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => EntryKind::Directory,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
    TreeEntry { below, kind, mode: stat.st_mode, bytes, modified: stat.st_mtime }
}

fn open_root(root: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(retry_on_intr(|| rustix::fs::open(root, flags, Mode::empty()))?)
}

/// Returns the SHA-256 of a file of any size below `root`.
pub fn hash(root: &Path, below: &Path) -> io::Result<String> {
    hash_open(open(root, below)?)
}

/// Opens a plain file below `root` without following a link or waiting for a pipe. With nothing below, `root` is the file.
pub fn open(root: &Path, below: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let (Some(parent), Some(name)) = (below.parent(), below.file_name()) else {
        return Ok(retry_on_intr(|| rustix::fs::open(root, flags, Mode::empty()))?.into());
    };
    let mut dir = open_root(root)?;
    for name in parent {
        dir = fs::step(&dir, name)?.ok_or(io::ErrorKind::NotFound)?;
    }
    Ok(retry_on_intr(|| rustix::fs::openat(&dir, name, flags, Mode::empty()))?.into())
}

/// The SHA-256 of an open plain file.
pub fn hash_open(mut file: File) -> io::Result<String> {
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
        let target = at(to, &entry.below);
        match entry.kind {
            EntryKind::Directory => private_dir(&target)?,
            EntryKind::File => copy_file(from, &entry.below, &target, entry.mode & 0o7777)?,
            EntryKind::Link => own::make_link(&target, at(from, &entry.below).link_target()?)?,
            EntryKind::Other => {}
        }
    }
    // Last, so that a directory that nobody may write to could be filled.
    for entry in entries.iter().rev().filter(|entry| entry.kind == EntryKind::Directory) {
        own::set_mode(at(to, &entry.below), entry.mode & 0o7777)?;
    }
    Ok(())
}

fn at(root: &Path, below: &Path) -> PathBuf {
    // `join` with nothing would add a slash to the path of a file.
    if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) }
}

/// Copies one file below `root`, makes it last, and compares.
pub fn copy_file(root: &Path, below: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let from = at(root, below);
    let source = open(root, below)?;
    if !source.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is not a regular file", from.display())));
    }
    // No longer than it was when we opened it: nobody fills our disk while we copy.
    let length = source.metadata()?.len();
    io::copy(&mut source.take(length), &mut File::create(to)?)?;
    own::set_mode(to, mode)?;
    own::open(to)?.sync_all()?;
    if hash(root, below)? == hash(to, Path::new(""))? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("the copy of `{}` reads back differently", from.display())))
}

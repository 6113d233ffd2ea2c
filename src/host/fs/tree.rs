//! Whole directory trees: walked, hashed, and copied so that the copy can be put back byte for byte.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::retry_on_intr;
use sha2::{Digest, Sha256};

use crate::core::text::digest::hex;
use crate::host::fs::look::Look;
use crate::host::fs::{self, Absent};

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
    walk_some(root, NODES, &|_| true)
}

/// Returns what [`walk`] does, as far as `keep` says so of the path below `root`; a directory that it does not keep is not entered.
///
/// # Errors
/// As [`walk`], where more than `most` things are kept.
pub fn walk_some(root: &Path, most: usize, keep: &dyn Fn(&Path) -> bool) -> io::Result<Vec<TreeEntry>> {
    let stat = retry_on_intr(|| rustix::fs::statat(CWD, root, AtFlags::SYMLINK_NOFOLLOW))?;
    let mut entries = vec![entry(PathBuf::new(), &stat)];
    if entries[0].kind == EntryKind::Directory {
        let walk = Walk { most, keep };
        walk.visit(&open_root(root)?, Path::new(""), DEPTH, &mut entries)?;
    }
    Ok(entries)
}

/// What a walk keeps.
struct Walk<'a> {
    most: usize,
    keep: &'a dyn Fn(&Path) -> bool,
}

impl Walk<'_> {
    fn visit(&self, dir: &OwnedFd, below: &Path, depth: usize, entries: &mut Vec<TreeEntry>) -> io::Result<()> {
        let too_much = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("there is {what} than anybody keeps"));
        let mut names = fs::some_names(dir, below, NODES + 1)?;
        names.retain(|name| (self.keep)(&below.join(name)));
        if names.len() > self.most.saturating_sub(entries.len()) {
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
                self.visit(&inner, &below, depth, entries)?;
            }
        }
        Ok(())
    }
}

/// Returns what is at one place below `root`.
pub fn look(root: &Path, below: &Path) -> io::Result<TreeEntry> {
    let (Some(parent), Some(name)) = (below.parent(), below.file_name()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    let dir = fs::enter(root, parent, Absent::Leave)?.ok_or(io::ErrorKind::NotFound)?;
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

/// Copies a tree with its modes to where nothing is, and reads every file of the copy back. Below the directory that `to` is in, no link
/// is followed: a container may write there meanwhile.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (Some(above), Some(name)) = (to.parent(), to.file_name()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    let entries = walk(from)?;
    for entry in &entries {
        let target = at(Path::new(name), &entry.below);
        let (parent, name) = (target.parent().unwrap_or(Path::new("")), target.file_name().unwrap_or_default());
        let dir = fs::enter(above, parent, Absent::Make)?.ok_or(io::ErrorKind::NotFound)?;
        match entry.kind {
            EntryKind::Directory => _ = fs::enter(above, &target, Absent::Make)?,
            EntryKind::File => copy_into(from, &entry.below, (&dir, name, OFlags::EXCL), entry.mode & 0o7777)?,
            EntryKind::Link => {
                let target = at(from, &entry.below).link_target()?;
                retry_on_intr(|| rustix::fs::symlinkat(&target, &dir, name))?;
            }
            EntryKind::Other => {}
        }
    }
    // Last, so that a directory that nobody may write to could be filled.
    for entry in entries.iter().rev().filter(|entry| entry.kind == EntryKind::Directory) {
        let dir = fs::enter(above, &at(Path::new(name), &entry.below), Absent::Leave)?.ok_or(io::ErrorKind::NotFound)?;
        rustix::fs::fchmod(&dir, Mode::from_raw_mode(entry.mode & 0o7777))?;
    }
    Ok(())
}

fn at(root: &Path, below: &Path) -> PathBuf {
    // `join` with nothing would add a slash to the path of a file.
    if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) }
}

/// Copies one file below `root` to a place of ours, makes it last, and compares.
pub fn copy_file(root: &Path, below: &Path, to: &Path, mode: u32) -> io::Result<()> {
    let (Some(parent), Some(name)) = (to.parent(), to.file_name()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    let dir = fs::enter_following(parent)?.ok_or(io::ErrorKind::NotFound)?;
    copy_into(root, below, (&dir, name, OFlags::TRUNC), mode)
}

/// Copies one file below `root` into an open directory, as [`copy_file`] does.
fn copy_into(root: &Path, below: &Path, (dir, name, how): (&OwnedFd, &OsStr, OFlags), mode: u32) -> io::Result<()> {
    let source = open(root, below)?;
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("`{}` {what}", at(root, below).display()));
    if !source.metadata()?.is_file() {
        return Err(bad("is not a regular file"));
    }
    // No longer than it was when we opened it: nobody fills our disk while we copy.
    let length = source.metadata()?.len();
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | how;
    let mut copy = File::from(retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::RUSR | Mode::WUSR))?);
    io::copy(&mut source.take(length), &mut copy)?;
    rustix::fs::fchmod(&copy, Mode::from_raw_mode(mode))?;
    copy.sync_all()?;
    copy.rewind()?;
    if hash(root, below)? == hash_open(copy)? { Ok(()) } else { Err(bad("reads back differently from its copy")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_copy_has_files_links_and_modes_and_stands_where_nothing_was() {
        let bed = tempfile::tempdir().unwrap();
        let (from, to) = (bed.path().join("from"), bed.path().join("to"));
        std::fs::create_dir_all(from.join("a/b")).unwrap();
        std::fs::write(from.join("a/b/f"), "one").unwrap();
        symlink("../f", from.join("a/l")).unwrap();
        std::fs::set_permissions(from.join("a/b/f"), PermissionsExt::from_mode(0o640)).unwrap();
        std::fs::set_permissions(from.join("a/b"), PermissionsExt::from_mode(0o500)).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("a/b/f")).unwrap(), "one");
        assert_eq!(std::fs::read_link(to.join("a/l")).unwrap(), Path::new("../f"));
        assert_eq!((mode(&to.join("a/b/f")), mode(&to.join("a/b"))), (0o640, 0o500));
        assert!(copy(&from, &to).is_err(), "nothing is written over");
    }

    // BO-02: a container may write where a copy is put back.
    #[test]
    fn a_copy_follows_no_link_that_stands_in_its_way() {
        let bed = tempfile::tempdir().unwrap();
        let (from, to, elsewhere) = (bed.path().join("from"), bed.path().join("to"), bed.path().join("elsewhere"));
        std::fs::create_dir_all(from.join("a")).unwrap();
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::fs::create_dir_all(&to).unwrap();
        std::fs::write(from.join("a/f"), "one").unwrap();
        std::fs::write(elsewhere.join("kept"), "kept").unwrap();
        symlink(&elsewhere, to.join("a")).unwrap();
        assert!(copy(&from, &to).is_err());
        std::fs::remove_file(to.join("a")).unwrap();
        std::fs::create_dir(to.join("a")).unwrap();
        symlink(elsewhere.join("kept"), to.join("a/f")).unwrap();
        assert!(copy(&from, &to).is_err());
        assert!(copy_file(&from, Path::new("a/f"), &to.join("a/f"), 0o600).is_err());
        let there: Vec<_> = std::fs::read_dir(&elsewhere).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!((there, std::fs::read_to_string(elsewhere.join("kept")).unwrap()), (vec!["kept".into()], "kept".into()));
    }

    // BO-05
    #[test]
    fn what_is_no_plain_file_is_not_copied() {
        let bed = tempfile::tempdir().unwrap();
        let to = bed.path().join("to");
        symlink("/dev/zero", bed.path().join("endless")).unwrap();
        for (root, below) in [(bed.path().join("endless"), ""), (bed.path().to_owned(), "endless"), ("/dev/zero".into(), "")] {
            assert!(copy_file(&root, Path::new(below), &to, 0o600).is_err(), "{root:?} {below}");
        }
    }
}

//! Files, read and written so that neither a hostile nor a dying process can hurt them.
//!
//! Everything works on a name in an open directory. Directories of state are entered one component at a time without following
//! links, which cannot leave the root on any kernel; `openat2` would say the same in one call where it exists.
#![expect(clippy::disallowed_methods, reason = "the one folder that may touch files by their paths")]

pub mod files;
pub mod lock;
pub mod look;
pub mod own;
pub mod pipe;
pub mod read;
pub mod shape;
pub mod slot;
pub mod socket;
pub mod tool_lock;
pub mod tree;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Mode as Perm, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::host::fs::read::is_link;

const PRIVATE_DIR: u32 = 0o700;

/// What a temporary file system is mounted on; see [`open_to_all`].
const SCRATCH_DIR: u32 = 0o1777;

/// Names of files that are being written begin like this.
pub const TEMPORARY: &str = ".ai-sync-";

#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} `{}`: {source}", path.display())]
pub struct FileError {
    pub verb: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

/// Who else can write where we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Only the person: links are followed.
    Host,
    /// Containers, too: links, and names of files elsewhere, are refused.
    State,
    /// Containers, too, but what is read is copied nowhere that they see: only links are refused. A backup program may have given
    /// the file another name.
    Login,
}

/// What becomes of directories that are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Make,
    Leave,
}

/// Opens a directory below `root`, making what is missing if asked; nothing if it is absent.
pub fn enter(root: &Path, below: &Path, absent: Absent) -> Result<Option<OwnedFd>, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fail = |source: Errno| FileError { verb: "open", path: root.join(below), source: source.into() };
    let mut dir = match retry_on_intr(|| rustix::fs::open(root, flags, Perm::empty())) {
        Err(Errno::NOENT) if absent == Absent::Make => {
            make_all(root)?;
            retry_on_intr(|| rustix::fs::open(root, flags, Perm::empty())).map_err(fail)?
        }
        Err(Errno::NOENT) => return Ok(None),
        opened => opened.map_err(fail)?,
    };
    for name in below {
        let open = |dir: &OwnedFd| retry_on_intr(|| rustix::fs::openat(dir, name, flags | OFlags::NOFOLLOW, Perm::empty()));
        dir = match open(&dir) {
            Err(Errno::NOENT) if absent == Absent::Make => {
                make(&dir, name).map_err(fail)?;
                open(&dir).map_err(fail)?
            }
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(fail)?,
        };
    }
    Ok(Some(dir))
}

/// Opens a directory that a temporary file system will be mounted on to everybody: runc before 1.1.8 gives the file system the
/// directory's mode and leaves it root's, whatever the mount options say, so anything less would be closed to the person inside.
/// Outside, the directory above it is closed.
pub fn open_to_all(dir: &OwnedFd) -> Result<(), Errno> {
    let mode = retry_on_intr(|| rustix::fs::fstat(dir))?.st_mode & 0o7777;
    if mode == SCRATCH_DIR {
        return Ok(());
    }
    retry_on_intr(|| rustix::fs::fchmod(dir, Perm::from_raw_mode(SCRATCH_DIR)))
}

fn make_all(path: &Path) -> Result<(), FileError> {
    let fail = |source: Errno| FileError { verb: "create", path: path.to_owned(), source: source.into() };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(fail(Errno::INVAL));
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent_dir = match retry_on_intr(|| rustix::fs::open(parent, flags, Perm::empty())) {
        Err(Errno::NOENT) => {
            make_all(parent)?;
            retry_on_intr(|| rustix::fs::open(parent, flags, Perm::empty())).map_err(fail)?
        }
        opened => opened.map_err(fail)?,
    };
    make(&parent_dir, name).map_err(fail)
}

fn make(dir: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    match retry_on_intr(|| rustix::fs::mkdirat(dir, name, Perm::from_raw_mode(PRIVATE_DIR))) {
        Ok(()) => retry_on_intr(|| rustix::fs::fsync(dir)),
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a writer the time to finish.
pub fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(10));
}

/// Opens a directory in an open one, following no link; nothing if it is absent.
pub fn step(dir: &OwnedFd, name: &OsStr) -> Result<Option<OwnedFd>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Perm::empty())) {
        Err(Errno::NOENT) => Ok(None),
        opened => opened.map(Some),
    }
}

/// What a name in a directory leads to.
pub enum Child {
    Absent,
    Directory(OwnedFd),
    /// A file, or something that a read will refuse.
    Other,
}

pub fn child(dir: &OwnedFd, name: &OsStr, trust: Trust) -> Child {
    let follow = if trust == Trust::Host { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | follow;
    match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Perm::empty())) {
        Ok(inner) => Child::Directory(inner),
        Err(Errno::NOENT) if !is_link(dir, name) => Child::Absent,
        Err(_) => Child::Other,
    }
}

/// Returns the names in a directory, without `.` and `..`.
pub fn names(dir: &OwnedFd, path: &Path) -> Result<Vec<OsString>, FileError> {
    some_names(dir, path, usize::MAX)
}

/// No more names of a directory than this.
pub fn some_names(dir: &OwnedFd, path: &Path, most: usize) -> Result<Vec<OsString>, FileError> {
    let fail = |source: Errno| FileError { verb: "list", path: path.to_owned(), source: source.into() };
    let mut names = Vec::new();
    for entry in retry_on_intr(|| rustix::fs::Dir::read_from(dir)).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
        if names.len() >= most {
            break;
        }
    }
    Ok(names)
}

/// Removes a directory if it is empty.
pub fn remove_dir(path: &Path) -> Result<(), FileError> {
    match retry_on_intr(|| rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR)) {
        Ok(()) | Err(Errno::NOTEMPTY | Errno::NOENT) => Ok(()),
        Err(source) => Err(FileError { verb: "remove", path: path.to_owned(), source: source.into() }),
    }
}

/// Removes a directory below `root` if it is empty, following no link.
pub fn remove_dir_below(root: &Path, below: &Path) -> Result<(), FileError> {
    let fail = |source: Errno| FileError { verb: "remove", path: root.join(below), source: source.into() };
    let (Some(parent), Some(name)) = (below.parent(), below.file_name()) else { return Err(fail(Errno::INVAL)) };
    let Some(dir) = enter(root, parent, Absent::Leave)? else { return Ok(()) };
    retry_on_intr(|| rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR)).map_err(fail)
}

/// Removes a file below `root` if it is a plain one without content, following no link.
pub fn remove_empty_file_below(root: &Path, below: &Path) -> Result<(), FileError> {
    let fail = |source: Errno| FileError { verb: "remove", path: root.join(below), source: source.into() };
    let (Some(parent), Some(name)) = (below.parent(), below.file_name()) else { return Err(fail(Errno::INVAL)) };
    let Some(dir) = enter(root, parent, Absent::Leave)? else { return Ok(()) };
    let stat = retry_on_intr(|| rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)).map_err(fail)?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile || stat.st_size > 0 {
        return Ok(());
    }
    retry_on_intr(|| rustix::fs::unlinkat(&dir, name, AtFlags::empty())).map_err(fail)
}

/// Opens the current directory's equivalent of a path, following links: only for the person's own files.
pub fn enter_following(path: &Path) -> Result<Option<OwnedFd>, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Perm::empty())) {
        Ok(dir) => Ok(Some(dir)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(source) => Err(FileError { verb: "open", path: path.to_owned(), source: source.into() }),
    }
}

/// Writes all of some bytes.
fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let count = retry_on_intr(|| rustix::io::write(file, bytes))?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

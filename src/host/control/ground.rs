//! The ground that is looked at: directories that a container writes, entered one component at a time, no link followed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Dir, FileType, Mode as Perm, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::core::control::record::AnchorDir;
use crate::core::control::{Trace, escaped};
use crate::core::sync::{Mode, Reading, Refusal};
use crate::core::text::digest::sha256;
use crate::host::fs::{self, Absent, Child, Trust, read, shape};

/// Largest control file whose content is compared, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// How deep in a directory of too many files it is looked for changes.
const DEEPEST_STAMPED: usize = 32;

/// An anchor with its directory open.
#[derive(Debug)]
pub struct Ground {
    pub path: PathBuf,
    pub dir: OwnedFd,
    /// Whether the number of links of a directory here says that it has no directories in it.
    pub counts_links: bool,
    /// When the run began whose work is looked at, in seconds since 1970.
    pub since: Option<u64>,
}

/// One name in a directory.
pub struct DirName {
    pub name: OsString,
    pub kind: FileType,
}

impl DirName {
    pub fn is_directory(&self) -> bool {
        self.kind == FileType::Directory
    }
}

impl Ground {
    /// Opens a directory; `None` where it is gone.
    pub fn open(path: &Path) -> Option<(Self, AnchorDir)> {
        Self::open_since(path, None)
    }

    /// Opens a directory that a run since then may have closed.
    pub fn open_since(path: &Path, since: Option<u64>) -> Option<(Self, AnchorDir)> {
        let dir = match fs::enter(path, Path::new(""), Absent::Leave) {
            Ok(dir) => dir?,
            Err(_) => reopen(&fs::enter(path.parent()?, Path::new(""), Absent::Leave).ok()??, path.file_name()?, since)?,
        };
        let dir = std::fs::File::from(dir);
        let metadata = dir.metadata().ok()?;
        let anchor = AnchorDir { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() };
        let dir = OwnedFd::from(dir);
        let counts_links = counts_links(&dir);
        Some((Self { path: path.to_owned(), dir, counts_links, since }, anchor))
    }

    /// Enters a directory below; `None` unless every component is a directory that can be read.
    pub fn enter(&self, below: &Path) -> Option<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut dir: Option<OwnedFd> = None;
        if below.as_os_str().is_empty() {
            return retry_on_intr(|| rustix::fs::openat(&self.dir, ".", flags, Perm::empty())).ok();
        }
        for name in below {
            let from = dir.as_ref().unwrap_or(&self.dir);
            dir = Some(match retry_on_intr(|| rustix::fs::openat(from, name, flags, Perm::empty())) {
                Err(Errno::ACCESS) => reopen(from, name, self.since)?,
                opened => opened.ok()?,
            });
        }
        dir
    }

    /// Returns what a name in an open directory leads to, no link followed.
    pub fn child(&self, dir: &OwnedFd, name: &OsStr) -> Child {
        match fs::child(dir, name, Trust::State) {
            Child::Other => reopen(dir, name, self.since).map_or(Child::Other, Child::Directory),
            child => child,
        }
    }
}

/// Opens a directory that was closed to its owner since `since`, after giving them back their rights. One that cannot be listed can
/// still be gone into: git and a shell find by its name what is in there.
fn reopen(dir: &OwnedFd, name: &OsStr, since: Option<u64>) -> Option<OwnedFd> {
    let stat = retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)).ok()?;
    let is_closed = FileType::from_raw_mode(stat.st_mode) == FileType::Directory && stat.st_mode & 0o500 != 0o500;
    if !is_closed || since.is_none_or(|since| u64::try_from(stat.st_ctime).unwrap_or(0) < since) {
        return None;
    }
    shape::set_mode(dir, name, stat.st_mode & 0o7777 | 0o700).ok()?;
    fs::step(dir, name).ok()?
}

/// File systems whose directories have two links and one more for each directory in them.
#[cfg(target_os = "linux")]
fn counts_links(dir: &OwnedFd) -> bool {
    const EXT4: u64 = 0xEF53;
    const XFS: u64 = 0x5846_5342;
    const TMPFS: u64 = 0x0102_1994;
    const F2FS: u64 = 0xF2F5_2010;
    let kind = rustix::fs::fstatfs(dir).map_or(0, |found| u64::try_from(found.f_type).unwrap_or(0));
    [EXT4, XFS, TMPFS, F2FS].contains(&kind)
}

#[cfg(not(target_os = "linux"))]
fn counts_links(_dir: &OwnedFd) -> bool {
    false
}

/// Returns what kind of thing a name is; `None` if there is none.
pub fn kind_at(dir: &OwnedFd, name: impl AsRef<OsStr>) -> Option<FileType> {
    let stat = retry_on_intr(|| rustix::fs::statat(dir, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW)).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

/// Whether two ways end in one directory, or both in none.
pub fn is_same(one: Option<OwnedFd>, other: Option<OwnedFd>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => identity(&one).is_some_and(|one| identity(&other) == Some(one)),
        _ => false,
    }
}

/// Returns what tells an open directory from every other one.
fn identity(dir: &OwnedFd) -> Option<(u64, u64)> {
    rustix::fs::fstat(dir).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// Whether a directory below `dir` has no directory in it, where links are counted so.
pub fn is_leaf(dir: &OwnedFd, name: &OsStr) -> bool {
    retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)).is_ok_and(|stat| stat.st_nlink == 2)
}

/// Returns the change time of what stands at a name, in seconds; nobody can set it.
pub fn changed_at(dir: &OwnedFd, name: &OsStr) -> u64 {
    let stat = retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW));
    stat.map_or(u64::MAX, |stat| u64::try_from(stat.st_ctime).unwrap_or(0))
}

/// Returns what is other after any change of what stands at a name: nobody can set when that was.
pub fn stamp(dir: &OwnedFd, name: &OsStr) -> String {
    let stat = retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW));
    stat.map_or_else(|_| String::new(), |stat| format!("{}.{}.{}.{}", stat.st_ctime, stat.st_ctime_nsec, stat.st_ino, stat.st_size))
}

/// Returns what is other after any change of what a directory holds, and whether that is more than `most` names.
pub fn stamp_of_all(dir: &OwnedFd, most: usize) -> (String, bool) {
    let mut all = Vec::new();
    let more = stamp_each(dir, most, DEEPEST_STAMPED, &mut all);
    all.sort();
    (sha256(all.join("\n").as_bytes()), more)
}

fn stamp_each(dir: &OwnedFd, most: usize, deepest: usize, all: &mut Vec<String>) -> bool {
    let mut inner = Vec::new();
    let (_, mut more) = each(dir, most.saturating_sub(all.len()), |name, kind| {
        all.push(stamp(dir, name));
        if kind == FileType::Directory {
            inner.push(name.to_owned());
        }
    });
    for name in inner {
        more |= deepest == 0 || fs::step(dir, &name).is_ok_and(|dir| dir.is_some_and(|dir| stamp_each(&dir, most, deepest - 1, all)));
    }
    more
}

/// Returns the names in a directory, `most` at most, and whether there are more.
pub fn list(dir: &OwnedFd, most: usize) -> (Vec<DirName>, bool) {
    let mut names = Vec::new();
    let (_, more) = each(dir, most, |name, kind| names.push(DirName { name: name.to_owned(), kind }));
    (names, more)
}

/// Tells each name in a directory, `most` at most; how many these were, and whether there are more.
pub fn each(dir: &OwnedFd, most: usize, mut tell: impl FnMut(&OsStr, FileType)) -> (usize, bool) {
    let Ok(entries) = retry_on_intr(|| Dir::read_from(dir)) else { return (0, true) };
    let mut count = 0;
    for entry in entries {
        let Ok(entry) = entry else { return (count, true) };
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if count >= most {
            return (count, true);
        }
        count += 1;
        let name = OsStr::from_bytes(name);
        let kind = match entry.file_type() {
            FileType::Unknown => kind_at(dir, name).unwrap_or(FileType::Unknown),
            kind => kind,
        };
        tell(name, kind);
    }
    (count, false)
}

/// Opens what stands at a name, if it is a file that can be read.
pub fn open_file(dir: &OwnedFd, name: &OsStr) -> Option<OwnedFd> {
    if kind_at(dir, name)? != FileType::RegularFile {
        // To open a pipe or a device is an act.
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    retry_on_intr(|| rustix::fs::openat(dir, name, flags, Perm::empty())).ok()
}

/// Returns the change time of an open file, in seconds and nanoseconds; nobody can set it.
pub fn changed_open(file: &OwnedFd) -> Option<(i64, i64)> {
    let metadata = std::fs::File::from(file.try_clone().ok()?).metadata().ok()?;
    Some((metadata.ctime(), metadata.ctime_nsec()))
}

/// Returns what an open file is now; `None` where it cannot be kept.
pub fn trace_open(file: &OwnedFd) -> Option<(Trace, Vec<u8>)> {
    match read::read_open(file, LARGEST, Trust::Login) {
        Ok(Reading::File { bytes, mode }) => Some((Trace::File { hash: sha256(&bytes), executable: mode == Mode::Executable }, bytes)),
        _ => None,
    }
}

/// Returns what stands at a name, with the content if it is a file.
pub fn trace(dir: &OwnedFd, name: &OsStr) -> Option<(Trace, Vec<u8>)> {
    let strange = |why: &str| Some((Trace::Strange { why: why.into(), stamp: String::new() }, Vec::new()));
    let stamped = |why: &str| Some((Trace::Strange { why: why.into(), stamp: stamp(dir, name) }, Vec::new()));
    match read::read(dir, name, LARGEST, Trust::Login) {
        Ok(Reading::Absent) => None,
        Ok(Reading::File { bytes, mode }) => Some((Trace::File { hash: sha256(&bytes), executable: mode == Mode::Executable }, bytes)),
        Ok(Reading::Refused(Refusal::Link)) => {
            let target = retry_on_intr(|| rustix::fs::readlinkat(dir, name, Vec::new()));
            let target = target.map(std::ffi::CString::into_bytes).unwrap_or_default();
            Some((Trace::Link { to: escaped(&target) }, Vec::new()))
        }
        Ok(Reading::Refused(Refusal::TooBig)) => stamped("more than 1 MiB"),
        Ok(Reading::Refused(Refusal::Unreadable)) => stamped("closed to you"),
        Ok(Reading::Refused(Refusal::Moving)) => stamped("changing all the time"),
        Ok(Reading::Refused(Refusal::NotAFile)) if kind_at(dir, name) == Some(FileType::Directory) => strange("a directory"),
        Ok(Reading::Refused(_)) => strange("no plain file"),
        Err(Errno::NOENT | Errno::NOTDIR) => None,
        Err(error) => strange(&format!("unreadable ({error})")),
    }
}

//! Directories and files that must be there, where a container may have put something else: a link, a file, a pipe, a directory that
//! nobody can enter. Nothing is followed or opened on the way; what is in the way is set aside, and never removed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use crate::host::fs::{self, Absent, FileError};

/// What stood where something of ours must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    pub path: PathBuf,
    /// What it was, in words.
    pub what: &'static str,
    /// Where it is now; `None` where it was only opened again.
    pub to: Option<PathBuf>,
}

/// An open directory, and the place for what is set aside on the way to others.
pub struct Shaper<'a> {
    aside: &'a Path,
    pub found: Vec<Aside>,
}

impl<'a> Shaper<'a> {
    /// `aside` is a directory that no container can write.
    pub fn new(aside: &'a Path) -> Self {
        Self { aside, found: Vec::new() }
    }

    /// Opens `below` in `root`, which no container can replace, and makes it where it is missing.
    pub fn directory(&mut self, root: &Path, below: impl AsRef<Path>) -> io::Result<OwnedFd> {
        let dir = fs::enter(root, Path::new(""), Absent::Make)?.ok_or(io::ErrorKind::NotFound)?;
        self.below(dir, root, below)
    }

    /// Opens `below` in an open directory, whose path is only for messages.
    pub fn below(&mut self, mut dir: OwnedFd, path: &Path, below: impl AsRef<Path>) -> io::Result<OwnedFd> {
        let mut path = path.to_owned();
        for name in below.as_ref() {
            path.push(name);
            dir = self.enter(&dir, name, &path).map_err(|source| FileError { verb: "make", path: path.clone(), source: source.into() })?;
        }
        Ok(dir)
    }

    fn enter(&mut self, dir: &OwnedFd, name: &OsStr, path: &Path) -> Result<OwnedFd, Errno> {
        match open(dir, name) {
            Ok(inner) if is_usable(&rustix::fs::fstat(&inner)?) => return Ok(inner),
            Err(Errno::NOENT) => {}
            _ => self.mend(dir, name, path)?,
        }
        match retry_on_intr(|| rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(0o700))) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        open(dir, name)
    }

    /// Opens a directory of ours to ourselves again, or sets aside what is none.
    fn mend(&mut self, dir: &OwnedFd, name: &OsStr, path: &Path) -> Result<(), Errno> {
        let stat = look(dir, name)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && stat.st_uid == rustix::process::getuid().as_raw() {
            set_mode(dir, name, 0o700)?;
            self.found.push(Aside { path: path.to_owned(), what: "a directory that nobody could enter", to: None });
            return Ok(());
        }
        self.set_aside(dir, name, path, &stat)
    }

    /// Sets aside what has the name of a file of ours and is none.
    pub fn file(&mut self, dir: &OwnedFd, name: &str, path: &Path) -> io::Result<()> {
        let name = OsStr::new(name);
        let stat = match look(dir, name) {
            Err(Errno::NOENT) => return Ok(()),
            stat => stat?,
        };
        let is_ours = stat.st_uid == rustix::process::getuid().as_raw();
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if is_ours && stat.st_mode & 0o400 != 0 && stat.st_size <= LARGEST => Ok(()),
            FileType::RegularFile if is_ours && stat.st_mode & 0o400 == 0 => {
                set_mode(dir, name, 0o600)?;
                self.found.push(Aside { path: path.to_owned(), what: "a file that nobody could read", to: None });
                Ok(())
            }
            _ => Ok(self.set_aside(dir, name, path, &stat)?),
        }
    }

    fn set_aside(&mut self, dir: &OwnedFd, name: &OsStr, path: &Path, stat: &Stat) -> Result<(), Errno> {
        let mut new = OsString::from(format!("{}-{}-", super::super::now(), std::process::id()));
        new.push(name);
        let aside = fs::enter(self.aside, Path::new(""), Absent::Make).ok().flatten();
        let moved = aside.map(|aside| rename(dir, name, &aside, &new));
        let to = match moved {
            Some(Ok(())) => self.aside.join(&new),
            // A directory of somebody else cannot leave its parent; beside it, under another name, it is out of the way as well.
            _ => {
                rename(dir, name, dir, &new)?;
                path.with_file_name(&new)
            }
        };
        self.found.push(Aside { path: path.to_owned(), what: words(stat), to: Some(to) });
        Ok(())
    }
}

/// Makes an empty file where nothing is.
pub fn empty_file(dir: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600))) {
        Ok(_) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Credential files and the like are far below this, in bytes.
const LARGEST: i64 = 64 << 20;

/// Returns what is wrong with a directory of ours, if anything is; changes nothing.
pub fn wrong(root: &Path, below: &Path) -> Option<(PathBuf, &'static str)> {
    let mut dir = fs::enter(root, Path::new(""), Absent::Leave).ok().flatten()?;
    let mut path = root.to_owned();
    for name in below {
        path.push(name);
        let stat = look(&dir, name).ok()?;
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if !is_directory || !is_usable(&stat) {
            return Some((path, if is_directory { "a directory that nobody can enter" } else { words(&stat) }));
        }
        dir = open(&dir, name).ok()?;
    }
    None
}

fn open(dir: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty()))
}

fn look(dir: &OwnedFd, name: &OsStr) -> Result<Stat, Errno> {
    retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW))
}

/// The owner may do everything; what root may do without is not asked.
fn is_usable(stat: &Stat) -> bool {
    stat.st_mode & 0o700 == 0o700
}

fn rename(dir: &OwnedFd, name: &OsStr, to: &OwnedFd, new: &OsStr) -> Result<(), Errno> {
    match retry_on_intr(|| rustix::fs::renameat_with(dir, name, to, new, RenameFlags::NOREPLACE)) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => retry_on_intr(|| rustix::fs::renameat(dir, name, to, new)),
        renamed => renamed,
    }
}

/// Changes the mode of what has this name, and of nothing that a link leads to.
#[cfg(target_os = "linux")]
pub fn set_mode(dir: &OwnedFd, name: &OsStr, mode: u32) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty()))?;
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) == FileType::Symlink {
        return Err(Errno::LOOP);
    }
    // The one way to change what an `O_PATH` descriptor stands for before Linux 6.6.
    rustix::fs::chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), Mode::from_raw_mode(mode as _))
}

#[cfg(not(target_os = "linux"))]
pub fn set_mode(dir: &OwnedFd, name: &OsStr, mode: u32) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::chmodat(dir, name, Mode::from_raw_mode(mode as _), AtFlags::SYMLINK_NOFOLLOW))
}

fn words(stat: &Stat) -> &'static str {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => "a link",
        FileType::RegularFile if stat.st_size > LARGEST => "a file of no sensible size",
        FileType::RegularFile => "a file",
        FileType::Directory => "a directory",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    }
}

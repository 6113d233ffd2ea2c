//! Files, read and written so that neither a hostile nor a dying process can hurt them.
//!
//! Everything works on a name in an open directory. Directories of state are entered one component at a time without following
//! links, which cannot leave the root on any kernel; `openat2` would say the same in one call where it exists.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode as Perm, OFlags, RenameFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use crate::sync::{Hash, Mode, Reading, Refusal};

/// Nothing that we create is anybody else's business.
pub const PRIVATE_FILE: u32 = 0o600;
pub const PRIVATE_PROGRAM: u32 = 0o700;
const PRIVATE_DIR: u32 = 0o700;

/// Names of files that are being written begin like this.
pub const TEMPORARY: &str = ".ai-sync-";

/// How often a file that changes under us is read again.
const ATTEMPTS: usize = 4;

#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} `{}`: {source}", path.display())]
pub struct FileError {
    pub verb: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

/// Who else can write where we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Only the person: links are followed.
    Host,
    /// Containers, too: links, and names of files elsewhere, are refused.
    State,
}

/// Whether a write found what it expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    Done,
    Overtaken,
}

/// A name in an open directory.
#[derive(Debug)]
pub struct Slot {
    dir: OwnedFd,
    name: OsString,
    path: PathBuf,
}

/// Opens a directory below `root`, making what is missing if asked; nothing if it is absent.
pub fn enter(root: &Path, below: &Path, create: bool) -> Result<Option<OwnedFd>, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fail = |source: Errno| FileError {
        verb: "open",
        path: root.join(below),
        source: source.into(),
    };
    let mut dir = match retry_on_intr(|| rustix::fs::open(root, flags, Perm::empty())) {
        Err(Errno::NOENT) if create => {
            make_all(root)?;
            retry_on_intr(|| rustix::fs::open(root, flags, Perm::empty())).map_err(fail)?
        }
        Err(Errno::NOENT) => return Ok(None),
        opened => opened.map_err(fail)?,
    };
    for name in below {
        let open = |dir: &OwnedFd| {
            retry_on_intr(|| rustix::fs::openat(dir, name, flags | OFlags::NOFOLLOW, Perm::empty()))
        };
        dir = match open(&dir) {
            Err(Errno::NOENT) if create => {
                make(&dir, name).map_err(fail)?;
                open(&dir).map_err(fail)?
            }
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(fail)?,
        };
    }
    Ok(Some(dir))
}

fn make_all(path: &Path) -> Result<(), FileError> {
    let fail = |source: Errno| FileError {
        verb: "create",
        path: path.to_owned(),
        source: source.into(),
    };
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

/// Reads a regular file, whole and at rest.
pub fn read(dir: &OwnedFd, name: &OsStr, limit: u64, trust: Trust) -> Result<Reading, Errno> {
    let (at, follow) = match trust {
        Trust::Host => (AtFlags::empty(), OFlags::empty()),
        Trust::State => (AtFlags::SYMLINK_NOFOLLOW, OFlags::NOFOLLOW),
    };
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            pause();
        }
        // Looked at before it is opened, for opening a pipe or a device is an act.
        let before = match retry_on_intr(|| rustix::fs::statat(dir, name, at)) {
            Err(Errno::NOENT) if trust == Trust::Host && is_link(dir, name) => {
                return Ok(Reading::Refused(Refusal::Link));
            }
            Err(error) => return unreadable(error),
            Ok(stat) => stat,
        };
        if let Some(why) = unfit(&before, limit, trust) {
            return Ok(Reading::Refused(why));
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | follow;
        let file = match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Perm::empty())) {
            Err(error) => return unreadable(error),
            Ok(file) => file,
        };
        let opened = rustix::fs::fstat(&file)?;
        let bytes = read_up_to(&file, limit)?;
        let after = rustix::fs::fstat(&file)?;
        let at_rest = at_rest(&before, &opened) && at_rest(&opened, &after);
        if at_rest && u64::try_from(after.st_size) == Ok(bytes.len() as u64) {
            let mode = if after.st_mode & 0o100 == 0 {
                Mode::Plain
            } else {
                Mode::Executable
            };
            return Ok(Reading::File { bytes, mode });
        }
    }
    Ok(Reading::Refused(Refusal::Moving))
}

fn unreadable(error: Errno) -> Result<Reading, Errno> {
    match error {
        Errno::NOENT => Ok(Reading::Absent),
        Errno::LOOP => Ok(Reading::Refused(Refusal::Link)),
        Errno::NXIO | Errno::NOTDIR => Ok(Reading::Refused(Refusal::NotAFile)),
        Errno::ACCESS | Errno::PERM => Ok(Reading::Refused(Refusal::Unreadable)),
        other => Err(other),
    }
}

fn is_link(dir: &OwnedFd, name: &OsStr) -> bool {
    let stat = retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW));
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

fn unfit(stat: &Stat, limit: u64, trust: Trust) -> Option<Refusal> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Some(Refusal::Link),
        _ => return Some(Refusal::NotAFile),
    }
    let too_big = u64::try_from(stat.st_size).is_ok_and(|size| size > limit);
    match trust {
        _ if stat.st_mode & 0o6000 != 0 => Some(Refusal::SetId),
        Trust::State if stat.st_nlink > 1 => Some(Refusal::HardLink),
        _ if too_big => Some(Refusal::TooBig),
        _ => None,
    }
}

/// The change time cannot be set, so equal ones mean equal contents while we hold the file open.
fn at_rest(one: &Stat, two: &Stat) -> bool {
    let key = |stat: &Stat| {
        (
            stat.st_dev,
            stat.st_ino,
            stat.st_size,
            stat.st_ctime,
            stat.st_ctime_nsec,
        )
    };
    key(one) == key(two)
}

fn read_up_to(file: &OwnedFd, limit: u64) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    let mut block = [0_u8; 64 * 1024];
    loop {
        let count = retry_on_intr(|| rustix::io::read(file, &mut block))?;
        bytes.extend_from_slice(block.get(..count).unwrap_or_default());
        if count == 0 || bytes.len() as u64 > limit {
            return Ok(bytes);
        }
    }
}

/// Gives a writer the time to finish.
#[expect(
    clippy::disallowed_methods,
    reason = "waiting is an effect, and this is the edge"
)]
pub fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(10));
}

impl Slot {
    pub fn new(dir: OwnedFd, name: &OsStr, path: PathBuf) -> Slot {
        Slot {
            dir,
            name: name.to_owned(),
            path,
        }
    }

    pub fn read(&self, limit: u64) -> Result<Reading, FileError> {
        read(&self.dir, &self.name, limit, Trust::State).map_err(self.fail("read"))
    }

    /// Writes a file of ours, that nobody else writes: old or new, whole, at every instant.
    pub fn write(&self, bytes: &[u8]) -> Result<(), FileError> {
        let temporary = self.stage(bytes, PRIVATE_FILE)?;
        let renamed =
            retry_on_intr(|| rustix::fs::renameat(&self.dir, &temporary, &self.dir, &self.name));
        renamed.map_err(self.fail("write"))?;
        self.sync_dir()
    }

    /// Puts a content in place of the expected one, and of no other.
    ///
    /// What is left beside the file when this fails may be somebody's content: it is not removed here.
    pub fn put(
        &self,
        bytes: &[u8],
        perm: u32,
        before: Option<&Hash>,
        limit: u64,
    ) -> Result<Swap, FileError> {
        let temporary = self.stage(bytes, perm)?;
        let swap = match before {
            None => self.link_new(&temporary),
            Some(before) => self.exchange(&temporary, before, limit),
        };
        let swap = swap.map_err(self.fail("write"))?;
        self.sync_dir()?;
        Ok(swap)
    }

    /// Adds bytes at the end in one write, as the tools do it themselves.
    pub fn append(&self, bytes: &[u8]) -> Result<(), FileError> {
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let append = || {
            let file = retry_on_intr(|| {
                rustix::fs::openat(
                    &self.dir,
                    &self.name,
                    flags,
                    Perm::from_raw_mode(PRIVATE_FILE),
                )
            })?;
            write_all(&file, bytes)?;
            retry_on_intr(|| rustix::fs::fsync(&file))
        };
        append().map_err(self.fail("append to"))?;
        self.sync_dir()
    }

    /// Removes the expected content, and no other.
    pub fn remove(&self, before: &Hash, limit: u64) -> Result<Swap, FileError> {
        let temporary = self.temporary();
        let moved =
            retry_on_intr(|| rustix::fs::renameat(&self.dir, &self.name, &self.dir, &temporary));
        if moved == Err(Errno::NOENT) {
            return Ok(Swap::Overtaken);
        }
        moved.map_err(self.fail("remove"))?;
        let swap = if self.holds(&temporary, before, limit) {
            self.unlink(&temporary).map_err(self.fail("remove"))?;
            Swap::Done
        } else {
            self.link_new(&temporary).map_err(self.fail("put back"))?;
            Swap::Overtaken
        };
        self.sync_dir()?;
        Ok(swap)
    }

    /// Forgets a file of ours.
    pub fn delete(&self) -> Result<(), FileError> {
        self.unlink(&self.name).map_err(self.fail("remove"))?;
        self.sync_dir()
    }

    /// What a write that died left beside the file.
    pub fn leftover(&self, limit: u64) -> Result<Reading, FileError> {
        read(&self.dir, &self.temporary(), limit, Trust::State).map_err(self.fail("read"))
    }

    pub fn clear_leftover(&self) -> Result<(), FileError> {
        self.unlink(&self.temporary())
            .map_err(self.fail("clean up beside"))
    }

    /// The permissions of what is there.
    pub fn perm(&self) -> Option<u32> {
        let stat =
            retry_on_intr(|| rustix::fs::statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW));
        stat.ok().map(|stat| stat.st_mode & 0o777)
    }

    pub fn set_perm(&self, perm: u32) -> Result<(), FileError> {
        retry_on_intr(|| {
            rustix::fs::chmodat(
                &self.dir,
                &self.name,
                Perm::from_raw_mode(perm),
                AtFlags::empty(),
            )
        })
        .map_err(self.fail("chmod"))
    }

    fn stage(&self, bytes: &[u8], perm: u32) -> Result<OsString, FileError> {
        let temporary = self.temporary();
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let stage = || {
            self.unlink(&temporary)?;
            let file = retry_on_intr(|| {
                rustix::fs::openat(
                    &self.dir,
                    &temporary,
                    flags,
                    Perm::from_raw_mode(PRIVATE_FILE),
                )
            })?;
            write_all(&file, bytes)?;
            if perm != PRIVATE_FILE {
                retry_on_intr(|| rustix::fs::fchmod(&file, Perm::from_raw_mode(perm)))?;
            }
            retry_on_intr(|| rustix::fs::fsync(&file))
        };
        if let Err(error) = stage() {
            // The first error is the one to tell.
            let _ = self.unlink(&temporary);
            return Err(self.fail("write")(error));
        }
        Ok(temporary)
    }

    /// Gives the temporary file its name unless somebody has it by now.
    fn link_new(&self, temporary: &OsStr) -> Result<Swap, Errno> {
        let renamed = retry_on_intr(|| {
            rustix::fs::renameat_with(
                &self.dir,
                temporary,
                &self.dir,
                &self.name,
                RenameFlags::NOREPLACE,
            )
        });
        let linked = match renamed {
            // Not on every file system; a link can do it on the others.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => retry_on_intr(|| {
                rustix::fs::linkat(
                    &self.dir,
                    temporary,
                    &self.dir,
                    &self.name,
                    AtFlags::empty(),
                )
            }),
            renamed => renamed,
        };
        if linked == Err(Errno::EXIST) {
            self.unlink(temporary)?;
            return Ok(Swap::Overtaken);
        }
        linked?;
        self.unlink(temporary)?;
        Ok(Swap::Done)
    }

    /// Swaps the two names, looks at what came out, and swaps back if it is not what was expected: nobody's write is lost.
    fn exchange(&self, temporary: &OsStr, before: &Hash, limit: u64) -> Result<Swap, Errno> {
        let swap = || {
            retry_on_intr(|| {
                rustix::fs::renameat_with(
                    &self.dir,
                    temporary,
                    &self.dir,
                    &self.name,
                    RenameFlags::EXCHANGE,
                )
            })
        };
        match swap() {
            Err(Errno::NOENT) => {
                self.unlink(temporary)?;
                return Ok(Swap::Overtaken);
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
                if !self.holds(&self.name, before, limit) =>
            {
                self.unlink(temporary)?;
                return Ok(Swap::Overtaken);
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                retry_on_intr(|| {
                    rustix::fs::renameat(&self.dir, temporary, &self.dir, &self.name)
                })?;
                return Ok(Swap::Done);
            }
            swapped => swapped?,
        }
        if self.holds(temporary, before, limit) {
            self.unlink(temporary)?;
            return Ok(Swap::Done);
        }
        swap()?;
        self.unlink(temporary)?;
        Ok(Swap::Overtaken)
    }

    fn holds(&self, name: &OsStr, expected: &Hash, limit: u64) -> bool {
        let reading = read(&self.dir, name, limit, Trust::State);
        matches!(reading, Ok(Reading::File { bytes, .. }) if Hash::of(&bytes) == *expected)
    }

    /// One name for each file, so that whoever comes next finds what a dead writer left. No longer than a name may be.
    fn temporary(&self) -> OsString {
        let hash = Hash::of(self.name.as_encoded_bytes());
        OsString::from(format!("{TEMPORARY}{}", hash.short()))
    }

    fn unlink(&self, name: &OsStr) -> Result<(), Errno> {
        match retry_on_intr(|| rustix::fs::unlinkat(&self.dir, name, AtFlags::empty())) {
            Err(Errno::NOENT) => Ok(()),
            unlinked => unlinked,
        }
    }

    fn sync_dir(&self) -> Result<(), FileError> {
        retry_on_intr(|| rustix::fs::fsync(&self.dir)).map_err(self.fail("write"))
    }

    fn fail(&self, verb: &'static str) -> impl Fn(Errno) -> FileError {
        move |source| FileError {
            verb,
            path: self.path.clone(),
            source: source.into(),
        }
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
    let follow = if trust == Trust::Host {
        OFlags::empty()
    } else {
        OFlags::NOFOLLOW
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | follow;
    match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Perm::empty())) {
        Ok(inner) => Child::Directory(inner),
        Err(Errno::NOENT) if !is_link(dir, name) => Child::Absent,
        Err(_) => Child::Other,
    }
}

/// The names in a directory, without `.` and `..`.
pub fn names(dir: &OwnedFd, path: &Path) -> Result<Vec<OsString>, FileError> {
    let fail = |source: Errno| FileError {
        verb: "list",
        path: path.to_owned(),
        source: source.into(),
    };
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

/// Removes a directory if it is empty.
pub fn remove_dir(path: &Path) -> Result<(), FileError> {
    match retry_on_intr(|| rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR)) {
        Ok(()) | Err(Errno::NOTEMPTY | Errno::NOENT) => Ok(()),
        Err(source) => Err(FileError {
            verb: "remove",
            path: path.to_owned(),
            source: source.into(),
        }),
    }
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let count = retry_on_intr(|| rustix::io::write(file, bytes))?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// A slot directly below a directory of ours.
pub fn slot(root: &Path, path: &Path, create: bool) -> Result<Option<Slot>, FileError> {
    let full = root.join(path);
    let name = path.file_name().unwrap_or_default();
    let below = path.parent().unwrap_or(Path::new(""));
    let dir = enter(root, below, create)?;
    Ok(dir.map(|dir| Slot::new(dir, name, full)))
}

/// Opens the current directory's equivalent of a path, following links: only for the person's own files.
pub fn enter_following(path: &Path) -> Result<Option<OwnedFd>, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Perm::empty())) {
        Ok(dir) => Ok(Some(dir)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(source) => Err(FileError {
            verb: "open",
            path: path.to_owned(),
            source: source.into(),
        }),
    }
}

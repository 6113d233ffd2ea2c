//! Writing a file: a name in an open directory, and what may happen to it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode as Perm, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::{Errno, retry_on_intr};

use crate::core::sync::{Hash, Reading};
use crate::host::fs::read::{read, unfit};
use crate::host::fs::tool_lock::{self, ToolLock};
use crate::host::fs::{Absent, FileError, TEMPORARY, Trust, enter, write_all};

/// Nothing that we create is anybody else's business.
pub const PRIVATE_FILE: u32 = 0o600;
pub const PRIVATE_PROGRAM: u32 = 0o700;
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

/// Returns a slot directly below a directory of ours.
pub fn slot(root: &Path, path: &Path, absent: Absent) -> Result<Option<Slot>, FileError> {
    let full = root.join(path);
    let name = path.file_name().unwrap_or_default();
    let below = path.parent().unwrap_or(Path::new(""));
    let dir = enter(root, below, absent)?;
    Ok(dir.map(|dir| Slot::new(dir, name, full)))
}

impl Slot {
    pub fn new(dir: OwnedFd, name: &OsStr, path: PathBuf) -> Slot {
        Slot { dir, name: name.to_owned(), path }
    }

    pub fn read(&self, limit: u64) -> Result<Reading, FileError> {
        self.read_as(Trust::State, limit)
    }

    pub fn read_as(&self, trust: Trust, limit: u64) -> Result<Reading, FileError> {
        read(&self.dir, &self.name, limit, trust).map_err(self.fail("read"))
    }

    /// Writes a file of ours, that nobody else writes: old or new, whole, at every instant.
    pub fn write(&self, bytes: &[u8]) -> Result<(), FileError> {
        self.write_unsettled(bytes)?;
        self.settle()
    }

    /// Does the same, but that a loss of power may take the file's name away until its directory is settled.
    pub fn write_unsettled(&self, bytes: &[u8]) -> Result<(), FileError> {
        self.write_by(&self.temporary(), bytes)
    }

    /// Does the same, where several processes may do so at once without a lock.
    pub fn write_at_once(&self, bytes: &[u8]) -> Result<(), FileError> {
        self.write_by(OsStr::new(&format!("{TEMPORARY}{}", std::process::id())), bytes)
    }

    fn write_by(&self, temporary: &OsStr, bytes: &[u8]) -> Result<(), FileError> {
        self.stage_as(temporary, bytes, PRIVATE_FILE)?;
        retry_on_intr(|| rustix::fs::renameat(&self.dir, temporary, &self.dir, &self.name)).map_err(|error| {
            // Ours and unfinished; the first error is the one to tell.
            let _ = self.unlink(temporary);
            self.fail("write")(error)
        })
    }

    /// Makes sure that no loss of power undoes what was done in the directory.
    pub fn settle(&self) -> Result<(), FileError> {
        retry_on_intr(|| rustix::fs::fsync(&self.dir)).map_err(self.fail("write"))
    }

    /// Puts a content in place of the expected one, and of no other.
    ///
    /// What is left beside the file when this fails may be somebody's content: it is not removed here.
    pub fn put(&self, bytes: &[u8], perm: u32, before: Option<&Hash>, limit: u64) -> Result<Swap, FileError> {
        let temporary = self.stage(bytes, perm)?;
        let swap = match before {
            None => self.link_new(&temporary),
            Some(before) => self.exchange(&temporary, before, limit),
        };
        let swap = swap.map_err(self.fail("write"))?;
        self.settle()?;
        Ok(swap)
    }

    /// Makes a file of any size that is not there yet, from what `fill` writes into it; last changed at `modified`, in seconds since 1970.
    pub fn make(&self, modified: i64, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Swap, FileError> {
        let failed = |source| FileError { verb: "write", path: self.path.clone(), source };
        let temporary = self.stage(&[], PRIVATE_FILE)?;
        let make = || {
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let mut file = File::from(retry_on_intr(|| rustix::fs::openat(&self.dir, &temporary, flags, Perm::empty()))?);
            fill(&mut file)?;
            let time = Timespec { tv_sec: modified, tv_nsec: 0 };
            rustix::fs::futimens(&file, &Timestamps { last_access: time, last_modification: time })?;
            file.sync_all()?;
            Ok(self.link_new(&temporary)?)
        };
        let swap = make().map_err(|error| {
            // Ours and unfinished; the first error is the one to tell.
            let _ = self.unlink(&temporary);
            failed(error)
        })?;
        self.settle()?;
        Ok(swap)
    }

    /// Adds bytes at the end of a plain file in one write, as the tools do it themselves. What was looked at before may be a pipe by now,
    /// another name of a file elsewhere, or have grown beyond what is read.
    pub fn append(&self, bytes: &[u8], limit: u64) -> Result<(), FileError> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let append = || {
            let file = retry_on_intr(|| rustix::fs::openat(&self.dir, &self.name, flags, Perm::from_raw_mode(PRIVATE_FILE)))?;
            unfit(&rustix::fs::fstat(&file)?, limit, Trust::State).map_or(Ok(()), |_| Err(Errno::INVAL))?;
            write_all(&file, bytes)?;
            retry_on_intr(|| rustix::fs::fsync(&file))
        };
        append().map_err(self.fail("append to"))?;
        self.settle()
    }

    /// Removes the expected content, and no other.
    pub fn remove(&self, before: &Hash, limit: u64) -> Result<Swap, FileError> {
        let temporary = self.temporary();
        let moved = retry_on_intr(|| rustix::fs::renameat(&self.dir, &self.name, &self.dir, &temporary));
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
        self.settle()?;
        Ok(swap)
    }

    /// Gives this name to a file of ours that lies elsewhere in the store; done already if it is not there any more.
    pub fn take(&self, from: &Path) -> Result<(), FileError> {
        match retry_on_intr(|| rustix::fs::renameat(rustix::fs::CWD, from, &self.dir, &self.name)) {
            Ok(()) | Err(Errno::NOENT) => self.settle(),
            Err(error) => Err(self.fail("move to")(error)),
        }
    }

    /// Returns the SHA-256 of a plain file of any size.
    pub fn hash(&self) -> Result<String, FileError> {
        let file = self.open().map_err(self.fail("read"))?;
        super::tree::hash_open(file.into()).map_err(|source| FileError { verb: "read", path: self.path.clone(), source })
    }

    /// Forgets a file of ours.
    pub fn delete(&self) -> Result<(), FileError> {
        self.discard()?;
        self.settle()
    }

    /// Does the same to a file that does no harm if a loss of power brings it back.
    pub fn discard(&self) -> Result<(), FileError> {
        self.unlink(&self.name).map_err(self.fail("remove"))
    }

    /// Returns what a write that died left beside the file.
    pub fn leftover(&self, limit: u64) -> Result<Reading, FileError> {
        read(&self.dir, &self.temporary(), limit, Trust::State).map_err(self.fail("read"))
    }

    pub fn clear_leftover(&self) -> Result<(), FileError> {
        self.unlink(&self.temporary()).map_err(self.fail("clean up beside"))
    }

    /// Takes the lock that a tool takes to write this file; its name is the file's with this behind it. Nothing if it is kept.
    pub fn lock(&self, suffix: &str) -> Result<Option<ToolLock>, FileError> {
        let mut name = self.name.clone();
        name.push(suffix);
        tool_lock::acquire(&self.dir, name, tool_lock::WAIT).map_err(self.fail("lock"))
    }

    /// Returns the permissions of what is there.
    pub fn perm(&self) -> Option<u32> {
        let stat = retry_on_intr(|| rustix::fs::statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW));
        stat.ok().map(|stat| stat.st_mode & 0o777)
    }

    /// Sets the permissions of what is there; of a link, nothing.
    pub fn set_perm(&self, perm: u32) -> Result<(), FileError> {
        let set = |file| retry_on_intr(|| rustix::fs::fchmod(&file, Perm::from_raw_mode(perm)));
        self.open().and_then(set).map_err(self.fail("chmod"))
    }

    fn open(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        retry_on_intr(|| rustix::fs::openat(&self.dir, &self.name, flags, Perm::empty()))
    }

    fn stage(&self, bytes: &[u8], perm: u32) -> Result<OsString, FileError> {
        let temporary = self.temporary();
        self.stage_as(&temporary, bytes, perm)?;
        Ok(temporary)
    }

    fn stage_as(&self, temporary: &OsStr, bytes: &[u8], perm: u32) -> Result<(), FileError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let stage = || {
            self.unlink(temporary)?;
            let file = retry_on_intr(|| rustix::fs::openat(&self.dir, temporary, flags, Perm::from_raw_mode(PRIVATE_FILE)))?;
            write_all(&file, bytes)?;
            if perm != PRIVATE_FILE {
                retry_on_intr(|| rustix::fs::fchmod(&file, Perm::from_raw_mode(perm)))?;
            }
            retry_on_intr(|| rustix::fs::fsync(&file))
        };
        stage().map_err(|error| {
            let _ = self.unlink(temporary);
            self.fail("write")(error)
        })
    }

    /// Gives the temporary file its name unless somebody has it by now.
    fn link_new(&self, temporary: &OsStr) -> Result<Swap, Errno> {
        let renamed = retry_on_intr(|| rustix::fs::renameat_with(&self.dir, temporary, &self.dir, &self.name, RenameFlags::NOREPLACE));
        let linked = match renamed {
            // Not on every file system; a link can do it on the others.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                retry_on_intr(|| rustix::fs::linkat(&self.dir, temporary, &self.dir, &self.name, AtFlags::empty()))
            }
            renamed => renamed,
        };
        let swap = if linked == Err(Errno::EXIST) { Swap::Overtaken } else { linked.map(|()| Swap::Done)? };
        self.unlink(temporary)?;
        Ok(swap)
    }

    /// Swaps the two names, looks at what came out, and swaps back if it is not what was expected: nobody's write is lost.
    fn exchange(&self, temporary: &OsStr, before: &Hash, limit: u64) -> Result<Swap, Errno> {
        let swap = || retry_on_intr(|| rustix::fs::renameat_with(&self.dir, temporary, &self.dir, &self.name, RenameFlags::EXCHANGE));
        match swap() {
            Err(Errno::NOENT) => {
                self.unlink(temporary)?;
                return Ok(Swap::Overtaken);
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !self.holds(&self.name, before, limit) => {
                self.unlink(temporary)?;
                return Ok(Swap::Overtaken);
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                retry_on_intr(|| rustix::fs::renameat(&self.dir, temporary, &self.dir, &self.name))?;
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
        matches!(read(&self.dir, name, limit, Trust::State), Ok(Reading::File { bytes, .. }) if Hash::of(&bytes) == *expected)
    }

    /// Returns one name for each file, so that whoever comes next finds what a dead writer left. No longer than a name may be.
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

    fn fail(&self, verb: &'static str) -> impl Fn(Errno) -> FileError {
        move |source| FileError { verb, path: self.path.clone(), source: source.into() }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
mod tests {
    use std::fs;
    use std::os::unix::fs::{OpenOptionsExt, symlink};

    use super::*;

    // BO-08: between the look and the write a container may have put anything under the name.
    #[test]
    fn lines_are_added_to_plain_files_within_the_bound_alone() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let slot = |name: &str| super::slot(root.path(), Path::new(name), Absent::Leave).unwrap().unwrap();
        slot("new").append(b"a\n", 8).unwrap();
        slot("new").append(b"b\n", 8).unwrap();
        assert_eq!(fs::read(at("new")).unwrap(), b"a\nb\n");
        fs::write(at("victim"), "mine").unwrap();
        symlink(at("victim"), at("link")).unwrap();
        fs::hard_link(at("victim"), at("other name")).unwrap();
        fs::create_dir(at("directory")).unwrap();
        fs::File::create(at("huge")).unwrap().set_len(1 << 40).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), Perm::from_raw_mode(0o600)).unwrap();
        // With somebody at the other end, and without.
        let reader = fs::OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(at("pipe")).unwrap();
        for name in ["link", "other name", "directory", "huge", "pipe"] {
            assert!(slot(name).append(b"theirs", 8).is_err(), "{name}");
        }
        assert_eq!(rustix::io::read(&reader, &mut [0; 8][..]), Ok(0), "nothing came out");
        drop(reader);
        assert!(slot("pipe").append(b"theirs", 8).is_err());
        assert_eq!((fs::read(at("victim")).unwrap().as_slice(), at("huge").metadata().unwrap().len()), (&b"mine"[..], 1 << 40));
    }
}

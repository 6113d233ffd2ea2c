//! The lock of a directory of ours: a kernel lock on its file `lock`, which is never unlinked, so that it dies with its holder. Each
//! sync has it on `sync` in the store, each comparison of control files on what is kept for their project.
//!
//! Other locks: of a session's lease (`host::store::lease`), while the log moves on (`host::store::log`), and those that the tools
//! themselves take (`host::fs::tool_lock`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, FlockOperation, Mode as Perm, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::host::fs::slot::PRIVATE_FILE;
use crate::host::fs::{self, Absent, FileError};
use crate::host::machine::deadline::Deadline;

/// How long a run waits for another one that holds the lock.
pub const WAIT: Duration = Duration::from_secs(10);

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: OwnedFd,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("cannot lock the store: {}", held_by(*holder))]
    Busy { holder: Option<u32> },
    #[error("cannot lock `{}`: it is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
}

fn held_by(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process holds it".to_owned(), |pid| format!("process {pid} holds it"))
}

/// Takes the lock, for which it waits so long at most.
pub fn acquire(directory: &Path, wait: Duration) -> Result<Lock, LockError> {
    let (file, deadline) = (open(directory)?, Deadline::after(wait));
    loop {
        match retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) if !deadline.is_over() => fs::pause(),
            Err(Errno::WOULDBLOCK) => {
                return Err(LockError::Busy { holder: holder(&file) });
            }
            Err(error) => return Err(fail("lock", directory)(error).into()),
        }
    }
    sign(&file).map_err(fail("lock", directory))?;
    Ok(Lock { _file: file })
}

fn open(directory: &Path) -> Result<OwnedFd, LockError> {
    let root = fs::enter(directory, Path::new(""), Absent::Make)?.ok_or_else(|| fail("open", directory)(Errno::NOENT))?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match retry_on_intr(|| rustix::fs::openat(&root, "lock", flags, Perm::from_raw_mode(PRIVATE_FILE))) {
        Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => {
            return Err(LockError::NotAFile { path: directory.join("lock") });
        }
        opened => opened.map_err(fail("open", directory))?,
    };
    let stat = rustix::fs::fstat(&file).map_err(fail("open", directory))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink != 1 {
        return Err(LockError::NotAFile { path: directory.join("lock") });
    }
    Ok(file)
}

/// Leaves our pid for whoever waits and wants to say for whom.
fn sign(file: &OwnedFd) -> Result<(), Errno> {
    let pid = format!("{:<10}\n", std::process::id());
    retry_on_intr(|| rustix::io::pwrite(file, pid.as_bytes(), 0)).map(|_| ())
}

fn holder(file: &OwnedFd) -> Option<u32> {
    let mut text = [0_u8; 16];
    let count = retry_on_intr(|| rustix::io::pread(file, &mut text, 0)).ok()?;
    std::str::from_utf8(text.get(..count)?).ok()?.trim().parse().ok()
}

fn fail(verb: &'static str, directory: &Path) -> impl Fn(Errno) -> FileError {
    let path = directory.join("lock");
    move |source| FileError { verb, path: path.clone(), source: source.into() }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
mod tests {
    use std::time::Instant;

    use super::*;

    // Z-048
    #[test]
    fn z_048_what_is_no_plain_file_is_not_locked_and_not_touched() {
        let check = |make: &dyn Fn(&Path)| {
            let store = tempfile::tempdir().unwrap();
            std::fs::write(store.path().join("bashrc"), "mine").unwrap();
            make(store.path());
            assert!(matches!(acquire(store.path(), WAIT), Err(LockError::NotAFile { .. })));
            assert_eq!(std::fs::read_to_string(store.path().join("bashrc")).unwrap(), "mine");
        };
        check(&|store| std::os::unix::fs::symlink("bashrc", store.join("lock")).unwrap());
        check(&|store| std::fs::create_dir(store.join("lock")).unwrap());
        check(&|store| std::fs::hard_link(store.join("bashrc"), store.join("lock")).unwrap());
        check(&|store| {
            rustix::fs::mkfifoat(rustix::fs::CWD, store.join("lock"), Perm::RUSR | Perm::WUSR).unwrap();
        });
    }

    // F-07
    #[test]
    fn f_07_a_live_holder_is_named_when_the_wait_is_over_and_a_dead_one_never_blocks() {
        let store = tempfile::tempdir().unwrap();
        let held = acquire(store.path(), Duration::ZERO).unwrap();
        let (began, wait) = (Instant::now(), Duration::from_millis(50));
        let Err(LockError::Busy { holder }) = acquire(store.path(), wait) else { panic!("two holders") };
        assert_eq!(holder, Some(std::process::id()));
        assert!(began.elapsed() >= wait);
        drop(held);
        acquire(store.path(), Duration::ZERO).unwrap();
    }
}

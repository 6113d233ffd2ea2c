//! The lock that a tool itself takes while it writes one of its files: a directory beside the file, made to take it and removed to
//! give it back, whose holder sets its time anew every few seconds.

use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode as Perm};
use rustix::io::{Errno, retry_on_intr};

use crate::host::fs::pause;

/// How long a holder of a lock may take before we leave the file alone this time.
pub const WAIT: Duration = Duration::from_secs(1);
/// A lock that nobody touched for so long has a dead holder. The tools themselves wait no longer.
const STALE: Duration = Duration::from_secs(10);

/// Held until it is dropped.
#[derive(Debug)]
pub struct ToolLock {
    dir: OwnedFd,
    name: OsString,
}

/// Takes the lock of this name, for which it waits so long at most; nothing if somebody keeps it.
#[expect(clippy::disallowed_methods, reason = "waiting needs a clock, and this is the edge")]
pub fn acquire(dir: &OwnedFd, name: OsString, wait: Duration) -> Result<Option<ToolLock>, Errno> {
    let began = Instant::now();
    loop {
        match retry_on_intr(|| rustix::fs::mkdirat(dir, &name, Perm::RWXU)) {
            Ok(()) => return Ok(Some(ToolLock { dir: dir.as_fd().try_clone_to_owned().map_err(|_| Errno::MFILE)?, name })),
            Err(Errno::EXIST) if is_stale(dir, &name) => match remove(dir, &name) {
                Ok(()) | Err(Errno::NOENT) => {}
                // What is in it is not ours to remove, and neither is what only looks like a lock.
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => return Ok(None),
                Err(error) => return Err(error),
            },
            Err(Errno::EXIST) if began.elapsed() < wait => pause(),
            Err(Errno::EXIST) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tools' own rule is one about time, and this is the edge")]
fn is_stale(dir: &OwnedFd, name: &OsString) -> bool {
    let Ok(stat) = retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)) else { return false };
    let touched = SystemTime::UNIX_EPOCH + Duration::from_secs(stat.st_mtime.try_into().unwrap_or(0));
    // One that was touched in the future never gets old; no holder's clock is ahead of itself.
    match SystemTime::now().duration_since(touched) {
        Ok(age) => age > STALE,
        Err(ahead) => ahead.duration() > STALE,
    }
}

fn remove(dir: &OwnedFd, name: &OsString) -> Result<(), Errno> {
    retry_on_intr(|| rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR))
}

impl Drop for ToolLock {
    fn drop(&mut self) {
        // If this fails, the tools wait until it is stale.
        let _ = remove(&self.dir, &self.name);
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
mod tests {
    use std::path::Path;

    use super::*;

    fn dir(path: &Path) -> OwnedFd {
        std::fs::File::open(path).unwrap().into()
    }

    fn touched(path: &Path, ago: Duration) {
        std::fs::File::open(path).unwrap().set_modified(SystemTime::now() - ago).unwrap();
    }

    // Z-050
    #[test]
    fn z_050_a_lock_is_taken_over_when_it_is_stale_and_never_before() {
        let home = tempfile::tempdir().unwrap();
        let lock = home.path().join("f.lock");
        std::fs::create_dir(&lock).unwrap();
        touched(&lock, Duration::from_secs(6));
        let (began, wait) = (Instant::now(), Duration::from_millis(50));
        assert!(acquire(&dir(home.path()), "f.lock".into(), wait).unwrap().is_none());
        assert!(began.elapsed() >= wait && lock.is_dir());
        touched(&lock, STALE + Duration::from_secs(2));
        let held = acquire(&dir(home.path()), "f.lock".into(), WAIT).unwrap().unwrap();
        assert!(lock.metadata().unwrap().modified().unwrap().elapsed().unwrap() < STALE, "it is a new one");
        drop(held);
        assert!(!lock.exists());
    }

    #[test]
    fn what_only_has_the_name_of_a_lock_stays() {
        let home = tempfile::tempdir().unwrap();
        let lock = home.path().join("f.lock");
        std::fs::write(&lock, "mine").unwrap();
        touched(&lock, STALE * 2);
        assert!(acquire(&dir(home.path()), "f.lock".into(), WAIT).unwrap().is_none());
        std::fs::remove_file(&lock).unwrap();
        std::fs::create_dir_all(lock.join("inside")).unwrap();
        touched(&lock, STALE * 2);
        assert!(acquire(&dir(home.path()), "f.lock".into(), WAIT).unwrap().is_none());
        assert!(lock.join("inside").is_dir());
    }
}

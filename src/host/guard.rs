//! A kernel lock on a file that is never unlinked, so that it dies with its holder.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags};

use crate::failure::{Failure, Kind, Result};
use crate::host::files::private_dir;
use crate::store::Store;

const PATIENCE: Duration = Duration::from_secs(10);

/// Held until it is dropped.
#[derive(Debug)]
pub struct Guard {
    _file: File,
}

impl Guard {
    /// Waits for whoever changes the store's layout or logins, ten seconds at most.
    pub fn acquire(store: &Store) -> Result<Self> {
        let path = store.root().join("sync/layout.lock");
        let failed =
            |error: &dyn std::fmt::Display| Failure::new(Kind::General, format!("cannot lock `{}`", path.display())).because(error);
        path.parent().map_or(Ok(()), private_dir).map_err(|error| failed(&error))?;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(&path);
        let file = file.map_err(|error| failed(&error))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(failed(&"it is no regular file"));
        }
        let held = wait(PATIENCE, || match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(Some(())),
            Err(error) => Err(failed(&error)),
        })?;
        match held {
            None => Ok(Self { _file: file }),
            Some(()) => Err(Failure::new(Kind::Busy, "cannot change the store: another `ai` is changing it").hint("try again in a moment")),
        }
    }
}

/// Asks until nothing is in the way any more, `patience` long at most; what is in the way after that.
pub fn wait<T>(patience: Duration, mut in_the_way: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let began = Instant::now();
    loop {
        match in_the_way()? {
            Some(_) if began.elapsed() < patience => std::thread::sleep(Duration::from_millis(25)),
            answer => return Ok(answer),
        }
    }
}

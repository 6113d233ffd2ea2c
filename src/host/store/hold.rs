//! Waiting: for the store's lock, and for what others hold.

use std::time::Duration;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::store::Store;
use crate::host::fs::lock::{self, Lock, LockError};
use crate::host::machine::clock;

/// Returns the lock of the store, for whoever changes its layout or logins; ten seconds at most.
pub fn store(store: &Store) -> Result<Lock> {
    lock::acquire(&store.root().join("sync"), lock::WAIT).map_err(|error| no_lock(&error))
}

/// Returns why a lock was not had, and what to do: only what somebody holds is free in a moment.
pub fn no_lock(error: &LockError) -> Failure {
    let (kind, hint) =
        if matches!(error, LockError::Busy { .. }) { (Kind::Busy, "try again in a moment") } else { (Kind::General, "ai doctor") };
    Failure::new(kind, error.to_string()).hint(hint)
}

/// Calls `probe` every 100 ms until it finds nothing in the way; returns what still is when `patience` is over.
pub fn retry_until_free<T>(patience: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let began = clock::instant();
    loop {
        match probe()? {
            Some(_) if began.elapsed() < patience => clock::pause(Duration::from_millis(100)),
            answer => return Ok(answer),
        }
    }
}

//! Leases on disk: which sessions there are, who answers for each, and the right to finish one.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

use crate::core::lease::{Lease, Process, SessionId, is_alive};
use crate::core::store::Store;
use crate::host::Host;
use crate::host::fs::files::{read_own, write_unsynced};
use crate::host::fs::own;
use crate::host::machine::{clock, process};

/// Returns the lease of a session; `None` if there is none that can be read.
pub fn read(store: &Store, session: &SessionId) -> Option<Lease> {
    let (text, _) = read_own(&store.lease(session)).ok()??;
    serde_json::from_slice(&text).ok().filter(|lease: &Lease| lease.session == *session)
}

/// Returns all leases that can be read.
pub fn all(store: &Store) -> Vec<Lease> {
    let Ok(entries) = own::entries(store.sessions()) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut leases: Vec<Lease> = names.filter_map(|session| read(store, &session)).collect();
    leases.sort_unstable_by(|a, b| a.session.cmp(&b.session));
    leases
}

/// Whether the process that a lease belongs to still is.
pub fn is_owner_alive(lease: &Lease) -> bool {
    is_alive(lease, process::look_up(lease.owner.pid).as_ref())
}

/// Leases of sessions that run on temporary state.
pub fn temporary_leases(host: &Host) -> Vec<Lease> {
    host.temporary_states().into_iter().filter_map(|(path, session)| read(&Store::new(path), &session)).collect()
}

/// Temporary states whose session is over.
pub fn dead_temporaries(host: &Host) -> Vec<PathBuf> {
    let is_dead = |(path, session): &(PathBuf, SessionId)| read(&Store::new(path), session).is_some_and(|lease| !is_owner_alive(&lease));
    let states = host.temporary_states().into_iter().chain(host.former_temporary_states());
    states.filter(is_dead).map(|(path, _)| path).collect()
}

/// Removes a directory that a session left, and the one that it was in if that was the last.
pub fn remove_directory(path: &Path) -> io::Result<()> {
    own::remove_tree(path)?;
    let _ = path.parent().map(own::remove_empty);
    Ok(())
}

/// Removes what a loss of power or a killed run left of leases. Nothing else that is empty has the name of one, and what has a name
/// for a moment alone has had it for a minute.
pub fn remove_unfinished_leases(store: &Store) {
    let entries = own::entries(store.sessions()).into_iter().flatten().flatten();
    let is_old = |time: std::io::Result<std::time::SystemTime>| {
        let since = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        since.is_some_and(|since| since + Duration::from_secs(60) < clock::since_1970())
    };
    for (entry, metadata) in entries.filter_map(|entry| entry.metadata().ok().map(|metadata| (entry, metadata))) {
        let (name, is_file) = (entry.file_name(), metadata.is_file());
        let is_empty = metadata.len() == 0 && name.to_str().is_some_and(|name| name.parse::<SessionId>().is_ok());
        if is_file && (is_empty || (name.as_encoded_bytes().starts_with(b".tmp") && is_old(metadata.modified()))) {
            // Whoever may not remove it has other worries, which are told elsewhere.
            let _ = own::remove(entry.path());
        }
    }
}

/// The right to finish a session, which one process has at a time; a kernel lock on its lease, so that it dies with its holder.
pub struct Claim {
    _lease: File,
}

/// `None` if another process finishes the session, or did.
pub fn claim(store: &Store, session: &SessionId) -> Option<Claim> {
    let lease = own::open(store.lease(session)).ok()?;
    // A file system without locks lets everybody finish it, which is only untidy.
    if retry_on_intr(|| flock(&lease, FlockOperation::NonBlockingLockExclusive)) == Err(Errno::WOULDBLOCK) {
        return None;
    }
    let is_there = lease.metadata().is_ok_and(|metadata| metadata.nlink() > 0);
    is_there.then_some(Claim { _lease: lease })
}

/// Leaves a session to whoever comes next, as if its owner had died: its container could not be removed now.
pub fn abandon(store: &Store, lease: &Lease) -> io::Result<()> {
    let nobody = Process { pid: 0, started: None, boot: None };
    write_unsynced(&store.lease(&lease.session), &serde_json::to_vec(&Lease { owner: nobody, ..lease.clone() })?)
}

/// Ends a session's record. A temporary state goes with it.
pub fn close(store: &Store, state: &Store, session: &SessionId) -> io::Result<()> {
    if state == store { own::remove(store.lease(session)) } else { remove_directory(state.root()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_of_a_lease_goes_away_and_one_in_the_making_stays() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        own::make_directory(store.sessions()).unwrap();
        let names = ["0123456789ab", "0123456789cd", ".tmpOldOne", ".tmpNewOne", "notes"];
        let made = names.map(|name| own::create_new(store.sessions().join(name)).unwrap());
        own::overwrite(store.sessions().join(names[1]), "{}").unwrap();
        for at in [2, 4] {
            made[at].set_modified(std::time::UNIX_EPOCH + clock::since_1970() - Duration::from_secs(61)).unwrap();
        }
        remove_unfinished_leases(&store);
        let left = own::entries(store.sessions()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
        assert_eq!(left.collect::<std::collections::BTreeSet<_>>(), [".tmpNewOne", "0123456789cd", "notes"].map(str::to_owned).into());
    }
}

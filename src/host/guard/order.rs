//! The files of a session's helper: its order, its record, its sockets.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

use crate::core::guard::clipboard::{PASTE, PASTE_PROGRAM};
use crate::core::guard::order::{GuardOrder, OPEN, OPEN_PROGRAM, SSH, SSH_SETTINGS, XDG_OPEN};
use crate::core::guard::record::GuardRecord;
use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::fs::files::{private_dir, read_own, write, write_unsynced};
use crate::host::fs::look::Look;
use crate::host::fs::{own, socket};
use crate::host::machine::clock;
use crate::host::machine::deadline::Deadline;
use crate::host::store::lease;

const ORDER: &str = "order.json";
const RECORD: &str = "record.json";
const ALIVE: &str = "alive";

/// How long the end of a session waits for the helper to write its last word.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes what the helper of a session will be told, and makes its directory of sockets. Whoever may enter the store's own directory
/// may connect to what is in there: engines give containers another user.
pub fn prepare(store: &Store, session: &SessionId, order: &GuardOrder) -> io::Result<()> {
    private_dir(&store.guard(session))?;
    socket::make_directory(&store.sockets(session))?;
    if order.egress.is_some() {
        write(&store.sockets(session).join(SSH), SSH_SETTINGS.as_bytes(), 0o644)?;
    }
    if !order.pages.is_empty() {
        write(&store.sockets(session).join(OPEN), OPEN_PROGRAM.as_bytes(), 0o755)?;
        write(&store.guard(session).join(XDG_OPEN), OPEN_PROGRAM.as_bytes(), 0o755)?;
    }
    if order.clipboard {
        write(&store.guard(session).join(PASTE), PASTE_PROGRAM.as_bytes(), 0o755)?;
    }
    write_unsynced(&store.guard(session).join(ORDER), &serde_json::to_vec(order)?)
}

/// Reads it.
///
/// # Errors
/// Where there is none, or it is none that this program wrote.
pub fn read(directory: &Path) -> io::Result<GuardOrder> {
    let (bytes, _) = read_own(&directory.join(ORDER))?.ok_or(io::ErrorKind::NotFound)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Replaces the record.
pub fn keep(directory: &Path, record: &GuardRecord) -> io::Result<()> {
    write_unsynced(&directory.join(RECORD), &serde_json::to_vec(record)?)
}

/// Says that the helper lives, for as long as the value does.
pub fn alive(directory: &Path) -> io::Result<std::fs::File> {
    let file = socket::open_lock(&directory.join(ALIVE))?;
    retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive))?;
    Ok(file)
}

/// Returns whether a session was to have a helper without which no container starts, and that never lived.
pub fn never_lived(store: &Store, session: &SessionId) -> bool {
    let directory = store.guard(session);
    directory.leads_to_directory() && !directory.join(ALIVE).is_there() && read(&directory).is_ok_and(|order| order.is_needed())
}

/// Returns the record of a session whose helper has ended, and removes all that belonged to it. `None` if it had no helper.
pub fn take(store: &Store, session: &SessionId) -> Option<GuardRecord> {
    let directory = store.guard(session);
    if !directory.leads_to_directory() {
        return None;
    }
    let record = wait(&directory).and_then(|has_ended| {
        let record = read_record(&directory)?;
        // One that is still at work was not killed; what it was looking at, the end of the session looks at itself.
        Some(GuardRecord { ended: record.ended || !has_ended, ..record })
    });
    // What cannot be removed now is for `ai gc`.
    let _ = own::remove_tree(&directory);
    record
}

fn read_record(directory: &Path) -> Option<GuardRecord> {
    let (bytes, _) = read_own(&directory.join(RECORD)).ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// Waits until no helper lives; whether none does, `None` if there was none. A kernel lock says so, which dies with its holder.
fn wait(directory: &Path) -> Option<bool> {
    let file = own::open(directory.join(ALIVE)).ok()?;
    let deadline = Deadline::after(PATIENCE);
    loop {
        if retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive)) != Err(Errno::WOULDBLOCK) {
            return Some(true);
        }
        if deadline.is_over() {
            return Some(false);
        }
        clock::pause(Duration::from_millis(2));
    }
}

/// Returns the directories of sessions that are over.
pub fn left(store: &Store) -> Vec<std::path::PathBuf> {
    let entries = own::entries(store.guards()).into_iter().flatten().flatten();
    let is_left = |name: &std::ffi::OsStr| {
        name.to_str().and_then(|name| name.parse().ok()).is_none_or(|id| lease::read(store, &id).is_none() && !store.spare(&id).is_there())
    };
    entries.filter(|entry| is_left(&entry.file_name())).map(|entry| entry.path()).collect()
}

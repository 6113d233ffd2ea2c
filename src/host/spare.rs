//! Containers that wait for a run, as the store knows them: their records, and the host's side of their gates.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

use crate::core::facts::Facts;
use crate::core::lease::SessionId;
use crate::core::plan::Plan;
use crate::core::spare::{MountGround, Spare, mounted_below, sources};
use crate::core::store::Store;
use crate::host::fs::files::{private_dir, read_own, write_private};
use crate::host::fs::look::Look;
use crate::host::fs::{own, pipe, socket};
use crate::host::machine::process;

pub mod client;
pub mod gate;

const RECORD: &str = "spare.json";
/// Who renames this file has the container.
const WAITING: &str = "waiting";
const TAKEN: &str = "taken";
/// What the container is told, and what it answers.
const GO: &str = "go";
const END: &str = "end";
/// Locked by the gate for as long as it is there.
const ALIVE: &str = "alive";

/// Makes the place of a container that is about to be made.
pub fn prepare(store: &Store, spare: &Spare) -> io::Result<()> {
    let (directory, gate) = (store.spare(&spare.session), store.gate(&spare.session));
    private_dir(&directory)?;
    socket::make_directory(&gate)?;
    pipe::make(&gate.join(GO))?;
    pipe::make(&gate.join(END))?;
    drop(socket::open_lock(&gate.join(ALIVE))?);
    keep(store, spare)
}

/// Replaces the record.
pub fn keep(store: &Store, spare: &Spare) -> io::Result<()> {
    write_private(&store.spare(&spare.session).join(RECORD), &serde_json::to_vec(spare)?)
}

/// Says that it may be taken.
pub fn offer(store: &Store, session: &SessionId) -> io::Result<()> {
    own::create_new(store.spare(session).join(WAITING)).map(drop)
}

/// Takes it for a run; false for all but one of those who try.
pub fn take(store: &Store, session: &SessionId) -> bool {
    let directory = store.spare(session);
    own::rename(directory.join(WAITING), directory.join(TAKEN)).is_ok()
}

/// Returns the record of a container that was taken for this session.
pub fn taken(store: &Store, session: &SessionId) -> Option<Spare> {
    let directory = store.spare(session);
    directory.join(TAKEN).is_there().then(|| read(store, session)).flatten()
}

fn read(store: &Store, session: &SessionId) -> Option<Spare> {
    let (bytes, _) = read_own(&store.spare(session).join(RECORD)).ok()??;
    serde_json::from_slice(&bytes).ok().filter(|spare: &Spare| spare.session == *session)
}

fn sessions(store: &Store) -> Vec<SessionId> {
    let entries = own::entries(store.spares()).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn is_offered(store: &Store, session: &SessionId) -> bool {
    store.spare(session).join(WAITING).is_there()
}

/// Returns those that wait, the oldest first.
pub fn waiting(store: &Store) -> Vec<Spare> {
    let offered = sessions(store).into_iter().filter(|session| is_offered(store, session));
    let mut spares: Vec<Spare> = offered.filter_map(|session| read(store, &session)).collect();
    spares.sort_by(|a, b| (a.since, &a.session).cmp(&(b.since, &b.session)));
    spares
}

/// Returns the sessions of those that wait or are being made: nobody else has to answer for their containers.
pub fn answered_for(store: &Store) -> Vec<String> {
    let is_made =
        |session: &SessionId| read(store, session).is_some_and(|spare| process::look_up(spare.maker.pid).as_ref() == Some(&spare.maker));
    let known = |session: &SessionId| is_offered(store, session) || (!store.spare(session).join(TAKEN).is_there() && is_made(session));
    sessions(store).into_iter().filter(known).map(|session| session.to_string()).collect()
}

/// Returns the sessions of what is left of others: no run has them, and none can.
pub fn left(store: &Store, has_lease: impl Fn(&SessionId) -> bool) -> Vec<SessionId> {
    let known = answered_for(store);
    let is_left = |session: &SessionId| {
        !has_lease(session) && (!known.contains(&session.to_string()) || (is_offered(store, session) && !is_alive(store, session)))
    };
    sessions(store).into_iter().filter(is_left).collect()
}

/// Whether the gate of a container that no run has yet is there.
pub fn is_alive(store: &Store, session: &SessionId) -> bool {
    let Ok(file) = own::open(store.gate(session).join(ALIVE)) else { return false };
    retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive)) == Err(Errno::WOULDBLOCK)
}

/// Ends the wait of a container that no run needs, and forgets it. One that runs is only forgotten.
pub fn forget(store: &Store, session: &SessionId) {
    let directory = store.spare(session);
    if !directory.is_there() {
        return;
    }
    // Whoever waits there and is told nothing goes away.
    drop(pipe::to_tell(&store.gate(session).join(GO)));
    // What cannot be removed now is for `ai gc`.
    let _ = own::remove_tree(&directory);
}

/// Ends the wait of a container, unless a run takes it first.
pub fn dismiss(store: &Store, session: &SessionId) -> bool {
    let is_mine = take(store, session);
    if is_mine {
        forget(store, session);
        forget_sockets(store, session);
    }
    is_mine
}

/// Removes the sockets that were made for a session that never was.
pub fn forget_sockets(store: &Store, session: &SessionId) {
    let guard = store.guard(session);
    if guard.is_there() {
        let _ = own::remove_tree(&guard);
    }
}

/// Ends the wait of all, or of all of one tool; how many those were.
pub fn dismiss_all(store: &Store, tool: Option<&str>) -> usize {
    let wanted = |spare: &Spare| tool.is_none_or(|tool| spare.tool == tool);
    waiting(store).into_iter().filter(wanted).filter(|spare| dismiss(store, &spare.session)).count()
}

/// The right to make one, which one process of the person's has at a time; `None` if another one does.
pub fn lock(store: &Store) -> io::Result<Option<File>> {
    private_dir(&store.spares())?;
    let file = socket::open_lock(&store.spares().join("lock"))?;
    match retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Looks at what a plan mounts. What is not there has no ground.
pub fn grounds(plan: &Plan, facts: &Facts) -> Vec<MountGround> {
    let mountinfo = own::read_text("/proc/self/mountinfo").unwrap_or_default();
    sources(plan, facts).into_iter().filter_map(|source| ground(source, &mountinfo)).collect()
}

fn ground(source: &Path, mountinfo: &str) -> Option<MountGround> {
    let identity = identity(source)?;
    let below = source.resolved().ok().map(|source| mounted_below(mountinfo, &source))?;
    Some(MountGround { source: source.to_owned(), identity, below })
}

/// Returns device and inode of what is at a place.
fn identity(place: &Path) -> Option<String> {
    place.look().ok().map(|found| format!("{}:{}", found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lease::Process;

    fn spare(session: &str) -> Spare {
        let text = |text: &str| text.to_owned();
        let maker = Process { pid: 0, started: None, boot: None };
        let (tool, project, root, container, key) = (text("t"), text("p"), text("/p"), text("c"), text("k"));
        Spare { session: session.parse().unwrap(), tool, project, root, container, terminal: false, key, maker, since: 0 }
    }

    #[test]
    fn of_twenty_who_want_it_one_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let spare = spare("0123456789ab");
        prepare(&store, &spare).unwrap();
        assert_eq!(waiting(&store), []);
        assert!(!take(&store, &spare.session), "it is not offered yet");
        offer(&store, &spare.session).unwrap();
        assert_eq!((waiting(&store), taken(&store, &spare.session)), (vec![spare.clone()], None));
        let winners = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..20).map(|_| scope.spawn(|| take(&store, &spare.session))).collect();
            tries.into_iter().map(|one| one.join().unwrap()).filter(|is_mine| *is_mine).count()
        });
        assert_eq!(winners, 1);
        assert_eq!((waiting(&store), taken(&store, &spare.session)), (Vec::new(), Some(spare.clone())));
        assert!(!dismiss(&store, &spare.session), "it is somebody's");
        assert_eq!(left(&store, |_| true), []);
        assert_eq!(left(&store, |_| false), std::slice::from_ref(&spare.session), "whose session is over");
    }

    #[test]
    fn what_is_at_a_place_is_told_by_device_and_inode_and_what_is_mounted_below() {
        let mountinfo = own::read_text("/proc/self/mountinfo").unwrap();
        let of = |place: &str| ground(Path::new(place), &mountinfo).unwrap();
        let inode = |ground: &MountGround| ground.identity.split_once(':').unwrap().1.to_owned();
        // Each is the first inode of its file system.
        let (proc, sys) = (of("/proc"), of("/sys"));
        assert!(inode(&proc) == inode(&sys) && proc.identity != sys.identity, "{proc:?} {sys:?}");
        assert_ne!(inode(&proc), inode(&of("/proc/self")));
        assert!(of("/proc/self").below.is_empty() && mountinfo.lines().all(|line| line.split(' ').nth(4) != Some("/proc/self")));
        assert!(ground(Path::new("/proc/none"), &mountinfo).is_none());
    }

    #[test]
    fn whoever_is_at_the_gate_hears_that_nobody_needs_them() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let spare = spare("0123456789ab");
        prepare(&store, &spare).unwrap();
        offer(&store, &spare.session).unwrap();
        assert!(!is_alive(&store, &spare.session));
        assert_eq!(left(&store, |_| false), std::slice::from_ref(&spare.session), "nobody is at its gate");
        let alive = own::open(store.gate(&spare.session).join(ALIVE)).unwrap();
        flock(&alive, FlockOperation::NonBlockingLockExclusive).unwrap();
        assert!(is_alive(&store, &spare.session) && left(&store, |_| false).is_empty());
        let mut go = pipe::to_hear(&store.gate(&spare.session).join(GO)).unwrap();
        assert_eq!(dismiss_all(&store, Some("another")), 0);
        assert_eq!(dismiss_all(&store, Some("t")), 1);
        assert_eq!(pipe::hear(&mut go, 1, std::time::Duration::ZERO).unwrap(), b"");
        assert!(!store.spare(&spare.session).is_there());
    }
}

//! The store's own side of a sync: objects, journal, bases, and everything that is kept in case it is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::core::sync::base::{self, Unusable};
use crate::core::sync::generation::SyncRecord;
use crate::core::sync::journal::{Change, Journal, SyncScope};
use crate::core::sync::plan::{Copy, Shelf};
use crate::core::sync::{Hash, Mode, Reading, Site};
use crate::host::fs::slot::{self, Slot};
use crate::host::fs::{self, Absent, FileError};
use crate::host::sync::SyncError;
use crate::host::sync::place::Places;

/// Our own files are as big as what they keep.
const LIMIT: u64 = 128 * 1024 * 1024;
/// Copies that are kept of one file.
const COPIES: usize = 20;

/// The journal of the sync that is under way, or was interrupted.
const COMMIT: &str = "sync/journal/commit.json";
/// Those that wait for the next sync of their project.
const WAITING: &str = "sync/journal/waiting";

pub fn journal(store: &Path) -> Result<Option<Journal>, SyncError> {
    read_journal(store, Path::new(COMMIT))
}

/// A journal of ours is written as a whole; one that cannot be read any more says nothing, and its sources are where they were.
fn read_journal(store: &Path, path: &Path) -> Result<Option<Journal>, SyncError> {
    match read(store, path)?.map(|bytes| base::decode(&bytes)) {
        None | Some(Err(Unusable::Broken)) => Ok(None),
        Some(Ok(journal)) => Ok(Some(journal)),
        Some(Err(Unusable::Newer)) => Err(SyncError::Newer { path: store.join(path) }),
    }
}

pub fn commit(store: &Path, journal: &Journal) -> Result<(), FileError> {
    write(store, Path::new(COMMIT), &base::encode(journal))
}

pub fn forget(store: &Path) -> Result<(), SyncError> {
    remove(store, Path::new(COMMIT))?;
    clear_objects(store)
}

/// Whether nobody left anything to finish or to clear away.
pub fn is_clean(store: &Path) -> Result<bool, SyncError> {
    let is_empty = names(&store.join("sync/objects"))?.is_empty() && names(&store.join(WAITING))?.is_empty();
    Ok(is_empty && journal(store)?.is_none())
}

/// Puts a journal where only its own project meets it. What that project had waiting is older, and its sources are still there.
pub fn set_aside(store: &Path, journal: &Journal) -> Result<(), FileError> {
    write(store, &waiting(&journal.scope), &base::encode(journal))?;
    remove(store, Path::new(COMMIT))
}

/// Takes up what waits for a sync of these places, unless something else is to be finished first.
pub fn take_up(places: &Places) -> Result<(), SyncError> {
    let path = waiting(&places.scope());
    if let (None, Some(journal)) = (journal(&places.store)?, read_journal(&places.store, &path)?) {
        commit(&places.store, &journal)?;
        remove(&places.store, &path)?;
    }
    Ok(())
}

fn waiting(scope: &SyncScope) -> PathBuf {
    Path::new(WAITING).join(format!("{}-{}.json", scope.tool, scope.project_id))
}

/// Removes what a sync that never committed, or is done, has no use for any more.
pub fn clear_objects(store: &Path) -> Result<(), SyncError> {
    let mut wanted = BTreeSet::new();
    for name in names(&store.join(WAITING))? {
        let journal = read_journal(store, &Path::new(WAITING).join(name))?;
        wanted.extend(journal.iter().flat_map(Journal::changes).filter_map(Change::object).map(|hash| OsString::from(&hash.0)));
    }
    for name in names(&store.join("sync/objects"))?.into_iter().filter(|name| !wanted.contains(name)) {
        if let Some(slot) = slot::slot(store, &Path::new("sync/objects").join(name), Absent::Leave)? {
            slot.discard()?;
        }
    }
    Ok(())
}

/// Keeps what a journal will name, each content once. They are all on the disk when this returns.
pub fn keep_objects(store: &Path, objects: &BTreeMap<&Hash, &[u8]>) -> Result<(), FileError> {
    let mut last = None;
    for (hash, bytes) in objects {
        if let Some(slot) = slot::slot(store, &Path::new("sync/objects").join(&hash.0), Absent::Make)? {
            slot.write_unsettled(bytes)?;
            last = Some(slot);
        }
    }
    last.map_or(Ok(()), |slot| slot.settle())
}

/// Returns an object, if it is there and is what its name says.
pub fn object(store: &Path, hash: &Hash) -> Result<Option<Vec<u8>>, FileError> {
    let bytes = read(store, &Path::new("sync/objects").join(&hash.0))?;
    Ok(bytes.filter(|bytes| Hash::of(bytes) == *hash))
}

/// Puts a copy where a person finds it, once for each content and a bounded number for each file.
pub fn put_aside(places: &Places, copy: &Copy) -> Result<(), FileError> {
    let shelf = match copy.shelf {
        Shelf::Conflicts => "sync/conflicts",
        Shelf::Quarantine => "sync/quarantine",
    };
    let directory = Path::new(shelf).join(&places.tool).join(&places.project_id).join(copy.site.place.to_string()).join(&copy.site.path);
    let mut present = numbered(&places.store.join(&directory))?;
    let hash = Hash::of(&copy.bytes);
    if present.iter().any(|(_, name)| name.to_string_lossy().ends_with(hash.short())) {
        return Ok(());
    }
    let next = present.last().map_or(1, |(number, _)| number + 1);
    write(&places.store, &directory.join(format!("{next:06}-{}", hash.short())), &copy.bytes)?;
    let surplus = (present.len() + 1).saturating_sub(COPIES);
    for (_, name) in present.drain(..surplus) {
        if let Some(slot) = slot::slot(&places.store, &directory.join(name), Absent::Leave)? {
            slot.delete()?;
        }
    }
    Ok(())
}

pub fn next_sequence(places: &Places) -> Result<u64, FileError> {
    let present = numbered(&places.store.join(generations(places)))?;
    Ok(present.last().map_or(1, |(number, _)| number + 1))
}

/// Keeps what is about to be overwritten.
pub fn keep_generation(places: &Places, sequence: u64, number: usize, bytes: &[u8], mode: Mode) -> Result<(), FileError> {
    let slot = slot::slot(&places.store, &generation(places, sequence).join(number.to_string()), Absent::Make)?;
    let Some(slot) = slot else { return Ok(()) };
    slot.write(bytes)?;
    if mode == Mode::Executable { slot.set_perm(slot::PRIVATE_PROGRAM) } else { Ok(()) }
}

pub fn kept(places: &Places, sequence: u64, number: usize) -> Result<Option<(Vec<u8>, Mode)>, FileError> {
    let slot = slot::slot(&places.store, &generation(places, sequence).join(number.to_string()), Absent::Leave)?;
    match slot.map(|slot| slot.read(LIMIT)).transpose()? {
        Some(Reading::File { bytes, mode }) => Ok(Some((bytes, mode))),
        _ => Ok(None),
    }
}

pub fn write_record(places: &Places, record: &SyncRecord) -> Result<(), FileError> {
    write(&places.store, &generation(places, record.sequence).join("record.json"), &base::encode(record))
}

/// Returns what earlier syncs of this tool and project did, newest first.
pub fn records(places: &Places) -> Result<Vec<SyncRecord>, SyncError> {
    let mut records = Vec::new();
    for (sequence, _) in numbered(&places.store.join(generations(places)))?.into_iter().rev() {
        let path = generation(places, sequence).join("record.json");
        match read(&places.store, &path)?.map(|bytes| base::decode(&bytes)) {
            Some(Ok(record)) => records.push(record),
            Some(Err(Unusable::Newer)) => {
                return Err(SyncError::Newer { path: places.store.join(path) });
            }
            Some(Err(Unusable::Broken)) | None => {}
        }
    }
    Ok(records)
}

/// Drops the contents that have enough newer ones, and records that have nothing left to undo.
pub fn prune(places: &Places) -> Result<(), SyncError> {
    let records = records(places)?;
    let surplus = crate::core::sync::generation::surplus(&records);
    for (sequence, number) in &surplus {
        remove(&places.store, &generation(places, *sequence).join(number.to_string()))?;
    }
    for record in &records {
        let gone = |past: &crate::core::sync::generation::Past| surplus.contains(&(record.sequence, past.number));
        if record.changes.iter().all(gone) {
            let directory = generation(places, record.sequence);
            remove(&places.store, &directory.join("record.json"))?;
            fs::remove_dir(&places.store.join(directory))?;
        }
    }
    Ok(())
}

fn generations(places: &Places) -> PathBuf {
    Path::new("sync/generations").join(&places.tool).join(&places.project_id)
}

fn generation(places: &Places, sequence: u64) -> PathBuf {
    generations(places).join(format!("{sequence:08}"))
}

/// Returns the names of a directory that begin with a number, in its order.
fn numbered(directory: &Path) -> Result<Vec<(u64, OsString)>, FileError> {
    let number = |name: OsString| {
        let digits: String = name.to_str()?.chars().take_while(char::is_ascii_digit).collect();
        Some((digits.parse().ok()?, name))
    };
    let mut found: Vec<_> = names(directory)?.into_iter().filter_map(number).collect();
    found.sort_unstable();
    Ok(found)
}

pub(super) fn names(directory: &Path) -> Result<Vec<OsString>, FileError> {
    match fs::enter(directory, Path::new(""), Absent::Leave)? {
        Some(dir) => fs::names(&dir, directory),
        None => Ok(Vec::new()),
    }
}

pub(super) fn read(store: &Path, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let Some(slot) = slot::slot(store, path, Absent::Leave)? else {
        return Ok(None);
    };
    match slot.read(LIMIT)? {
        Reading::File { bytes, .. } => Ok(Some(bytes)),
        Reading::Absent => Ok(None),
        Reading::Refused(why) => Err(FileError { verb: "read", path: store.join(path), source: std::io::Error::other(why.to_string()) }),
    }
}

pub(super) fn write(store: &Path, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    match slot::slot(store, path, Absent::Make)? {
        Some(slot) => slot.write(bytes),
        None => Ok(()),
    }
}

fn remove(store: &Path, path: &Path) -> Result<(), FileError> {
    slot::slot(store, path, Absent::Leave)?.map_or(Ok(()), |slot: Slot| slot.delete())
}

/// Returns a copy of what was found at a site, for the shelf of conflicts.
pub fn conflict(site: &Site, bytes: Vec<u8>) -> Copy {
    Copy { shelf: Shelf::Conflicts, site: site.clone(), bytes }
}

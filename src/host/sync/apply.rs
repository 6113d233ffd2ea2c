//! The second half of a sync, from the commit on: idempotent, for it may be anybody's second attempt.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use rustix::io::Errno;

use crate::core::sync::base::Base;
use crate::core::sync::generation::SyncRecord;
use crate::core::sync::journal::{Act, Agreement, Change, Journal, Verdict};
use crate::core::sync::report::{News, Notice};
use crate::core::sync::{Hash, Mode, Pair, Place, Reading, Site};
use crate::host::fs::slot::{self, Slot, Swap};
use crate::host::fs::{Absent, FileError, Trust};
use crate::host::machine::deadline::Deadline;
use crate::host::sync::gather::ANY;
use crate::host::sync::place::{Places, trust};
use crate::host::sync::{Overtaken, SyncError, agreed, shelf};
use crate::host::{self, output};

#[derive(Debug, Default)]
pub struct Applied {
    pub changed: Vec<Site>,
    pub overtaken: Vec<Overtaken>,
    pub unwritable: Vec<Notice>,
    /// Changes for which there was no time.
    pub left: usize,
}

/// How far a sync is: said every few seconds at a terminal, so that nobody takes a long one for a hang.
pub struct Progress {
    done: usize,
    all: usize,
    next: Deadline,
    /// Whether somebody sees it: a script has no use for it.
    is_seen: bool,
}

impl Progress {
    const EVERY: Duration = Duration::from_secs(2);

    /// Begins with so many changes to make.
    pub fn of(all: usize) -> Self {
        Self { done: 0, all, next: Deadline::after(Self::EVERY), is_seen: host::terminal().stderr }
    }

    fn step(&mut self, changes: usize) {
        if let Some(line) = self.line() {
            output::note(&line);
            self.next = Deadline::after(Self::EVERY);
        }
        self.done += changes;
    }

    /// Returns what is to be said now.
    fn line(&self) -> Option<String> {
        let is_due = self.is_seen && self.done > 0 && self.next.is_over();
        is_due.then(|| format!("settings: {} of {} files are written", self.done, self.all))
    }
}

/// What whoever decided a journal has at hand of what is on disk, so that it is not read again.
#[derive(Debug, Default)]
pub struct AtHand<'a> {
    pub bases: BTreeMap<Pair, Base>,
    pub contents: Contents<'a>,
}

/// Contents by hash.
pub type Contents<'a> = BTreeMap<&'a Hash, &'a [u8]>;

enum ChangeOutcome {
    Changed,
    Overtaken(Option<Vec<u8>>),
    Unwritable(String),
}

/// Applies a committed journal, records what came of it, and forgets it. What there is no time for is as if it had been decided
/// never: its sources are where they were. The bases that are known stay as they are on disk.
pub fn finish(
    places: &Places,
    journal: &Journal,
    deadline: &Deadline,
    progress: &mut Progress,
    known: &mut AtHand,
) -> Result<Applied, SyncError> {
    for loss in journal.units.iter().flat_map(|unit| &unit.losses) {
        known.bases.clear();
        agreed::note_loss(places, loss)?;
    }
    let mut applied = Applied::default();
    let (mut happened, mut number, mut agreements) = (Vec::new(), 0, Vec::new());
    for unit in &journal.units {
        if deadline.is_over() {
            applied.left += unit.changes.len();
            number += unit.changes.len();
            continue;
        }
        let mut whole = true;
        progress.step(unit.changes.len());
        for change in &unit.changes {
            // A unit that was stopped goes no further: what follows was derived from what is not there.
            if whole {
                whole = match apply(places, journal.sequence, number, change, &known.contents)? {
                    ChangeOutcome::Changed => {
                        happened.push(number);
                        applied.changed.push(change.site.clone());
                        true
                    }
                    ChangeOutcome::Overtaken(unwritten) => {
                        applied.overtaken.push((change.site.clone(), unwritten));
                        false
                    }
                    ChangeOutcome::Unwritable(why) => {
                        applied.unwritable.push(Notice { site: change.site.clone(), news: News::Unwritable(why) });
                        false
                    }
                };
            }
            number += 1;
        }
        if whole {
            agreements.extend(&unit.agreements);
        }
    }
    agree(places, &agreements, &mut known.bases)?;
    if !happened.is_empty() {
        shelf::write_record(places, &SyncRecord::of(journal, &happened))?;
        shelf::prune(places)?;
    }
    shelf::forget(&places.store)?;
    Ok(applied)
}

/// Returns one change. Errors of the store stop the sync and keep its journal; those of the target may concern that target only.
fn apply(places: &Places, sequence: u64, number: usize, change: &Change, known: &Contents) -> Result<ChangeOutcome, FileError> {
    let object = match change.object() {
        None => None,
        Some(hash) => match known.get(hash) {
            Some(bytes) => Some(Cow::from(*bytes)),
            None => shelf::object(&places.store, hash)?.map(Cow::from),
        },
    };
    let overtaken = |object: Option<Cow<[u8]>>| ChangeOutcome::Overtaken(object.map(Cow::into_owned));
    let slot = match places.slot(&change.site, if matches!(change.act, Act::Remove) { Absent::Leave } else { Absent::Make }) {
        Ok(Some(slot)) => slot,
        Ok(None) => return Ok(overtaken(object)),
        Err(error) => return forgive(change, error),
    };
    let lock = match change.lock.as_deref().map(|suffix| slot.lock(suffix)) {
        None => None,
        Some(Ok(Some(lock))) => Some(lock),
        Some(Ok(None)) => return Ok(ChangeOutcome::Unwritable("a tool is writing it".into())),
        Some(Err(error)) => return forgive(change, error),
    };
    if let Err(error) = salvage(places, &slot, change, object.as_deref()) {
        return forgive(change, error);
    }
    let (found, mode) = match slot.read(ANY) {
        Ok(Reading::File { bytes, mode }) => (Some(bytes), mode),
        Ok(Reading::Absent) => (None, Mode::Plain),
        Ok(Reading::Refused(_)) => return Ok(overtaken(object)),
        Err(error) => return forgive(change, error),
    };
    let swapped = match change.verdict(found.as_deref(), object.as_deref()) {
        Verdict::Done => Ok(Swap::Done),
        Verdict::Overtaken | Verdict::Lost(_) => Ok(Swap::Overtaken),
        Verdict::Append(rest) => slot.append(&rest, ANY).map(|()| Swap::Done),
        Verdict::Apply => {
            if let Some(bytes) = &found {
                shelf::keep_generation(places, sequence, number, bytes, mode)?;
            }
            let content = object.as_deref().unwrap_or_default();
            swap(&slot, change, content, trust(change.site.place))
        }
    };
    drop(lock);
    match swapped {
        Ok(Swap::Done) => Ok(ChangeOutcome::Changed),
        Ok(Swap::Overtaken) => Ok(overtaken(object)),
        Err(error) => {
            let outcome = forgive(change, error)?;
            // This will not be tried again, so nothing of it may stay; if that fails as well, there is no more to say.
            let _ = salvage(places, &slot, change, object.as_deref());
            Ok(outcome)
        }
    }
}

/// A place that does not let itself be written must not keep every other sync waiting for it; a disk that fails may. In a project
/// a container may do to our names whatever it likes while we write.
fn forgive(change: &Change, error: FileError) -> Result<ChangeOutcome, FileError> {
    match Errno::from_io_error(&error.source) {
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::NOTDIR | Errno::ISDIR | Errno::LOOP | Errno::NAMETOOLONG) => {
            Ok(ChangeOutcome::Unwritable(error.source.to_string()))
        }
        Some(Errno::NOSPC | Errno::DQUOT | Errno::IO) if change.site.place == Place::Project => Err(error),
        _ if change.site.place != Place::Hub => Ok(ChangeOutcome::Unwritable(error.source.to_string())),
        _ => Err(error),
    }
}

fn swap(slot: &Slot, change: &Change, content: &[u8], trust: Trust) -> Result<Swap, FileError> {
    match (&change.act, &change.before) {
        (Act::Remove, Some(before)) => slot.remove(before, ANY),
        (Act::Remove, None) => Ok(Swap::Done),
        (Act::Put { mode, .. }, before) => {
            let fresh = if *mode == Mode::Executable { slot::PRIVATE_PROGRAM } else { slot::PRIVATE_FILE };
            // The person's own files stay as open or closed as they are.
            let perm = slot.perm().filter(|_| trust == Trust::Host).unwrap_or(fresh);
            slot.put(content, perm, before.as_ref(), ANY)
        }
        (Act::Append { .. }, _) => slot.append(content, ANY).map(|()| Swap::Done),
    }
}

/// A writer that died may have left somebody else's content beside the file: what nobody has is put aside.
fn salvage(places: &Places, slot: &Slot, change: &Change, object: Option<&[u8]>) -> Result<(), FileError> {
    let bytes = match slot.leftover(ANY)? {
        Reading::Absent => return Ok(()),
        Reading::File { bytes, .. } => bytes,
        Reading::Refused(_) => Vec::new(),
    };
    // What we were writing when we died is a beginning of the object.
    let ours = object.unwrap_or_default().starts_with(&bytes);
    if !ours && Some(Hash::of(&bytes)) != change.before {
        shelf::put_aside(places, &shelf::conflict(&change.site, bytes))?;
    }
    slot.clear_leftover()
}

fn agree(places: &Places, agreements: &[&Agreement], known: &mut BTreeMap<Pair, Base>) -> Result<(), SyncError> {
    let mut pairs: BTreeMap<Pair, Vec<&Agreement>> = BTreeMap::new();
    for agreement in agreements {
        pairs.entry(agreement.pair).or_default().push(agreement);
    }
    for (pair, agreements) in pairs {
        let base = match known.entry(pair) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(agreed::base(places, pair)?),
        };
        let mut is_new = false;
        for agreement in agreements {
            is_new |= base.agree(agreement);
        }
        if is_new {
            agreed::write_base(places, pair, base)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_sync_is_is_said_where_somebody_sees_it() {
        let line = |is_seen, done, wait| Progress { done, all: 9, next: Deadline::after(Duration::from_secs(wait)), is_seen }.line();
        assert_eq!(line(true, 3, 0).as_deref(), Some("settings: 3 of 9 files are written"));
        assert_eq!(line(false, 3, 0), None);
        assert_eq!(line(true, 0, 0), None);
        assert_eq!(line(true, 3, 600), None);
    }
}

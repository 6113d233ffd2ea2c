//! The second half of a sync, from the commit on: idempotent, for it may be anybody's second attempt.

use std::collections::BTreeMap;

use crate::host::fs::slot::{self, Slot, Swap};
use crate::host::fs::{FileError, Trust};
use crate::host::place::{Places, trust};
use crate::host::sync::gather::ANY;
use crate::host::sync::{Overtaken, SyncError, shelf};
use crate::sync::generation::Record;
use crate::sync::journal::{Act, Agreement, Change, Journal, Verdict};
use crate::sync::{Hash, Mode, Pair, Reading, Site};

#[derive(Debug, Default)]
pub struct Applied {
    pub changed: Vec<Site>,
    pub overtaken: Vec<Overtaken>,
}

enum Outcome {
    Changed,
    Overtaken(Option<Vec<u8>>),
}

/// Applies a committed journal, records what came of it, and forgets it.
pub fn finish(places: &Places, journal: &Journal) -> Result<Applied, SyncError> {
    let mut applied = Applied::default();
    let (mut happened, mut number, mut agreements) = (Vec::new(), 0, Vec::new());
    for unit in &journal.units {
        let overtaken = applied.overtaken.len();
        for change in &unit.changes {
            // A unit that was overtaken goes no further: what follows was derived from what is not there.
            let outcome = if applied.overtaken.len() > overtaken {
                Outcome::Overtaken(None)
            } else {
                apply(places, journal.sequence, number, change)?
            };
            match outcome {
                Outcome::Changed => {
                    happened.push(number);
                    applied.changed.push(change.site.clone());
                }
                Outcome::Overtaken(unwritten) => {
                    applied.overtaken.push((change.site.clone(), unwritten));
                }
            }
            number += 1;
        }
        if applied.overtaken.len() == overtaken {
            agreements.extend(&unit.agreements);
        }
    }
    agree(places, &agreements)?;
    if !happened.is_empty() {
        shelf::write_record(places, &Record::of(journal, &happened))?;
        shelf::prune(places)?;
    }
    shelf::forget(&places.store)?;
    Ok(applied)
}

fn apply(
    places: &Places,
    sequence: u64,
    number: usize,
    change: &Change,
) -> Result<Outcome, FileError> {
    let object = change
        .object()
        .map(|hash| shelf::object(&places.store, hash))
        .transpose()?
        .flatten();
    let Some(slot) = places.slot(&change.site, !matches!(change.act, Act::Remove))? else {
        return Ok(Outcome::Overtaken(object));
    };
    salvage(places, &slot, change, object.as_deref())?;
    let (found, mode) = match slot.read(ANY)? {
        Reading::File { bytes, mode } => (Some(bytes), mode),
        Reading::Absent => (None, Mode::Plain),
        Reading::Refused(_) => return Ok(Outcome::Overtaken(object)),
    };
    let keep = || {
        found.as_ref().map_or(Ok(()), |bytes| {
            shelf::keep_generation(places, sequence, number, bytes, mode)
        })
    };
    let swap = match change.verdict(found.as_deref(), object.as_deref()) {
        Verdict::Done => Swap::Done,
        Verdict::Overtaken | Verdict::Lost(_) => Swap::Overtaken,
        Verdict::Append(rest) => {
            slot.append(&rest)?;
            Swap::Done
        }
        Verdict::Apply => {
            keep()?;
            swap(
                &slot,
                change,
                object.as_deref().unwrap_or_default(),
                trust(change.site.place),
            )?
        }
    };
    Ok(match swap {
        Swap::Done => Outcome::Changed,
        Swap::Overtaken => Outcome::Overtaken(object),
    })
}

fn swap(slot: &Slot, change: &Change, content: &[u8], trust: Trust) -> Result<Swap, FileError> {
    match (&change.act, &change.before) {
        (Act::Remove, Some(before)) => slot.remove(before, ANY),
        (Act::Remove, None) => Ok(Swap::Done),
        (Act::Put { mode, .. }, before) => {
            let fresh = if *mode == Mode::Executable {
                slot::PRIVATE_PROGRAM
            } else {
                slot::PRIVATE_FILE
            };
            // The person's own files stay as open or closed as they are.
            let perm = slot
                .perm()
                .filter(|_| trust == Trust::Host)
                .unwrap_or(fresh);
            slot.put(content, perm, before.as_ref(), ANY)
        }
        (Act::Append { .. }, _) => slot.append(content).map(|()| Swap::Done),
    }
}

/// A writer that died may have left somebody else's content beside the file: what nobody has is put aside.
fn salvage(
    places: &Places,
    slot: &Slot,
    change: &Change,
    object: Option<&[u8]>,
) -> Result<(), FileError> {
    if let Reading::File { bytes, .. } = slot.leftover(ANY)? {
        // What we were writing when we died is a beginning of the object.
        let ours = object.is_some_and(|object| object.starts_with(&bytes));
        if !ours && Some(Hash::of(&bytes)) != change.before {
            shelf::put_aside(places, &shelf::conflict(&change.site, bytes))?;
        }
    }
    slot.clear_leftover()
}

fn agree(places: &Places, agreements: &[&Agreement]) -> Result<(), SyncError> {
    let mut pairs: BTreeMap<Pair, Vec<&Agreement>> = BTreeMap::new();
    for agreement in agreements {
        pairs.entry(agreement.pair).or_default().push(agreement);
    }
    for (pair, agreements) in pairs {
        let mut base = shelf::base(places, pair)?;
        let before = base.clone();
        for Agreement { path, entry, .. } in agreements {
            match entry {
                Some(entry) => base.files.insert(path.clone(), entry.clone()),
                None => base.files.remove(path),
            };
        }
        if base != before {
            shelf::write_base(places, pair, &base)?;
        }
    }
    Ok(())
}

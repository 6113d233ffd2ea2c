//! What earlier syncs overwrote: how it is recorded, undone, and when it may go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::sync::base::{SCHEMA, Versioned};
use crate::core::sync::journal::{Act, Change, Journal, SyncPart, Unit};
use crate::core::sync::plan::SyncPlan;
use crate::core::sync::{Direction, Hash, Mode, Site};

/// Overwritten contents that are kept of each file.
const KEPT: usize = 20;

/// One sync, as `log` tells it and `undo` needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRecord {
    schema: u32,
    pub sequence: u64,
    /// Absent for an undo.
    pub direction: Option<Direction>,
    #[serde(flatten)]
    pub part: SyncPart,
    pub changes: Vec<Past>,
}

/// A change that happened. What was there before is kept under the change's number, if anything was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    pub number: usize,
    pub site: Site,
    pub before: Option<Hash>,
    pub after: Option<Hash>,
    /// Lines were added; they are never taken away again.
    pub appended: bool,
    #[serde(default)]
    pub lock: Option<String>,
}

impl Versioned for SyncRecord {
    fn schema(&self) -> u32 {
        self.schema
    }
}

impl SyncRecord {
    /// Returns the record of those changes of a journal, by number, that happened.
    pub fn of(journal: &Journal, happened: &[usize]) -> SyncRecord {
        let past = |(number, change): (usize, &Change)| {
            let (after, appended) = match &change.act {
                Act::Put { content, .. } => (Some(content.clone()), false),
                Act::Append { .. } => (None, true),
                Act::Remove => (None, false),
            };
            Past { number, site: change.site.clone(), before: change.before.clone(), after, appended, lock: change.lock.clone() }
        };
        let changes = journal.changes().enumerate().filter(|(number, _)| happened.contains(number)).map(past).collect();
        SyncRecord { schema: SCHEMA, sequence: journal.sequence, direction: journal.direction, part: journal.part, changes }
    }

    /// Returns everything back to what it was before, given the contents that were kept.
    pub fn undo(&self, kept: &BTreeMap<usize, (Vec<u8>, Mode)>) -> SyncPlan {
        let mut plan = SyncPlan::default();
        for past in self.changes.iter().filter(|past| !past.appended) {
            let act = match (&past.before, kept.get(&past.number)) {
                (None, _) => Act::Remove,
                (Some(_), Some((bytes, mode))) => Act::Put { content: plan.keep(bytes), mode: *mode },
                (Some(_), None) => continue,
            };
            let change = Change { site: past.site.clone(), before: past.after.clone(), act, lock: past.lock.clone() };
            plan.units.push(Unit { changes: vec![change], ..Unit::default() });
        }
        plan
    }

    pub fn can_be_undone(&self) -> bool {
        self.changes.iter().any(|past| !past.appended)
    }

    /// Returns the number of the first part of the sync that it is of.
    fn first(&self) -> u64 {
        self.part.first.unwrap_or(self.sequence)
    }
}

/// What an undo takes back: records, newest first, and the undo that it goes on with, if one was cut short.
#[derive(Debug, PartialEq, Eq)]
pub struct Undoing<'a> {
    pub records: Vec<&'a SyncRecord>,
    pub goes_on: Option<u64>,
}

/// Returns what the next undo takes back: all parts of the last sync, or what the last undo left of one. Records come newest first.
pub fn undoing(records: &[SyncRecord]) -> Option<Undoing<'_>> {
    let last = records.iter().find(|record| record.can_be_undone())?;
    let of = |first: u64| records.iter().filter(move |record| record.first() == first && record.can_be_undone());
    let undone = |first: u64| of(first).filter_map(|record| record.part.undoes).collect::<Vec<_>>();
    let source = last.part.undoes.and_then(|undoes| records.iter().find(|record| record.sequence == undoes));
    if let Some(source) = source {
        let done = undone(last.first());
        let left: Vec<&SyncRecord> = of(source.first()).filter(|record| !done.contains(&record.sequence)).collect();
        if !left.is_empty() {
            return Some(Undoing { records: left, goes_on: Some(last.first()) });
        }
    }
    Some(Undoing { records: of(last.first()).collect(), goes_on: None })
}

/// Contents, by record and number, that have enough newer ones of the same file. Records come newest first.
pub fn surplus(records: &[SyncRecord]) -> Vec<(u64, usize)> {
    let mut newer: BTreeMap<&Site, usize> = BTreeMap::new();
    let mut surplus = Vec::new();
    for record in records {
        for past in &record.changes {
            let count = newer.entry(&past.site).or_default();
            *count += 1;
            if *count > KEPT {
                surplus.push((record.sequence, past.number));
            }
        }
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sync::Place;

    fn record(sequence: u64, files: &[&str]) -> SyncRecord {
        let past = |(number, file): (usize, &&str)| Past {
            number,
            site: Site { place: Place::Hub, path: (*file).to_owned() },
            before: Some(Hash::of(b"old")),
            after: Some(Hash::of(b"new")),
            appended: false,
            lock: None,
        };
        let changes = files.iter().enumerate().map(past).collect();
        SyncRecord { schema: SCHEMA, sequence, direction: None, part: SyncPart::default(), changes }
    }

    #[test]
    fn an_undo_takes_back_all_parts_of_a_sync_and_goes_on_where_one_was_cut_short() {
        let part = |sequence: u64, first: Option<u64>, undoes: Option<u64>| SyncRecord {
            part: SyncPart { first, undoes },
            ..record(sequence, &["x"])
        };
        let check = |parts: &[(u64, Option<u64>, Option<u64>)], expected: &[u64], goes_on: Option<u64>| {
            let records: Vec<SyncRecord> = parts.iter().rev().map(|(sequence, first, undoes)| part(*sequence, *first, *undoes)).collect();
            let found = undoing(&records).unwrap();
            assert_eq!(found.records.iter().map(|record| record.sequence).collect::<Vec<_>>(), expected, "{parts:?}");
            assert_eq!(found.goes_on, goes_on, "{parts:?}");
        };
        let sync = [(1, None, None), (2, Some(2), None), (3, Some(2), None), (4, Some(2), None)];
        check(&sync, &[4, 3, 2], None);
        check(&[&sync[..], &[(5, Some(5), Some(4))]].concat(), &[3, 2], Some(5));
        check(&[&sync[..], &[(5, Some(5), Some(4)), (6, Some(5), Some(3))]].concat(), &[2], Some(5));
        // All of it is taken back: the next one takes the undo back.
        let undone = [&sync[..], &[(5, Some(5), Some(4)), (6, Some(5), Some(3)), (7, Some(5), Some(2))]].concat();
        check(&undone, &[7, 6, 5], None);
        check(&[&undone[..], &[(8, Some(8), Some(7))]].concat(), &[6, 5], Some(8));
        // Records of an older program are each a sync.
        check(&[(1, None, None), (2, None, None)], &[2], None);
        assert_eq!(undoing(&[]), None);
    }

    #[test]
    fn twenty_of_each_file_are_kept() {
        let mut records: Vec<SyncRecord> = (2..=22).rev().map(|sequence| record(sequence, &["often"])).collect();
        records.push(record(1, &["seldom", "often"]));
        assert_eq!(surplus(&records), [(2, 0), (1, 1)]);
    }

    #[test]
    fn an_undo_puts_back_what_was_there_and_removes_what_was_not() {
        let mut record = record(7, &["changed", "created", "forgotten"]);
        record.changes[1].before = None;
        let plan = record.undo(&BTreeMap::from([(0, (b"old".to_vec(), Mode::Plain))]));
        let acts: Vec<&Act> = plan.units.iter().flat_map(|unit| &unit.changes).map(|change| &change.act).collect();
        assert_eq!(acts, [&Act::Put { content: Hash::of(b"old"), mode: Mode::Plain }, &Act::Remove]);
        assert_eq!(plan.contents[&Hash::of(b"old")], b"old");
    }
}

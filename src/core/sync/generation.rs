//! What earlier syncs overwrote: how it is recorded, undone, and when it may go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::sync::base::{SCHEMA, Versioned};
use crate::core::sync::journal::{Act, Change, Journal, Unit};
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
        SyncRecord { schema: SCHEMA, sequence: journal.sequence, direction: journal.direction, changes }
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
        SyncRecord { schema: SCHEMA, sequence, direction: None, changes: files.iter().enumerate().map(past).collect() }
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

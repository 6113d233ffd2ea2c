//! What is kept of control files and no run and no person can ask for any more.

use std::collections::BTreeSet;
use std::io;

use crate::core::control::record::{AnchorDir, ControlLedger, ControlRecord};
use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::control::ground::Ground;
use crate::host::control::shelf::ControlShelf;
use crate::host::fs::{self, Absent};

/// How long changes of a directory that is gone are kept, in seconds: a disk may come back. What nothing names any more saves the next
/// run a write for a while.
const KEPT: u64 = 30 * 24 * 60 * 60;
const SPARE: u64 = 7 * 24 * 60 * 60;

/// Whether something is removed, or only counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collecting {
    Remove,
    Look,
}

/// Returns the projects of which something is kept in vain, with how many files that are. What `ai changes` shows stays, and what is
/// to be compared with, too: of a project with a session that is not closed, nothing goes.
pub fn collect(store: &Store, collecting: Collecting, now: u64, is_open: impl Fn(&SessionId) -> bool) -> io::Result<Vec<(String, usize)>> {
    let directory = store.root().join("control");
    let Some(dir) = fs::enter(&directory, "".as_ref(), Absent::Leave)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for project in fs::names(&dir, &directory)?.iter().filter_map(|name| name.to_str()) {
        // Whoever holds the lock is in it right now.
        let Ok(shelf) = ControlShelf::open(store, project) else { continue };
        let count = of_project(&shelf, collecting, now, &is_open)?;
        if count > 0 {
            found.push((project.to_owned(), count));
        }
    }
    Ok(found)
}

fn of_project(shelf: &ControlShelf, collecting: Collecting, now: u64, is_open: impl Fn(&SessionId) -> bool) -> io::Result<usize> {
    let (mut record, mut ledger) = (shelf.record(), shelf.ledger());
    if record.as_ref().is_some_and(|record| record.sessions.iter().any(is_open)) {
        return Ok(0);
    }
    let mut count = 0;
    if record.as_ref().is_some_and(|record| is_gone(&record.anchors)) {
        record = None;
        count += 1;
        if collecting == Collecting::Remove {
            shelf.forget_record()?;
        }
    }
    if !ledger.pending.is_empty() && is_gone(&ledger.anchors) && is_old(&ledger, now) {
        ledger = ControlLedger::default();
        count += 1;
        if collecting == Collecting::Remove {
            shelf.forget_ledger()?;
        }
    }
    let wanted: BTreeSet<&str> = ledger.contents().chain(record.iter().flat_map(ControlRecord::contents)).collect();
    let unwanted = shelf.unwanted(&wanted, now.saturating_sub(SPARE))?.len();
    if collecting == Collecting::Remove && unwanted > 0 {
        shelf.tidy(&wanted)?;
    }
    Ok(count + unwanted)
}

/// Whether the directory is not there any more, or is another one.
fn is_gone(anchors: &[AnchorDir]) -> bool {
    anchors.first().is_some_and(|then| Ground::open(&then.path).is_none_or(|(_, now)| *then != now))
}

fn is_old(ledger: &ControlLedger, now: u64) -> bool {
    let last = ledger.pending.iter().map(|change| change.when).max().unwrap_or(0);
    last.saturating_add(KEPT) < now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::control::kinds::{Reads, Tier};
    use crate::core::control::record::{Handled, PendingChange};
    use crate::core::control::{ControlPath, Trace, Watched};
    use crate::core::text::digest::sha256;

    fn file(shelf: &ControlShelf, text: &str) -> Trace {
        let hash = sha256(text.as_bytes());
        shelf.keep(&hash, text.as_bytes()).unwrap();
        Trace::File { hash, executable: false }
    }

    fn change(after: Trace, when: u64) -> PendingChange {
        PendingChange {
            path: ControlPath::new(0, ".envrc"),
            tier: Tier::Runs,
            reads: Reads::Whole,
            handled: Handled::SetAside,
            names: Vec::new(),
            before: None,
            after: Some(after),
            session: "0123456789ab".into(),
            tool: "claude".into(),
            when,
        }
    }

    // BO-12
    #[test]
    fn what_somebody_can_ask_for_is_kept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path());
        let root = directory.path().join("p");
        crate::host::fs::own::make_directory(&root).unwrap();
        let (_, anchor) = Ground::open(&root).unwrap();
        let session = SessionId::from_random([1; 6]);
        let later = crate::host::now() + SPARE + 10;
        let count = |collecting, open| collect(&store, collecting, later, |_| open).unwrap().first().map_or(0, |(_, count)| *count);
        let shelf = ControlShelf::open(&store, "p").unwrap();
        file(&shelf, "of nobody");
        let watched = Watched { tier: Tier::Runs, reads: Reads::Whole, trace: file(&shelf, "of the record") };
        let record = ControlRecord {
            anchors: vec![anchor.clone()],
            sessions: BTreeSet::from([session]),
            watched: [(ControlPath::new(0, ".envrc"), watched)].into(),
            ..ControlRecord::default()
        };
        shelf.write_record(&record).unwrap();
        let pending = vec![change(file(&shelf, "of the ledger"), later - KEPT - 10)];
        shelf.write_ledger(&ControlLedger { anchors: vec![anchor], pending, ..ControlLedger::default() }).unwrap();
        drop(shelf);
        assert!(collect(&store, Collecting::Remove, crate::host::now(), |_| false).unwrap().is_empty(), "it was kept just now");
        assert_eq!([count(Collecting::Look, true), count(Collecting::Look, false)], [0, 1]);
        assert_eq!([count(Collecting::Remove, false), count(Collecting::Remove, false)], [1, 0]);
        // The directory is gone: a record is of no use, and changes of long ago are shown nowhere.
        crate::host::fs::own::remove_empty(&root).unwrap();
        assert_eq!([count(Collecting::Look, true), count(Collecting::Look, false)], [0, 4]);
        assert_eq!([count(Collecting::Remove, false), count(Collecting::Remove, false)], [4, 0]);
        // Those of yesterday stay: a disk may come back.
        let shelf = ControlShelf::open(&store, "p").unwrap();
        let (_, other) = Ground::open(directory.path()).unwrap();
        let gone = AnchorDir { path: root, ..other };
        let pending = vec![change(file(&shelf, "of yesterday"), crate::host::now())];
        shelf.write_ledger(&ControlLedger { anchors: vec![gone], pending, ..ControlLedger::default() }).unwrap();
        drop(shelf);
        assert_eq!(count(Collecting::Remove, false), 0);
    }
}

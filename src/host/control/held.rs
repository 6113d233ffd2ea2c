//! Files that were taken away while somebody may still be writing them: what comes after is kept, too.

use std::collections::{BTreeSet, VecDeque};
use std::io;

use rustix::fd::OwnedFd;

use crate::core::control::Trace;
use crate::core::control::judge::{ControlChange, GitDirectory, Judgement, Leads, Standing, judge};
use crate::core::control::kinds::ControlKind;
use crate::core::control::record::{ControlLedger, ControlRecord, Handled, PendingChange, mend};
use crate::core::lease::SessionId;
use crate::host::control::compare::kept_content;
use crate::host::control::during::joins;
use crate::host::control::ground::{changed_open, trace_open};
use crate::host::control::shelf::ControlShelf;

/// Files that are held at most; the oldest is let go for a new one.
const MOST: usize = 64;

/// A file without a name.
#[derive(Debug)]
struct HeldFile {
    file: OwnedFd,
    /// What it was taken away for, with what it was when it was read last.
    change: PendingChange,
    /// When it had been changed then.
    read_at: Option<(i64, i64)>,
}

/// The files that were taken away in one session.
#[derive(Debug, Default)]
pub struct HeldFiles(VecDeque<HeldFile>);

impl HeldFiles {
    /// Holds what was taken away for a change.
    pub fn hold(&mut self, change: PendingChange, file: OwnedFd) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(HeldFile { file, change, read_at: None });
    }

    /// Reads what was written since, and has the ledger and the record say it. The value is whether they say anything else now.
    pub fn read_again(&mut self, shelf: &ControlShelf, ledger: &mut ControlLedger, record: &mut ControlRecord) -> io::Result<bool> {
        let mut is_other = false;
        for held in &mut self.0 {
            let changed = changed_open(&held.file);
            if changed.is_some() && held.read_at == changed {
                continue;
            }
            held.read_at = changed;
            // What has become too big to be kept, or is never at rest, stays as it was read before.
            let Some((now, bytes)) = trace_open(&held.file).filter(|(now, _)| held.change.after.as_ref() != Some(now)) else { continue };
            if let Trace::File { hash, .. } = &now {
                shelf.keep(hash, &bytes)?;
            }
            let known = held.change.after.replace(now);
            if held.change.handled == Handled::Rewritten {
                held.change.names = names(shelf, ledger, &held.change, &bytes);
            }
            say(shelf, (ledger, record), &held.change, known.as_ref())?;
            is_other = true;
        }
        if is_other {
            // Each step of a slow writer was kept for a moment.
            shelf.tidy(&ledger.contents().chain(record.contents()).collect::<BTreeSet<_>>())?;
        }
        Ok(is_other)
    }

    /// Reads all of them for the last time: whoever wrote them is gone.
    pub fn finish(&mut self, shelf: &ControlShelf, session: &SessionId) -> io::Result<()> {
        let Some(mut record) = shelf.record().filter(|record| record.sessions.contains(session)) else { return Ok(()) };
        let mut ledger = shelf.ledger();
        // Two writes within one tick of the clock have one time.
        self.0.iter_mut().for_each(|held| held.read_at = None);
        if self.read_again(shelf, &mut ledger, &mut record)? {
            shelf.write_record(&record)?;
            shelf.write_ledger(&ledger)?;
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Makes the ledger and the record say what a file is now that was `known` as something else. Where the person has said a word about that
/// meanwhile, this is one more change.
fn say(
    shelf: &ControlShelf,
    (ledger, record): (&mut ControlLedger, &mut ControlRecord),
    now: &PendingChange,
    known: Option<&Trace>,
) -> io::Result<()> {
    let is_it = |change: &&mut PendingChange| {
        change.after.as_ref() == known && (&change.path, change.handled, &change.session) == (&now.path, now.handled, &now.session)
    };
    // Settings are joined, and are another file than the one that is held.
    if !joins(shelf, ledger, now)? {
        match ledger.pending.iter_mut().find(is_it) {
            Some(change) => change.after.clone_from(&now.after),
            None => ledger.add_bounded(now.clone()),
        }
    }
    // What was told already is not told again.
    if record.mended.iter().any(|told| (&told.path, told.handled) == (&now.path, now.handled)) {
        mend(&mut record.mended, now.clone());
    }
    Ok(())
}

/// Returns the settings of a file that would have been put back.
fn names(shelf: &ControlShelf, ledger: &ControlLedger, change: &PendingChange, bytes: &[u8]) -> Vec<String> {
    let before = change.before.as_ref().and_then(|trace| kept_content(shelf, trace));
    let nothing = BTreeSet::new();
    let judgement = judge(&ControlChange {
        path: &change.path,
        kind: ControlKind { tier: change.tier, reads: change.reads },
        before: before.as_ref().map_or(Standing::Absent, |bytes| Standing::File { bytes, executable: false }),
        after: Standing::File { bytes, executable: false },
        leads: Leads::Inside,
        git_directory: GitDirectory::There,
        allowed: ledger.allowed.get(&change.path).unwrap_or(&nothing),
    });
    if let Judgement::Rewrite { names, .. } = judgement { names } else { Vec::new() }
}

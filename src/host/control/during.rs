//! The comparison while a run lasts: only what the host would run at its next prompt is put back; the record stays as it is.

use std::collections::BTreeSet;
use std::io;

use rustix::fd::OwnedFd;

use crate::core::control::judge::{Judgement, join_settings, runs_at_prompt};
use crate::core::control::kinds::{Reads, Tier};
use crate::core::control::record::{ControlLedger, ControlRecord, Handled, PendingChange, mend};
use crate::core::control::{Trace, Watched};
use crate::core::lease::SessionId;
use crate::core::text::digest::sha256;
use crate::host::control::compare::{kept_content, rounds};
use crate::host::control::gather::Snapshot;
use crate::host::control::ground::LARGEST;
use crate::host::control::held::HeldFiles;
use crate::host::control::shelf::ControlShelf;
use crate::host::control::{Compared, ControlScope, TakenFile, scope_of};

/// Whether what git writes in several steps counts: where a directory of git's is may be said before that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    First,
    Second,
}

/// What a comparison found.
pub struct Glimpse {
    pub record: ControlRecord,
    /// How everything is now; `None` where it moves all the time.
    pub snapshot: Option<Snapshot>,
    pub changes: Vec<PendingChange>,
    /// Whether something is to be looked at again, when git has had the time to finish.
    pub is_unsure: bool,
}

/// Contents that are kept before those that nothing names any longer are forgotten.
const MANY: usize = 16;

/// Puts back what the host would run at its next prompt, and keeps it for the person. `None` where there is nothing to compare with.
pub fn during(shelf: &ControlShelf, session: &SessionId, tool: &str, glance: Glance, held: &mut HeldFiles) -> io::Result<Option<Glimpse>> {
    let Some(mut record) = shelf.record().filter(|record| record.sessions.contains(session)) else { return Ok(None) };
    let mut ledger = shelf.ledger();
    let mut compared = Compared::default();
    // Git itself tries for a moment whether it can make links: they are for the end.
    let scope = ControlScope { with_links: false, ..scope_of(&record) };
    let counts = |after: &Watched| after.tier == Tier::Runs && (glance == Glance::Second || after.reads != Reads::Pointer);
    let snapshot = rounds(shelf, &scope, &record, &ledger, &mut compared, |after, judgement| {
        let is_at_once = match judgement {
            Judgement::Back => true,
            Judgement::Rewrite { names, .. } => runs_at_prompt(names),
            _ => false,
        };
        // What is gone runs nothing, and goes in several steps: the end says whether it is missed.
        is_at_once && after.is_some_and(counts)
    })?;
    if compared.lost.is_some() {
        return Ok(None);
    }
    let mut changes = compared.changes;
    // What could not be put back is for the end to say.
    changes.retain(|change| matches!(change.handled, Handled::PutBack | Handled::SetAside | Handled::Rewritten));
    for change in &mut changes {
        session.as_str().clone_into(&mut change.session);
        tool.clone_into(&mut change.tool);
        change.when = crate::host::now();
        if !joins(shelf, &mut ledger, change)? {
            ledger.add_bounded(change.clone());
        }
        mend(&mut record.mended, change.clone());
    }
    for (change, file) in taken(&changes, compared.taken) {
        held.hold(change.clone(), file);
    }
    let is_other = held.read_again(shelf, &mut ledger, &mut record)?;
    if !changes.is_empty() || is_other {
        // Whichever session ends first says it.
        shelf.write_record(&record)?;
        ledger.anchors.clone_from(&record.anchors);
        shelf.write_ledger(&ledger)?;
        if ledger.pending.len() > MANY {
            shelf.tidy(&ledger.contents().chain(record.contents()).collect::<BTreeSet<_>>())?;
        }
    }
    let is_unsure = glance == Glance::First && snapshot.as_ref().is_some_and(|snapshot| has_pointers(&record, snapshot));
    Ok(Some(Glimpse { record, snapshot, changes, is_unsure }))
}

/// Returns each file that was taken away with the change that it was taken for.
pub fn taken(changes: &[PendingChange], taken: Vec<TakenFile>) -> impl Iterator<Item = (&PendingChange, OwnedFd)> {
    let of = |taken: &TakenFile| changes.iter().find(|change| (&change.path, &change.after) == (&taken.path, &taken.after));
    taken.into_iter().filter_map(move |taken| Some((of(&taken)?, taken.file)))
}

/// Joins settings that were put back to those of the same file and run that were before, so that one word brings all of them back;
/// false where there are none.
pub fn joins(shelf: &ControlShelf, ledger: &mut ControlLedger, change: &PendingChange) -> io::Result<bool> {
    let is_same = |old: &&mut PendingChange| {
        (&old.path, &old.session, old.handled, change.handled) == (&change.path, &change.session, Handled::Rewritten, Handled::Rewritten)
    };
    let Some(old) = ledger.pending.iter_mut().find(is_same) else { return Ok(false) };
    let kept = |trace: Option<&Trace>| trace.and_then(|trace| kept_content(shelf, trace));
    let (Some(earlier), Some(later)) = (kept(old.after.as_ref()), kept(change.after.as_ref())) else { return Ok(false) };
    // What no longer fits, or is no file of settings, stays as it was first.
    if let Ok(joined) = join_settings(&change.path, &earlier, &later)
        && joined.len() as u64 <= LARGEST
    {
        let hash = sha256(&joined);
        shelf.keep(&hash, &joined)?;
        old.after = Some(Trace::File { hash, executable: false });
        old.names.extend(change.names.iter().filter(|name| !old.names.contains(name)).cloned().collect::<Vec<_>>());
    }
    Ok(true)
}

/// Returns whether a pointer is not what it was.
fn has_pointers(record: &ControlRecord, snapshot: &Snapshot) -> bool {
    let is_other = |path, trace: &Trace| record.watched.get(path).map(|watched| &watched.trace) != Some(trace);
    snapshot.watched.iter().any(|(path, now)| now.reads == Reads::Pointer && is_other(path, &now.trace))
}

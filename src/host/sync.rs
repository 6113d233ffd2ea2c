//! One sync: everything is read, then decided as a value; then, under the lock, it is made to happen, whoever dies meanwhile.

mod agreed;
mod apply;
mod gather;
pub mod kept;
pub mod place;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::core::sync::generation::{self, SyncRecord, Undoing};
use crate::core::sync::journal::{Change, Journal, SyncPart};
use crate::core::sync::plan::{self, Gathered, SyncPlan};
use crate::core::sync::report::{News, Notice, Report};
use crate::core::sync::{Direction, Flow, Place, Reading, Rule, Site, SyncRequest};
use crate::host::fs::FileError;
use crate::host::fs::lock::{self, LockError};
use crate::host::machine::deadline::Deadline;
use crate::host::sync::agreed::Stamps;
use crate::host::sync::apply::{AtHand, Progress};
use crate::host::sync::place::Places;

#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("cannot read `{}`: a newer version of `ai` wrote it", path.display())]
    Newer { path: PathBuf },
    #[error("cannot sync in {} s", PATIENCE.as_secs())]
    Late,
    #[error("cannot undo: nothing was synced yet")]
    NothingToUndo,
}

/// What a sync would do, for `status`, `diff` and `--dry-run`.
#[derive(Debug)]
pub struct Preview {
    pub seen: Gathered,
    pub plan: SyncPlan,
    /// An earlier sync was interrupted; it is finished before anything else.
    pub pending: bool,
}

/// How long a sync may take, its wait for others included.
pub const PATIENCE: Duration = lock::WAIT;
/// How often everything is looked at without the lock, before it is done with it.
const LOOKS: usize = 3;
/// Units that are committed together. A thousand skills that are new come in several lots, and those for which there is no time left
/// with the next run: nothing is written twice, and nobody waits for all of them.
const LOT: usize = 500;
/// How long it may take what a person asked for by its own command: all of it.
pub const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// Syncs once.
pub fn run(places: &Places, request: &SyncRequest, deadline: &Deadline) -> Result<Report, SyncError> {
    let mut report = Report::default();
    let overtaken = round(places, request, deadline, &mut report)?;
    if overtaken.is_empty() {
        return Ok(report);
    }
    // Somebody wrote between our look and our write: look again, once.
    report.notices.clear();
    for (site, unwritten) in round(places, request, deadline, &mut report)? {
        report.notices.push(Notice { site: site.clone(), news: News::Overtaken });
        if let Some(bytes) = unwritten {
            shelf::put_aside(places, &shelf::conflict(&site, bytes))?;
        }
    }
    Ok(report)
}

/// Finishes a sync that was interrupted after its commit; whether there was one.
pub fn repair(places: &Places) -> Result<bool, SyncError> {
    let deadline = Deadline::after(PATIENCE);
    let _lock = lock::acquire(&places.sync_dir(), deadline.left())?;
    recover(places, &deadline, &mut Report::default())
}

/// Puts back what the last sync (or undo) of this tool and project overwrote.
pub fn undo(places: &Places) -> Result<Report, SyncError> {
    let (deadline, mut report) = (Deadline::after(PATIENCE), Report::default());
    let _lock = lock::acquire(&places.sync_dir(), deadline.left())?;
    report.recovered = recover(places, &deadline, &mut report)?;
    let records = shelf::records(places)?;
    let Undoing { records, goes_on } = generation::undoing(&records).ok_or(SyncError::NothingToUndo)?;
    let deadline = Deadline::after(LONG_PATIENCE);
    let mut first = goes_on;
    for (at, record) in records.iter().enumerate() {
        if at > 0 && deadline.is_over() {
            report.left = records[at..].iter().map(|record| record.changes.len()).sum();
            break;
        }
        let mut kept = BTreeMap::new();
        for past in &record.changes {
            kept.extend(shelf::kept(places, record.sequence, past.number)?.map(|content| (past.number, content)));
        }
        let part = SyncPart { first: Some(first.map_or_else(|| shelf::next_sequence(places), Ok)?), undoes: Some(record.sequence) };
        first = part.first;
        let plan = record.undo(&kept);
        put(places, &plan, part, &deadline, &mut report)?;
    }
    Ok(report)
}

/// Does what the person said themselves, as a sync that can be undone.
pub fn carry_out(places: &Places, plan: &SyncPlan) -> Result<Report, SyncError> {
    let (deadline, mut report) = (Deadline::after(PATIENCE), Report::default());
    let _lock = lock::acquire(&places.sync_dir(), deadline.left())?;
    report.recovered = recover(places, &deadline, &mut report)?;
    put(places, plan, SyncPart::default(), &deadline, &mut report)?;
    Ok(report)
}

/// Makes the file of a rule in a place have this login; whether it has.
pub fn put_login(places: &Places, rule: &Rule, place: Place, login: &str) -> Result<bool, SyncError> {
    let Some(site) = rule.site(place) else { return Ok(false) };
    let there = gather::read_site(places, &site, gather::SETTINGS);
    let Some(plan) = plan::with_login(rule, place, &there, login) else { return Ok(false) };
    Ok(carry_out(places, &plan)?.notices.is_empty())
}

/// Returns the login that the file of a rule in a place has.
pub fn login_in(places: &Places, rule: &Rule, place: Place) -> Option<String> {
    match gather::read_site(places, &rule.site(place)?, gather::SETTINGS) {
        Reading::File { bytes, .. } => plan::login(rule, &bytes),
        _ => None,
    }
}

/// Writes what was decided by a person, and says what changed meanwhile.
fn put(places: &Places, plan: &SyncPlan, part: SyncPart, deadline: &Deadline, report: &mut Report) -> Result<(), SyncError> {
    let overtaken = commit(places, None, plan, part, deadline, report, AtHand::default())?;
    report.notices.extend(overtaken.into_iter().map(|(site, _)| Notice { site, news: News::Overtaken }));
    Ok(())
}

/// What earlier syncs of this tool and project did, newest first.
pub fn log(places: &Places) -> Result<Vec<SyncRecord>, SyncError> {
    shelf::records(places)
}

/// Looks and decides, and writes nothing.
pub fn preview(places: &Places, request: &SyncRequest) -> Result<Preview, SyncError> {
    let pending = shelf::journal(&places.store)?.is_some();
    let seen = gather::gather(places, request, &stamps(places, request)?, &Deadline::after(PATIENCE))?;
    let plan = plan::plan(request, &seen);
    Ok(Preview { seen, plan, pending })
}

/// Reads, decides, writes; what was overtaken meanwhile, with the content that it did not get.
///
/// Only the writing has the lock: whoever makes us read and think for long keeps nobody else waiting. What was read is compared
/// again as it is written, and what the places had agreed on before that.
fn round(places: &Places, request: &SyncRequest, deadline: &Deadline, report: &mut Report) -> Result<Vec<Overtaken>, SyncError> {
    let look = || {
        // Read before anything else: what changes from then on is looked at again.
        let stamps = stamps(places, request)?;
        let seen = gather::gather(places, request, &stamps, deadline)?;
        Ok::<_, SyncError>((plan::plan(request, &seen), stamps, seen.bases))
    };
    let (mut plan, mut stamps, mut bases) = look()?;
    if plan.is_settled() && plan.copies.is_empty() && shelf::is_clean(&places.store)? {
        report.notices.extend(plan.notices);
        return Ok(Vec::new());
    }
    for looked in 1..=LOOKS {
        let mut lock = Some(lock::acquire(&places.sync_dir(), deadline.left())?);
        report.recovered |= recover(places, deadline, report)?;
        if !agreed::are_current(places, &stamps)? {
            // Somebody synced meanwhile. Who does so again and again is waited for no longer.
            lock = lock.filter(|_| looked == LOOKS);
            (plan, stamps, bases) = look()?;
            if lock.is_none() {
                continue;
            }
        }
        report.notices.extend(plan.notices.iter().cloned());
        return commit(
            places,
            Some(request.direction),
            &plan,
            SyncPart::default(),
            deadline,
            report,
            AtHand { bases, ..AtHand::default() },
        );
    }
    Ok(Vec::new())
}

/// Returns what is on disk of what the places of a sync agree on.
fn stamps(places: &Places, request: &SyncRequest) -> Result<Stamps, SyncError> {
    let flows = Flow::of(request.direction, request.host_sync);
    Ok(agreed::stamps(places, flows.iter().map(|flow| flow.pair()))?)
}

pub type Overtaken = (Site, Option<Vec<u8>>);

fn commit<'a>(
    places: &Places,
    direction: Option<Direction>,
    plan: &'a SyncPlan,
    mut part: SyncPart,
    deadline: &Deadline,
    report: &mut Report,
    mut known: AtHand<'a>,
) -> Result<Vec<Overtaken>, SyncError> {
    for copy in &plan.copies {
        shelf::put_aside(places, copy)?;
    }
    if plan.is_settled() {
        return Ok(Vec::new());
    }
    let mut overtaken = Vec::new();
    let mut progress = Progress::of(plan.changes().count());
    for (number, units) in plan.units.chunks(LOT).enumerate() {
        if deadline.is_over() && number > 0 {
            report.left += units.iter().map(|unit| unit.changes.len()).sum::<usize>();
            continue;
        }
        let named = units.iter().flat_map(|unit| &unit.changes).filter_map(Change::object);
        let objects = named.filter_map(|hash| Some((hash, plan.contents.get(hash)?.as_slice()))).collect();
        shelf::keep_objects(&places.store, &objects)?;
        known.contents = objects;
        let sequence = shelf::next_sequence(places)?;
        part.first.get_or_insert(sequence);
        let journal = Journal::new(places.scope(), direction, sequence, part, units.to_vec());
        shelf::commit(&places.store, &journal)?;
        let applied = apply::finish(places, &journal, deadline, &mut progress, &mut known)?;
        report.changed.extend(applied.changed);
        report.left += applied.left;
        report.notices.extend(applied.unwritable);
        overtaken.extend(applied.overtaken);
    }
    Ok(overtaken)
}

/// Whoever died after a commit left a journal that says all that is still to do. What was overtaken meanwhile is left to the next
/// look, which merges it. One of another project that cannot be finished now waits for the next sync there, and not in our way.
fn recover(places: &Places, deadline: &Deadline, report: &mut Report) -> Result<bool, SyncError> {
    shelf::take_up(places)?;
    let Some(journal) = shelf::journal(&places.store)? else {
        // Whoever died before a commit, or after the end, left objects that nobody needs.
        shelf::clear_objects(&places.store)?;
        return Ok(false);
    };
    let interrupted = Places::of(&journal.scope, &places.store);
    match apply::finish(&interrupted, &journal, deadline, &mut Progress::of(journal.changes().count()), &mut AtHand::default()) {
        Err(SyncError::File(error)) if journal.scope != places.scope() => {
            shelf::set_aside(&places.store, &journal)?;
            report.waiting = Some(format!("{} in {}: {error}", journal.scope.tool, journal.scope.project_id));
        }
        finished => drop(finished?),
    }
    Ok(true)
}

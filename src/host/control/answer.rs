//! A person's word about a change: accepted or reverted, in the workspace, as long as nothing else came there meanwhile.

use crate::core::control::judge::accept_settings;
use crate::core::control::kinds::Reads;
use crate::core::control::record::{ControlLedger, Handled, PendingChange, Tag};
use crate::core::control::{Trace, Watched};
use crate::core::text::digest::sha256;
use crate::host::control::act::{self, Wish};
use crate::host::control::ground::Ground;
use crate::host::control::ground_of;
use crate::host::control::shelf::ControlShelf;

/// Why a change stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("it was changed since")]
    Changed,
    #[error("what it was is not kept; look for `.ai-set-aside-…` beside it")]
    NotKept,
    #[error("the directory is gone")]
    Gone,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Makes a change as the run made it.
pub fn accept(shelf: &ControlShelf, ledger: &ControlLedger, change: &PendingChange) -> Result<(), AnswerError> {
    if matches!(change.handled, Handled::Reported | Handled::Counted) {
        return Ok(());
    }
    let (ground, now) = place(ledger, change)?;
    if now == change.after {
        return Ok(());
    }
    if change.reads == Reads::Settings && matches!((&now, &change.after), (Some(Trace::File { .. }), Some(Trace::File { .. }))) {
        let current = act::content(&ground, &change.path).unwrap_or_default();
        let bytes = accept_settings(&change.path, &current, &content(shelf, change.after.as_ref())?).map_err(|_| AnswerError::Changed)?;
        return put(shelf, &ground, change, now.as_ref(), NewFile { bytes: &bytes, executable: false });
    }
    // A repository's directory that was replaced is not there to be compared with.
    if now != change.before && change.before != Some(Trace::Directory) {
        return Err(AnswerError::Changed);
    }
    stand(shelf, &ground, change, now.as_ref(), change.after.as_ref())
}

/// Makes a change as if it had not been made. What was put back already stays so.
pub fn revert(shelf: &ControlShelf, ledger: &ControlLedger, change: &PendingChange) -> Result<(), AnswerError> {
    if !matches!(change.handled, Handled::Reported | Handled::Counted) {
        return Ok(());
    }
    let (ground, now) = place(ledger, change)?;
    if now == change.before {
        return Ok(());
    }
    if now != change.after {
        return Err(AnswerError::Changed);
    }
    stand(shelf, &ground, change, now.as_ref(), change.before.as_ref())
}

fn place(ledger: &ControlLedger, change: &PendingChange) -> Result<(Ground, Option<Trace>), AnswerError> {
    let anchors: Vec<_> = ledger.anchors.iter().map(|anchor| anchor.path.clone()).collect();
    let ground = ground_of(&anchors, &change.path).ok_or(AnswerError::Gone)?;
    let now = act::exists(&ground, &change.path);
    Ok((ground, now))
}

fn stand(
    shelf: &ControlShelf,
    ground: &Ground,
    change: &PendingChange,
    now: Option<&Trace>,
    wanted: Option<&Trace>,
) -> Result<(), AnswerError> {
    match wanted {
        None => drop(act::make(ground, &change.path, now, Wish::Nothing, shelf)?),
        Some(Trace::Link { to }) => drop(act::make(ground, &change.path, now, Wish::Link { to }, shelf)?),
        Some(Trace::File { executable, .. }) => {
            return put(shelf, ground, change, now, NewFile { bytes: &content(shelf, wanted)?, executable: *executable });
        }
        Some(Trace::Directory | Trace::Strange { .. }) => return Err(AnswerError::NotKept),
    }
    know(shelf, change, wanted.cloned())
}

/// A file as it is to be.
struct NewFile<'a> {
    bytes: &'a [u8],
    executable: bool,
}

fn put(
    shelf: &ControlShelf,
    ground: &Ground,
    change: &PendingChange,
    now: Option<&Trace>,
    NewFile { bytes, executable }: NewFile,
) -> Result<(), AnswerError> {
    act::make(ground, &change.path, now, Wish::File { bytes, executable }, shelf)?;
    let hash = sha256(bytes);
    shelf.keep(&hash, bytes)?;
    know(shelf, change, Some(Trace::File { hash, executable }))
}

/// Sessions that run are compared with what the person wanted.
fn know(shelf: &ControlShelf, change: &PendingChange, trace: Option<Trace>) -> Result<(), AnswerError> {
    let Some(mut record) = shelf.record() else { return Ok(()) };
    match trace {
        Some(trace) => {
            let Tag { tier, reads } = Tag { tier: change.tier, reads: change.reads };
            record.watched.insert(change.path.clone(), Watched { tier, reads, trace });
        }
        None => drop(record.watched.remove(&change.path)),
    }
    Ok(shelf.write_record(&record)?)
}

fn content(shelf: &ControlShelf, trace: Option<&Trace>) -> Result<Vec<u8>, AnswerError> {
    match trace {
        Some(Trace::File { hash, .. }) => shelf.content(hash).ok_or(AnswerError::NotKept),
        _ => Err(AnswerError::NotKept),
    }
}

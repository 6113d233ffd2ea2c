//! The record against what is there now: judged, acted upon, looked at again until it is at rest.

use std::collections::BTreeSet;
use std::io;

use rustix::fd::OwnedFd;

use crate::core::control::judge::{ControlChange, GitDirectory, Judgement, Leads, Standing, judge};
use crate::core::control::kinds::{self, ControlKind, Reads};
use crate::core::control::record::{ControlLedger, ControlRecord, Handled, PendingChange};
use crate::core::control::report::Unseen;
use crate::core::control::{ControlPath, Trace, Watched};
use crate::host::control::act::Wish;
use crate::host::control::gather::Snapshot;
use crate::host::control::ground::{self, Ground};
use crate::host::control::shelf::ControlShelf;
use crate::host::control::{Compared, ControlScope, TakenFile, look, mend};

/// How often what moves under us is looked at again.
const ROUNDS: usize = 5;

/// Looks, judges and acts until nothing is left to be done of what counts, or what moves does not come to rest.
pub fn rounds(
    shelf: &ControlShelf,
    scope: &ControlScope,
    record: &ControlRecord,
    ledger: &ControlLedger,
    compared: &mut Compared,
    counts: impl Fn(Option<&Watched>, &Judgement) -> bool,
) -> io::Result<Option<Snapshot>> {
    for round in 0..ROUNDS {
        let Some((snapshot, anchors)) = look(scope, Some(record)) else {
            compared.lost = scope.anchors.first().cloned();
            return Ok(None);
        };
        if let Some((lost, _)) = record.anchors.iter().zip(&anchors).find(|(then, now)| then != now) {
            compared.lost = Some(lost.path.clone());
            return Ok(None);
        }
        let found: Vec<JudgedChange> = differing(record, &snapshot)
            .filter(|(path, before, after)| !is_old(scope, record, path, (*before, *after)))
            .map(|(path, before, after)| {
                let judgement = judged(shelf, record, ledger, &snapshot, path, before, after);
                JudgedChange { path, before, after, judgement }
            })
            .filter(|found| counts(found.after, &found.judgement))
            .collect();
        let acts = found.iter().any(|found| matches!(found.judgement, Judgement::Back | Judgement::Rewrite { .. }));
        let is_last = round + 1 == ROUNDS;
        for found in found {
            keep(shelf, &snapshot, &found)?;
            let Some((change, file)) = handle(shelf, scope, found, is_last) else { continue };
            compared.taken.extend(file.map(|file| TakenFile { path: change.path.clone(), after: change.after.clone(), file }));
            note(compared, change);
        }
        compared.unseen = Unseen { in_tree: snapshot.is_cut && !record.is_cut, in_git: snapshot.is_git_cut };
        remember(shelf, compared);
        if !acts {
            return Ok(Some(snapshot));
        }
    }
    Ok(None)
}

/// A path whose content is not what it was, judged.
struct JudgedChange<'a> {
    path: &'a ControlPath,
    before: Option<&'a Watched>,
    after: Option<&'a Watched>,
    judgement: Judgement,
}

/// Keeps what a tool wrote, in case it is missed.
fn keep(shelf: &ControlShelf, snapshot: &Snapshot, found: &JudgedChange) -> io::Result<()> {
    let content = found.after.and_then(|watched| content_of(snapshot, &watched.trace));
    match content.filter(|_| !matches!(found.judgement, Judgement::Fine | Judgement::Count)) {
        Some((hash, bytes)) => shelf.keep(hash, bytes),
        None => Ok(()),
    }
}

/// Does what was judged, and hands out the file that was taken away; `None` where nothing is to be said, or not before it was looked at again.
fn handle(shelf: &ControlShelf, scope: &ControlScope, found: JudgedChange, is_last: bool) -> Option<(PendingChange, Option<OwnedFd>)> {
    let JudgedChange { path, before, after, judgement } = found;
    let ((handled, taken), names) = match judgement {
        Judgement::Fine => return None,
        Judgement::Count => ((Handled::Counted, None), Vec::new()),
        Judgement::Report => ((Handled::Reported, None), Vec::new()),
        Judgement::Moved(names) => ((Handled::Reported, None), names),
        // It moves as fast as it is put back.
        Judgement::Back | Judgement::Rewrite { .. } if is_last => ((Handled::Failed, None), Vec::new()),
        Judgement::Back => (mend::put_back(shelf, scope, path, before, after)?, Vec::new()),
        Judgement::Rewrite { bytes, names } => (mend::rewrite(shelf, scope, path, after, &bytes)?, names),
    };
    let Watched { tier, reads, .. } = before.or(after)?;
    let trace = |watched: Option<&Watched>| watched.map(|watched| watched.trace.clone());
    let change = PendingChange {
        path: path.clone(),
        tier: *tier,
        reads: *reads,
        handled,
        names,
        before: trace(before),
        after: trace(after),
        session: String::new(),
        tool: String::new(),
        when: 0,
    };
    Some((change, taken))
}

/// Has the contents of what is reported at hand, for a short diff.
fn remember(shelf: &ControlShelf, compared: &mut Compared) {
    let reported = compared.changes.iter().filter(|change| change.handled == Handled::Reported);
    let traces: Vec<Trace> = reported.flat_map(|change| change.before.iter().chain(&change.after).cloned()).collect();
    compared.contents.extend(traces.iter().filter_map(|trace| with_hash(trace, kept_content(shelf, trace))));
}

/// A change that is met again in a later round is told once.
fn note(compared: &mut Compared, change: PendingChange) {
    match compared.changes.iter_mut().find(|known| known.path == change.path) {
        Some(known) if change.handled == Handled::Failed => known.handled = Handled::Failed,
        // What could not be put back at first was, in a later round.
        Some(known) if matches!(known.handled, Handled::Failed | Handled::Reported | Handled::Counted) => *known = change,
        Some(known) if known.after == change.after => {}
        _ => compared.changes.push(change),
    }
}

/// Returns every path whose content is not what it was. A `.git` file that has come to lead elsewhere is as good as new.
fn differing<'a>(
    record: &'a ControlRecord,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = (&'a ControlPath, Option<&'a Watched>, Option<&'a Watched>)> {
    let paths: BTreeSet<&ControlPath> = record.watched.keys().chain(snapshot.watched.keys()).collect();
    let pairs = paths.into_iter().map(|path| (path, record.watched.get(path), snapshot.watched.get(path)));
    let is_led_away =
        |path, after: &Watched| after.reads == Reads::Pointer && snapshot.lead_outside.contains(path) && !record.led_outside.contains(path);
    pairs.filter_map(move |(path, before, after)| {
        if before.map(|watched| &watched.trace) != after.map(|watched| &watched.trace) {
            return Some((path, before, after));
        }
        after.is_some_and(|after| is_led_away(path, after)).then_some((path, None, after))
    })
}

/// Says whether a path is a link in the work tree that settings name as one.
fn is_way_to_tree(path: &ControlPath, after: Option<&Watched>) -> bool {
    after.is_some_and(|watched| watched.reads == Reads::Kind) && !kinds::is_in_git(&path.below)
}

/// Whether a path that the record does not have was there before it was taken: the project has more than is looked at, and it was
/// not come to then. The change time says so, which nobody can set; that of a directory on the way does, too, since one that was moved
/// brings old files along.
fn is_old(scope: &ControlScope, record: &ControlRecord, path: &ControlPath, (before, after): (Option<&Watched>, Option<&Watched>)) -> bool {
    if before.is_some() {
        return false;
    }
    if is_way_to_tree(path, after) && !record.named.keys().any(|named| named.anchor == path.anchor && named.below.starts_with(&path.below))
    {
        // Settings came to name it since, and they go back.
        return true;
    }
    if !record.is_cut {
        return false;
    }
    if record.git_directories.iter().any(|known| known.anchor == path.anchor && path.below.starts_with(&known.below)) {
        // All of it was looked at.
        return false;
    }
    let Some((ground, _)) = scope.anchors.get(usize::from(path.anchor)).and_then(|anchor| Ground::open(anchor)) else { return false };
    path.below.ancestors().filter(|part| !part.as_os_str().is_empty()).all(|part| {
        let place = part.parent().and_then(|parent| ground.enter(parent)).zip(part.file_name());
        place.is_some_and(|(dir, name)| ground::changed_at(&dir, name) < record.since)
    })
}

fn judged(
    shelf: &ControlShelf,
    record: &ControlRecord,
    ledger: &ControlLedger,
    snapshot: &Snapshot,
    path: &ControlPath,
    before: Option<&Watched>,
    after: Option<&Watched>,
) -> Judgement {
    let Some(watched) = before.or(after) else { return Judgement::Fine };
    let old = before.and_then(|watched| kept_content(shelf, &watched.trace));
    let nothing = BTreeSet::new();
    let new = after.and_then(|watched| content_of(snapshot, &watched.trace)).map(|(_, bytes)| bytes.as_slice());
    judge(&ControlChange {
        path,
        kind: ControlKind { tier: watched.tier, reads: watched.reads },
        before: standing(before, old.as_deref()),
        after: standing(after, new),
        leads: if snapshot.lead_outside.contains(path) { Leads::Outside } else { Leads::Inside },
        git_directory: git_directory(record, snapshot, path),
        allowed: ledger.allowed.get(path).unwrap_or(&nothing),
    })
}

fn git_directory(record: &ControlRecord, snapshot: &Snapshot, path: &ControlPath) -> GitDirectory {
    let holds =
        |directory: &&ControlPath| directory.anchor == path.anchor && *directory != path && path.below.starts_with(&directory.below);
    // The innermost: a submodule may be gone from a repository that is there.
    let innermost =
        record.git_directories.iter().chain(&snapshot.git_directories).filter(holds).max_by_key(|found| found.below.as_os_str().len());
    match innermost {
        None => GitDirectory::None,
        Some(directory) if snapshot.git_directories.contains(directory) => GitDirectory::There,
        Some(_) if is_named_elsewhere(record, path) => GitDirectory::There,
        Some(_) => GitDirectory::Gone,
    }
}

fn is_named_elsewhere(record: &ControlRecord, path: &ControlPath) -> bool {
    record.named.contains_key(path) && !kinds::is_in_git(&path.below)
}

fn with_hash(trace: &Trace, bytes: Option<Vec<u8>>) -> Option<(String, Vec<u8>)> {
    match trace {
        Trace::File { hash, .. } => Some((hash.clone(), bytes?)),
        _ => None,
    }
}

pub fn kept_content(shelf: &ControlShelf, trace: &Trace) -> Option<Vec<u8>> {
    match trace {
        Trace::File { hash, .. } => shelf.content(hash),
        _ => None,
    }
}

fn content_of<'a>(snapshot: &'a Snapshot, trace: &Trace) -> Option<(&'a String, &'a Vec<u8>)> {
    match trace {
        Trace::File { hash, .. } => snapshot.contents.get_key_value(hash),
        _ => None,
    }
}

/// A content that is not kept any more cannot be compared by key: it counts as strange.
fn standing<'a>(watched: Option<&Watched>, bytes: Option<&'a [u8]>) -> Standing<'a> {
    match (watched.map(|watched| &watched.trace), bytes) {
        (None, _) => Standing::Absent,
        (Some(Trace::File { executable, .. }), Some(bytes)) => Standing::File { bytes, executable: *executable },
        (Some(Trace::Link { .. }), _) => Standing::Link,
        (Some(Trace::Directory), _) => Standing::Directory,
        (Some(Trace::File { .. } | Trace::Strange { .. }), _) => Standing::Strange,
    }
}

/// Returns the part of a wish that a trace of the record says.
pub fn wish<'a>(before: Option<&'a Watched>, bytes: Option<&'a [u8]>) -> Option<Wish<'a>> {
    match (before.map(|watched| &watched.trace), bytes) {
        (None, _) => Some(Wish::Nothing),
        (Some(Trace::File { executable, .. }), Some(bytes)) => Some(Wish::File { bytes, executable: *executable }),
        (Some(Trace::Link { to }), _) => Some(Wish::Link { to }),
        _ => None,
    }
}

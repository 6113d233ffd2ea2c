//! Control files on the machine: how they are before a run, what is done about them after it.
//!
//! One record a project, not one a session: it is taken when the first of the sessions that run at once begins, and compared
//! whenever one of them ends. What one session's end put back or reported is in the record of those that still run, so that
//! nothing is said twice and nothing is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;

use crate::core::control::kinds::{ControlKind, Tier};
use crate::core::control::record::{self, AnchorDir, ControlRecord, Handled, PendingChange, Tag};
use crate::core::control::report::Unseen;
use crate::core::control::tables::IN_A_LEAF;
use crate::core::control::{ControlPath, Trace, Watched};
use crate::core::lease::SessionId;
use crate::host::control::compare::rounds;
use crate::host::control::gather::{Gathering, Snapshot};
use crate::host::control::ground::Ground;
use crate::host::control::held::HeldFiles;
use crate::host::control::other_trees::other_trees;
use crate::host::control::shelf::ControlShelf;

pub mod act;
pub mod answer;
pub mod collect;
pub mod compare;
pub mod during;
pub mod gather;
pub mod ground;
pub mod held;
pub mod home;
pub mod mend;
pub mod names;
pub mod other_trees;
pub mod search;
pub mod shelf;
#[cfg(target_os = "linux")]
pub mod watch;
pub mod within;

/// Whose control files: the directories that a run may write, and where in them the person stands.
#[derive(Clone, Debug)]
pub struct ControlScope {
    /// The root, then the common directory of a linked worktree, then what the person mounts to be written.
    pub anchors: Vec<PathBuf>,
    pub seeds: Vec<PathBuf>,
    pub with_direnv: bool,
    /// Directories of the project that are on PATH.
    pub programs: BTreeSet<ControlPath>,
    pub leaves: BTreeSet<String>,
    /// What the person's own settings and home bring from the project.
    pub named: BTreeMap<ControlPath, Tag>,
    /// Whether links in git's own directories are looked for.
    pub with_links: bool,
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Compared {
    pub changes: Vec<PendingChange>,
    pub anchors: Vec<AnchorDir>,
    pub unseen: Unseen,
    /// A directory that was to be compared is gone, or is another one.
    pub lost: Option<PathBuf>,
    /// Contents by hash, for a short diff.
    pub contents: BTreeMap<String, Vec<u8>>,
    pub taken: Vec<TakenFile>,
}

/// A file that was taken away, open: whoever writes it may not be done.
#[derive(Debug)]
pub struct TakenFile {
    pub path: ControlPath,
    pub after: Option<Trace>,
    pub file: OwnedFd,
}

/// Takes the record of a project for a session that begins. Sessions that run already have one, which stays. One that is left of
/// sessions that died is compared first; what came of it is the value.
pub fn begin(
    shelf: &ControlShelf,
    scope: &ControlScope,
    session: &SessionId,
    is_running: impl Fn(&SessionId) -> bool,
) -> io::Result<Option<Compared>> {
    let mut compared = None;
    if let Some(mut record) = shelf.record() {
        if record.sessions.iter().any(|other| other != session && is_running(other)) {
            record.sessions.insert(session.clone());
            record.seeds.extend(scope.seeds.iter().map(|seed| ControlPath::new(0, seed)));
            record.programs.extend(scope.programs.iter().cloned());
            return shelf.write_record(&record).map(|()| None);
        }
        if let Some(last) = record.sessions.iter().next().cloned() {
            compared = end(shelf, &last, "a run that was killed", |_| false)?;
        }
    }
    let since = crate::host::now();
    let Some((snapshot, anchors)) = look(scope, None) else { return Err(io::ErrorKind::NotFound.into()) };
    for (hash, bytes) in wanted_contents(&snapshot) {
        shelf.keep(hash, bytes)?;
    }
    let seeds = scope.seeds.iter().map(|seed| ControlPath::new(0, seed)).collect();
    let sessions = BTreeSet::from([session.clone()]);
    let ControlScope { with_direnv, programs, leaves, .. } = scope.clone();
    shelf.write_record(&ControlRecord { sessions, since, seeds, with_direnv, programs, leaves, ..record_of(&snapshot, anchors) })?;
    Ok(compared)
}

/// Takes a session that never ran out of the record.
pub fn forget(shelf: &ControlShelf, session: &SessionId) -> io::Result<()> {
    let Some(mut record) = shelf.record() else { return Ok(()) };
    record.sessions.remove(session);
    if record.sessions.is_empty() { shelf.forget_record() } else { shelf.write_record(&record) }
}

/// Returns the contents that a change would be put back or shown from.
fn wanted_contents(snapshot: &Snapshot) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    let hashes = snapshot.watched.values().filter(|watched| watched.tier != Tier::Builds).filter_map(|watched| match &watched.trace {
        Trace::File { hash, .. } => Some(hash),
        _ => None,
    });
    hashes.filter_map(|hash| snapshot.contents.get_key_value(hash))
}

fn record_of(snapshot: &Snapshot, anchors: Vec<AnchorDir>) -> ControlRecord {
    ControlRecord {
        anchors,
        watched: snapshot.watched.clone(),
        git_directories: snapshot.git_directories.clone(),
        named: snapshot.named.clone(),
        led_outside: snapshot.lead_outside.clone(),
        is_cut: snapshot.is_cut,
        ..ControlRecord::default()
    }
}

/// Looks at the control files as they are now; with a record, at everything that it has too. `None` where the root is gone.
fn look(scope: &ControlScope, earlier: Option<&ControlRecord>) -> Option<(Snapshot, Vec<AnchorDir>)> {
    let since = earlier.map(|record| record.since);
    let opened: Vec<(Ground, AnchorDir)> = scope.anchors.iter().map(|path| Ground::open_since(path, since)).collect::<Option<_>>()?;
    let (grounds, anchors): (Vec<Ground>, Vec<AnchorDir>) = opened.into_iter().unzip();
    let mut gathering = Gathering {
        grounds: &grounds,
        with_direnv: scope.with_direnv,
        with_links: scope.with_links,
        leaves: &scope.leaves,
        known: earlier.map(|record| &record.git_directories),
        snapshot: Snapshot::default(),
    };
    gathering.snapshot.named.extend(scope.named.clone());
    let root = ControlPath::new(0, "");
    search::git_entry(&mut gathering, &root, &grounds.first()?.dir);
    let mut trees = vec![0];
    for (anchor, ground) in (0_u8..).zip(&grounds).skip(1) {
        let directory = ControlPath::new(anchor, "");
        let is_git = earlier.map_or_else(
            || search::is_bare(|name| ground::kind_at(&ground.dir, name).is_some()),
            |record| record.git_directories.contains(&directory),
        );
        if is_git {
            gathering.git_directory(&directory);
        } else {
            trees.push(anchor);
        }
    }
    let nothing = BTreeMap::new();
    gathering.named(earlier.map_or(&nothing, |record| &record.named));
    for directory in earlier.into_iter().flat_map(|record| &record.git_directories) {
        gathering.git_directory(directory);
    }
    for tree in trees {
        search::search(&mut gathering, tree, if tree == 0 { &scope.seeds } else { &[] });
    }
    if gathering.snapshot.is_cut && scope.with_links {
        other_trees(&mut gathering);
    }
    for directory in &scope.programs {
        gathering.programs(directory);
    }
    gathering.named(&nothing);
    for path in earlier.into_iter().flat_map(|record| record.watched.iter()) {
        again(&mut gathering, path);
    }
    let snapshot = gathering.snapshot;
    Some((snapshot, anchors))
}

/// Looks at a path of the record that the search did not come to this time.
fn again(gathering: &mut Gathering, (path, watched): (&ControlPath, &Watched)) {
    if gathering.snapshot.watched.contains_key(path) {
        return;
    }
    let Some(ground) = gathering.grounds.get(usize::from(path.anchor)) else { return };
    let (Some(name), Some(parent)) = (path.below.file_name(), path.below.parent()) else { return };
    let Some(dir) = ground.enter(parent) else { return };
    if watched.trace == Trace::Directory {
        search::git_entry(gathering, &ControlPath::new(path.anchor, parent), &dir);
    } else {
        gathering.file(path, &dir, name, ControlKind { tier: watched.tier, reads: watched.reads });
    }
}

/// Compares the control files of a project with its record for a session that ended, puts back what the host would run, and
/// keeps what the person is to hear. `None` if the session has no record. Sessions that are not `known` any more wait for nothing.
pub fn end(shelf: &ControlShelf, session: &SessionId, tool: &str, known: impl Fn(&SessionId) -> bool) -> io::Result<Option<Compared>> {
    let Some(mut record) = shelf.record().filter(|record| record.sessions.contains(session)) else { return Ok(None) };
    record.sessions.retain(|other| other != session && known(other));
    let scope = &scope_of(&record);
    let mut ledger = shelf.ledger();
    let mut compared = Compared { anchors: record.anchors.clone(), ..Compared::default() };
    let snapshot = rounds(shelf, scope, &record, &ledger, &mut compared, |_, _| true)?;
    for change in &mut compared.changes {
        session.as_str().clone_into(&mut change.session);
        tool.clone_into(&mut change.tool);
        change.when = crate::host::now();
    }
    if !compared.changes.is_empty() {
        for change in compared.changes.iter().filter(|change| change.handled != Handled::Counted) {
            if !during::joins(shelf, &mut ledger, change)? {
                ledger.add(change.clone());
            }
        }
        // Another session may still write it.
        let mut held = HeldFiles::default();
        for (change, file) in during::taken(&compared.changes, std::mem::take(&mut compared.taken)) {
            held.hold(change.clone(), file);
        }
        held.read_again(shelf, &mut ledger, &mut record)?;
        ledger.anchors.clone_from(&record.anchors);
        shelf.write_ledger(&ledger)?;
    }
    let mut told = std::mem::take(&mut record.mended);
    for change in std::mem::take(&mut compared.changes) {
        record::mend(&mut told, change);
    }
    compared.changes = told;
    match snapshot {
        _ if record.sessions.is_empty() => shelf.forget_record()?,
        // The others are compared with what stands now.
        Some(snapshot) => {
            for (hash, bytes) in wanted_contents(&snapshot) {
                shelf.keep(hash, bytes)?;
            }
            let ControlRecord { anchors, sessions, since, seeds, with_direnv, programs, leaves, .. } = record;
            let kept = ControlRecord { sessions, since, seeds, with_direnv, programs, leaves, ..record_of(&snapshot, anchors) };
            shelf.write_record(&kept)?;
        }
        None => shelf.write_record(&record)?,
    }
    if !compared.changes.is_empty() && shelf.record().is_none() {
        shelf.tidy(&ledger.contents().collect::<BTreeSet<_>>())?;
    }
    Ok(Some(compared))
}

fn scope_of(record: &ControlRecord) -> ControlScope {
    ControlScope {
        anchors: record.anchors.iter().map(|anchor| anchor.path.clone()).collect(),
        seeds: record.seeds.iter().map(|seed| seed.below.clone()).collect(),
        with_direnv: record.with_direnv,
        with_links: true,
        programs: record.programs.clone(),
        leaves: record.leaves.clone(),
        named: BTreeMap::new(),
    }
}

/// Opens the anchor of a path.
pub fn ground_of(anchors: &[PathBuf], path: &ControlPath) -> Option<Ground> {
    Ground::open(anchors.get(usize::from(path.anchor))?).map(|(ground, _)| ground)
}

/// Returns whether a program is installed that runs what a directory holds as soon as a shell is in it, and the names that count in a
/// directory in which no directory is.
pub fn installed(host: &crate::host::Host) -> (bool, BTreeSet<String>) {
    let there: Vec<_> = IN_A_LEAF.iter().filter(|(program, _)| host.program(program).is_some()).collect();
    let names = there.iter().flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned())).collect();
    (there.iter().any(|(program, _)| ["direnv", "mise"].contains(program)), names)
}

/// Returns the path of a directory below another, for whoever knows both.
pub fn seed(root: &Path, directory: &Path) -> Vec<PathBuf> {
    let below = directory.strip_prefix(root).unwrap_or(Path::new(""));
    below.ancestors().filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned).collect()
}

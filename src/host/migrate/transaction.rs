//! Taking over and undoing, whole or not at all.
//!
//! `backup/` and `stage/` are filled first; the journal's rename is the commit; every later step can be done twice.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::login::migrate::{Action, MigrationStep};
use crate::core::store::Store;
use crate::host::fs::files::{private_dir, tighten};
use crate::host::fs::look::Look;
use crate::host::fs::slot::{Slot, slot};
use crate::host::fs::{self as own_fs, Absent, own, tree};
use crate::host::migrate::{Done, OldDirectory, area, log, write_json};

#[derive(Debug, Serialize, Deserialize)]
struct MigrationJournal {
    moves: Vec<Move>,
    /// Every file that is dealt with, by path and hash.
    done: Vec<(PathBuf, String)>,
    sources: Vec<OldDirectory>,
}

/// One staged file that goes to its place.
#[derive(Debug, Serialize, Deserialize)]
struct Move {
    /// Name in the staging directory.
    staged: String,
    /// Relative to the store.
    to: PathBuf,
    sha256: String,
    /// Whether the store had something there; its copy in the backup has the same name as the staged file.
    replaces: bool,
    mode: u32,
    /// The directories that did not exist, outermost first; relative to the store.
    made: Vec<PathBuf>,
}

/// Takes the steps over; the directory of the backup.
pub fn take_over(store: &Store, sources: &[OldDirectory], steps: &[MigrationStep]) -> io::Result<PathBuf> {
    let area = area(store);
    private_dir(&area)?;
    prepare(store, sources, steps).inspect_err(|_| {
        // Once the journal is there, whatever failed after it, somebody will finish.
        if super::is_committed(store) {
            return;
        }
        // What was prepared is of no use to anybody. The first error is the one to tell.
        let _ = discard(&area.join("stage")).and_then(|()| discard(&area.join("backup-new")));
    })?;
    finish(store)?;
    // All is done: that a line of the log found no room must not make it look as if it were not.
    let _ = log(store, steps);
    Ok(area.join("backup"))
}

/// Returns everything before the commit, and the commit.
fn prepare(store: &Store, sources: &[OldDirectory], steps: &[MigrationStep]) -> io::Result<()> {
    let area = area(store);
    let (stage, backup) = (area.join("stage"), area.join("backup-new"));
    discard(&stage)?;
    discard(&backup)?;
    private_dir(&stage)?;
    private_dir(&backup.join("sources"))?;
    private_dir(&backup.join("store"))?;
    let mut moves: Vec<Move> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        tree::copy(&source.path, &backup.join("sources").join(number.to_string()))?;
    }
    for step in steps.iter().filter(|step| matches!(step.action, Action::Copy | Action::Archive)) {
        let Some(to) = &step.to else { continue };
        let staged = moves.len().to_string();
        let source = sources.iter().find_map(|source| Some((source, step.from.strip_prefix(&source.path).ok()?)));
        let (source, below) = source.ok_or(io::ErrorKind::NotFound)?;
        tree::copy_file(&source.path, below, &stage.join(&staged), step.mode)?;
        if tree::hash(&stage, Path::new(&staged))? != step.sha256 {
            return Err(io::Error::other(format!("`{}` changed meanwhile", step.from.display())));
        }
        // Fails where something on the way is a link.
        own_fs::enter(store.root(), to.parent().unwrap_or(Path::new("")), Absent::Leave)?;
        let target = store.root().join(to);
        let found = target.look_at_link().ok();
        if let Some(found) = &found {
            if !found.is_file() {
                return Err(io::Error::other(format!("`{}` is in the way", target.display())));
            }
            let mode = std::os::unix::fs::MetadataExt::mode(found) & 0o7777;
            tree::copy_file(store.root(), to, &backup.join("store").join(&staged), mode)?;
        }
        let made = missing_directories(store, to);
        moves.push(Move { staged, to: to.clone(), sha256: step.sha256.clone(), replaces: found.is_some(), mode: step.mode, made });
    }
    own::sync_directory(&stage)?;
    let done = steps.iter().map(|step| (step.from.clone(), step.sha256.clone())).collect();
    let journal = MigrationJournal { moves, done, sources: sources.to_vec() };
    write_json(&backup.join("journal.json"), &journal)?;
    own::sync_directory(&backup)?;
    write_json(&area.join("journal.json"), &journal)?;
    own::sync_directory(&area)
}

fn missing_directories(store: &Store, to: &Path) -> Vec<PathBuf> {
    let ancestors = to.ancestors().skip(1).filter(|below| !below.as_os_str().is_empty());
    let mut missing: Vec<PathBuf> = ancestors.filter(|below| !store.root().join(below).is_there()).map(Path::to_owned).collect();
    missing.reverse();
    missing
}

fn discard(path: &Path) -> io::Result<()> {
    match own::remove_tree(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Finishes what is committed; whether there was anything. Can be interrupted and called again.
pub fn finish(store: &Store) -> io::Result<bool> {
    let area = area(store);
    let Ok(text) = own::read(area.join("journal.json")) else { return Ok(false) };
    let journal: MigrationJournal = serde_json::from_slice(&text)?;
    let (stage, new) = (area.join("stage"), area.join("backup-new"));
    for one in &journal.moves {
        let target = store.root().join(&one.to);
        // By descriptor: containers write to these directories, and could lead us anywhere by a link.
        let slot = slot(store.root(), &one.to, Absent::Make)?.ok_or(io::ErrorKind::NotFound)?;
        tighten(store.root(), one.to.parent().unwrap_or(Path::new("")))?;
        slot.take(&stage.join(&one.staged))?;
        if slot.hash()? != one.sha256 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{}` reads back differently", target.display())));
        }
        slot.set_perm(one.mode)?;
    }
    if new.is_there() {
        keep_older_backup(&area)?;
        own::rename(&new, area.join("backup"))?;
    }
    let mut done: Done = super::done(store);
    done.files.extend(journal.done);
    done.verified = true;
    write_json(&area.join("done.json"), &done)?;
    discard(&stage)?;
    own::remove(area.join("journal.json"))?;
    // A journal that a power cut brings back finds everything done.
    let _ = own::sync_directory(&area);
    Ok(true)
}

/// The backup of an earlier migration gets a number.
fn keep_older_backup(area: &Path) -> io::Result<()> {
    let current = area.join("backup");
    if !current.is_there() {
        return Ok(());
    }
    let free = (1_u32..).map(|number| area.join(format!("backup-{number}"))).find(|path| !path.is_there());
    free.map_or(Ok(()), |free| own::rename(current, free))
}

/// What an undo left alone: files that were written to since.
#[derive(Debug, Default)]
pub struct Undone {
    pub changed: Vec<PathBuf>,
    pub restored: Vec<PathBuf>,
}

/// Puts the store and the old directories back to what they were before the last migration; `None` if there was none.
pub fn undo(store: &Store) -> io::Result<Option<Undone>> {
    let area = area(store);
    let backup = area.join("backup");
    let Ok(text) = own::read(backup.join("journal.json")) else { return Ok(None) };
    let journal: MigrationJournal = serde_json::from_slice(&text)?;
    let mut undone = Undone::default();
    for (number, source) in journal.sources.iter().enumerate() {
        if source.path.look_at_link().is_err() {
            tree::copy(&backup.join("sources").join(number.to_string()), &source.path)?;
            undone.restored.push(source.path.clone());
        }
    }
    for one in &journal.moves {
        // By descriptor, as it came.
        let Some(slot) = slot(store.root(), &one.to, Absent::Leave)? else { continue };
        let saved = backup.join("store");
        let is_ours = |hash: &String| *hash == one.sha256 || tree::hash(&saved, Path::new(&one.staged)).is_ok_and(|saved| saved == *hash);
        if slot.hash().is_ok_and(|hash| !is_ours(&hash)) {
            undone.changed.push(store.root().join(&one.to));
            continue;
        }
        put_back(&slot, one, &area)?;
    }
    for one in &journal.moves {
        for made in one.made.iter().rev() {
            // A directory that something else is in by now stays.
            let _ = own_fs::remove_dir_below(store.root(), made);
        }
    }
    // An undo that was interrupted here has removed it already.
    remove_if_there(&area.join("done.json"))?;
    own::rename(&backup, area.join("undone"))
        .or_else(|_| discard(&area.join("undone")).and_then(|()| own::rename(&backup, area.join("undone"))))?;
    Ok(Some(undone))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match own::remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn put_back(slot: &Slot, one: &Move, area: &Path) -> io::Result<()> {
    if !one.replaces {
        return Ok(slot.delete()?);
    }
    let (saved, temporary) = (area.join("backup/store"), area.join("undo"));
    let mode = std::os::unix::fs::MetadataExt::mode(&saved.join(&one.staged).look()?) & 0o7777;
    tree::copy_file(&saved, Path::new(&one.staged), &temporary, mode)?;
    slot.take(&temporary)?;
    Ok(slot.set_perm(mode)?)
}

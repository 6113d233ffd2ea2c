//! Taking over and undoing, whole or not at all.
//!
//! `backup/` and `stage/` are filled first; the journal's rename is the commit; every later step can be done twice.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::login::migrate::{Action, MigrationStep};
use crate::core::store::Store;
use crate::host::fs::files::{private_dir, tighten};
use crate::host::fs::slot::slot;
use crate::host::fs::{self as own_fs, Absent, tree};
use crate::host::migrate::{Done, OldDirectory, area, log, sync_directory, write_json};

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
        tree::copy_file(&step.from, &stage.join(&staged), step.mode)?;
        if tree::hash(&stage.join(&staged))? != step.sha256 {
            return Err(io::Error::other(format!("`{}` changed meanwhile", step.from.display())));
        }
        // Fails where something on the way is a link.
        own_fs::enter(store.root(), to.parent().unwrap_or(Path::new("")), Absent::Leave)?;
        let target = store.root().join(to);
        let found = target.symlink_metadata().ok();
        if let Some(found) = &found {
            if !found.is_file() {
                return Err(io::Error::other(format!("`{}` is in the way", target.display())));
            }
            tree::copy_file(&target, &backup.join("store").join(&staged), std::os::unix::fs::MetadataExt::mode(found) & 0o7777)?;
        }
        let made = missing_directories(store, to);
        moves.push(Move { staged, to: to.clone(), sha256: step.sha256.clone(), replaces: found.is_some(), mode: step.mode, made });
    }
    sync_directory(&stage)?;
    let done = steps.iter().map(|step| (step.from.clone(), step.sha256.clone())).collect();
    let journal = MigrationJournal { moves, done, sources: sources.to_vec() };
    write_json(&backup.join("journal.json"), &journal)?;
    sync_directory(&backup)?;
    write_json(&area.join("journal.json"), &journal)?;
    sync_directory(&area)
}

fn missing_directories(store: &Store, to: &Path) -> Vec<PathBuf> {
    let ancestors = to.ancestors().skip(1).filter(|below| !below.as_os_str().is_empty());
    let mut missing: Vec<PathBuf> = ancestors.filter(|below| !store.root().join(below).exists()).map(Path::to_owned).collect();
    missing.reverse();
    missing
}

fn discard(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Finishes what is committed; whether there was anything. Can be interrupted and called again.
pub fn finish(store: &Store) -> io::Result<bool> {
    let area = area(store);
    let Ok(text) = fs::read(area.join("journal.json")) else { return Ok(false) };
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
        target.parent().map_or(Ok(()), sync_directory)?;
    }
    if new.exists() {
        keep_older_backup(&area)?;
        fs::rename(&new, area.join("backup"))?;
    }
    let mut done: Done = super::done(store);
    done.files.extend(journal.done);
    done.verified = true;
    write_json(&area.join("done.json"), &done)?;
    discard(&stage)?;
    fs::remove_file(area.join("journal.json"))?;
    // A journal that a power cut brings back finds everything done.
    let _ = sync_directory(&area);
    Ok(true)
}

/// The backup of an earlier migration gets a number.
fn keep_older_backup(area: &Path) -> io::Result<()> {
    let current = area.join("backup");
    if !current.exists() {
        return Ok(());
    }
    let free = (1_u32..).map(|number| area.join(format!("backup-{number}"))).find(|path| !path.exists());
    free.map_or(Ok(()), |free| fs::rename(current, free))
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
    let Ok(text) = fs::read(backup.join("journal.json")) else { return Ok(None) };
    let journal: MigrationJournal = serde_json::from_slice(&text)?;
    let mut undone = Undone::default();
    for (number, source) in journal.sources.iter().enumerate() {
        if source.path.symlink_metadata().is_err() {
            tree::copy(&backup.join("sources").join(number.to_string()), &source.path)?;
            undone.restored.push(source.path.clone());
        }
    }
    for one in &journal.moves {
        let target = store.root().join(&one.to);
        own_fs::enter(store.root(), one.to.parent().unwrap_or(Path::new("")), Absent::Leave)?;
        let saved = backup.join("store").join(&one.staged);
        let is_ours = |hash: &String| *hash == one.sha256 || tree::hash(&saved).is_ok_and(|saved| saved == *hash);
        if tree::hash(&target).is_ok_and(|hash| !is_ours(&hash)) {
            undone.changed.push(target);
            continue;
        }
        put_back(&target, one, &backup)?;
    }
    for one in &journal.moves {
        for made in one.made.iter().rev() {
            // A directory that something else is in by now stays.
            let _ = fs::remove_dir(store.root().join(made));
        }
    }
    // An undo that was interrupted here has removed it already.
    remove_if_there(&area.join("done.json"))?;
    fs::rename(&backup, area.join("undone"))
        .or_else(|_| discard(&area.join("undone")).and_then(|()| fs::rename(&backup, area.join("undone"))))?;
    Ok(Some(undone))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn put_back(target: &Path, one: &Move, backup: &Path) -> io::Result<()> {
    if !one.replaces {
        return remove_if_there(target);
    }
    let saved = backup.join("store").join(&one.staged);
    let mode = std::os::unix::fs::MetadataExt::mode(&saved.metadata()?) & 0o7777;
    let temporary = target.with_extension("ai-undo");
    tree::copy_file(&saved, &temporary, mode)?;
    fs::rename(temporary, target)
}

//! Places in the project for what is mounted inside of it. An engine would make them as root and leave them; they are made as the
//! person, and the last session that has them takes them away again.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::Lease;
use crate::core::plan::Plan;
use crate::core::store::Store;
use crate::host::fs::lock::{self, Lock};
use crate::host::fs::look::Look;
use crate::host::fs::{self, Absent, shape};
use crate::host::store::lease;

/// Writes into the lease of a session that begins what has to be made. Until [`make`] did, nobody else takes any of it away.
///
/// # Errors
/// Where a link or a file is in the way: the mount would be somewhere else.
pub fn plan(store: &Store, plan: &Plan, of_session: &mut Lease) -> Result<Option<Lock>> {
    let points = plan.points();
    if points.is_empty() {
        return Ok(None);
    }
    // A store that cannot be locked cannot be written: this session has it to itself, as far as anybody can know.
    let lock = lock(store, &of_session.project);
    let theirs = of_others(store, of_session);
    for (point, mount) in points {
        let is_file = mount.source.path().leads_to_file();
        let parts: Vec<&OsStr> = point.iter().collect();
        for count in 1..=parts.len() {
            let path: PathBuf = parts[..count].iter().collect();
            let is_of_file = is_file && count == parts.len();
            let Some(word) = word(&path, is_of_file) else { continue };
            if !is_there(&plan.workspace.root, &path, is_of_file)? || theirs.contains(&word) {
                of_session.points.push(word);
            }
        }
    }
    of_session.points.sort_unstable();
    of_session.points.dedup();
    Ok(lock)
}

/// Makes what [`plan`] wrote down.
pub fn make(root: &Path, of_session: &Lease) -> Result<()> {
    for word in &of_session.points {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::new(Kind::General, format!("cannot make `{}`, where something is mounted", root.join(word).display()))
                .because(why.to_string())
        };
        let made = match word.strip_suffix('/') {
            Some(directory) => fs::enter(root, Path::new(directory), Absent::Make).map(drop).map_err(|error| cannot(&error)),
            None => file(root, Path::new(word)).map_err(|error| cannot(&error)),
        };
        made.map_err(|failure| failure.hint("make it yourself, or take what is mounted there out of the configuration"))?;
    }
    Ok(())
}

fn file(root: &Path, path: &Path) -> std::io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let Some(dir) = fs::enter(root, parent, Absent::Leave)? else { return Ok(()) };
    shape::empty_file(&dir, name)
}

/// Takes away what a session made and nobody filled, unless another one needs it: on Linux, a directory that goes away is unmounted
/// in every container.
pub fn end(store: &Store, of_session: &Lease) {
    if of_session.points.is_empty() {
        return;
    }
    let _lock = lock(store, &of_session.project);
    let theirs = of_others(store, of_session);
    let root = Path::new(&of_session.root);
    for word in of_session.points.iter().rev().filter(|word| !theirs.contains(word)) {
        // What is not empty is somebody's work and stays.
        let _ = match word.strip_suffix('/') {
            Some(directory) => fs::remove_dir_below(root, Path::new(directory)).is_ok(),
            None => fs::remove_empty_file_below(root, Path::new(word)).is_ok(),
        };
    }
}

fn lock(store: &Store, project: &str) -> Option<Lock> {
    lock::acquire(&store.control(project), lock::WAIT).ok()
}

/// Returns the places of the other sessions of this project that are alive.
fn of_others(store: &Store, of_session: &Lease) -> Vec<String> {
    let others = lease::all(store).into_iter().filter(|other| other.project == of_session.project && other.session != of_session.session);
    others.filter(lease::is_owner_alive).flat_map(|other| other.points).collect()
}

/// Returns how a place is written down: a directory with `/` at its end. What is no text was not configured, and is there.
fn word(path: &Path, is_file: bool) -> Option<String> {
    path.to_str().map(|text| if is_file { text.to_owned() } else { format!("{text}/") })
}

fn is_there(root: &Path, path: &Path, is_file: bool) -> Result<bool> {
    if is_file {
        let parent = path.parent().unwrap_or(Path::new(""));
        let dir = fs::enter(root, parent, Absent::Leave).map_err(|error| in_the_way(root, path, &error))?;
        return Ok(
            dir.is_some_and(|dir| matches!(fs::child(&dir, path.file_name().unwrap_or_default(), fs::Trust::State), fs::Child::Other))
        );
    }
    fs::enter(root, path, Absent::Leave).map(|dir| dir.is_some()).map_err(|error| in_the_way(root, path, &error))
}

fn in_the_way(root: &Path, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Kind::Config,
        format!("cannot mount anything at `{}` of the project: no plain directory is there", root.join(path).display()),
    )
    .because(error.to_string())
    .hint("ai resolve --explain says what wants to be there: `overlay`, or `mounts` with `at`")
}

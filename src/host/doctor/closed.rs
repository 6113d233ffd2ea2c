//! The store as doctor sees it: what somebody else may read, and what stands where a directory of ours must be.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Stat};

use crate::core::container::SHARED;
use crate::core::store::Store;
use crate::core::store::table::{Closed, TABLE};
use crate::core::tool::Tool;
use crate::host::fs::Absent;
use crate::host::fs::shape::{self, Aside, Shaper};
use crate::host::{Host, fs};

/// Most entries that are looked at in one place: a container may have made any number.
const MOST: usize = 20_000;

/// Paths of the store that somebody else may read or write.
pub fn open_paths(store: &Path) -> Vec<PathBuf> {
    let mut open = Vec::new();
    if let Some(stat) = fs::enter(store, Path::new(""), Absent::Leave).ok().flatten().and_then(|dir| rustix::fs::fstat(&dir).ok()) {
        note(store, &stat, &mut open);
    }
    for row in &TABLE {
        for below in places(store, row.path.trim_end_matches('/')) {
            let (parent, name) = (below.parent().unwrap_or(Path::new("")), below.file_name().unwrap_or_default());
            let Ok(Some(dir)) = fs::enter(store, parent, Absent::Leave) else { continue };
            look(&dir, name, &store.join(&below), row.closed, &mut MOST.clone(), &mut open);
        }
    }
    open.sort_unstable();
    open.dedup();
    open
}

/// Returns the paths that a row of the table stands for, relative to the store. No link is followed.
fn places(store: &Path, row: &str) -> Vec<PathBuf> {
    let mut places = vec![PathBuf::new()];
    for part in row.split('/') {
        places = match part.strip_prefix('<') {
            None => places.into_iter().map(|place| place.join(part)).collect(),
            Some(_) => places.iter().flat_map(|place| children(store, place).into_iter().map(|name| place.join(name))).collect(),
        };
    }
    places
}

fn children(store: &Path, below: &Path) -> Vec<OsString> {
    let Ok(Some(dir)) = fs::enter(store, below, Absent::Leave) else { return Vec::new() };
    let names = fs::names(&dir, below).unwrap_or_default();
    names.into_iter().filter(|name| stat(&dir, name).is_some_and(|stat| is(&stat, FileType::Directory))).collect()
}

fn look(dir: &OwnedFd, name: &OsStr, path: &Path, closed: Closed, left: &mut usize, open: &mut Vec<PathBuf>) {
    let Some(stat) = stat(dir, name).filter(|_| *left > 0) else { return };
    *left -= 1;
    note(path, &stat, open);
    if closed == Closed::Deep
        && is(&stat, FileType::Directory)
        && let Ok(Some(inner)) = fs::step(dir, name)
    {
        for name in fs::names(&inner, path).unwrap_or_default() {
            look(&inner, &name, &path.join(&name), closed, left, open);
        }
    }
}

fn note(path: &Path, stat: &Stat, open: &mut Vec<PathBuf>) {
    if !is(stat, FileType::Symlink) && stat.st_mode & 0o077 != 0 {
        open.push(path.to_owned());
    }
}

fn stat(dir: &OwnedFd, name: &OsStr) -> Option<Stat> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()
}

fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

/// Takes from others what they may do; returns how many paths that was.
pub fn close(store: &Path, paths: &[PathBuf]) -> usize {
    paths.iter().filter(|path| close_one(store, path).is_some()).count()
}

fn close_one(store: &Path, path: &Path) -> Option<()> {
    let mode = |stat: &Stat| stat.st_mode & 0o7700;
    let below = path.strip_prefix(store).ok()?;
    let Some(name) = below.file_name() else {
        let dir = fs::enter(store, Path::new(""), Absent::Leave).ok()??;
        return rustix::fs::fchmod(&dir, rustix::fs::Mode::from_raw_mode(mode(&rustix::fs::fstat(&dir).ok()?) as _)).ok();
    };
    let dir = fs::enter(store, below.parent()?, Absent::Leave).ok()??;
    shape::set_mode(&dir, name, mode(&stat(&dir, name)?)).ok()
}

/// Returns the directories of a tool's state that containers can break, each with the directory above it that they cannot.
fn shapes(store: &Store, tool: &Tool) -> Vec<(PathBuf, PathBuf)> {
    let Some(state) = &tool.manifest.state else { return Vec::new() };
    let root = store.tool(&tool.name);
    let login = state.login.at.strip_prefix(SHARED).unwrap_or_default().trim_start_matches('/');
    let mut shapes = vec![(root.clone(), Path::new("shared").join(login))];
    for project in children(&root, Path::new("projects")) {
        let partition = root.join("projects").join(project);
        shapes.extend(state.private.iter().map(|path| (partition.clone(), Path::new("home").join(path))));
        shapes.push((partition, "home".into()));
    }
    shapes
}

/// Returns what stands where a directory of a tool's state must be, and what it is.
pub fn broken(host: &Host, tools: &[Tool]) -> Vec<(PathBuf, &'static str)> {
    let mut broken: Vec<_> =
        tools.iter().flat_map(|tool| shapes(&host.store, tool)).filter_map(|(root, below)| shape::wrong(&root, &below)).collect();
    broken.sort_unstable();
    broken.dedup();
    broken
}

/// Sets aside what is broken of a tool's state, and makes it anew.
pub fn mend(host: &Host, tool: &Tool) -> io::Result<Vec<Aside>> {
    let aside = host.store.aside();
    let mut shaper = Shaper::new(&aside);
    for (root, below) in shapes(&host.store, tool) {
        if shape::wrong(&root, &below).is_some() {
            shaper.directory(&root, &below)?;
        }
    }
    Ok(shaper.found)
}

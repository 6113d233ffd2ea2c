//! Puts back and sets aside, in directories that a container writes: by descriptor, never through a link, never over what was not
//! looked at. Whoever writes a file that is taken away may not be done with it: it is handed out, open.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode as Perm, RenameFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::core::control::{ControlPath, Trace, unescaped};
use crate::core::sync::Hash;
use crate::host::control::ground::{Ground, LARGEST, kind_at, open_file, trace};
use crate::host::control::shelf::ControlShelf;
use crate::host::fs::Absent;
use crate::host::fs::slot::{Swap, slot};

/// Names of what was moved out of the way and could not be kept in the store.
pub const ASIDE: &str = ".ai-set-aside-";

/// What is to stand at a path.
#[derive(Clone, Copy, Debug)]
pub enum Wish<'a> {
    Nothing,
    File { bytes: &'a [u8], executable: bool },
    Link { to: &'a str },
}

/// Makes `wish` stand at a path where `now` stands. The value is what stood there, if it was a file and is there no more.
///
/// # Errors
/// [`io::ErrorKind::ResourceBusy`] where something else stands there meanwhile, which is to be looked at; others where a directory cannot
/// be written.
pub fn make(ground: &Ground, path: &ControlPath, now: Option<&Trace>, wish: Wish, shelf: &ControlShelf) -> io::Result<Option<OwnedFd>> {
    let (Some(name), Some(parent)) = (path.below.file_name(), path.below.parent()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    if let (Wish::File { bytes, executable }, Some(Trace::File { hash, .. })) = (wish, now)
        && let Some(swapped) = swap(ground, &path.below, bytes, executable, hash)?
    {
        return Ok(swapped);
    }
    let dir = match ground.enter(parent) {
        Some(dir) => dir,
        None if matches!(wish, Wish::Nothing) => return Ok(None),
        None => return write_new(ground, &path.below, wish).map(|()| None),
    };
    open_up(&dir);
    let taken = if now.is_some() { take_away(&dir, name, shelf)? } else { None };
    if !matches!(wish, Wish::Nothing) {
        write_new(ground, &path.below, wish)?;
    }
    Ok(taken)
}

/// Replaces a file that still has the content that was looked at, never leaving its place empty. `None` where there is another way for
/// it; else the file that was replaced, if it could be opened.
fn swap(ground: &Ground, below: &Path, bytes: &[u8], executable: bool, expected: &str) -> io::Result<Option<Option<OwnedFd>>> {
    let Some(slot) = slot(&ground.path, below, Absent::Leave)? else { return Ok(None) };
    let perm = perm(slot.perm(), executable);
    let file = place(ground, below).and_then(|(dir, name)| open_file(&dir, name));
    match slot.put(bytes, perm, Some(&Hash(expected.into())), LARGEST) {
        Ok(Swap::Done) => Ok(Some(file)),
        // Git has written more meanwhile, say, and that is not to go with what was looked at.
        Ok(Swap::Overtaken) if !holds(ground, below, expected) => Err(io::ErrorKind::ResourceBusy.into()),
        // Another name of the file, say.
        Ok(Swap::Overtaken) | Err(_) => Ok(None),
    }
}

/// Opens the directory of a path.
fn place<'a>(ground: &Ground, below: &'a Path) -> Option<(OwnedFd, &'a OsStr)> {
    Some((ground.enter(below.parent()?)?, below.file_name()?))
}

/// Whether a file has this content, by whatever names it is known.
fn holds(ground: &Ground, below: &Path, expected: &str) -> bool {
    let found = place(ground, below).and_then(|(dir, name)| trace(&dir, name));
    found.is_some_and(|(found, _)| matches!(found, Trace::File { hash, .. } if hash == expected))
}

fn write_new(ground: &Ground, below: &Path, wish: Wish) -> io::Result<()> {
    let Some(slot) = slot(&ground.path, below, Absent::Make)? else { return Err(io::ErrorKind::NotFound.into()) };
    match wish {
        Wish::Nothing => Ok(()),
        Wish::File { bytes, executable } => match slot.put(bytes, perm(None, executable), None, LARGEST)? {
            Swap::Done => Ok(()),
            Swap::Overtaken => Err(io::ErrorKind::AlreadyExists.into()),
        },
        Wish::Link { to } => {
            let parent = ground.enter(below.parent().unwrap_or(Path::new(""))).ok_or(io::ErrorKind::NotFound)?;
            let target = OsString::from_vec(unescaped(to).ok_or(io::ErrorKind::InvalidData)?);
            let name = below.file_name().unwrap_or_default();
            Ok(retry_on_intr(|| rustix::fs::symlinkat(&target, &parent, name))?)
        }
    }
}

/// Returns as the file was open to others, or as git makes a new one; with or without the right to run it.
fn perm(now: Option<u32>, executable: bool) -> u32 {
    let perm = now.map_or(0o644, |perm| perm & 0o666 | 0o600);
    if executable { perm | (perm & 0o444) >> 2 } else { perm }
}

/// Whoever took our right to write a directory of our own gives it back.
fn open_up(dir: &OwnedFd) {
    if let Ok(stat) = rustix::fs::fstat(dir)
        && stat.st_mode & 0o300 != 0o300
    {
        // The writing that follows says what is wrong.
        let _ = rustix::fs::fchmod(dir, Perm::from_raw_mode(stat.st_mode & 0o7777 | 0o700));
    }
}

/// Takes away what stands at a name: its content goes to the store, or it stays beside under a name that nobody runs. The value is the
/// file that has no name any more.
fn take_away(dir: &OwnedFd, name: &OsStr, shelf: &ControlShelf) -> io::Result<Option<OwnedFd>> {
    let aside = aside_name()?;
    match retry_on_intr(|| rustix::fs::renameat_with(dir, name, dir, &aside, RenameFlags::NOREPLACE)) {
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => retry_on_intr(|| rustix::fs::renameat(dir, name, dir, &aside))?,
        renamed => renamed?,
    }
    let file = open_file(dir, &aside);
    match (kind_at(dir, &aside), trace(dir, &aside)) {
        (_, Some((Trace::File { hash, .. }, bytes))) => shelf.keep(&hash, &bytes)?,
        // Nothing is in a link or a pipe.
        (Some(FileType::Symlink | FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice), _) => {}
        _ => return Ok(None),
    }
    match retry_on_intr(|| rustix::fs::unlinkat(dir, &aside, AtFlags::empty())) {
        Err(Errno::NOENT) => Ok(file),
        unlinked => Ok(unlinked.map(|()| file)?),
    }
}

fn aside_name() -> io::Result<OsString> {
    let session = crate::host::fresh_session().map_err(|failure| io::Error::other(failure.message))?;
    Ok(OsStr::from_bytes(format!("{ASIDE}{session}").as_bytes()).to_owned())
}

/// Returns the slot of a path, for whoever writes it on the person's word.
pub fn exists(ground: &Ground, path: &ControlPath) -> Option<Trace> {
    let (dir, name) = place(ground, &path.below)?;
    trace(&dir, name).map(|(trace, _)| trace)
}

/// Returns the content of a file, if it is one.
pub fn content(ground: &Ground, path: &ControlPath) -> Option<Vec<u8>> {
    let (dir, name) = place(ground, &path.below)?;
    trace(&dir, name).filter(|(trace, _)| matches!(trace, Trace::File { .. })).map(|(_, bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::text::digest::sha256;
    use crate::host::fs::own;

    // BO-12: git writes the next setting while the one before is taken out.
    #[test]
    fn what_was_written_since_it_was_looked_at_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let (ground, _) = Ground::open(directory.path()).unwrap();
        let (below, file) = (Path::new("config"), directory.path().join("config"));
        own::overwrite(&file, "looked at").unwrap();
        let expected = sha256(b"looked at");
        assert!(swap(&ground, below, b"without", false, &expected).unwrap().is_some());
        assert_eq!(own::read_text(&file).unwrap(), "without");
        own::overwrite(&file, "more since").unwrap();
        let error = swap(&ground, below, b"without", false, &expected).unwrap_err();
        assert_eq!((error.kind(), own::read_text(&file).unwrap()), (io::ErrorKind::ResourceBusy, "more since".to_owned()));
        // Another name of the file is no other content: there is another way for that.
        rustix::fs::linkat(rustix::fs::CWD, &file, rustix::fs::CWD, directory.path().join("other"), AtFlags::empty()).unwrap();
        assert!(swap(&ground, below, b"without", false, &sha256(b"more since")).unwrap().is_none());
        assert_eq!(own::read_text(&file).unwrap(), "more since");
    }
}

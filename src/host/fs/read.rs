//! Reading a file that somebody hostile may have put there, or somebody else is writing.

use std::ffi::OsStr;

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode as Perm, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use crate::core::sync::{Mode, Reading, Refusal};
use crate::host::fs::{Trust, pause};

/// How often a file that changes under us is read again.
const ATTEMPTS: usize = 4;

/// Reads a regular file, whole and at rest.
pub fn read(dir: &OwnedFd, name: &OsStr, limit: u64, trust: Trust) -> Result<Reading, Errno> {
    let (at, follow) = match trust {
        Trust::Host => (AtFlags::empty(), OFlags::empty()),
        Trust::State | Trust::Login => (AtFlags::SYMLINK_NOFOLLOW, OFlags::NOFOLLOW),
    };
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            pause();
        }
        // Looked at before it is opened, for opening a pipe or a device is an act.
        let before = match retry_on_intr(|| rustix::fs::statat(dir, name, at)) {
            Err(Errno::NOENT) if trust == Trust::Host && is_link(dir, name) => {
                return Ok(Reading::Refused(Refusal::Link));
            }
            Err(error) => return unreadable(error),
            Ok(stat) => stat,
        };
        if let Some(why) = unfit(&before, limit, trust) {
            return Ok(Reading::Refused(why));
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | follow;
        let file = match retry_on_intr(|| rustix::fs::openat(dir, name, flags, Perm::empty())) {
            Err(error) => return unreadable(error),
            Ok(file) => file,
        };
        if let Some(reading) = read_once(&file, &before, limit, trust)? {
            return Ok(reading);
        }
    }
    Ok(Reading::Refused(Refusal::Moving))
}

/// Reads a regular file that is open, whole and at rest, from its beginning. It may have no name any more.
pub fn read_open(file: &OwnedFd, limit: u64, trust: Trust) -> Result<Reading, Errno> {
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            pause();
        }
        if let Some(reading) = read_once(file, &rustix::fs::fstat(file)?, limit, trust)? {
            return Ok(reading);
        }
    }
    Ok(Reading::Refused(Refusal::Moving))
}

/// Reads an open file; `None` where it is not what `before` says, or changes meanwhile.
fn read_once(file: &OwnedFd, before: &Stat, limit: u64, trust: Trust) -> Result<Option<Reading>, Errno> {
    // What was opened may be another file than what was looked at, or the same and grown.
    let opened = rustix::fs::fstat(file)?;
    if let Some(why) = unfit(&opened, limit, trust) {
        return Ok(Some(Reading::Refused(why)));
    }
    let bytes = read_all(file, usize::try_from(opened.st_size).unwrap_or(0))?;
    let after = rustix::fs::fstat(file)?;
    let at_rest = at_rest(before, &opened) && at_rest(&opened, &after);
    if !at_rest || u64::try_from(after.st_size) != Ok(bytes.len() as u64) {
        return Ok(None);
    }
    let mode = if after.st_mode & 0o100 == 0 { Mode::Plain } else { Mode::Executable };
    Ok(Some(Reading::File { bytes, mode }))
}

fn unreadable(error: Errno) -> Result<Reading, Errno> {
    match error {
        Errno::NOENT => Ok(Reading::Absent),
        Errno::LOOP => Ok(Reading::Refused(Refusal::Link)),
        Errno::NXIO | Errno::NOTDIR => Ok(Reading::Refused(Refusal::NotAFile)),
        Errno::ACCESS | Errno::PERM => Ok(Reading::Refused(Refusal::Unreadable)),
        other => Err(other),
    }
}

pub fn is_link(dir: &OwnedFd, name: &OsStr) -> bool {
    let stat = retry_on_intr(|| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW));
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

/// Returns why what is open, or would be, is nothing to read from or to add to.
pub(super) fn unfit(stat: &Stat, limit: u64, trust: Trust) -> Option<Refusal> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Some(Refusal::Link),
        _ => return Some(Refusal::NotAFile),
    }
    let too_big = u64::try_from(stat.st_size).is_ok_and(|size| size > limit);
    match trust {
        _ if stat.st_mode & 0o6000 != 0 => Some(Refusal::SetId),
        Trust::State if stat.st_nlink > 1 => Some(Refusal::HardLink),
        _ if too_big => Some(Refusal::TooBig),
        _ => None,
    }
}

/// The change time cannot be set, so equal ones mean equal contents while we hold the file open.
fn at_rest(one: &Stat, two: &Stat) -> bool {
    let key = |stat: &Stat| (stat.st_dev, stat.st_ino, stat.st_size, stat.st_ctime, stat.st_ctime_nsec);
    key(one) == key(two)
}

/// Returns the content, and one byte more if it grew.
fn read_all(file: &OwnedFd, size: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; size + 1];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let count = retry_on_intr(|| rustix::io::pread(file, &mut *rest, filled as u64))?;
        if count == 0 {
            break;
        }
        filled += count;
    }
    bytes.truncate(filled);
    Ok(bytes)
}

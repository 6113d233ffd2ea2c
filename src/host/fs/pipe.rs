//! Named pipes of ours, through which a host and a container speak. Whoever opens one waits for nobody.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::retry_on_intr;

use crate::host::machine::deadline::Deadline;

/// Makes a pipe for the person alone.
#[cfg(target_os = "linux")]
pub fn make(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::mkfifoat(rustix::fs::CWD, path, Mode::RUSR | Mode::WUSR)?)
}

#[cfg(not(target_os = "linux"))]
pub fn make(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Opens the end that speaks.
///
/// # Errors
/// Where nobody listens.
pub fn to_tell(path: &Path) -> io::Result<File> {
    open(path, OFlags::WRONLY)
}

/// Opens the end that listens.
pub fn to_hear(path: &Path) -> io::Result<File> {
    open(path, OFlags::RDONLY)
}

fn open(path: &Path, way: OFlags) -> io::Result<File> {
    let flags = way | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?.into())
}

/// Waits until a descriptor has something to say or can be told something; false if it does not in time.
pub fn wait(fd: &impl AsFd, what: PollFlags, deadline: &Deadline) -> io::Result<bool> {
    let time = Timespec::try_from(deadline.left()).map_err(io::Error::other)?;
    let mut ready = [PollFd::new(fd, what)];
    Ok(retry_on_intr(|| poll(&mut ready, Some(&time)))? > 0)
}

/// Says all of it, as long as somebody listens in time.
pub fn tell(pipe: &mut File, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    let deadline = Deadline::after(patience);
    while !bytes.is_empty() {
        match pipe.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !wait(pipe, PollFlags::OUT, &deadline)? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Hears until whoever speaks has closed their end, or `most` bytes are there.
pub fn hear(pipe: &mut File, most: usize, patience: Duration) -> io::Result<Vec<u8>> {
    let deadline = Deadline::after(patience);
    let mut heard = Vec::new();
    let mut piece = [0; 16 << 10];
    while heard.len() <= most {
        match pipe.read(&mut piece) {
            Ok(0) => return Ok(heard),
            Ok(count) => heard.extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !wait(pipe, PollFlags::IN, &deadline)? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::FileTooLarge.into())
}

/// Returns what was said so far, without waiting for more.
pub fn said(pipe: &mut File, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    let count = retry_on_intr(|| rustix::io::read(&*pipe, &mut bytes)).unwrap_or(0);
    bytes.truncate(count);
    bytes
}

//! What is at a path that the person named.

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};

use crate::core::admit::path::{BrokenLink, Looked, PathKind, SYSTEM_AUTHORITIES, Thing};
use crate::core::admit::publish::{Protocol, Publish};
use crate::core::guard::inside;
use crate::host::fs::look::Look;
use crate::host::fs::{self, Absent, own};

/// Looks at a path: where it leads, and what is there.
pub fn look(path: PathBuf) -> Looked {
    let found = path.resolved().ok().and_then(|real| {
        let kind = match real.look_at_link().ok()?.file_type() {
            kind if kind.is_dir() => PathKind::Directory,
            kind if kind.is_file() => PathKind::File,
            _ => PathKind::Special,
        };
        Some(Thing { real, kind })
    });
    let broken = if found.is_none() { broken_link(&path) } else { None };
    Looked { path, found, broken }
}

/// Most links that are followed for one path, as path_resolution(7) has it.
const MOST_LINKS: usize = 40;

/// Returns where the link at a path, or on the way to it, leads in the end, given that nothing is there.
fn broken_link(path: &Path) -> Option<BrokenLink> {
    let mut at = path.ancestors().find(|path| path.look_at_link().is_ok())?.to_owned();
    let begin = at.clone();
    for _ in 0..MOST_LINKS {
        match at.link_target() {
            Ok(target) => at = at.parent()?.join(target),
            Err(_) => return (at != begin).then_some(BrokenLink::To(at)),
        }
    }
    Some(BrokenLink::Circle)
}

/// Returns whether a program can be run in a container of any Linux image.
pub fn runs_anywhere(program: &Path) -> bool {
    let mut head = Vec::new();
    let read = own::open(program).and_then(|file| file.take(inside::HEAD as u64).read_to_end(&mut head));
    read.is_ok() && inside::is_static(&head)
}

/// Returns the bundle of this system, if its administrator added authorities of their own.
pub fn system_authorities() -> Option<PathBuf> {
    let has_own = |directory: &str| own::entries(directory).is_ok_and(|mut entries| entries.next().is_some());
    let (_, bundle) = SYSTEM_AUTHORITIES.iter().find(|(own, bundle)| has_own(own) && Path::new(bundle).leads_to_file())?;
    Some(PathBuf::from(bundle))
}

/// Whether the host's side of a port can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortState {
    Free,
    /// Somebody listens there already.
    Taken,
    /// The address is none of this machine.
    Elsewhere,
}

/// Looks at the host's side of a port. What only the engine may do, such as ports below 1024, is left to it.
pub fn port(port: &Publish) -> PortState {
    let address = (port.address, port.host);
    let bound = match port.protocol {
        Protocol::Tcp => TcpListener::bind(address).map(drop),
        Protocol::Udp => UdpSocket::bind(address).map(drop),
    };
    match bound.map_err(|error| error.kind()) {
        Err(ErrorKind::AddrInUse) => PortState::Taken,
        Err(ErrorKind::AddrNotAvailable) => PortState::Elsewhere,
        _ => PortState::Free,
    }
}

/// Returns the files directly in a directory of the system, sorted.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = own::entries(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.leads_to_file()).collect();
    files.sort_unstable();
    files
}

/// Returns device and inode of a directory, as `stat -c %d:%i` prints them. One above the working directory is reached from there, so
/// that it is the one in which the person stands, whatever has its name by now; any other without following a link in any component.
pub fn identity(path: &Path, cwd: &Path) -> Option<String> {
    let directory = match cwd.strip_prefix(path) {
        Ok(below) => below.components().try_fold(open(rustix::fs::CWD, ".")?, |directory, _| open(&directory, ".."))?,
        Err(_) => fs::enter(Path::new("/"), path.strip_prefix("/").ok()?, Absent::Leave).ok()??,
    };
    let found = rustix::fs::fstat(&directory).ok()?;
    Some(format!("{}:{}", found.st_dev, found.st_ino))
}

fn open(from: impl AsFd, name: &str) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(from, name, flags, Mode::empty()).ok()
}

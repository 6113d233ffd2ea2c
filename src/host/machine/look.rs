//! What is at a path that the person named.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use crate::core::admit::path::{Looked, PathKind, SYSTEM_AUTHORITIES, Thing};
use crate::core::admit::publish::{Protocol, Publish};

/// Looks at a path: where it leads, and what is there.
pub fn look(path: PathBuf) -> Looked {
    let found = path.canonicalize().ok().and_then(|real| {
        let kind = match real.symlink_metadata().ok()?.file_type() {
            kind if kind.is_dir() => PathKind::Directory,
            kind if kind.is_file() => PathKind::File,
            _ => PathKind::Special,
        };
        Some(Thing { real, kind })
    });
    Looked { path, found }
}

/// The bundle of this system, if its administrator added authorities of their own.
pub fn system_authorities() -> Option<PathBuf> {
    let has_own = |directory: &str| fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    let (_, bundle) = SYSTEM_AUTHORITIES.iter().find(|(own, bundle)| has_own(own) && Path::new(bundle).is_file())?;
    Some(PathBuf::from(bundle))
}

/// Returns whether somebody listens on the host's side of a port already.
pub fn is_taken(port: &Publish) -> bool {
    let address = (port.address, port.host);
    let bound = match port.protocol {
        Protocol::Tcp => TcpListener::bind(address).map(drop),
        Protocol::Udp => UdpSocket::bind(address).map(drop),
    };
    bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// Returns the files directly in a directory of the system, sorted.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort_unstable();
    files
}

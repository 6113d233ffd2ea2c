//! Sockets that containers connect to, and the file that says that their server lives.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::fd::AsRawFd;
use rustix::fs::{Mode, OFlags};

use crate::host::fs::own;

/// Makes a directory of sockets, which everybody may enter who gets there.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(path)?;
    own::set_mode(path, 0o755)
}

/// Binds a socket by the directory's descriptor: a path of any length does.
pub fn bind(directory: &Path, name: &str) -> io::Result<UnixListener> {
    let opened = rustix::fs::open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let path = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(name);
    let listener = UnixListener::bind(&path)?;
    own::set_mode(&path, 0o666)?;
    Ok(listener)
}

/// Returns the name of the program that listens at a socket; `None` where it cannot be known.
#[cfg(target_os = "linux")]
pub fn listener(path: &Path) -> Option<String> {
    let stream = UnixStream::connect(path).ok()?;
    let pid = rustix::net::sockopt::socket_peercred(&stream).ok()?.pid.as_raw_pid();
    own::read_text(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

#[cfg(not(target_os = "linux"))]
pub fn listener(_: &Path) -> Option<String> {
    None
}

/// Opens a file to lock it, and makes it if it is not there.
pub fn open_lock(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).mode(0o600).open(path)
}

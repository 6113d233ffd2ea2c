//! A directory that a container can write to, entered without following any link in it.
//!
//! A tool could put a link to `~/.ssh` where its login was: no name below the root is ever resolved through one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

/// No credential file comes near this size.
const LARGEST: u64 = 4 << 20;

/// An open directory.
#[derive(Debug)]
pub struct Dir(OwnedFd);

impl Dir {
    /// Opens `below` under `root`; `None` where it is not there. `root` itself may be reached through links: it is ours.
    pub fn enter(root: &Path, below: &Path) -> io::Result<Option<Self>> {
        let open = |name: &Path, at: Option<&OwnedFd>| {
            let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | if at.is_some() { OFlags::NOFOLLOW } else { OFlags::empty() };
            match at {
                Some(at) => rustix::fs::openat(at, name, flags, Mode::empty()),
                None => rustix::fs::open(name, flags, Mode::empty()),
            }
        };
        let found = |result: rustix::io::Result<OwnedFd>| match result {
            Ok(fd) => Ok(Some(fd)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(io::Error::from(error)),
        };
        let Some(mut fd) = found(open(root, None))? else { return Ok(None) };
        for component in below.components() {
            let Component::Normal(name) = component else { return Err(io::ErrorKind::InvalidInput.into()) };
            let Some(next) = found(open(Path::new(name), Some(&fd)))? else { return Ok(None) };
            fd = next;
        }
        Ok(Some(Self(fd)))
    }

    /// The content of a regular file and its permission bits; `None` if there is none. Links, FIFOs and devices are errors.
    pub fn read(&self, name: &str) -> io::Result<Option<(Vec<u8>, u32)>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_size.cast_unsigned() > LARGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no regular file of at most 4 MiB"));
        }
        let mut bytes = Vec::new();
        File::from(fd).take(LARGEST).read_to_end(&mut bytes)?;
        Ok(Some((bytes, stat.st_mode & 0o7777)))
    }

    /// Replaces a file as a whole, mode 0600.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = format!(".ai-new-{name}");
        self.remove(&temporary)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.0, &temporary, flags, Mode::from_raw_mode(0o600))?);
        file.write_all(content)?;
        file.sync_all()?;
        rustix::fs::renameat(&self.0, &temporary, &self.0, name)?;
        Ok(rustix::fs::fsync(&self.0)?)
    }

    /// Removes a file or link; one that is not there is removed already.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it, sorted.
    pub fn names(&self) -> io::Result<Vec<std::ffi::OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

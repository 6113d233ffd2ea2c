//! What stands at a path, asked of the kernel without opening it: no pipe, device or size matters, and nothing is waited for. What was
//! seen may be something else by the time it is used, so whoever reads or writes where containers write goes by descriptor.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

/// Questions about a path that open nothing.
pub trait Look {
    /// Whether anything is there, at the end of all links.
    fn is_there(&self) -> bool;
    /// Whether a directory is there, at the end of all links.
    fn leads_to_directory(&self) -> bool;
    /// Whether a plain file is there, at the end of all links.
    fn leads_to_file(&self) -> bool;
    /// Returns what is at the end of all links.
    fn look(&self) -> io::Result<Metadata>;
    /// Returns what is there, a link as itself.
    fn look_at_link(&self) -> io::Result<Metadata>;
    /// Returns the path with all links resolved.
    fn resolved(&self) -> io::Result<PathBuf>;
    /// Returns where the link leads.
    fn link_target(&self) -> io::Result<PathBuf>;
}

impl Look for Path {
    fn is_there(&self) -> bool {
        self.exists()
    }

    fn leads_to_directory(&self) -> bool {
        self.is_dir()
    }

    fn leads_to_file(&self) -> bool {
        self.is_file()
    }

    fn look(&self) -> io::Result<Metadata> {
        self.metadata()
    }

    fn look_at_link(&self) -> io::Result<Metadata> {
        self.symlink_metadata()
    }

    fn resolved(&self) -> io::Result<PathBuf> {
        self.canonicalize()
    }

    fn link_target(&self) -> io::Result<PathBuf> {
        self.read_link()
    }
}

//! The message of a commit in a file: for git, for an editor, and for a second try.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::store::Store;
use crate::core::sync::Reading;
use crate::host::fs::slot::slot;
use crate::host::fs::{Absent, Trust, files};

/// Largest message that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A message in a file that goes away with this value.
#[derive(Debug)]
pub struct Draft {
    path: TempPath,
}

impl Draft {
    pub fn new(message: &str) -> Result<Self> {
        let failed = |error: std::io::Error| Failure::new(Kind::General, "cannot write the message").because(error);
        let mut file = tempfile::Builder::new().prefix("ai-commit-").suffix(".txt").tempfile().map_err(failed)?;
        file.write_all(message.as_bytes())
            .and_then(|()| if message.ends_with('\n') { Ok(()) } else { file.write_all(b"\n") })
            .map_err(failed)?;
        Ok(Self { path: file.into_temp_path() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what the file says now.
    pub fn read(&self) -> String {
        text_of(&self.path).unwrap_or_default()
    }

    /// Keeps the message in the store, for a commit that was not made.
    pub fn keep(&self, store: &Store) -> Result<PathBuf> {
        let path = store.commit_message();
        let failed = |error: std::io::Error| Failure::new(Kind::General, "cannot keep the message").because(error);
        files::private_dir(store.root()).map_err(failed)?;
        files::write_private(&path, self.read().as_bytes()).map_err(failed)?;
        Ok(path)
    }
}

/// Returns the text of a plain file of moderate size, which may be of a repository's making: no link is followed.
pub fn text_of(path: &Path) -> Option<String> {
    let (parent, name) = (path.parent()?, path.file_name()?);
    match slot(parent, Path::new(name), Absent::Leave).ok()??.read_as(Trust::Login, LARGEST).ok()? {
        Reading::File { bytes, .. } => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    }
}

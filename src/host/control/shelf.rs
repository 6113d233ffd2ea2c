//! The store's own side: record, ledger, contents. No container sees any of it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::core::control::record::{ControlLedger, ControlRecord};
use crate::core::store::Store;
use crate::core::text::digest::sha256;
use crate::host::control::ground;
use crate::host::fs::files::{private_dir, write_unsynced};
use crate::host::fs::lock::{self, Lock, LockError};
use crate::host::fs::look::Look;
use crate::host::fs::{self, Absent, own, slot};

/// Largest file of ours, in bytes.
const LARGEST: u64 = 64 << 20;

/// The record, by the name that the first stores gave it.
const RECORD: &str = "manifest.json";
const LEDGER: &str = "ledger.json";

/// What is kept for one project, with the right to change it.
pub struct ControlShelf {
    directory: PathBuf,
    _lock: Lock,
}

impl ControlShelf {
    /// Waits for the right to change what is kept.
    pub fn open(store: &Store, project: &str) -> Result<Self, LockError> {
        let directory = store.control(project);
        let lock = lock::acquire(&directory, lock::WAIT)?;
        Ok(Self { directory, _lock: lock })
    }

    /// `None` where there is none, or a loss of power left nothing of it.
    pub fn record(&self) -> Option<ControlRecord> {
        self.read(RECORD)
    }

    pub fn ledger(&self) -> ControlLedger {
        self.read(LEDGER).unwrap_or_default()
    }

    pub fn write_record(&self, record: &ControlRecord) -> std::io::Result<()> {
        self.write(RECORD, record)
    }

    pub fn write_ledger(&self, ledger: &ControlLedger) -> std::io::Result<()> {
        self.write(LEDGER, ledger)
    }

    pub fn forget_record(&self) -> std::io::Result<()> {
        self.delete(Path::new(RECORD))
    }

    pub fn forget_ledger(&self) -> std::io::Result<()> {
        self.delete(Path::new(LEDGER))
    }

    /// Keeps a content. One that is kept already is left alone.
    pub fn keep(&self, hash: &str, bytes: &[u8]) -> std::io::Result<()> {
        let path = self.directory.join("objects").join(hash);
        if path.leads_to_file() {
            return Ok(());
        }
        private_dir(&self.directory.join("objects"))?;
        write_unsynced(&path, bytes)
    }

    /// Returns a content, if it is there and is what its name says.
    pub fn content(&self, hash: &str) -> Option<Vec<u8>> {
        let bytes = self.bytes(&Path::new("objects").join(hash))?;
        (sha256(&bytes) == hash).then_some(bytes)
    }

    /// Forgets contents that neither the record nor the ledger names.
    pub fn tidy(&self, wanted: &BTreeSet<&str>) -> std::io::Result<()> {
        self.unwanted(wanted, u64::MAX)?.iter().try_for_each(|name| self.delete(&Path::new("objects").join(name)))
    }

    /// Returns the names of contents that are not among those that are wanted, and were kept before `until`.
    pub fn unwanted(&self, wanted: &BTreeSet<&str>, until: u64) -> std::io::Result<Vec<OsString>> {
        let Some(objects) = fs::enter(&self.directory, Path::new("objects"), Absent::Leave)? else { return Ok(Vec::new()) };
        let mut names = fs::names(&objects, &self.directory.join("objects"))?;
        names.retain(|name| !name.to_str().is_some_and(|name| wanted.contains(name)));
        names.retain(|name| until == u64::MAX || ground::changed_at(&objects, name) < until);
        Ok(names)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&self.bytes(Path::new(name))?).ok()
    }

    fn bytes(&self, below: &Path) -> Option<Vec<u8>> {
        use crate::core::sync::Reading;
        match slot::slot(&self.directory, below, Absent::Leave).ok()??.read(LARGEST) {
            Ok(Reading::File { bytes, .. }) => Some(bytes),
            _ => None,
        }
    }

    fn write(&self, name: &str, value: &impl Serialize) -> std::io::Result<()> {
        write_unsynced(&self.directory.join(name), &serde_json::to_vec(value)?)
    }

    fn delete(&self, below: &Path) -> std::io::Result<()> {
        // Not flushed, as it was written: what a loss of power brings back is compared once more.
        match own::remove(self.directory.join(below)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

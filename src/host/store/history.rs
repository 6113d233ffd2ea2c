//! The person's configuration as it was before each change that we made, and a draft that is being edited.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::core::store::Store;
use crate::host::fs::files::{private_dir, read_own, write_private};
use crate::host::fs::own;
use crate::host::machine::rc;

/// Copies that are kept.
const MOST: usize = 50;

/// A copy, by its number; the next one has a higher.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    pub number: u32,
    /// When it was made, in seconds since 1970.
    pub seconds: u64,
    pub bytes: u64,
}

/// Returns the configuration as it is now.
pub fn current(store: &Store) -> io::Result<Option<String>> {
    read_own(&store.config())?.map(|(bytes, _)| text(bytes)).transpose()
}

/// Replaces the configuration, and keeps what it was. A link stays one.
pub fn replace(store: &Store, text: &str) -> io::Result<()> {
    private_dir(store.root())?;
    let now = rc::read(&store.config())?;
    if now.content.is_none() {
        return write_private(&store.config(), text.as_bytes());
    }
    rc::back_up(&now, &store.config_history())?;
    let kept = list(store);
    for old in &kept[..kept.len().saturating_sub(MOST)] {
        own::remove(place(store, old.number))?;
    }
    rc::write(&now, Some(text.as_bytes()))
}

/// Returns the copies, oldest first.
pub fn list(store: &Store) -> Vec<Kept> {
    let entries = own::entries(store.config_history()).into_iter().flatten().flatten();
    let mut kept: Vec<Kept> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("config.toml.")?.parse().ok()?;
            let found = entry.metadata().ok()?;
            let seconds = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs();
            Some(Kept { number, seconds, bytes: found.len() })
        })
        .collect();
    kept.sort_unstable_by_key(|kept| kept.number);
    kept
}

pub fn read(store: &Store, number: u32) -> io::Result<String> {
    read_own(&place(store, number))?.map_or_else(|| Err(ErrorKind::NotFound.into()), |(bytes, _)| text(bytes))
}

fn place(store: &Store, number: u32) -> PathBuf {
    store.config_history().join(format!("config.toml.{number}"))
}

/// Returns where the draft is.
pub fn draft(store: &Store) -> PathBuf {
    store.config_history().join("draft.toml")
}

pub fn read_draft(store: &Store) -> io::Result<Option<String>> {
    read_own(&draft(store))?.map(|(bytes, _)| text(bytes)).transpose()
}

pub fn write_draft(store: &Store, text: &str) -> io::Result<()> {
    private_dir(&store.config_history())?;
    write_private(&draft(store), text.as_bytes())
}

pub fn drop_draft(store: &Store) -> io::Result<()> {
    own::remove(draft(store))
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

//! The project's own file, and what the person agreed to: kept in the store, bound to the path and the text.

use std::io;
use std::path::{Path, PathBuf};

use crate::core::config::source::{ConfigStanding, ConfigText};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{ImageFiles, RecipeBases};
use crate::core::policy::trust::{FILE, seal};
use crate::core::store::Store;
use crate::core::sync::Reading;
use crate::core::text::digest::sha256;
use crate::host::Host;
use crate::host::fs::Absent;
use crate::host::fs::files::{private_dir, read_text, write_private};
use crate::host::fs::slot::slot;
use crate::host::made;
use crate::host::store::project::{identity, is_of_another};

/// Largest file of a project that is read, in bytes.
const LARGEST: u64 = 64 << 10;

impl Host {
    /// Returns the file of the project here with its standing: one read, whose bytes are both judged and used.
    ///
    /// # Errors
    /// Where it is there and is no regular text file of reasonable size: what it would tighten must not be passed over.
    pub fn project_file(&self) -> Result<Option<ConfigText>> {
        let Some(path) = self.project_file_path() else { return Ok(None) };
        let root = path.parent().unwrap_or(Path::new("/"));
        let cannot = |why: &str| {
            Failure::new(Kind::Config, format!("cannot use `{}`: {why}", path.display()))
                .hint("mend it, or leave it out: AI_PROJECT_FILE=no")
        };
        let reading =
            slot(root, Path::new(FILE), Absent::Leave).and_then(|slot| slot.map_or(Ok(Reading::Absent), |slot| slot.read(LARGEST)));
        let bytes = match reading.map_err(|error| cannot(&error.to_string()))? {
            Reading::Absent => return Ok(None),
            Reading::File { bytes, .. } => bytes,
            Reading::Refused(why) => return Err(cannot(&why.to_string())),
        };
        let text = String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8"))?;
        let mut source =
            ConfigText { path: path.display().to_string(), text, standing: ConfigStanding::Asks, files: ImageFiles::default() };
        for recipe in source.recipes() {
            made::gather(&recipe, RecipeBases { root, home: None }, &mut source.files);
        }
        if is_agreed(&self.store, &path, &source) {
            source.standing = ConfigStanding::Agreed;
        }
        Ok(Some(source))
    }

    /// Returns where the project's file is, or would be.
    pub fn project_file_path(&self) -> Option<PathBuf> {
        Some(self.project_root()?.join(FILE))
    }
}

/// Whether the person agreed to this text with its files, in the directory that is there now: another one that took its place may hold
/// the same text.
fn is_agreed(store: &Store, path: &Path, source: &ConfigText) -> bool {
    let Some(record) = read_text(&record(store, &source.path)).ok().flatten() else { return false };
    let mut words = record.lines().next().unwrap_or_default().split(' ');
    let is_sealed = words.next() == Some(&seal(source));
    is_sealed && !words.next().is_some_and(|tree| is_of_another(tree, path.parent().unwrap_or(path)))
}

/// Returns the text that the person agreed to last, for showing what changed since.
pub fn agreed_text(store: &Store, path: &str) -> Option<String> {
    let record = read_text(&record(store, path)).ok().flatten()?;
    record.split_once('\n').map(|(_, text)| text.to_owned())
}

/// Remembers that the person agreed to this text.
pub fn agree(store: &Store, source: &ConfigText) -> io::Result<()> {
    private_dir(&store.trust())?;
    let record = record(store, &source.path);
    let tree = Path::new(&source.path).parent().and_then(identity).map_or_else(String::new, |tree| format!(" {}", tree.text()));
    write_private(&record, format!("{}{tree}\n{}", seal(source), source.text).as_bytes())
}

/// Forgets what the person agreed to.
pub fn revoke(store: &Store, path: &str) -> io::Result<bool> {
    let record = record(store, path);
    let was = matches!(read_text(&record), Ok(Some(text)) if !text.is_empty());
    if was {
        write_private(&record, b"")?;
    }
    Ok(was)
}

fn record(store: &Store, path: &str) -> PathBuf {
    store.trust().join(&sha256(path.as_bytes())[..16])
}

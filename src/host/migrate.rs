//! The old directories on disk: found, backed up, taken over in one transaction, and put back.
//!
//! Nothing is written where it counts before the journal is there as a whole. From then on, whoever comes next finishes.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::login::Login;
use crate::core::login::migrate::{File, FileWorth, MigrationStep, OLD_NAMES, OldLayout, is_token_file};
use crate::core::store::Store;
use crate::core::sync::toml;
use crate::core::text::digest::sha256;
use crate::host::Host;
use crate::host::fs::files::{private_dir, write_private};
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::fs::tree;

mod transaction;

pub use transaction::{finish, take_over, undo};

/// Larger files are not parsed; no settings are as large.
const PARSED: u64 = 4 << 20;

/// An old directory, or one old file at the top of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldDirectory {
    pub origin: OldLayout,
    pub path: PathBuf,
    /// What the paths of its files are relative to.
    pub root: PathBuf,
}

/// What was taken over, by path and hash; and that all of it was read back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Done {
    pub files: BTreeMap<PathBuf, String>,
    pub verified: bool,
}

fn area(store: &Store) -> PathBuf {
    store.root().join("migrate")
}

/// Returns the old directories that exist. `roots` are the projects that may hold one, by id.
pub fn sources(host: &Host, roots: &[(String, PathBuf)]) -> Vec<OldDirectory> {
    let is_there = |path: &Path| path.look_at_link().is_ok_and(|found| !found.is_symlink());
    let mut sources = Vec::new();
    if let Some(gemini) = host.home().map(|home| home.join(".docker-gemini-config")).filter(|path| is_there(path)) {
        sources.push(OldDirectory { origin: OldLayout::Gemini, root: gemini.clone(), path: gemini });
    }
    let store = host.store.root();
    for name in OLD_NAMES {
        for path in [store.join(name), store.join("global_state").join(name)] {
            if is_there(&path) {
                sources.push(OldDirectory { origin: OldLayout::Store, path, root: store.to_owned() });
            }
        }
    }
    for (id, root) in roots {
        for name in [".ai-state", ".gemini-state"] {
            let path = root.join(name);
            if is_there(&path) {
                sources.push(OldDirectory { origin: OldLayout::Project(id.clone(), name.into()), root: path.clone(), path });
            }
        }
    }
    sources
}

/// Returns every file of the sources, in a stable order.
pub fn scan(sources: &[OldDirectory]) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    for source in sources {
        for entry in tree::walk(&source.path)? {
            if entry.kind != tree::EntryKind::Directory {
                files.push(file(source, &entry)?);
            }
        }
    }
    Ok(files)
}

/// Returns the files of the sources that hold tokens, by path alone: an old directory may be as large as a history.
pub fn token_files(sources: &[OldDirectory]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for source in sources {
        let files = tree::walk(&source.path)?.into_iter().filter(|entry| entry.kind == tree::EntryKind::File);
        // `join` with nothing would add a slash to the path of a file.
        let paths = files.map(|entry| if entry.below.as_os_str().is_empty() { source.path.clone() } else { source.path.join(entry.below) });
        found.extend(paths.filter(|path| is_token_file(path)));
    }
    Ok(found)
}

fn file(source: &OldDirectory, entry: &tree::TreeEntry) -> io::Result<File> {
    let from = if entry.below.as_os_str().is_empty() { source.path.clone() } else { source.path.join(&entry.below) };
    let below = from.strip_prefix(&source.root).unwrap_or(&from).to_owned();
    let (worth, sha256) = if entry.kind == tree::EntryKind::File {
        worth(source, &entry.below, &below)?
    } else {
        (FileWorth::Special, format!("special {}", entry.mode))
    };
    Ok(File { origin: source.origin.clone(), from, below, worth, sha256, mode: entry.mode, modified: entry.modified })
}

fn worth(source: &OldDirectory, inner: &Path, below: &Path) -> io::Result<(FileWorth, String)> {
    let file = tree::open(&source.path, inner)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Ok((FileWorth::Special, "special".into()));
    }
    if found.len() > PARSED {
        return Ok((FileWorth::Good, tree::hash_open(file)?));
    }
    let mut bytes = Vec::new();
    file.take(PARSED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PARSED {
        return Ok((FileWorth::Special, "special".into()));
    }
    let extension = below.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let worth = if is_token_file(below) {
        let login = Login::read(&bytes);
        if login.is_good() { FileWorth::Login(login.expires) } else { FileWorth::Bad("it holds no login".into()) }
    } else if extension == "json" && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
        FileWorth::Bad("it is no valid JSON".into())
    } else if extension == "toml" && std::str::from_utf8(&bytes).ok().is_none_or(|text| toml::parse(text).is_err()) {
        FileWorth::Bad("it is no valid TOML".into())
    } else {
        FileWorth::Good
    };
    Ok((worth, sha256(&bytes)))
}

/// Returns what the store has at this place.
pub fn there(store: &Store, place: &Path) -> Option<File> {
    let source = OldDirectory { origin: OldLayout::Store, path: store.root().to_owned(), root: store.root().to_owned() };
    file(&source, &tree::look(store.root(), place).ok()?).ok()
}

pub fn done(store: &Store) -> Done {
    let text = own::read(area(store).join("done.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Whether a migration is past its commit and not finished.
pub fn is_committed(store: &Store) -> bool {
    area(store).join("journal.json").leads_to_file()
}

/// Whether everything in the sources was taken over and read back, and is still what it was.
pub fn is_verified(store: &Store, files: &[File]) -> bool {
    let done = done(store);
    done.verified && files.iter().all(|file| done.files.get(&file.from) == Some(&file.sha256))
}

/// Removes the sources. What they held is in the store, and in the backup of the migration.
pub fn remove(sources: &[OldDirectory]) -> io::Result<()> {
    for source in sources {
        if source.path.leads_to_directory() { own::remove_tree(&source.path)? } else { own::remove(&source.path)? }
    }
    Ok(())
}

/// Returns one line a step: what, from where, to where, why; never what is in it.
fn log(store: &Store, steps: &[MigrationStep]) -> io::Result<()> {
    use std::io::Write;
    let path = store.root().join("log/migrate.jsonl");
    path.parent().map_or(Ok(()), private_dir)?;
    let mut file = own::open_to_append(path)?;
    for step in steps {
        let line = serde_json::json!({ "at": super::now(), "step": step });
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    write_private(path, &serde_json::to_vec_pretty(value)?)
}

//! Where the places of a sync are on this machine, and how their files are reached.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::sync::journal::SyncScope;
use crate::core::sync::{Place, Site};
use crate::host::fs::slot::{self, Slot};
use crate::host::fs::{self, Absent, FileError, Trust};

/// A chain of links longer than this is a loop as far as we are concerned.
const LINKS: usize = 16;

/// The directories of one tool and project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    pub host_home: Option<PathBuf>,
    pub hub: PathBuf,
    pub project: PathBuf,
    /// The store, whose `sync/` is ours.
    pub store: PathBuf,
    pub tool: String,
    pub project_id: String,
}

impl Places {
    /// Returns what a journal must know to be finished by anybody.
    pub fn scope(&self) -> SyncScope {
        SyncScope {
            tool: self.tool.clone(),
            project_id: self.project_id.clone(),
            host_home: self.host_home.as_deref().map(spell),
            hub: spell(&self.hub),
            project: spell(&self.project),
        }
    }

    pub fn of(scope: &SyncScope, store: &Path) -> Places {
        Places {
            host_home: scope.host_home.as_deref().map(unspell),
            hub: unspell(&scope.hub),
            project: unspell(&scope.project),
            store: store.to_owned(),
            tool: scope.tool.clone(),
            project_id: scope.project_id.clone(),
        }
    }

    pub fn sync_dir(&self) -> PathBuf {
        self.store.join("sync")
    }

    pub fn root(&self, place: Place) -> Option<&Path> {
        match place {
            Place::Host => self.host_home.as_deref(),
            Place::Hub => Some(&self.hub),
            Place::Project => Some(&self.project),
        }
    }

    /// Returns when a file was last written, in seconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "a fact for people, read at the edge")]
    pub fn modified(&self, site: &Site) -> Option<u64> {
        let path = self.root(site.place)?.join(&site.path);
        let found = if trust(site.place) == Trust::State { path.symlink_metadata() } else { path.metadata() };
        let since = found.ok()?.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(since.as_secs())
    }

    /// Returns where a file is written; nothing if its place or directory is not there, or it leads out of it.
    pub fn slot(&self, site: &Site, absent: Absent) -> Result<Option<Slot>, FileError> {
        let (Some(root), true) = (self.root(site.place), is_below(&site.path)) else {
            return Ok(None);
        };
        if trust(site.place) == Trust::State {
            return slot::slot(root, Path::new(&site.path), absent);
        }
        let Some(path) = follow(root.join(&site.path)) else {
            return Ok(None);
        };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        let dir = match fs::enter_following(parent)? {
            None if absent == Absent::Make => fs::enter(parent, Path::new(""), Absent::Make)?,
            dir => dir,
        };
        Ok(dir.map(|dir| Slot::new(dir, name, path.clone())))
    }
}

pub fn trust(place: Place) -> Trust {
    match place {
        Place::Host => Trust::Host,
        Place::Hub | Place::Project => Trust::State,
    }
}

/// Returns a manifest's path that stays where it belongs.
pub fn is_below(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Returns the file behind a dotfile that may be a link to it: the link stays, the file is written.
#[expect(clippy::disallowed_methods, reason = "the host's links are facts, and this is the edge")]
fn follow(mut path: PathBuf) -> Option<PathBuf> {
    let mut linked = false;
    for _ in 0..LINKS {
        match std::fs::read_link(&path) {
            Ok(target) => path = path.parent()?.join(target),
            // A link that leads nowhere is left to whoever made it.
            Err(_) if linked && !path.exists() => return None,
            Err(_) => return Some(path),
        }
        linked = true;
    }
    None
}

/// Returns a path as text that gives the same path back, whatever bytes are in it.
fn spell(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        text.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02x}")));
    }
    text
}

fn unspell(text: &str) -> PathBuf {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.extend(u8::from_str_radix(code, 16));
        bytes.extend_from_slice(rest.as_bytes());
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_can_be_spelled() {
        let check = |bytes: &[u8], text: &str| {
            let path = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            assert_eq!((spell(&path).as_str(), unspell(text)), (text, path.clone()));
        };
        check(b"/home/a b", "/home/a b");
        check(b"/100%/\xff\n", "/100%25/%ff\n");
        check("/é%25".as_bytes(), "/é%2525");
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_none_of_ours() {
        let check = |path, expected| assert_eq!(is_below(path), expected, "{path}");
        check("settings.json", true);
        check("a/b.md", true);
        check("../x", false);
        check("a/../../x", false);
        check("/etc/passwd", false);
        check("", false);
    }
}

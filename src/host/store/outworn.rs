//! What was set aside, could not be read, or lost a conflict, and is too old to be missed. Containers can make much of it.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::core::store::Store;
use crate::host::fs::look::Look;
use crate::host::fs::own;

/// How long all of it is kept, in seconds, and how many bytes of what is older, the newest first.
const KEPT: u64 = 30 * 24 * 60 * 60;
const ROOM: u64 = 256 << 20;

/// How deep copies lie: tool, project, place, and the path of a file.
const DEEPEST: usize = 24;

/// Something that is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct KeptThing {
    pub path: PathBuf,
    pub bytes: u64,
    /// When it was put there, in seconds since 1970.
    since: u64,
}

/// Returns what is too old, beyond what there is room for.
pub fn outworn(store: &Store, now: u64) -> Vec<KeptThing> {
    let aside = store.aside();
    let quarantine = aside.parent().unwrap_or(&aside).to_owned();
    let whole = children(&aside).into_iter().map(|path| KeptThing { bytes: size(&path, DEEPEST), since: named_for(&path), path }).collect();
    let mut copies = Vec::new();
    let tools = children(&quarantine).into_iter().filter(|path| *path != aside && !path.ends_with("layout-1"));
    for directory in tools.chain(children(&quarantine.with_file_name("conflicts"))) {
        files(&directory, DEEPEST, &mut copies);
    }
    [whole, copies].into_iter().flat_map(|kept| beyond(kept, now)).collect()
}

/// Removes it.
pub fn remove(thing: &KeptThing) -> io::Result<()> {
    let is_directory = thing.path.look_at_link()?.is_dir();
    if is_directory { own::remove_tree(&thing.path) } else { own::remove(&thing.path) }
}

/// Returns what of some is old and has no room.
fn beyond(mut kept: Vec<KeptThing>, now: u64) -> Vec<KeptThing> {
    kept.sort_by_key(|thing| std::cmp::Reverse(thing.since));
    let mut left = ROOM;
    kept.retain(|thing| {
        let has_room = thing.bytes <= left;
        left = left.saturating_sub(thing.bytes);
        !has_room && thing.since.saturating_add(KEPT) < now
    });
    kept
}

/// Returns the time that the name of something set aside begins with: what it says of itself, a container wrote.
fn named_for(path: &Path) -> u64 {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('-').next().and_then(|time| time.parse().ok()).unwrap_or(0)
}

fn children(directory: &Path) -> Vec<PathBuf> {
    own::entries(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Returns the bytes of a file, or of all in a directory; no link is followed.
fn size(path: &Path, depth: usize) -> u64 {
    let Ok(metadata) = path.look_at_link() else { return 0 };
    let below = if metadata.is_dir() && depth > 0 { children(path) } else { Vec::new() };
    metadata.blocks() * 512 + below.iter().map(|path| size(path, depth - 1)).sum::<u64>()
}

fn files(path: &Path, depth: usize, found: &mut Vec<KeptThing>) {
    let Ok(metadata) = path.look_at_link() else { return };
    if metadata.is_dir() && depth > 0 {
        for path in children(path) {
            files(&path, depth - 1, found);
        }
    } else if metadata.is_file() {
        let since = u64::try_from(metadata.mtime()).unwrap_or(0);
        found.push(KeptThing { path: path.to_owned(), bytes: metadata.len(), since });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fs::files::private_dir;

    // BO-08
    #[test]
    fn what_is_old_goes_where_it_takes_more_than_its_room() {
        let thing = |name: &str, bytes, since| KeptThing { path: name.into(), bytes, since };
        let now = 10 * KEPT;
        let kept = vec![
            thing("old and large", ROOM, 1),
            thing("older and small", 1, 0),
            thing("of today, and huge", 9 * ROOM, now),
            thing("of today", 1, now),
        ];
        let gone: Vec<_> = beyond(kept, now).into_iter().map(|thing| thing.path).collect();
        assert_eq!(gone, [Path::new("old and large"), Path::new("older and small")], "what is new takes the room, and stays");
        assert!(beyond(vec![thing("old", ROOM, 1), thing("older", 0, 0)], now).is_empty());
    }

    #[test]
    fn only_what_was_put_aside_is_looked_at() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let write = |path: &str, size: u64| {
            let path = root.path().join(path);
            private_dir(path.parent().unwrap()).unwrap();
            own::create_new(&path).unwrap().set_len(size).unwrap();
        };
        // Nothing of them lies on the disk, but they are what their lengths say.
        for path in ["sync/conflicts/claude/p/project/settings.json/000001-ab", "sync/quarantine/gemini/p/hub/x/000001-cd"] {
            write(path, ROOM + 1);
        }
        write("sync/quarantine/layout-1/gh", ROOM + 1);
        write("sync/quarantine/aside/100-7-login/deep/file", 8);
        write("global_state/claude/hub/settings.json", ROOM + 1);
        let names = |now| outworn(&store, now).into_iter().map(|thing| thing.path.strip_prefix(root.path()).unwrap().display().to_string());
        let later = crate::host::now() + KEPT + 10;
        let mut found: Vec<_> = names(later).collect();
        found.sort();
        assert_eq!(found, ["sync/conflicts/claude/p/project/settings.json/000001-ab", "sync/quarantine/gemini/p/hub/x/000001-cd"]);
        assert_eq!(names(crate::host::now()).count(), 0, "nothing is old");
        for thing in outworn(&store, later) {
            remove(&thing).unwrap();
        }
        assert_eq!(names(later).count(), 0);
        let whole = KeptThing { path: store.aside().join("100-7-login"), bytes: 0, since: named_for(&store.aside().join("100-7-login")) };
        assert_eq!(whole.since, 100);
        remove(&whole).unwrap();
        assert!(children(&store.aside()).is_empty());
    }
}

//! Looks for the repositories that git's index names: `git status` goes into each, wherever in the work tree it is.

use std::ffi::OsStr;

use crate::core::control::ControlPath;
use crate::core::control::gitlinks::{GitLinks, gitlinks};
use crate::core::sync::Reading;
use crate::host::control::gather::Gathering;
use crate::host::control::search::git_entry;
use crate::host::fs::{Trust, read};

/// Largest index that is read, in bytes: some million files.
const LARGEST: u64 = 256 << 20;

/// Bytes of a hash, SHA-1 and SHA-256.
const HASHES: [usize; 2] = [20, 32];

/// Adds the repositories that the indexes of all work trees name, and those that theirs name.
pub fn other_trees(gathering: &mut Gathering) {
    let mut done = 0;
    while let Some((tree, directory)) = gathering.snapshot.trees.get(done).cloned() {
        done += 1;
        let Some(links) = read_index(gathering, &directory, "index") else { continue };
        let shared = links.shared.and_then(|name| read_index(gathering, &directory, &format!("sharedindex.{name}")));
        for path in links.paths.into_iter().chain(shared.unwrap_or_default().paths) {
            let at = tree.join(path);
            if gathering.snapshot.trees.iter().any(|(tree, _)| *tree == at) {
                continue;
            }
            if let Some(dir) = gathering.grounds.get(usize::from(at.anchor)).and_then(|ground| ground.enter(&at.below)) {
                git_entry(gathering, &at, &dir);
            }
        }
    }
}

/// Reads an index; `None` where there is none, or none that git can read.
fn read_index(gathering: &mut Gathering, directory: &ControlPath, name: &str) -> Option<GitLinks> {
    let ground = gathering.grounds.get(usize::from(directory.anchor))?;
    let dir = ground.enter(&directory.below)?;
    let found = match read::read(&dir, OsStr::new(name), LARGEST, Trust::Login) {
        Ok(Reading::Absent) | Err(_) => return None,
        // Settings say how long its hashes are. Where it can be read both ways, both count.
        Ok(Reading::File { bytes, .. }) => HASHES.iter().filter_map(|length| gitlinks(&bytes, *length).ok()).reduce(both),
        Ok(Reading::Refused(_)) => None,
    };
    // Git may read what we do not.
    gathering.snapshot.is_git_cut |= found.is_none();
    found
}

fn both(one: GitLinks, other: GitLinks) -> GitLinks {
    GitLinks { paths: [one.paths, other.paths].concat(), shared: one.shared.or(other.shared) }
}

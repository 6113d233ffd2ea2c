//! Directories that git's settings name, such as the person's hooks: copied whole, or not at all.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::core::identity::files::Delivery;
use crate::core::text::digest::hex;
use crate::host::fs::files::{private_dir, read_own, write};
use crate::host::fs::look::Look;
use crate::host::fs::own;

/// What a directory may consist of at most: files, bytes, and directories below one another.
const MOST_FILES: usize = 256;
const MOST_BYTES: usize = 4 << 20;
const DEEPEST: usize = 8;

/// A file of a directory: its path in there, content and permission bits.
type Copied = (PathBuf, Vec<u8>, u32);

/// Copies a directory of the person's, and adds what was read to `files`. `None` where it need not be there.
pub fn deliver(from: &Path, name: &'static str, to: &Path, files: &mut Vec<PathBuf>) -> io::Result<Option<Delivery>> {
    files.push(from.to_owned());
    let mut found = Vec::new();
    let copied = match gather(from, Path::new(""), 0, &mut found) {
        // Without hooks, those of the repository would run instead.
        Err(error) if error.kind() == io::ErrorKind::NotFound && name == HOOKS => Vec::new(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if name == HOOKS => vec![("pre-commit".into(), refusal(from, &error).into_bytes(), 0o700)],
        Err(error) => return Ok(Some(Delivery::Failed(format!("`{}`: {error}", from.display())))),
        Ok(()) => found,
    };
    files.extend(copied.iter().map(|(below, ..)| from.join(below)));
    let name = format!("{name}.{}", &digest(&copied)[..12]);
    for (below, content, mode) in &copied {
        let path = to.join(&name).join(below);
        private_dir(path.parent().unwrap_or(to))?;
        write(&path, content, 0o600 | (mode & 0o100))?;
    }
    private_dir(&to.join(&name))?;
    Ok(Some(Delivery::At(name)))
}

const HOOKS: &str = "hooks";

/// Returns a hook in the place of those that did not come along: a commit fails, and says why.
fn refusal(from: &Path, error: &io::Error) -> String {
    let why = format!("ai: your hooks in `{}` do not come along: {error}", from.display());
    format!("#!/bin/sh\necho {} >&2\nexit 1\n", crate::core::shell::Shell::Bash.quote(&why))
}

/// Reads a directory, following links: it is the person's own.
fn gather(root: &Path, below: &Path, depth: usize, found: &mut Vec<Copied>) -> io::Result<()> {
    let too_much = || io::Error::new(io::ErrorKind::InvalidData, "it is larger than 256 files, 4 MiB or 8 levels");
    if depth > DEEPEST {
        return Err(too_much());
    }
    let mut names = own::entries(root.join(below))?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    for name in names.iter().filter(|name| *name != ".git") {
        let below = below.join(name);
        let path = root.join(&below);
        if path.leads_to_directory() {
            gather(root, &below, depth + 1, found)?;
        } else if let Some((content, mode)) = read_own(&path)? {
            found.push((below, content, mode));
        }
        if found.len() > MOST_FILES || found.iter().map(|(_, content, _)| content.len()).sum::<usize>() > MOST_BYTES {
            return Err(too_much());
        }
    }
    Ok(())
}

fn digest(copied: &[Copied]) -> String {
    let mut hash = Sha256::new();
    for (below, content, mode) in copied {
        hash.update(below.as_os_str().as_bytes());
        hash.update([0]);
        hash.update(content.len().to_le_bytes());
        hash.update(content);
        hash.update((mode & 0o100).to_le_bytes());
    }
    hex(&hash.finalize())
}

/// Returns the names in a directory as bytes that change when it does; nothing where there is none.
pub fn names(path: &Path) -> Vec<u8> {
    let Ok(entries) = own::entries(path) else { return Vec::new() };
    let mut names: Vec<_> = entries.flatten().take(MOST_FILES * DEEPEST).map(|entry| entry.file_name()).collect();
    names.sort_unstable();
    names.iter().flat_map(|name| name.as_bytes().iter().copied().chain([0])).collect()
}

/// Removes what an earlier delivery left; the settings name it no more. What another run is just writing stays, and what cannot be
/// removed is in nobody's way.
pub fn keep_only(to: &Path, delivered: &BTreeMap<&'static str, Delivery>) {
    let is_named = |name: &str| delivered.values().any(|delivery| matches!(delivery, Delivery::At(own) if own == name));
    let is_kept = |name: &str| name == "config" || name.starts_with('.') || is_named(name);
    for entry in own::entries(to).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(is_kept) {
            let _ = own::remove(entry.path()).or_else(|_| own::remove_tree(entry.path()));
        }
    }
}

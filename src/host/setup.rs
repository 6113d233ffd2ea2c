//! What the person's settings and instructions name, read where they are.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::core::setup::imports::{self, DEPTH, MOST};
use crate::core::setup::{NameRule, Named, named};
use crate::core::sync::Reading;
use crate::host::fs::Absent;
use crate::host::fs::files::read_own;
use crate::host::fs::slot::slot;

/// Largest settings file that is looked into.
const LARGEST: u64 = 1 << 20;

/// Returns what the settings below a directory of the person's own name.
pub fn named_by_host(directory: &Path, rules: &[NameRule]) -> Vec<Named> {
    of_files(rules, |file| read_own(&directory.join(file)).ok().flatten().map(|(bytes, _)| bytes))
}

/// Returns what the settings in a home that a container writes name.
pub fn named_by_home(home: &Path, rules: &[NameRule]) -> Vec<Named> {
    of_files(rules, |file| match slot(home, Path::new(file), Absent::Leave).ok()??.read(LARGEST).ok()? {
        Reading::File { bytes, .. } => Some(bytes),
        Reading::Absent | Reading::Refused(_) => None,
    })
}

fn of_files(rules: &[NameRule], read: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<Named> {
    let mut files: Vec<&str> = rules.iter().map(|rule| rule.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let settings = files.into_iter().filter_map(|file| Some((file, parsed(file, &read(file)?)?)));
    settings.flat_map(|(file, settings)| named(rules, file, &settings)).collect()
}

/// Returns a settings file as a value. One that cannot be read names nothing: what is wrong with it is said elsewhere.
fn parsed(file: &str, bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if Path::new(file).extension().is_some_and(|extension| extension == "toml") {
        return toml::from_str(std::str::from_utf8(bytes).ok()?).ok();
    }
    serde_json::from_slice(bytes).ok()
}

/// Returns whether a file is there below a home that a container writes, no links followed.
pub fn is_in_home(home: &Path, below: &Path) -> bool {
    let reading = slot(home, below, Absent::Leave).ok().flatten().and_then(|slot| slot.read(LARGEST).ok());
    matches!(reading, Some(Reading::File { .. }))
}

/// Returns every file that instructions of the person's import, and those import, each once; the instructions themselves are not
/// among them.
pub fn imported(home: &Path, instructions: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut seen: Vec<PathBuf> = instructions.collect();
    let first = seen.len();
    let (mut from, mut depth) = (0, 0);
    while from < seen.len() && depth < DEPTH && seen.len() < first + MOST {
        let until = seen.len();
        for at in from..until {
            let Ok(Some((bytes, _))) = read_own(&seen[at]) else { continue };
            let directory = seen[at].parent().unwrap_or(home).to_owned();
            for written in imports::written(&String::from_utf8_lossy(&bytes)) {
                let path = imports::absolute(&written, &directory, home);
                if !seen.contains(&path) && seen.len() < first + MOST {
                    seen.push(path);
                }
            }
        }
        (from, depth) = (until, depth + 1);
    }
    // What is no file of reasonable size is no import; a tool would not read it either.
    seen.into_iter().skip(first).filter(|path| matches!(read_own(path), Ok(Some(_)))).collect()
}

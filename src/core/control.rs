//! Control files: what the host runs by itself from a project, and what is done about a change of one.
//!
//! ```text
//!   record before a run ─┐
//!                        ├─ changed ─► judge ─► put back · rewritten without what runs · reported · counted
//! the same, after it ────┘
//! ```
//!
//! [`judge`] is a function of one path and its two contents, so that whoever watches a run can ask it about a single event.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub mod destinations;
pub mod gitconfig;
pub mod gitlinks;
pub mod judge;
pub mod kinds;
pub mod named;
pub mod places;
pub mod plain;
pub mod record;
pub mod report;
pub mod tables;

/// A path below one of the directories that a run may write: the project's root, or the common directory of a linked worktree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ControlPath {
    /// Which of these directories.
    pub anchor: u8,
    pub below: PathBuf,
}

impl ControlPath {
    pub fn new(anchor: u8, below: impl Into<PathBuf>) -> Self {
        Self { anchor, below: below.into() }
    }

    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> Self {
        Self { anchor: self.anchor, below: self.below.join(name) }
    }
}

/// Any bytes as text: what is no plain character becomes `%XX`.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'%' => text.push_str("%25"),
            0x20..=0x7e => text.push(char::from(*byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Returns the bytes that [`escaped`] made a text of; `None` if it did not.
pub fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Some(bytes)
}

impl From<ControlPath> for String {
    fn from(path: ControlPath) -> Self {
        format!("{}:{}", path.anchor, escaped(path.below.as_os_str().as_bytes()))
    }
}

impl TryFrom<String> for ControlPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parsed = || {
            let (anchor, below) = text.split_once(':')?;
            Some(Self { anchor: anchor.parse().ok()?, below: OsString::from_vec(unescaped(below)?).into() })
        };
        parsed().ok_or_else(|| format!("`{text}` is no path of a record"))
    }
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trace {
    File {
        /// SHA-256 of the content.
        hash: String,
        executable: bool,
    },
    /// The target, as [`escaped`] spells it.
    Link { to: String },
    /// A directory of git's.
    Directory,
    /// A pipe, a device, a directory where none belongs, something too big or closed to us.
    Strange {
        why: String,
        /// What is other after any change, where the content is not known.
        #[serde(default)]
        stamp: String,
    },
}

/// One watched path: why it is, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    pub tier: kinds::Tier,
    pub reads: kinds::Reads,
    pub trace: Trace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_bytes_survives_the_record() {
        for bytes in [&b"a/b"[..], b"", b"a%b:c\n\xff\x1b", "bidi \u{202e}".as_bytes()] {
            let path = ControlPath::new(1, OsString::from_vec(bytes.to_vec()));
            assert_eq!(ControlPath::try_from(String::from(path.clone())), Ok(path));
        }
        assert!(ControlPath::try_from("x".to_owned()).is_err());
        assert!(ControlPath::try_from("0:%zz".to_owned()).is_err());
    }
}

//! What a pair of places last agreed on, as one file per pair.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, Serializer};

use crate::core::sync::Hash;
use crate::core::sync::journal::Agreement;

/// Raised when an older program would misread what a newer one wrote.
pub const SCHEMA: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    schema: u32,
    pub files: BTreeMap<String, BaseEntry>,
    /// Files that one of the places had lost since: what is missing there was not deleted by anybody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lost: BTreeSet<String>,
    /// Files of trees that the person deleted, with what they held.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deleted: BTreeMap<String, Hash>,
}

/// What was agreed about one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseEntry {
    /// The document, for what is merged by key.
    Text(#[serde(serialize_with = "as_long_text")] String),
    /// The content's hash, for what is compared as a whole.
    Hash(Hash),
}

/// Why a record of ours cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// A newer program wrote it: nothing may be written.
    Newer,
    /// It is not what we write.
    Broken,
}

impl BaseEntry {
    pub fn text(&self) -> Option<&str> {
        match self {
            BaseEntry::Text(text) => Some(text),
            BaseEntry::Hash(_) => None,
        }
    }

    pub fn hash(&self) -> Option<&Hash> {
        match self {
            BaseEntry::Hash(hash) => Some(hash),
            BaseEntry::Text(_) => None,
        }
    }
}

impl Default for Base {
    fn default() -> Base {
        Base { schema: SCHEMA, files: BTreeMap::new(), lost: BTreeSet::new(), deleted: BTreeMap::new() }
    }
}

impl Base {
    pub fn decode(bytes: &[u8]) -> Result<Base, Unusable> {
        decode(bytes)
    }

    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Takes over what a sync agreed on, and says whether that is anything new. Whatever was lost or deleted before is then as it should
    /// be.
    pub fn agree(&mut self, Agreement { path, entry, deleted, .. }: &Agreement) -> bool {
        let is_known = self.files.get(path) == entry.as_ref() && self.deleted.get(path) == deleted.as_ref();
        let is_new = self.lost.remove(path) || !is_known;
        if is_new {
            match entry {
                Some(entry) => self.files.insert(path.clone(), entry.clone()),
                None => self.files.remove(path),
            };
            match deleted {
                Some(hash) => self.deleted.insert(path.clone(), hash.clone()),
                None => self.deleted.remove(path),
            };
        }
        is_new
    }

    /// Returns the records of the files of a tree, by their names in it.
    pub fn below<'a>(&'a self, root: &'a str) -> impl Iterator<Item = (&'a str, &'a Hash)> {
        self.files.iter().filter_map(move |(path, entry)| {
            let BaseEntry::Hash(hash) = entry else {
                return None;
            };
            let rest = path.strip_prefix(root)?;
            let name = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
            Some((name, hash))
        })
    }
}

/// A record of ours, which says what shape it has.
pub trait Versioned {
    fn schema(&self) -> u32;
}

impl Versioned for Base {
    fn schema(&self) -> u32 {
        self.schema
    }
}

/// Reads one of our own records. That a newer program wrote it counts before anything else that may be wrong with it.
pub fn decode<T: for<'a> Deserialize<'a> + Versioned>(bytes: &[u8]) -> Result<T, Unusable> {
    #[derive(Deserialize)]
    struct Header {
        schema: u32,
    }
    let is_newer = |schema: u32| schema > SCHEMA;
    match serde_json::from_slice::<T>(bytes) {
        Ok(record) if is_newer(record.schema()) => Err(Unusable::Newer),
        Ok(record) => Ok(record),
        Err(_) => match serde_json::from_slice(bytes) {
            Ok(Header { schema }) if is_newer(schema) => Err(Unusable::Newer),
            _ => Err(Unusable::Broken),
        },
    }
}

/// Returns the bytes of one of our own records.
pub fn encode(record: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Strings, numbers and maps with string keys always serialise.
    let _ = record.serialize(&mut Serializer::with_formatter(&mut bytes, RecordFormat));
    bytes
}

/// Has a text written by [`RecordFormat`], which alone writes these bytes as one.
fn as_long_text<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(text.as_bytes())
}

/// Plain JSON. Whole documents are in it, of which every line has quotes: what the library writes piece by piece is written at once.
struct RecordFormat;

impl Formatter for RecordFormat {
    fn write_byte_array<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &[u8]) -> io::Result<()> {
        const LONGEST: usize = r"\u0000".len();
        writer.write_all(b"\"")?;
        let mut written = [0; 1024 * LONGEST];
        for piece in text.chunks(written.len() / LONGEST) {
            let mut end = 0;
            for byte in piece {
                let escape = match byte {
                    b'"' | b'\\' => *byte,
                    b' '.. => {
                        written[end] = *byte;
                        end += 1;
                        continue;
                    }
                    b'\n' => b'n',
                    b'\t' => b't',
                    _ => b'u',
                };
                written[end..end + 2].copy_from_slice(&[b'\\', escape]);
                end += 2;
                if escape == b'u' {
                    written[end..end + 4].copy_from_slice(format!("{byte:04x}").as_bytes());
                    end += 4;
                }
            }
            writer.write_all(&written[..end])?;
        }
        writer.write_all(b"\"")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_newer_program_wrote_is_not_read() {
        let check = |bytes: &str, expected| {
            assert_eq!(Base::decode(bytes.as_bytes()).map(|base| base.files.len()), expected);
        };
        check(r#"{"schema":1,"files":{"a":{"text":"{}"}}}"#, Ok(1));
        check(r#"{"schema":2,"files":"shaped otherwise"}"#, Err(Unusable::Newer));
        check(r#"{"schema":2,"files":{}}"#, Err(Unusable::Newer));
        check(r#"{"schema":1}"#, Err(Unusable::Broken));
        check("", Err(Unusable::Broken));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_whatever_is_in_it(text in "[\\x00-\\x7fé\u{1f600}\"\\\\\n]{0,40}") {
            let base = Base { files: [("é\"".to_owned(), BaseEntry::Text(text))].into(), ..Base::default() };
            prop_assert_eq!(Base::decode(&base.encode()), Ok(base.clone()));
            // It is JSON for others, too.
            let value: serde_json::Value = serde_json::from_slice(&base.encode()).unwrap();
            prop_assert_eq!(value["files"]["é\""]["text"].as_str(), base.files["é\""].text());
        }
    }

    #[test]
    fn a_tree_is_found_by_whole_path_components() {
        let entry = || BaseEntry::Hash(Hash::of(b""));
        let files = ["skills/a", "skills/b/c", "skills-old/d", "skills"].map(|path| (path.to_owned(), entry()));
        let base = Base { files: files.into(), ..Base::default() };
        assert_eq!(base.below("skills").map(|(name, _)| name).collect::<Vec<_>>(), ["", "a", "b/c"]);
    }
}

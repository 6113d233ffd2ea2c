//! What one sync has decided to write: the value that, once it is on disk, makes the sync happen whatever dies.

use serde::{Deserialize, Serialize};

use crate::core::sync::base::{BaseEntry, SCHEMA, Versioned};
use crate::core::sync::{Direction, Hash, Mode, Pair, Place, Site, lines};

/// Everything that is needed to finish a sync without the process that began it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    schema: u32,
    pub scope: SyncScope,
    /// Absent for an undo.
    pub direction: Option<Direction>,
    /// Number of the generation that keeps what is overwritten.
    pub sequence: u64,
    /// The sync or undo that it is a part of.
    #[serde(default)]
    pub part: SyncPart,
    pub units: Vec<Unit>,
}

/// Which sync a journal or record is a part of: a large one is written in several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPart {
    /// The number of its first part; that of an older program is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The number of the record that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
}

/// Whose files they are. Paths are spelled as text (see `host::place`), for not every path is UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncScope {
    pub tool: String,
    pub project_id: String,
    pub host_home: Option<String>,
    pub hub: String,
    pub project: String,
}

/// Changes that only mean something together: if one is overtaken, nothing was agreed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub changes: Vec<Change>,
    pub agreements: Vec<Agreement>,
    /// Noted before anything is changed.
    #[serde(default)]
    pub losses: Vec<Loss>,
}

/// A place that had no readable copy of a file that others know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub place: Place,
    pub path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub site: Site,
    /// What we read there, and so the only thing that may be replaced.
    pub before: Option<Hash>,
    pub act: Act,
    /// See [`crate::core::sync::Rule::lock`].
    #[serde(default)]
    pub lock: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Put {
        content: Hash,
        mode: Mode,
    },
    /// Add these lines to a file that was `length` bytes long.
    Append {
        addition: Hash,
        length: usize,
    },
    /// What the person deleted on the host and nobody changed; and an undo takes away what a sync had created.
    Remove,
}

/// A line of a base: what both sides of the pair now have in common, or that the file is forgotten, or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub pair: Pair,
    pub path: String,
    pub entry: Option<BaseEntry>,
    /// What the file held that the person deleted.
    #[serde(default)]
    pub deleted: Option<Hash>,
}

/// What is to be done about a change, given what is in its place now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    Apply,
    Append(Vec<u8>),
    /// It happened already.
    Done,
    /// Somebody else wrote something new: it stays.
    Overtaken,
    /// Nobody has the content any more, so it cannot be applied.
    Lost(&'a Hash),
}

impl Versioned for Journal {
    fn schema(&self) -> u32 {
        self.schema
    }
}

impl Journal {
    pub fn new(scope: SyncScope, direction: Option<Direction>, sequence: u64, part: SyncPart, units: Vec<Unit>) -> Journal {
        Journal { schema: SCHEMA, scope, direction, sequence, part, units }
    }

    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.units.iter().flat_map(|unit| &unit.changes)
    }
}

impl Loss {
    /// Whether the pair's base names the place.
    pub fn concerns(&self, pair: Pair) -> bool {
        match self.place {
            Place::Host => pair == Pair::HostHub,
            Place::Hub => true,
            Place::Project => pair == Pair::HubProject,
        }
    }
}

impl Change {
    /// Returns the object that must be there to apply this.
    pub fn object(&self) -> Option<&Hash> {
        match &self.act {
            Act::Put { content, .. } => Some(content),
            Act::Append { addition, .. } => Some(addition),
            Act::Remove => None,
        }
    }

    /// Compare, so that the caller may swap. `object` is the content to put or to append.
    pub fn verdict(&self, found: Option<&[u8]>, object: Option<&[u8]>) -> Verdict<'_> {
        let hash = found.map(Hash::of);
        match (&self.act, object) {
            (Act::Put { content, .. }, _) if hash.as_ref() == Some(content) => Verdict::Done,
            (Act::Remove, _) if hash.is_none() => Verdict::Done,
            (Act::Put { content, .. }, None) => Verdict::Lost(content),
            (Act::Put { .. } | Act::Remove, _) if hash == self.before => Verdict::Apply,
            (Act::Put { .. } | Act::Remove, _) => Verdict::Overtaken,
            (Act::Append { addition, .. }, None) => Verdict::Lost(addition),
            (Act::Append { length, .. }, Some(addition)) => {
                let found = found.unwrap_or_default();
                let cut_short = lines::rest(found, *length, addition).map(<[u8]>::to_vec);
                match cut_short.unwrap_or_else(|| lines::missing(found, addition)) {
                    rest if rest.is_empty() => Verdict::Done,
                    rest => Verdict::Append(rest),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&str>, act: Act) -> Change {
        let site = Site { place: crate::core::sync::Place::Hub, path: "f".into() };
        Change { site, before: before.map(|text| Hash::of(text.as_bytes())), act, lock: None }
    }

    #[test]
    fn only_what_was_read_is_replaced() {
        let put = |before| change(before, Act::Put { content: Hash::of(b"new"), mode: Mode::Plain });
        let check = |change: Change, found: Option<&str>, expected| {
            assert_eq!(change.verdict(found.map(str::as_bytes), Some(b"new")), expected);
        };
        check(put(Some("old")), Some("old"), Verdict::Apply);
        check(put(Some("old")), Some("new"), Verdict::Done);
        check(put(Some("old")), Some("other"), Verdict::Overtaken);
        check(put(Some("old")), None, Verdict::Overtaken);
        check(put(None), None, Verdict::Apply);
        check(put(None), Some("other"), Verdict::Overtaken);
        check(change(Some("old"), Act::Remove), Some("old"), Verdict::Apply);
        check(change(Some("old"), Act::Remove), None, Verdict::Done);
        check(change(Some("old"), Act::Remove), Some("other"), Verdict::Overtaken);
    }

    #[test]
    fn a_content_that_is_gone_changes_nothing() {
        let put = change(None, Act::Put { content: Hash::of(b"new"), mode: Mode::Plain });
        assert_eq!(put.verdict(None, None), Verdict::Lost(&Hash::of(b"new")));
        assert_eq!(put.verdict(Some(b"new"), None), Verdict::Done);
    }

    #[test]
    fn lines_are_appended_to_whatever_is_there_but_only_once() {
        let append = change(Some("a\n"), Act::Append { addition: Hash::of(b"b\nc\n"), length: 2 });
        let check = |found: Option<&str>, expected| {
            assert_eq!(append.verdict(found.map(str::as_bytes), Some(b"b\nc\n")), expected);
        };
        let add = |text: &str| Verdict::Append(text.as_bytes().to_vec());
        check(Some("a\n"), add("b\nc\n"));
        check(Some("a\nb"), add("\nc\n"));
        check(Some("a\nb\nc\n"), Verdict::Done);
        check(Some("a\nlive\n"), add("b\nc\n"));
        check(Some("a\nlive\nb\n"), add("c\n"));
        check(Some("a\nliv"), add("\nb\nc\n"));
        check(None, add("b\nc\n"));
    }
}

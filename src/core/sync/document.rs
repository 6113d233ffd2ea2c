//! Settings files as text that can be merged: the one place that knows which formats there are.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;

use crate::core::sync::gate::Gate;
use crate::core::sync::json::lenient::JsonExtension;
use crate::core::sync::json::{JsonParts, JsonRead};
use crate::core::sync::merge::outcome::{self, EditOutcome};
use crate::core::sync::merge::{self, Edits, Lack, Prefer, Table, Versions};
use crate::core::sync::{Class, Rule, json, toml};

/// Most keys of a document, in all its tables together: ten times what anybody has, and still merged in a tenth of a second.
pub const MOST: usize = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format<'a> {
    /// With what the tool reads beyond JSON.
    Json(&'a [JsonExtension]),
    Toml,
}

/// Why a content takes no part in a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No reader can make sense of it.
    Torn,
    /// Readers may differ in what they make of it.
    Ambiguous,
    /// It has comments or the like, which the tool does not read: a slip of a person's, not a file that was torn.
    Unread,
    /// It has more than [`MOST`] keys.
    TooMany,
}

/// A settings file that was understood.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    pub text: &'a str,
    table: Table<'a>,
    keys: usize,
    /// Of JSON.
    parts: Option<Rc<JsonParts<'a>>>,
}

/// The texts of one file, in all its places and as they were agreed on: mostly the same one, which is understood once.
#[derive(Debug, Default)]
pub struct Documents<'a> {
    known: RefCell<Vec<(&'a [u8], Understood<'a>)>>,
}

type Understood<'a> = Result<Rc<Document<'a>>, Flaw>;

impl<'a> Documents<'a> {
    /// Returns what a text says, or why it says nothing.
    pub fn parse(&self, format: Format, bytes: &'a [u8]) -> Understood<'a> {
        if let Some(known) = self.find(bytes) {
            return known;
        }
        let understood = format.parse(bytes).map(Rc::new);
        self.known.borrow_mut().push((bytes, understood.clone()));
        understood
    }

    /// Returns what a text that was parsed before says.
    pub fn find(&self, bytes: &[u8]) -> Option<Understood<'a>> {
        self.known.borrow().iter().find(|(known, _)| *known == bytes).map(|(_, understood)| understood.clone())
    }
}

/// How two documents are merged.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub gate: &'a Gate,
    pub prefer: Prefer,
    pub lack: Lack,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub text: String,
    /// Dotted paths that both sides changed.
    pub conflicts: Vec<String>,
}

impl Merged {
    /// Returns a text about which nobody disagrees.
    pub fn plain(text: String) -> Self {
        Self { text, conflicts: Vec::new() }
    }
}

impl<'a> Format<'a> {
    pub fn of(rule: &'a Rule) -> Option<Format<'a>> {
        match rule.class {
            Class::Json | Class::Keys => Some(Format::Json(&rule.reads)),
            Class::Toml => Some(Format::Toml),
            Class::Lines | Class::Tree => None,
        }
    }

    pub fn parse(self, bytes: &[u8]) -> Result<Document<'_>, Flaw> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(self.flaw_of_other_encodings(bytes));
        };
        if text.trim().is_empty() {
            return Err(Flaw::Torn);
        }
        self.parse_text(text)
    }

    fn parse_text(self, text: &str) -> Result<Document<'_>, Flaw> {
        match self {
            Format::Json(reads) => {
                let JsonRead { table, keys, parts } = json::parse(text, reads)?;
                Ok(Document { text, table, keys, parts: parts.map(Rc::new) })
            }
            Format::Toml => toml::parse(text).map(|(table, keys)| Document { text, table, keys, parts: None }),
        }
    }

    /// A file in Latin-1 or UTF-16 was written by somebody, and some tools read it.
    fn flaw_of_other_encodings(self, bytes: &[u8]) -> Flaw {
        let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        if wide || self.parse_text(&String::from_utf8_lossy(bytes)).is_ok() { Flaw::Unread } else { Flaw::Torn }
    }

    /// Whether this may be a document that is only half written.
    pub fn is_torn(self, bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return true };
        match self {
            Format::Json(_) => json::is_torn(text),
            Format::Toml => text.trim().is_empty() || toml::parse(text).err() == Some(Flaw::Torn),
        }
    }

    /// Returns line and column, from 1, at which a text is no document, where its reader says so.
    pub fn broken_at(self, bytes: &[u8]) -> Option<(usize, usize)> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.trim().is_empty())?;
        match self {
            Format::Json(_) => json::broken_at(text),
            Format::Toml => toml::broken_at(text),
        }
    }

    fn is_crowded(self, text: &str, keys: usize) -> bool {
        keys > MOST || self == Format::Toml && toml::is_crowded(text)
    }

    fn empty(self) -> &'static str {
        match self {
            Format::Json(_) => "{}\n",
            Format::Toml => "",
        }
    }

    fn apply(self, ours: &Document, theirs: &Document, edits: &Edits) -> Option<String> {
        match self {
            Format::Toml => toml::apply(ours.text, theirs.text, edits),
            Format::Json(_) => json::apply((ours.text, ours.parts.as_deref()), (theirs.text, theirs.parts.as_deref()), edits),
        }
    }
}

impl<'a> Document<'a> {
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether it holds no value at all, whatever tables it has.
    pub fn is_bare(&self) -> bool {
        self.table.is_bare()
    }

    /// Whether it holds nothing but what another document holds.
    pub fn is_within(&self, other: &Document<'a>) -> bool {
        self.table.is_within(&other.table)
    }

    /// Whether it has no part of something that another document has.
    pub fn lacks(&self, other: &Document) -> bool {
        self.text != other.text && self.table.lacks(&other.table)
    }

    /// Whether it has every key of another document.
    pub fn covers(&self, other: &Document) -> bool {
        self.table.covers(&other.table)
    }

    #[cfg(test)]
    fn names(&self) -> std::collections::BTreeSet<String> {
        self.table.keys()
    }

    /// The same with what it lacks of another one, for comparing only.
    #[must_use]
    pub fn over(&self, below: &Document<'a>) -> Self {
        Self { text: self.text, table: self.table.over(&below.table), keys: self.keys + below.keys, parts: None }
    }
}

/// Ours with what theirs changed since the base, as far as the gate lets it pass; nothing if it would have too many keys.
pub fn merge(format: Format, versions: Versions<Option<&Document>>, terms: Terms) -> Result<Merged, Flaw> {
    let nothing = Document { text: format.empty(), table: Table::default(), keys: 0, parts: None };
    let theirs = versions.theirs.unwrap_or(&nothing);
    // What was lost was changed by nobody.
    let base = versions.base.filter(|_| terms.lack == Lack::Deleted || versions.ours.is_some()).unwrap_or(&nothing);
    let open = terms.gate.is_open();
    let Some(ours) = versions.ours else {
        let whole = open && base.table.is_empty();
        let text = if whole { theirs.text.to_owned() } else { edited(format, &base.table, &nothing, theirs, terms).0.text };
        return Ok(Merged { text, conflicts: Vec::new() });
    };
    if open && terms.lack == Lack::Deleted && ours.text == base.text {
        let text = if theirs.text == base.text || theirs.table == base.table { ours.text } else { theirs.text };
        return Ok(Merged { text: text.to_owned(), conflicts: Vec::new() });
    }
    let (merged, outcome) = match terms.lack {
        Lack::Deleted => edited(format, &base.table, ours, theirs, terms),
        Lack::Lost => edited(format, &base.table.common(&ours.table, &theirs.table), ours, theirs, terms),
    };
    if merged.text == ours.text {
        return Ok(merged);
    }
    if format.is_crowded(&merged.text, ours.keys + outcome.added - outcome.removed) {
        return Err(Flaw::TooMany);
    }
    let is_theirs = open && !outcome.differs && (!outcome.is_united || is_same(format, &merged.text, theirs));
    Ok(if is_theirs { Merged { text: theirs.text.to_owned(), ..merged } } else { merged })
}

/// Whether two texts mean the same.
fn is_same(format: Format, text: &str, other: &Document) -> bool {
    text == other.text || format.parse_text(text).is_ok_and(|document| document.table == other.table)
}

/// What both sides agree on once theirs has flowed: what was agreed, with theirs' changes since the base.
pub fn agreed(format: Format, was: Option<&Document>, base: Option<&Document>, theirs: &Document, gate: &Gate) -> Result<String, Flaw> {
    let terms = Terms { gate, prefer: Prefer::Theirs, lack: Lack::Deleted };
    Ok(merge(format, Versions { base, ours: was, theirs: Some(theirs) }, terms)?.text)
}

fn edited(format: Format, base: &Table, ours: &Document, theirs: &Document, terms: Terms) -> (Merged, EditOutcome) {
    let tables = Versions { base, ours: &ours.table, theirs: &theirs.table };
    let merge = merge::merge(tables, terms.gate, terms.prefer);
    if merge.edits.is_empty() {
        return (Merged { text: ours.text.to_owned(), conflicts: merge.conflicts }, EditOutcome::default());
    }
    // An edit that finds no place cannot come from these two texts; ours as it is loses nothing.
    let text = format.apply(ours, theirs, &merge.edits).unwrap_or_else(|| ours.text.to_owned());
    let outcome = outcome::outcome(&ours.table, &theirs.table, &merge.edits);
    (Merged { text, conflicts: merge.conflicts }, outcome)
}

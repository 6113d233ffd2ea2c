//! Settings files as text that can be merged: the one place that knows which formats there are.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use crate::core::sync::merge::{self, Edits, Gate, Prefer, Table, Versions};
use crate::core::sync::{Class, json, toml};

/// Most keys of a document, in all its tables together: ten times what anybody has, and still merged in a tenth of a second.
pub const MOST: usize = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Toml,
}

/// Why a content takes no part in a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// No reader can make sense of it.
    Broken,
    /// Readers may differ in what they make of it.
    Ambiguous,
    /// It has more than [`MOST`] keys.
    TooMany,
}

/// A settings file that was understood.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    pub text: &'a str,
    table: Table<'a>,
    keys: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub text: String,
    /// Dotted paths that both sides changed.
    pub conflicts: Vec<String>,
}

impl Format {
    pub fn of(class: Class) -> Option<Format> {
        match class {
            Class::Json | Class::Keys => Some(Format::Json),
            Class::Toml => Some(Format::Toml),
            Class::Lines | Class::Tree => None,
        }
    }

    pub fn parse(self, bytes: &[u8]) -> Result<Document<'_>, Flaw> {
        let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Broken)?;
        if text.trim().is_empty() {
            return Err(Flaw::Broken);
        }
        self.parse_text(text)
    }

    fn parse_text(self, text: &str) -> Result<Document<'_>, Flaw> {
        let (table, keys) = match self {
            Format::Json => json::parse(text)?,
            Format::Toml => toml::parse(text)?,
        };
        Ok(Document { text, table, keys })
    }

    /// Whether this may be a document that is only half written.
    pub fn is_torn(self, bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return true };
        match self {
            Format::Json => json::is_torn(text),
            Format::Toml => text.trim().is_empty() || toml::parse(text).err() == Some(Flaw::Broken),
        }
    }

    fn empty(self) -> &'static str {
        match self {
            Format::Json => "{}\n",
            Format::Toml => "",
        }
    }

    fn apply(self, ours: &str, theirs: &str, edits: &Edits) -> Option<String> {
        match self {
            Format::Toml => toml::apply(ours, theirs, edits),
            Format::Json => json::apply(ours, theirs, edits),
        }
    }
}

impl Document<'_> {
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

/// Ours with what theirs changed since the base, as far as the gate lets it pass; nothing if it would have too many keys.
///
/// Where ours is absent there is nothing that it could have changed, so everything passable is taken.
pub fn merge(format: Format, versions: Versions<Option<&Document>>, gate: &Gate, prefer: Prefer) -> Result<Merged, Flaw> {
    let nothing = Document { text: format.empty(), table: Table::default(), keys: 0 };
    let theirs = versions.theirs.unwrap_or(&nothing);
    let Some(ours) = versions.ours else {
        let text = if gate.is_open() { theirs.text.to_owned() } else { edited(format, &nothing, &nothing, theirs, gate, prefer).text };
        return Ok(Merged { text, conflicts: Vec::new() });
    };
    let base = versions.base.unwrap_or(&nothing);
    if gate.is_open() && ours.text == base.text {
        let text = if theirs.table == base.table { ours.text } else { theirs.text };
        return Ok(Merged { text: text.to_owned(), conflicts: Vec::new() });
    }
    let merged = edited(format, base, ours, theirs, gate, prefer);
    let must_be_read = gate.is_open() && merged.text != ours.text || ours.keys + theirs.keys > MOST;
    let is_theirs = must_be_read && is_same(format, &merged.text, theirs)?;
    Ok(if gate.is_open() && merged.text != ours.text && is_theirs { Merged { text: theirs.text.to_owned(), ..merged } } else { merged })
}

/// Whether two texts mean the same; fails if the first has too many keys.
fn is_same(format: Format, text: &str, other: &Document) -> Result<bool, Flaw> {
    match format.parse_text(text) {
        Err(Flaw::TooMany) => Err(Flaw::TooMany),
        parsed => Ok(parsed.is_ok_and(|document| document.table == other.table)),
    }
}

/// What both sides agree on once theirs has flowed: the base with theirs' changes.
pub fn agreed(format: Format, base: Option<&Document>, theirs: &Document, gate: &Gate) -> Result<String, Flaw> {
    Ok(merge(format, Versions { base, ours: base, theirs: Some(theirs) }, gate, Prefer::Theirs)?.text)
}

fn edited(format: Format, base: &Document, ours: &Document, theirs: &Document, gate: &Gate, prefer: Prefer) -> Merged {
    let tables = Versions { base: &base.table, ours: &ours.table, theirs: &theirs.table };
    let merge = merge::merge(tables, gate, prefer);
    if merge.edits.is_empty() {
        return Merged { text: ours.text.to_owned(), conflicts: merge.conflicts };
    }
    // An edit that finds no place cannot come from these two texts; ours as it is loses nothing.
    let text = format.apply(ours.text, theirs.text, &merge.edits).unwrap_or_else(|| ours.text.to_owned());
    Merged { text, conflicts: merge.conflicts }
}

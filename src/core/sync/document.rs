//! Settings files as text that can be merged: the one place that knows which formats there are.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use crate::core::sync::merge::{self, Edit, Gate, Prefer, Table, Versions};
use crate::core::sync::{Class, json, toml};

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
}

/// A settings file that was understood.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    pub text: &'a str,
    table: Table,
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
        let table = match self {
            Format::Json => json::parse(text)?,
            Format::Toml => toml::parse(text)?,
        };
        Ok(Document { text, table })
    }

    fn empty(self) -> &'static str {
        match self {
            Format::Json => "{}\n",
            Format::Toml => "",
        }
    }

    fn apply(self, ours: &str, theirs: &str, edits: &[Edit]) -> Option<String> {
        match self {
            Format::Toml => toml::apply(ours, theirs, edits),
            Format::Json => edits.iter().try_fold(ours.to_owned(), |text, edit| match edit {
                Edit::Take(path) => json::set(&text, path, json::value(theirs, path)?),
                Edit::Remove(path) => json::remove(&text, path),
            }),
        }
    }
}

impl Document<'_> {
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

/// Ours with what theirs changed since the base, as far as the gate lets it pass.
///
/// Where ours is absent there is nothing that it could have changed, so everything passable is taken.
pub fn merge(format: Format, versions: Versions<Option<&Document>>, gate: &Gate, prefer: Prefer) -> Merged {
    let nothing = Document { text: format.empty(), table: Table::default() };
    let theirs = versions.theirs.unwrap_or(&nothing);
    let Some(ours) = versions.ours else {
        let text = if gate.is_open() { theirs.text.to_owned() } else { edited(format, &nothing, &nothing, theirs, gate, prefer).text };
        return Merged { text, conflicts: Vec::new() };
    };
    let merged = edited(format, versions.base.unwrap_or(&nothing), ours, theirs, gate, prefer);
    let same_as_theirs = || format.parse_text(&merged.text).is_ok_and(|document| document.table == theirs.table);
    if gate.is_open() && merged.text != ours.text && same_as_theirs() {
        return Merged { text: theirs.text.to_owned(), ..merged };
    }
    merged
}

/// What both sides agree on once theirs has flowed: the base with theirs' changes.
pub fn agreed(format: Format, base: Option<&Document>, theirs: &Document, gate: &Gate) -> String {
    merge(format, Versions { base, ours: base, theirs: Some(theirs) }, gate, Prefer::Theirs).text
}

fn edited(format: Format, base: &Document, ours: &Document, theirs: &Document, gate: &Gate, prefer: Prefer) -> Merged {
    let tables = Versions { base: &base.table, ours: &ours.table, theirs: &theirs.table };
    let merge = merge::merge(tables, gate, prefer);
    // An edit that finds no place cannot come from these two texts; ours as it is loses nothing.
    let text = format.apply(ours.text, theirs.text, &merge.edits).unwrap_or_else(|| ours.text.to_owned());
    Merged { text, conflicts: merge.conflicts }
}

//! Settings files as text that can be merged: the one place that knows which formats there are.

use crate::sync::merge::{self, Edit, Gate, Prefer, Table, Versions};
use crate::sync::{Class, json, toml};

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

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests {
    use super::*;

    pub struct Case<'a> {
        pub format: Format,
        pub only: Option<&'a [&'a str]>,
        pub never: &'a [&'a str],
    }

    pub const JSON: Case = Case { format: Format::Json, only: None, never: &[] };
    pub const TOML: Case = Case { format: Format::Toml, only: None, never: &[] };

    impl Case<'_> {
        pub fn merge(&self, base: &str, ours: &str, theirs: &str) -> Merged {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let gate = Gate::new(self.only.map(own).as_deref(), &own(self.never));
            let parse = |text: &'static str| self.format.parse_text(text).unwrap();
            let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
            let (base, ours, theirs) = (parse(leak(base)), parse(leak(ours)), parse(leak(theirs)));
            merge(self.format, Versions { base: Some(&base), ours: Some(&ours), theirs: Some(&theirs) }, &gate, Prefer::Theirs)
        }

        fn check(&self, base: &str, ours: &str, theirs: &str, expected: &str) {
            assert_eq!(self.merge(base, ours, theirs).text, expected, "{base} {ours} {theirs}");
        }
    }

    #[test]
    fn theirs_counts_only_where_it_changed_something() {
        JSON.check(r#"{"a":1,"b":1}"#, r#"{"a":2,"b":1}"#, r#"{"a":1,"b":3}"#, r#"{"a":2,"b":3}"#);
        JSON.check(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, r#"{"a":1,"c":3}"#, r#"{"a":1,"b":2,"c":3}"#);
        JSON.check(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1}"#, r#"{"a":1,"c":3}"#);
        JSON.check(r#"{"t":{"x":1,"y":1}}"#, r#"{"t":{"x":2,"y":1}}"#, r#"{"t":{"x":1,"y":2}}"#, r#"{"t":{"x":2,"y":2}}"#);
        TOML.check("a = 1\nb = 1\n", "a = 2 # mine\nb = 1\n", "a = 1\nb = 3\n", "a = 2 # mine\nb = 3\n");
    }

    #[test]
    fn untouched_parts_keep_their_bytes() {
        JSON.check(
            r#"{"a":1}"#,
            "{ \"n\": 1e400,\n\t\"a\" :1, \"u\":\"\\u0041\" }\n",
            r#"{"a":2}"#,
            "{ \"n\": 1e400,\n\t\"a\" :2, \"u\":\"\\u0041\" }\n",
        );
        TOML.check("", "# head\n[t] # tail\nx = 0x1f\n", "[t]\ny = 1\n", "# head\n[t] # tail\nx = 0x1f\ny = 1\n");
    }

    #[test]
    fn a_result_that_equals_a_side_has_its_bytes() {
        JSON.check(r#"{"a":1}"#, r#"{"a":1}"#, "{\n  \"a\": 2\n}\n", "{\n  \"a\": 2\n}\n");
        JSON.check(r#"{"a":1}"#, "{ \"a\" : 2 }", r#"{"a":2}"#, "{ \"a\" : 2 }");
    }

    #[test]
    fn a_key_that_executes_does_not_pass_in_any_disguise() {
        let gate = Case { never: &["hooks", "t.cmd"], ..JSON };
        gate.check("{}", r#"{"a":1}"#, r#"{"a":2,"hooks":{"x":1}}"#, r#"{"a":2}"#);
        gate.check("{}", r#"{"a":1}"#, r#"{"a":1,"\u0068ooks":{"x":1}}"#, r#"{"a":1}"#);
        gate.check(r#"{"hooks":1}"#, r#"{"hooks":1,"a":1}"#, r#"{"a":2}"#, r#"{"hooks":1,"a":2}"#);
        gate.check("{}", r#"{"a":1}"#, r#"{"a":1,"t":{"cmd":"rm","ok":1}}"#, r#"{"a":1,"t":{"ok": 1}}"#);
        gate.check(r#"{"t":{"cmd":"a"}}"#, r#"{"t":{"cmd":"a"}}"#, r#"{"t":5}"#, r#"{"t":{"cmd":"a"}}"#);
        gate.check("{}", "{}", r#"{"t":{"cmd":"rm"}}"#, "{}");
        let gate = Case { never: &["mcp_servers", "t.cmd"], ..TOML };
        gate.check("", "a = 1\n", "a = 2\nmcp_servers.x.command = 'rm'\n[t]\n'cmd' = 1\n", "a = 2\n");
        gate.check("", "a = 1\n", "a = 2\nt = { cmd = 'rm' }\n", "a = 2\n");
    }

    #[test]
    fn only_listed_keys_flow() {
        let gate = Case { only: Some(&["theme", "o.id"]), ..JSON };
        gate.check(
            "{}",
            r#"{"machine":"m"}"#,
            r#"{"theme":"dark","machine":"x","o":{"id":1,"k":2}}"#,
            r#"{"machine":"m","theme":"dark","o":{"id": 1}}"#,
        );
        gate.check(r#"{"theme":"a","o":{"id":1}}"#, r#"{"theme":"a","o":{"id":1,"k":2}}"#, "{}", r#"{"o":{"k":2}}"#);
    }

    #[test]
    fn both_sides_changing_a_key_is_a_conflict_and_a_deletion_loses() {
        assert_eq!(JSON.merge(r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#).conflicts, ["a"]);
        assert_eq!(JSON.merge(r#"{"a":1}"#, r#"{"a":2}"#, "{}"), Merged { text: r#"{"a":2}"#.into(), conflicts: vec![] });
        assert_eq!(JSON.merge(r#"{"a":1}"#, "{}", r#"{"a":3}"#), Merged { text: r#"{"a":3}"#.into(), conflicts: vec![] });
    }
}

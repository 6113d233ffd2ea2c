//! Merges one by one.

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
        merge(self.format, Versions { base: Some(&base), ours: Some(&ours), theirs: Some(&theirs) }, &gate, Prefer::Theirs).unwrap()
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

//! Merges one by one.

use super::*;

use crate::core::sync::bound::Bound;

pub struct Case<'a> {
    pub format: Format<'static>,
    pub only: Option<&'a [&'a str]>,
    pub out: &'a [(&'a str, Bound)],
    pub lack: Lack,
}

pub const JSON: Case = Case { format: Format::Json(&[]), only: None, out: &[], lack: Lack::Deleted };
pub const TOML: Case = Case { format: Format::Toml, ..JSON };

impl Case<'_> {
    pub fn merge(&self, base: &str, ours: &str, theirs: &str) -> Merged {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let out: Vec<(String, Bound)> = self.out.iter().map(|(key, bound)| ((*key).to_owned(), bound.clone())).collect();
        let gate = match self.only.map(own) {
            Some(only) => Gate::only(&only),
            None if out.is_empty() => Gate::Open,
            None => Gate::values(out.iter().map(|(key, bound)| (key, bound))),
        };
        let parse = |text: &'static str| self.format.parse_text(text).unwrap();
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let (base, ours, theirs) = (parse(leak(base)), parse(leak(ours)), parse(leak(theirs)));
        merge(
            self.format,
            Versions { base: Some(&base), ours: Some(&ours), theirs: Some(&theirs) },
            Terms { gate: &gate, prefer: Prefer::Theirs, lack: self.lack },
        )
        .unwrap()
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

// BO-08
#[test]
fn a_key_that_is_not_listed_does_not_pass_in_any_disguise() {
    let out = [("a", Bound::Number(0..=9)), ("t.ok", Bound::Bool)];
    let gate = Case { out: &out, ..JSON };
    gate.check("{}", r#"{"a":1}"#, r#"{"a":2,"hooks":{"x":1}}"#, r#"{"a":2}"#);
    gate.check("{}", r#"{"a":1}"#, r#"{"a":1,"\u0068ooks":{"x":1}}"#, r#"{"a":1}"#);
    gate.check("{}", r#"{"a":1}"#, r#"{"a":99}"#, r#"{"a":1}"#);
    gate.check(r#"{"hooks":1,"a":1}"#, r#"{"hooks":1,"a":1}"#, "{}", r#"{"hooks":1,"a":1}"#);
    gate.check("{}", r#"{"a":1}"#, r#"{"a":1,"t":{"cmd":"rm","ok":true}}"#, r#"{"a":1,"t":{"ok": true}}"#);
    gate.check(r#"{"t":{"cmd":"a"}}"#, r#"{"t":{"cmd":"a"}}"#, r#"{"t":5}"#, r#"{"t":{"cmd":"a"}}"#);
    gate.check("{}", "{}", r#"{"t":{"cmd":"rm"}}"#, "{}");
    let gate = Case { out: &out, ..TOML };
    gate.check("", "a = 1\n", "a = 2\nmcp_servers.x.command = 'rm'\n[t]\n'cmd' = 1\n", "a = 2\n");
    gate.check("", "a = 1\n", "a = 2\nt = { cmd = 'rm' }\n[[u]]\nx = 1\n", "a = 2\n");
    gate.check("", "a = 1\n", "\"\\u0074\".cmd = 1\n't'.ok = true\n", "a = 1\n\n[t]\nok = true\n");
}

// SE-06
#[test]
fn both_sides_changes_of_a_list_hold() {
    let check = |base: &str, ours: &str, theirs: &str, expected: &str| {
        let wrap = |list: &str| format!("{{\"l\": {list}}}");
        JSON.check(&wrap(base), &wrap(ours), &wrap(theirs), &wrap(expected));
        let toml = |list: &str| format!("l = {list}\n");
        let merged = TOML.merge(&toml(base), &toml(ours), &toml(theirs));
        let same = TOML.format.parse_text(&merged.text).unwrap().table == TOML.format.parse_text(&toml(expected)).unwrap().table;
        assert!(same && merged.conflicts.is_empty(), "{}", merged.text);
    };
    check("[1]", "[1, 2]", "[1, 3]", "[1, 2, 3]");
    check("[1, 2]", "[1, 2, 4]", "[2, 3]", "[2, 4, 3]");
    check("[1, 2]", "[2]", "[1, 2, 3]", "[2, 3]");
    check("[1, 2]", "[2]", "[1]", "[]");
    check("[1]", "[]", "[1, 1]", "[]");
    JSON.check("{}", r#"{"l": ["a"]}"#, r#"{"l": ["b", "\u0061"]}"#, r#"{"l": ["a", "b"]}"#);
    // A list of tables is one value: nobody can say which element is which.
    assert_eq!(JSON.merge(r#"{"l":[{"a":1}]}"#, r#"{"l":[{"a":2}]}"#, r#"{"l":[{"a":3}]}"#).conflicts, ["l"]);
}

// SE-07
#[test]
fn what_was_lost_comes_back_and_what_was_changed_stays() {
    let lost = Case { lack: Lack::Lost, ..JSON };
    lost.check(r#"{"a":1,"b":1}"#, r#"{"b":2}"#, r#"{"a":1,"b":1}"#, r#"{"b":2,"a":1}"#);
    lost.check(r#"{"l":[1,2]}"#, r#"{"l":[3]}"#, r#"{"l":[1,2]}"#, r#"{"l":[3, 1, 2]}"#);
    lost.check(r#"{"a":1,"t":{"x":1}}"#, r#"{"a":1,"t":{"x":1}}"#, r#"{"t":{}}"#, r#"{"a":1,"t":{"x":1}}"#);
    lost.check(r#"{"a":1}"#, r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":2}"#);
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

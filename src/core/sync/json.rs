//! JSON as text: read into a tree, and edited in place so that everything untouched keeps its bytes.
//!
//! Values are never turned into numbers or maps and back: `1e400` and escapes come out as they went in.

pub mod lenient;
mod list;
mod scan;
mod write;

use serde::de::IgnoredAny;
use std::borrow::Cow;

use crate::core::sync::document::Flaw;
use crate::core::sync::json::lenient::{JsonExtension, plain};
use crate::core::sync::json::scan::{Node, scan};
use crate::core::sync::json::write::JsonWriter;
use crate::core::sync::merge::{Edits, Table, Tree};

/// Where the parts of a text are that was read: what writes it again need not look.
#[derive(Debug)]
pub struct JsonParts<'a>(Node<'a>);

/// A document as it was read.
#[derive(Debug)]
pub struct JsonRead<'a> {
    pub table: Table<'a>,
    /// How many keys it has.
    pub keys: usize,
    /// Nothing where there is more than JSON in it.
    pub parts: Option<JsonParts<'a>>,
}

/// Returns the document as a tree, or why it is none for a reader of these extras.
pub fn parse<'a>(text: &'a str, reads: &[JsonExtension]) -> Result<JsonRead<'a>, Flaw> {
    let (plain, extras) = plain(text);
    if extras.is_empty() {
        return parse_plain(text);
    }
    let JsonRead { table, keys, .. } = parse_plain(&plain)?;
    if extras.iter().any(|extra| !reads.contains(extra)) {
        return Err(Flaw::Unread);
    }
    Ok(JsonRead { table: table.into_owned(), keys, parts: None })
}

fn parse_plain(text: &str) -> Result<JsonRead<'_>, Flaw> {
    let (root, keys) = scan(text)?;
    match tree(text, &root)? {
        Tree::Table(table) => Ok(JsonRead { table: *table, keys, parts: Some(JsonParts(root)) }),
        Tree::List(_) | Tree::Leaf(_) => Err(Flaw::Torn),
    }
}

/// Returns an object in which a key occurs twice as its readers understand it: the last one counts. `None` where it holds what cannot be
/// spelled again, such as a number beyond all bounds.
pub fn last_of_twice(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&plain(text).0).ok()?;
    serde_json::to_vec(&value).ok()
}

/// Whether this may only be half of a document, at a fraction of the cost of [`parse`].
pub fn is_torn(text: &str) -> bool {
    let plain = plain(text).0;
    !plain.trim_ascii_start().starts_with('{') || serde_json::from_str::<IgnoredAny>(&plain).is_err()
}

/// Returns line and column, from 1, at which a text is no document.
pub fn broken_at(text: &str) -> Option<(usize, usize)> {
    let plain = plain(text).0;
    serde_json::from_str::<IgnoredAny>(&plain).err().map(|error| (error.line(), error.column()))
}

/// A text to be edited, or to take from, with its parts where they are known.
pub type JsonSource<'s, 'a> = (&'s str, Option<&'s JsonParts<'a>>);

/// Ours after the edits, or nothing if one of them has no place in it. Each text is gone through once, whatever the edits are; both were
/// read into trees, from which the edits are.
pub fn apply((ours, our_parts): JsonSource, (theirs, their_parts): JsonSource, edits: &Edits) -> Option<String> {
    let our_plain = if our_parts.is_some() { Cow::from(ours) } else { plain(ours).0 };
    let their_plain = if their_parts.is_some() { Cow::from(theirs) } else { plain(theirs).0 };
    let (mut our_scan, mut their_scan) = (None, None);
    let root = parts(&our_plain, our_parts, &mut our_scan)?;
    let source = parts(&their_plain, their_parts, &mut their_scan)?;
    JsonWriter::new(ours, &our_plain, theirs).document(root, source, edits)
}

fn parts<'s, 'a>(text: &'a str, known: Option<&'s JsonParts<'a>>, scanned: &'s mut Option<Node<'a>>) -> Option<&'s Node<'a>> {
    match known {
        Some(JsonParts(root)) => Some(root),
        None => Some(scanned.insert(scan(text).ok()?.0)),
    }
}

fn tree<'a>(text: &'a str, node: &Node<'a>) -> Result<Tree<'a>, Flaw> {
    let members = match node {
        Node::Leaf(span) => {
            let text = text.get(span.clone()).unwrap_or_default();
            return Ok(list::items(text).map_or_else(|| Tree::Leaf(list::spell(squeeze(text))), Tree::List));
        }
        Node::Object { members, .. } => members,
    };
    let mut table = Table::with_room(members.len());
    for member in members {
        if !table.insert(member.key.clone(), tree(text, &member.value)?) {
            return Err(Flaw::Ambiguous);
        }
    }
    Ok(Tree::Table(Box::new(table)))
}

/// Returns a value without the whitespace between its tokens.
fn squeeze(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return text.into();
    }
    let (mut quoted, mut escaped) = (false, false);
    let keep = |&char: &char| {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        quoted || !char.is_ascii_whitespace()
    };
    text.chars().filter(keep).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sync::document::MOST;
    use crate::core::sync::json::lenient::EVERYTHING;
    use crate::core::sync::merge::{Edit, Union};

    fn parse(text: &str) -> Result<(Table<'_>, usize), Flaw> {
        super::parse(text, &[]).map(|read| (read.table, read.keys))
    }

    fn apply(ours: &str, theirs: &str, edits: &Edits) -> Option<String> {
        let written = super::apply((ours, None), (theirs, None), edits);
        // What was read before needs no second look.
        let read = [ours, theirs].map(|text| super::parse(text, &EVERYTHING).unwrap());
        let [ours, theirs] = [(ours, read[0].parts.as_ref()), (theirs, read[1].parts.as_ref())];
        assert_eq!(super::apply(ours, theirs, edits), written);
        written
    }

    fn edits<'a>(dotted: &'a str, last: Edit<'a>) -> Edits<'a> {
        match dotted.split_once('.') {
            None => vec![(dotted, last)],
            Some((name, rest)) => vec![(name, Edit::Within(edits(rest, last)))],
        }
    }

    /// Takes the value 9 at a path.
    fn set(text: &str, dotted: &str) -> Option<String> {
        let theirs = dotted.rsplit('.').fold("9".to_owned(), |inner, name| format!("{{\"{name}\":{inner}}}"));
        apply(text, &theirs, &edits(dotted, Edit::Take))
    }

    fn remove(text: &str, dotted: &str) -> Option<String> {
        apply(text, "{}", &edits(dotted, Edit::Remove))
    }

    #[test]
    fn a_new_key_takes_the_style_of_its_neighbours() {
        let check = |text: &str, expected: &str| assert_eq!(set(text, "z").unwrap(), expected);
        check("{}", "{\n  \"z\": 9\n}");
        check(r#"{"a":1}"#, r#"{"a":1,"z":9}"#);
        check(r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "b": 2, "z": 9}"#);
        check("{\n\t\"a\": 1\n}\n", "{\n\t\"a\": 1,\n\t\"z\": 9\n}\n");
        check("{\n    \"a\": {\"z\": 0}\n}", "{\n    \"a\": {\"z\": 0},\n    \"z\": 9\n}");
    }

    // Z-038
    #[test]
    fn a_replaced_value_leaves_every_other_byte_alone() {
        let check = |text: &str, at: &str, expected: &str| {
            assert_eq!(set(text, at).unwrap(), expected);
        };
        check(r#"{ "a" :1e400 ,"b":[1, 2] }"#, "b", r#"{ "a" :1e400 ,"b":9 }"#);
        check(r#"{"a":{"b":{"c":"}"}},"d":"\""}"#, "a.b.c", r#"{"a":{"b":{"c":9}},"d":"\""}"#);
        check(r#"{"a":{}}"#, "a.b.c", r#"{"a":{"b": {"c": 9}}}"#);
        check(r#"{"a":1}"#, "a.b", r#"{"a":{"b": 9}}"#);
    }

    #[test]
    fn a_removed_key_takes_its_comma_along() {
        let check = |text: &str, at: &str, expected: &str| {
            assert_eq!(remove(text, at).unwrap(), expected);
        };
        check(r#"{"a":1,"b":2}"#, "a", r#"{"b":2}"#);
        check(r#"{"a":1,"b":2}"#, "b", r#"{"a":1}"#);
        check("{\n  \"a\": 1\n}", "a", "{}");
        check(r#"{"a":{"b":1,"c":2}}"#, "a.b", r#"{"a":{"c":2}}"#);
        assert_eq!(remove("{}", "a"), None);
    }

    #[test]
    fn many_edits_are_one_pass_with_the_result_of_each_after_the_other() {
        let check = |ours: &str, theirs: &str, edits: Edits, expected: &str| assert_eq!(apply(ours, theirs, &edits).unwrap(), expected);
        let take = |names: &[&'static str]| names.iter().map(|name| (*name, Edit::Take)).collect::<Edits>();
        check("{}", r#"{"a":1,"b":2}"#, take(&["a", "b"]), "{\n  \"a\": 1,\n  \"b\": 2\n}");
        check(r#" {"t":{}} "#, r#"{"t":{"a":1,"b":2}}"#, vec![("t", Edit::Within(take(&["a", "b"])))], r#" {"t":{"a": 1,"b": 2}} "#);
        check(r#"{"x":0}"#, r#"{"t":{"a":1,"b":2}}"#, vec![("t", Edit::Within(take(&["a", "b"])))], r#"{"x":0,"t":{"a": 1,"b": 2}}"#);
        let replaced = vec![("c", Edit::Take), ("a", Edit::Remove), ("b", Edit::Remove)];
        check("{\n \"a\":1,\n \"b\":2\n}", r#"{"c":3}"#, replaced, "{\n \"c\":3\n}");
        check("{ \"a\": 1, \"b\": 2, \"c\": 3 }", "{}", vec![("b", Edit::Remove)], "{ \"a\": 1, \"c\": 3 }");
        check("{ \"a\": 1, \"b\": 2 }", "{}", vec![("a", Edit::Remove), ("b", Edit::Remove)], "{}");
        assert_eq!(apply("{}", "{}", &take(&["a"])), None, "theirs has no such value");
    }

    // Z-036, Z-038
    #[test]
    fn what_is_no_object_is_broken_and_what_is_two_is_ambiguous() {
        let check = |text: &str, expected: Option<Flaw>| assert_eq!(parse(text).err(), expected, "{text}");
        check("", Some(Flaw::Torn));
        check("  \n", Some(Flaw::Torn));
        check(r#"{"a":1"#, Some(Flaw::Torn));
        check("{}{}", Some(Flaw::Torn));
        check("[1]", Some(Flaw::Torn));
        check("null", Some(Flaw::Torn));
        check("// no\n{}", Some(Flaw::Unread));
        check("{\"a\":1,}", Some(Flaw::Unread));
        check("\u{feff}{}", Some(Flaw::Unread));
        check("{\"a\":1 // no", Some(Flaw::Torn));
        check(r#"{"a":1,"a":2}"#, Some(Flaw::Ambiguous));
        check(r#"{"a":1,"\u0061":2}"#, Some(Flaw::Ambiguous));
        check(r#"{"\ud800":1}"#, Some(Flaw::Ambiguous));
        let last = |text: &str| last_of_twice(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(last("\u{feff}{\"a\":1,//x\n\"\\u0061\":[2],}").as_deref(), Some(r#"{"a":[2]}"#));
        assert_eq!(last(r#"{"a":1,"a":1e400}"#), None);
        check(r#"{"a":{"b":1,"b":1}}"#, Some(Flaw::Ambiguous));
        check(r#"{"a":1e400,"b":"\ud800","c":[{"x":1}]}"#, None);
    }

    // BO-06
    #[test]
    fn more_keys_than_any_settings_have_are_refused() {
        let with = |count: usize| format!("{{{}}}", (0..count).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(","));
        assert_eq!(parse(&with(MOST)).err(), None);
        assert_eq!(parse(&with(MOST + 1)).err(), Some(Flaw::TooMany));
        let nested = format!("{{\"a\":{}}}", with(MOST));
        assert_eq!(parse(&nested).err(), Some(Flaw::TooMany));
    }

    // SE-08
    #[test]
    fn comments_stay_where_they_are() {
        let text = "\u{feff}{\n  // about a\n  \"a\": 1, // tail of a\n  /* about b */ \"b\": [1, // one\n    2],\n}\n";
        let check = |edited: Option<String>, from: &str, to: &str| assert_eq!(edited.unwrap(), text.replacen(from, to, 1));
        let unite = |gone: &[&str]| {
            let union = Union { gone: gone.iter().map(|item| (*item).to_owned()).collect(), new: vec!["3".into()] };
            apply(text, "{}", &edits("b", Edit::Unite(Box::new(union))))
        };
        assert!(super::parse(text, &EVERYTHING).is_ok());
        check(set(text, "a"), "1", "9");
        check(set(text, "z"), "2],", "2],\n  \"z\": 9,");
        check(unite(&["2"]), "2]", "3]");
        check(unite(&[]), "2]", "2,\n    3]");
        for edited in [set(text, "z"), remove(text, "a"), remove(text, "b")] {
            let edited = edited.unwrap();
            assert!(super::parse(&edited, &EVERYTHING).is_ok(), "{edited}");
            for comment in ["// about a", "// tail of a", "/* about b */"] {
                assert!(edited.contains(comment), "{comment} is gone: {edited}");
            }
        }
    }

    #[test]
    fn whitespace_between_tokens_does_not_make_a_difference() {
        assert_eq!(parse(r#"{"a":[1,"x y"]}"#), parse("{ \"a\" : [ 1 ,\n \"x y\" ] }"));
        assert_ne!(parse(r#"{"a":"x y"}"#), parse(r#"{"a":"xy"}"#));
        assert_ne!(parse(r#"{"a":"\" b"}"#), parse(r#"{"a":"\"b"}"#));
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"a\":{}1{}}}", "{\"x\":[".repeat(50_000), "]}".repeat(50_000));
        assert!(parse(&deep).is_ok());
    }
}

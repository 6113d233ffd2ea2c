//! JSON as text: read into a tree, and edited in place so that everything untouched keeps its bytes.
//!
//! Values are never turned into numbers or maps and back: `1e400` and escapes come out as they went in.

mod scan;

use std::ops::Range;

use crate::core::sync::document::Flaw;
use crate::core::sync::json::scan::{Node, scan};
use crate::core::sync::merge::{Table, Tree};

/// The document as a tree, or why it is none.
pub fn parse(text: &str) -> Result<Table, Flaw> {
    let root = scan(text)?;
    match tree(text, &root)? {
        Tree::Table(table) => Ok(table),
        Tree::Leaf(_) => Err(Flaw::Broken),
    }
}

/// The text of the value at a path.
pub fn value<'a>(text: &'a str, path: &[String]) -> Option<&'a str> {
    let root = scan(text).ok()?;
    let mut node = &root;
    for key in path {
        node = &node.member(key)?.value;
    }
    text.get(node.span())
}

/// The text with the value at a path replaced or added; what is missing on the way is created.
pub fn set(text: &str, path: &[String], value: &str) -> Option<String> {
    let root = scan(text).ok()?;
    let mut node = &root;
    for (depth, key) in path.iter().enumerate() {
        let rest = path.get(depth + 1..)?;
        let Some(member) = node.member(key) else {
            return insert(text, node, depth, key, &nested(rest, value));
        };
        node = &member.value;
        if !matches!(node, Node::Object { .. }) && !rest.is_empty() {
            return Some(splice(text, node.span(), &nested(rest, value)));
        }
    }
    Some(splice(text, node.span(), value))
}

/// The text without the key at a path.
pub fn remove(text: &str, path: &[String]) -> Option<String> {
    let root = scan(text).ok()?;
    let (last, parents) = path.split_last()?;
    let mut node = &root;
    for key in parents {
        node = &node.member(key)?.value;
    }
    let Node::Object { span, members } = node else {
        return None;
    };
    let index = members.iter().position(|member| member.key == *last)?;
    let member = members.get(index)?;
    let before = index.checked_sub(1).and_then(|before| members.get(before));
    let cut = match (before, members.get(index + 1)) {
        (Some(before), _) => before.value.span().end..member.value.span().end,
        (None, Some(next)) => member.name.start..next.name.start,
        (None, None) => span.start + 1..span.end - 1,
    };
    Some(splice(text, cut, ""))
}

fn tree(text: &str, node: &Node) -> Result<Tree, Flaw> {
    let members = match node {
        Node::Leaf(span) => {
            return Ok(Tree::Leaf(squeeze(text.get(span.clone()).unwrap_or_default())));
        }
        Node::Object { members, .. } => members,
    };
    let mut table = Table::default();
    for member in members {
        if !table.insert(member.key.clone(), tree(text, &member.value)?) {
            return Err(Flaw::Ambiguous);
        }
    }
    Ok(Tree::Table(table))
}

/// A value without the whitespace between its tokens.
fn squeeze(text: &str) -> String {
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
    text.chars().filter(keep).collect()
}

/// A new member in the style of its neighbours.
fn insert(text: &str, node: &Node, depth: usize, key: &str, value: &str) -> Option<String> {
    let Node::Object { span, members } = node else {
        return None;
    };
    let name = serde_json::to_string(key).ok()?;
    let Some((first, last)) = members.first().zip(members.last()) else {
        let body = if depth == 0 { format!("{{\n  {name}: {value}\n}}") } else { format!("{{{name}: {value}}}") };
        return Some(splice(text, span.clone(), &body));
    };
    let gap = match members.get(1) {
        Some(second) => text.get(first.value.span().end..second.name.start)?.to_owned(),
        None => format!(",{}", text.get(span.start + 1..first.name.start)?),
    };
    let colon = text.get(first.name.end..first.value.span().start)?;
    let end = last.value.span().end;
    Some(splice(text, end..end, &format!("{gap}{name}{colon}{value}")))
}

fn nested(path: &[String], value: &str) -> String {
    path.iter().rev().fold(value.to_owned(), |inner, key| {
        let name = serde_json::Value::from(key.as_str());
        format!("{{{name}: {inner}}}")
    })
}

fn splice(text: &str, span: Range<usize>, new: &str) -> String {
    let mut text = text.to_owned();
    text.replace_range(span, new);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_new_key_takes_the_style_of_its_neighbours() {
        let check = |text: &str, expected: &str| assert_eq!(set(text, &path("z"), "9").unwrap(), expected);
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
            assert_eq!(set(text, &path(at), "9").unwrap(), expected);
        };
        check(r#"{ "a" :1e400 ,"b":[1, 2] }"#, "b", r#"{ "a" :1e400 ,"b":9 }"#);
        check(r#"{"a":{"b":{"c":"}"}},"d":"\""}"#, "a.b.c", r#"{"a":{"b":{"c":9}},"d":"\""}"#);
        check(r#"{"a":{}}"#, "a.b.c", r#"{"a":{"b": {"c": 9}}}"#);
        check(r#"{"a":1}"#, "a.b", r#"{"a":{"b": 9}}"#);
    }

    #[test]
    fn a_removed_key_takes_its_comma_along() {
        let check = |text: &str, at: &str, expected: &str| {
            assert_eq!(remove(text, &path(at)).unwrap(), expected);
        };
        check(r#"{"a":1,"b":2}"#, "a", r#"{"b":2}"#);
        check(r#"{"a":1,"b":2}"#, "b", r#"{"a":1}"#);
        check("{\n  \"a\": 1\n}", "a", "{}");
        check(r#"{"a":{"b":1,"c":2}}"#, "a.b", r#"{"a":{"c":2}}"#);
        assert_eq!(remove("{}", &path("a")), None);
    }

    // Z-036, Z-038
    #[test]
    fn what_is_no_object_is_broken_and_what_is_two_is_ambiguous() {
        let check = |text: &str, expected: Option<Flaw>| assert_eq!(parse(text).err(), expected, "{text}");
        check("", Some(Flaw::Broken));
        check("  \n", Some(Flaw::Broken));
        check(r#"{"a":1"#, Some(Flaw::Broken));
        check("{}{}", Some(Flaw::Broken));
        check("[1]", Some(Flaw::Broken));
        check("null", Some(Flaw::Broken));
        check("// no\n{}", Some(Flaw::Broken));
        check(r#"{"a":1,"a":2}"#, Some(Flaw::Ambiguous));
        check(r#"{"a":1,"\u0061":2}"#, Some(Flaw::Ambiguous));
        check(r#"{"\ud800":1}"#, Some(Flaw::Ambiguous));
        check(r#"{"a":{"b":1,"b":1}}"#, Some(Flaw::Ambiguous));
        check(r#"{"a":1e400,"b":"\ud800","c":[{"x":1}]}"#, None);
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

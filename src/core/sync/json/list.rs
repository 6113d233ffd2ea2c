//! A list of scalars as text: its elements, and the same text without some of them and with others at its end.

use std::borrow::Cow;
use std::ops::Range;

use crate::core::sync::json::lenient::{plain, string_end};
use crate::core::sync::merge::Union;

/// Returns the elements of an array of scalars in one spelling each; nothing if it is no array, or holds more than scalars.
pub fn items(text: &str) -> Option<Vec<Cow<'_, str>>> {
    Some(spans(text)?.into_iter().map(|span| spell(text.get(span).unwrap_or_default().into())).collect())
}

/// Returns one spelling for equal scalars: strings lose their escapes, numbers stay as they are.
pub fn spell(scalar: Cow<'_, str>) -> Cow<'_, str> {
    if !scalar.starts_with('"') || !scalar.contains('\\') {
        return scalar;
    }
    let decoded = serde_json::from_str::<String>(&scalar).ok();
    decoded.map_or(scalar, |text| serde_json::Value::from(text).to_string().into())
}

/// Writes the text of an array without the elements that are gone and with the new ones, in the style of its neighbours.
pub fn united(text: &str, Union { gone, new }: &Union) -> Option<String> {
    let spans = spans(text)?;
    let Some((first, last)) = spans.first().zip(spans.last()) else {
        return Some(format!("[{}]", new.join(", ")));
    };
    let gap = gap(text, &spans)?;
    let mut made = String::new();
    let mut behind = String::new();
    for (index, span) in spans.iter().enumerate() {
        let item = text.get(span.clone())?;
        if !gone.contains(&*spell(item.into())) {
            made = made + &behind + item;
            // What stands behind an element that stays stays as well, comments and all.
            behind = spans.get(index + 1).and_then(|next| text.get(span.end..next.start)).map_or_else(|| gap.clone(), str::to_owned);
        }
    }
    for item in new {
        made = made + &behind + item;
        behind.clone_from(&gap);
    }
    if made.is_empty() {
        return Some("[]".to_owned());
    }
    Some(format!("{}{made}{}", text.get(..first.start)?, text.get(last.end..)?))
}

/// Returns what to put between two elements.
fn gap(text: &str, spans: &[Range<usize>]) -> Option<String> {
    let plain = plain(text).0;
    let blank = match (spans.first(), spans.get(1)) {
        (Some(first), Some(second)) => plain.get(first.end..second.start)?,
        (Some(first), None) => plain.get(1..first.start)?,
        (None, _) => "",
    };
    Some(match blank.rfind('\n').and_then(|at| blank.get(at..)) {
        Some(line) => format!(",{line}"),
        None if spans.len() > 1 && text.contains(blank) => blank.to_owned(),
        None => ", ".to_owned(),
    })
}

/// Returns where the elements are; nothing if it is no array or not all of them are scalars.
fn spans(text: &str) -> Option<Vec<Range<usize>>> {
    if !text.starts_with('[') {
        return None;
    }
    let plain = plain(text).0;
    let bytes = plain.as_bytes();
    let mut spans = Vec::new();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'{' | b'[' => return None,
            b']' => return Some(spans),
            b'"' => string_end(&plain, at),
            b',' => at + 1,
            _ if byte.is_ascii_whitespace() => at + 1,
            _ => at + bytes.iter().skip(at).take_while(|byte| !matches!(byte, b',' | b']') && !byte.is_ascii_whitespace()).count(),
        };
        if byte != b',' && !byte.is_ascii_whitespace() {
            spans.push(at..end);
        }
        at = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    // SE-06
    #[test]
    fn elements_go_and_come_and_the_rest_keeps_its_bytes() {
        let check = |text: &str, gone: &[&str], new: &[&str], expected: &str| {
            let own = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
            let union = Union { gone: own(gone).into_iter().collect(), new: own(new) };
            assert_eq!(united(text, &union).unwrap(), expected);
        };
        check("[]", &[], &["1"], "[1]");
        check("[ ]", &[], &["1", "2"], "[1, 2]");
        check("[1]", &["1"], &[], "[]");
        check("[1]", &[], &["2"], "[1, 2]");
        check("[1,2]", &[], &["3"], "[1,2,3]");
        check("[1,2,3]", &["2"], &[], "[1,3]");
        check("[\n    \"a\",\n    \"b\"\n  ]", &["\"a\""], &["\"c\""], "[\n    \"b\",\n    \"c\"\n  ]");
        check("[\n    \"a\"\n  ]", &[], &["\"c\""], "[\n    \"a\",\n    \"c\"\n  ]");
        check(r#"["\u0061", "],["]"#, &[r#""a""#], &[], r#"["],["]"#);
        check("[1, // one\n 2, // two\n 3]", &["3"], &[], "[1, // one\n 2]");
    }

    #[test]
    fn only_scalars_make_a_list() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|items| items.iter().map(|item| Cow::from(*item)).collect::<Vec<_>>());
            assert_eq!(items(text), expected, "{text}");
        };
        check("[1, 1e400, null, \"a b\" ,true]", Some(&["1", "1e400", "null", "\"a b\"", "true"]));
        check("[]", Some(&[]));
        check("[[1]]", None);
        check("[1, {\"a\": 1}]", None);
        check("\"[1]\"", None);
        check("1", None);
    }
}

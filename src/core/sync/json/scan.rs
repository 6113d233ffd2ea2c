//! Where the parts of a JSON text are.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

use crate::core::sync::document::{Flaw, MOST};

/// Deeper objects are merged as wholes; no settings file is that deep, and the scanner recurses.
const DEEPEST: usize = 64;

#[derive(Debug)]
pub enum Node<'a> {
    Object { span: Range<usize>, members: Vec<Member<'a>> },
    Leaf(Range<usize>),
}

#[derive(Debug)]
pub struct Member<'a> {
    pub key: Cow<'a, str>,
    /// The key as it is written, quotes included.
    pub name: Range<usize>,
    pub value: Node<'a>,
}

impl Node<'_> {
    pub fn span(&self) -> Range<usize> {
        match self {
            Node::Object { span, .. } | Node::Leaf(span) => span.clone(),
        }
    }
}

/// Returns where everything is, and how many keys there are.
pub fn scan(text: &str) -> Result<(Node<'_>, usize), Flaw> {
    let mut scanner = Scanner { text, at: 0, keys: 0 };
    let node = scanner.value(0).and_then(|node| scanner.end().map(|()| node));
    match node {
        Ok(node) => Ok((node, scanner.keys)),
        // Half of a document is that before anything else that may be wrong with it.
        Err(Flaw::Torn) => Err(Flaw::Torn),
        Err(flaw) => Err(if is_json(text) { flaw } else { Flaw::Torn }),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    keys: usize,
}

impl<'a> Scanner<'a> {
    fn value(&mut self, depth: usize) -> Result<Node<'a>, Flaw> {
        self.blank();
        if self.peek() == b'{' && depth < DEEPEST {
            return self.object(depth);
        }
        let start = self.at;
        let is_plain = match self.peek() {
            b'"' => self.string(),
            b'{' | b'[' => self.nest(),
            _ => self.word(),
        };
        // What is not plain is rare; the library knows all of its rules.
        let is_value = is_plain || self.text.get(start..self.at).is_some_and(is_json);
        is_value.then_some(Node::Leaf(start..self.at)).ok_or(Flaw::Torn)
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, Flaw> {
        let start = self.at;
        let mut members = Vec::new();
        self.at += 1;
        self.blank();
        while self.peek() != b'}' || !members.is_empty() {
            let name_start = self.at;
            if self.peek() != b'"' {
                return Err(Flaw::Torn);
            }
            let is_plain = self.string();
            let name = name_start..self.at;
            let key = self.key(&name, is_plain)?;
            self.keys += 1;
            if self.keys > MOST {
                return Err(Flaw::TooMany);
            }
            self.blank();
            self.take(b':')?;
            let value = self.value(depth + 1)?;
            members.push(Member { key, name, value });
            self.blank();
            if self.peek() == b'}' {
                break;
            }
            self.take(b',')?;
            self.blank();
        }
        self.at += 1;
        Ok(Node::Object { span: start..self.at, members })
    }

    fn take(&mut self, byte: u8) -> Result<(), Flaw> {
        if self.peek() != byte {
            return Err(Flaw::Torn);
        }
        self.at += 1;
        Ok(())
    }

    /// Nothing but blanks may stand behind a document.
    fn end(&mut self) -> Result<(), Flaw> {
        self.blank();
        if self.at == self.text.len() { Ok(()) } else { Err(Flaw::Torn) }
    }

    /// Returns what a name means. Half a surrogate pair is valid JSON, but no two readers make the same key of it.
    fn key(&self, name: &Range<usize>, is_plain: bool) -> Result<Cow<'a, str>, Flaw> {
        if is_plain {
            return Ok(self.text.get(name.start + 1..name.end - 1).unwrap_or_default().into());
        }
        let written = self.text.get(name.clone()).ok_or(Flaw::Torn)?;
        serde_json::from_str(written).map(Cow::Owned).map_err(|_| if is_json(written) { Flaw::Ambiguous } else { Flaw::Torn })
    }

    /// Goes past a nested value, without recursion. Whether it is one is not known then.
    fn nest(&mut self) -> bool {
        let mut open = 0_usize;
        while self.at < self.text.len() {
            match self.peek() {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        false
    }

    /// Goes past a string, and says whether it is one without escapes.
    fn string(&mut self) -> bool {
        let mut is_plain = true;
        self.at += 1;
        while self.at < self.text.len() {
            match self.peek() {
                b'\\' => {
                    is_plain = false;
                    self.at += 1;
                }
                b'"' => {
                    self.at += 1;
                    return is_plain;
                }
                byte => is_plain &= byte >= b' ',
            }
            self.at += 1;
        }
        false
    }

    /// Goes past a word, and says whether it is a plain number.
    fn word(&mut self) -> bool {
        let start = self.at;
        while self.at < self.text.len() && !matches!(self.peek(), b',' | b']' | b'}') && !is_blank(self.peek()) {
            self.at += 1;
        }
        let word = &self.text.as_bytes()[start..self.at];
        word.first().is_some_and(|first| (b'1'..=b'9').contains(first)) && word.iter().all(u8::is_ascii_digit)
    }

    fn blank(&mut self) {
        while is_blank(self.peek()) {
            self.at += 1;
        }
    }

    /// Returns the byte here; NUL, which no JSON holds outside of a string, at the end.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_torn(text: &str) -> bool {
        matches!(scan(text), Err(Flaw::Torn))
    }

    #[test]
    fn json_is_what_its_standard_says() {
        let values = [
            "0",
            "-0",
            "-1.5e+3",
            "10",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "0x1",
            "true",
            "nul",
            "null",
            "\"\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u00e9\"",
        ];
        let more = [
            "\"\t\"",
            "\"a",
            "[1,]",
            "[1 2]",
            "[[]",
            "[\"]\"]",
            "{}",
            "{,}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "{\"\t\":1}",
            "1\u{c}",
        ];
        for value in values.into_iter().chain(more) {
            for text in
                [value.to_owned(), format!("{{\"k\": {value}}}"), format!("{{\"k\":{value},\"l\":[{value}]}} "), format!("{value}]")]
            {
                assert_eq!(is_torn(&text), !is_json(&text), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_or_changed_is_judged_as_the_library_does(at in 0_usize..60, with in "[{}\\[\\]\":,\\\\ue0-9.+ trl\n\u{c}é]{0,2}", cut in 0_usize..3) {
            let whole: Vec<char> = "{\"a\": [1, {\"b\": \"x\\\"y\"}], \"é\": {\"c\": true, \"d\": -0.5e9}, \"f\": null}".chars().collect();
            let (before, rest) = whole.split_at(at.min(whole.len()));
            let text = before.iter().collect::<String>() + &with + &rest[cut.min(rest.len())..].iter().collect::<String>();
            prop_assert_eq!(is_torn(&text), !is_json(&text), "{}", text);
        }
    }
}

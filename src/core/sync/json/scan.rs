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

/// Returns where everything is, and how many keys there are. The text is known to be JSON before the scanner, which trusts it, sees it.
pub fn scan(text: &str) -> Result<(Node<'_>, usize), Flaw> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| Flaw::Torn)?;
    scan_again(text)
}

/// Returns the same of a text that was scanned before.
pub fn scan_again(text: &str) -> Result<(Node<'_>, usize), Flaw> {
    let mut scanner = Scanner { text, at: 0, keys: 0 };
    Ok((scanner.value(0)?, scanner.keys))
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
        match self.peek() {
            b'"' => self.string(),
            b'{' | b'[' => self.nest(),
            _ => self.word(),
        }
        Ok(Node::Leaf(start..self.at))
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, Flaw> {
        let start = self.at;
        let mut members = Vec::new();
        self.at += 1;
        self.blank();
        while self.peek() == b'"' {
            let name_start = self.at;
            self.string();
            let name = name_start..self.at;
            let key = self.key(&name).ok_or(Flaw::Ambiguous)?;
            self.keys += 1;
            if self.keys > MOST {
                return Err(Flaw::TooMany);
            }
            self.blank();
            self.at += 1;
            let value = self.value(depth + 1)?;
            members.push(Member { key, name, value });
            self.blank();
            if self.peek() == b',' {
                self.at += 1;
                self.blank();
            }
        }
        self.at += 1;
        Ok(Node::Object { span: start..self.at, members })
    }

    /// Returns what a name means. Half a surrogate pair is valid JSON, but no two readers make the same key of it.
    fn key(&self, name: &Range<usize>) -> Option<Cow<'a, str>> {
        let inside = self.text.get(name.start + 1..name.end - 1)?;
        if !inside.contains('\\') {
            return Some(inside.into());
        }
        serde_json::from_str::<String>(self.text.get(name.clone())?).ok().map(Cow::Owned)
    }

    /// Past a nested value, without recursion.
    fn nest(&mut self) {
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
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while self.at < self.text.len() {
            match self.peek() {
                b'\\' => self.at += 1,
                b'"' => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn word(&mut self) {
        while self.at < self.text.len() && !matches!(self.peek(), b',' | b']' | b'}') && !self.peek().is_ascii_whitespace() {
            self.at += 1;
        }
    }

    fn blank(&mut self) {
        while self.peek().is_ascii_whitespace() {
            self.at += 1;
        }
    }

    /// Returns the byte here; NUL, which no JSON holds outside of a string, at the end.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
}

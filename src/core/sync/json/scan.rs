//! Where the parts of a JSON text are.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::core::sync::document::Flaw;

/// Deeper objects are merged as wholes; no settings file is that deep, and the scanner recurses.
const DEEPEST: usize = 64;

#[derive(Debug)]
pub enum Node {
    Object { span: Range<usize>, members: Vec<Member> },
    Leaf(Range<usize>),
}

#[derive(Debug)]
pub struct Member {
    pub key: String,
    /// The key as it is written, quotes included.
    pub name: Range<usize>,
    pub value: Node,
}

impl Node {
    pub fn span(&self) -> Range<usize> {
        match self {
            Node::Object { span, .. } | Node::Leaf(span) => span.clone(),
        }
    }

    pub fn member(&self, key: &str) -> Option<&Member> {
        match self {
            Node::Object { members, .. } => members.iter().find(|member| member.key == key),
            Node::Leaf(_) => None,
        }
    }
}

/// Where everything is. The text is known to be JSON before the scanner, which trusts it, sees it.
pub fn scan(text: &str) -> Result<Node, Flaw> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| Flaw::Broken)?;
    Scanner { text, at: 0 }.value(0)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Flaw> {
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

    fn object(&mut self, depth: usize) -> Result<Node, Flaw> {
        let start = self.at;
        let mut members = Vec::new();
        self.at += 1;
        self.blank();
        while self.peek() == b'"' {
            let name_start = self.at;
            self.string();
            let name = name_start..self.at;
            // Half a surrogate pair is valid JSON, but no two readers make the same key of it.
            let key = self.text.get(name.clone()).and_then(|raw| serde_json::from_str(raw).ok()).ok_or(Flaw::Ambiguous)?;
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

    /// The byte here; NUL, which no JSON holds outside of a string, at the end.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
}

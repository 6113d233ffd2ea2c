//! What the shell puts in the place of `$NAME`, `${…}`, `$(…)` and backticks, as far as that can be known.

use crate::core::setup::line::LineReader;

/// Variables of the tools for the directory of the project.
const PROJECT: [&str; 4] = ["CLAUDE_PROJECT_DIR", "GEMINI_PROJECT_DIR", "GEMINI_CWD", "PWD"];
/// What prints the project's directory.
const PRINTS_PROJECT: [&str; 3] = ["git rev-parse --show-toplevel", "pwd", "pwd -P"];

/// A word as it is read.
#[derive(Default)]
pub(super) struct RawWord {
    pub text: String,
    pub is_unknown: bool,
    /// Whether a part of it was quoted.
    pub is_quoted: bool,
}

impl LineReader {
    /// Reads a word.
    pub(super) fn piece(&mut self) -> RawWord {
        let mut piece = RawWord::default();
        let mut is_in_quotes = false;
        while let Some(&next) = self.chars.get(self.at) {
            match next {
                '"' => {
                    is_in_quotes = !is_in_quotes;
                    piece.is_quoted = true;
                    self.at += 1;
                }
                '\'' if !is_in_quotes => {
                    let start = self.at + 1;
                    self.at = start;
                    self.skip_until('\'');
                    piece.text.extend(&self.chars[start..self.at]);
                    piece.is_quoted = true;
                    self.at += 1;
                }
                '\\' => {
                    piece.text.extend(self.chars.get(self.at + 1).filter(|next| **next != '\n'));
                    self.at += 2;
                }
                '$' | '`' => self.expansion(&mut piece),
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' if !is_in_quotes => break,
                next => {
                    piece.text.push(next);
                    self.at += 1;
                }
            }
        }
        piece
    }

    /// Reads `$NAME`, `${…}`, `$(…)` or backticks.
    fn expansion(&mut self, piece: &mut RawWord) {
        let start = self.at;
        let opening = (self.chars[start], self.chars.get(start + 1).copied());
        let value = match opening {
            ('`', _) => {
                self.at += 1;
                let inner = self.at;
                self.skip_until('`');
                self.at += 1;
                self.substitution(inner, self.at.saturating_sub(1))
            }
            (_, Some('(')) => {
                self.at = self.closing(start + 1, ('(', ')'));
                self.substitution(start + 2, self.at.saturating_sub(1))
            }
            (_, Some('{')) => {
                self.at = self.closing(start + 1, ('{', '}'));
                let inner: String = self.chars.get(start + 2..self.at - 1).unwrap_or_default().iter().collect();
                let name: String = inner.chars().take_while(|c| *c == '_' || c.is_ascii_alphanumeric()).collect();
                self.variable(&name).filter(|_| inner == name || PROJECT.contains(&name.as_str()))
            }
            (_, Some('\'')) => {
                self.at += 1;
                return;
            }
            _ => {
                self.at += 1;
                while self.chars.get(self.at).is_some_and(|c| *c == '_' || c.is_ascii_alphanumeric()) {
                    self.at += 1;
                }
                let name: String = self.chars[start + 1..self.at].iter().collect();
                self.variable(&name)
            }
        };
        if let Some(value) = value {
            piece.text.push_str(&value);
        } else {
            piece.is_unknown = true;
            piece.text.extend(&self.chars[start..self.at.min(self.chars.len())]);
        }
    }

    /// Returns where the bracket that opens at `from` is closed, one behind.
    fn closing(&self, from: usize, (open, close): (char, char)) -> usize {
        let (mut depth, mut quote) = (0_usize, None);
        for (at, &c) in self.chars.iter().enumerate().skip(from) {
            match (quote, c) {
                (Some(mark), c) if mark == c => quote = None,
                (Some('\''), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (_, c) if c == open => depth += 1,
                (_, c) if c == close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        self.chars.len()
    }

    fn substitution(&mut self, from: usize, to: usize) -> Option<String> {
        let inner: String = self.chars.get(from..to.max(from))?.iter().collect();
        if PRINTS_PROJECT.contains(&inner.split(" 2>").next().unwrap_or_default().trim()) {
            return Some(".".into());
        }
        if self.deep < 4 && !inner.starts_with('(') {
            self.inner(&inner);
        }
        None
    }

    fn variable(&self, name: &str) -> Option<String> {
        match self.known.get(name) {
            Some(value) => value.clone(),
            None if name == "HOME" => Some("~".into()),
            None => PROJECT.contains(&name).then(|| ".".into()),
        }
    }
}

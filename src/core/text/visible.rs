//! What comes from outside is shown, never obeyed.
//!
//! Names, addresses, values and file contents may hold what a terminal acts upon, or what makes one line look like two. Both come out
//! as text that a person can see.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `text` as one line: controls, line ends and what reorders or hides text are spelled out, `\u{1b}` for an escape.
pub fn visible(text: &str) -> Cow<'_, str> {
    spelled(text, is_unseen)
}

/// Returns a line of somebody's file: as [`visible`], but tabs stay, which move nothing that was written before.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    spelled(text, |character| character != '\t' && is_unseen(character))
}

/// Returns the lines of `text`, each visible; for text whose line ends are its author's own layout.
pub fn visible_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.trim_end().split('\n').map(|line| visible_line(line.strip_suffix('\r').unwrap_or(line)))
}

/// Returns the lines of what somebody else said, each visible. One that begins like ours is set off, so that it is not taken for ours.
pub fn quoted_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let is_like_ours = |line: &str| ["hint:", "ai:"].iter().any(|head| line.trim_start().starts_with(head));
    visible_lines(text).map(move |line| if is_like_ours(&line) { Cow::Owned(format!("> {line}")) } else { line })
}

/// Returns what a parser says about TOML, with the line that it is about. What it quotes may hold line ends of its own, and its
/// complaint stays one line.
pub fn toml_complaint(error: &toml::de::Error) -> String {
    let complaint = error.message();
    error.to_string().replace(complaint, &visible(complaint))
}

fn spelled(text: &str, is_unseen: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            character if !is_unseen(character) => seen.push(character),
            '\n' => seen.push_str("\\n"),
            '\r' => seen.push_str("\\r"),
            '\t' => seen.push_str("\\t"),
            character => {
                // Writing to a string cannot fail.
                let _ = write!(seen, "\\u{{{:x}}}", u32::from(character));
            }
        }
    }
    Cow::Owned(seen)
}

/// Whether a character has an effect in place of a shape: controls (C0, C1), separators of lines, what changes direction, and what
/// takes no room. The two joiners stay: scripts and emoji are written with them.
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(visible(text), expected);
        assert!(!visible(text).contains(is_unseen), "{text:?}");
    }

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        check("a\x1b]52;c;x\x07b", "a\\u{1b}]52;c;x\\u{7}b");
        check("\u{9b}2J\u{90}q\u{7f}", "\\u{9b}2J\\u{90}q\\u{7f}");
        check("one\r\ntwo\t", "one\\r\\ntwo\\t");
    }

    #[test]
    fn what_reorders_or_hides_text_is_spelled_out() {
        check("a\u{202e}b\u{2066}c\u{200f}", "a\\u{202e}b\\u{2066}c\\u{200f}");
        check("a\u{2028}b\u{feff}\u{200b}", "a\\u{2028}b\\u{feff}\\u{200b}");
        check("\u{e0061}", "\\u{e0061}");
    }

    #[test]
    fn what_people_write_stays() {
        check("Größe 日本語 ~ \\ 👩\u{200d}💻 شاشة", "Größe 日本語 ~ \\ 👩\u{200d}💻 شاشة");
        assert!(matches!(visible("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn lines_of_a_text_stay_lines() {
        assert_eq!(visible_lines("a\r\n\tb\x1b\n").collect::<Vec<_>>(), ["a", "\tb\\u{1b}"]);
        assert_eq!(quoted_lines("a\n  hint: b\n").collect::<Vec<_>>(), ["a", ">   hint: b"]);
    }
}

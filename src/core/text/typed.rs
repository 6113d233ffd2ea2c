//! Words of a command that we show for somebody to type or paste.

use std::fmt::Write;

use crate::core::shell::Shell;
use crate::core::text::visible::is_unseen;

/// Returns `word` as text that bash and zsh read as this one word and that can be seen: harmless words bare, others in quotes, and what
/// would not be seen as its bytes.
pub fn typed(word: &str) -> String {
    if !word.contains(is_unseen) {
        return Shell::Bash.quote(word);
    }
    let mut text = String::from("$'");
    for character in word.chars() {
        match character {
            '\n' => text.push_str("\\n"),
            '\'' | '\\' => text.extend(['\\', character]),
            character if is_unseen(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Three digits of octal end by themselves, whatever comes next. Writing to a string cannot fail.
                    let _ = write!(text, "\\{byte:03o}");
                }
            }
            character => text.push(character),
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::text::visible::visible;

    #[track_caller]
    fn check(word: &str, expected: &str) {
        assert_eq!(typed(word), expected);
        assert_eq!(visible(expected), expected, "it survives the writer");
    }

    #[test]
    fn a_word_is_one_word_that_can_be_seen() {
        check("/a/b", "/a/b");
        check("r; touch PWN", "'r; touch PWN'");
        check("$(id)`id`", "'$(id)`id`'");
        check("a\nb'c\\d\u{1b}1", r"$'a\nb\'c\\d\0331'");
        check("\u{9b}", r"$'\302\233'");
    }
}

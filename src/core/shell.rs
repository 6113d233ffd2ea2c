//! Quoting and naming for the three shells that we speak.
//!
//! Every word of a user or of the file system that becomes shell text goes through [`Shell::quote`]. It must not know
//! where words come from.

use std::os::unix::ffi::OsStrExt;
use std::{ffi::OsStr, fmt};

pub mod any;
pub mod block;
pub mod complaints;
pub mod known_lines;
pub mod rc_lines;
pub mod script;

/// A shell that `ai init` can print functions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    Zsh,
    Bash,
    Fish,
}

impl Shell {
    pub const ALL: [Self; 3] = [Self::Zsh, Self::Bash, Self::Fish];

    pub fn name(self) -> &'static str {
        match self {
            Self::Zsh => "zsh",
            Self::Bash => "bash",
            Self::Fish => "fish",
        }
    }

    /// Appends `word` to `text` so that this shell reads back exactly the same bytes as one word.
    ///
    /// Words of harmless characters stay bare. All others go into single quotes, where zsh and bash treat nothing as
    /// special and fish treats `\\` and `\'` as escapes, so the two families need different spellings.
    pub fn quote_into(self, word: &OsStr, text: &mut Vec<u8>) {
        let bytes = word.as_bytes();
        if !bytes.is_empty() && bytes.iter().copied().all(is_harmless) {
            text.extend_from_slice(bytes);
            return;
        }
        text.push(b'\'');
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\'' | b'\\')) {
            let (plain, last) = part.split_at(part.len() - 1);
            text.extend_from_slice(plain);
            match (self, last) {
                (Self::Zsh | Self::Bash, b"'") => text.extend_from_slice(br"'\''"),
                (Self::Fish, b"'") => text.extend_from_slice(br"\'"),
                (Self::Fish, b"\\") => text.extend_from_slice(br"\\"),
                _ => text.extend_from_slice(last),
            }
        }
        text.push(b'\'');
    }

    /// `word` as text of this shell; see [`Shell::quote_into`].
    pub fn quote(self, word: &str) -> String {
        let mut text = Vec::with_capacity(word.len() + 2);
        self.quote_into(OsStr::new(word), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// `word` as text of this shell, in one line: some settings of zsh (`csh_junkie_quotes`) allow no line's end between quotes.
    pub fn quote_in_a_line(self, word: &str) -> String {
        match self {
            Self::Zsh => self.quote(word).replace('\n', r"'$'\n''"),
            Self::Bash | Self::Fish => self.quote(word),
        }
    }

    /// Returns a whole command line: each word quoted, one space between, a newline at the end.
    pub fn command_line<W: AsRef<OsStr>>(self, words: &[W]) -> Vec<u8> {
        let mut text = Vec::new();
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            self.quote_into(word.as_ref(), &mut text);
        }
        text.push(b'\n');
        text
    }
}

impl Shell {
    /// Returns a file of this shell that answers what it makes of some names: `words` are the file for the answer, then the names.
    pub fn question(self, words: &str) -> String {
        match self {
            // Read with the aliases of the person on, but for what is behind the first line.
            Self::Zsh => format!(
                "functions[__ai_ask]='\\builtin \\emulate \\-L \\zsh \\-o \\noaliases; \\builtin \\local __ai_text=\"$1\"; \\builtin \\shift; \\builtin \\eval \"$__ai_text\"'\n\
                 '__ai_ask' {} {words}\n",
                self.quote_in_a_line(include_str!("../../shells/doctor.zsh"))
            ),
            Self::Bash => format!("\\builtin set -- {words}\n{}", include_str!("../../shells/doctor.bash")),
            Self::Fish => format!("set argv {words}\n{}", include_str!("../../shells/doctor.fish")),
        }
    }
}

impl fmt::Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Characters that no shell expands anywhere in a word. `=`, `~`, `^`, `,` and braces are missing on purpose: zsh
/// expands `=cmd`, old shells treat `^` as a pipe, and `{a,b}` is a list.
fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b'@' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, posix: &str, fish: &str) {
        assert_eq!(Shell::Zsh.quote(word), posix);
        assert_eq!(Shell::Bash.quote(word), posix);
        assert_eq!(Shell::Fish.quote(word), fish);
    }

    #[test]
    fn harmless_words_stay_bare() {
        check("--mount", "--mount", "--mount");
        check("/a/b.c:d@e+f", "/a/b.c:d@e+f", "/a/b.c:d@e+f");
    }

    #[test]
    fn everything_else_is_quoted() {
        check("", "''", "''");
        check("a b", "'a b'", "'a b'");
        check("{a,b}", "'{a,b}'", "'{a,b}'");
        check("=ls", "'=ls'", "'=ls'");
        check("~", "'~'", "'~'");
        check("$(id)\n`id`", "'$(id)\n`id`'", "'$(id)\n`id`'");
    }

    #[test]
    fn quotes_and_backslashes_differ_between_the_families() {
        check("it's", r"'it'\''s'", r"'it\'s'");
        check(r"a\b", r"'a\b'", r"'a\\b'");
        check(r"\'", r"'\'\'''", r"'\\\''");
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let word = OsStr::from_bytes(b"\xff\x80");
        assert_eq!(Shell::Bash.command_line(&[word, OsStr::new("x")]), b"'\xff\x80' x\n");
    }
}

//! Text that every shell reads as one quoted word, whichever it is for: a line for one shell may stand in the file of another.

use crate::core::shell::Shell;
use crate::core::shell::rc_lines::typed;

/// Quotes `text` so that `shell` reads back exactly this, and all shells read one word.
///
/// What they agree about are single quotes around text in which no backslash comes before a quote: in fish, it would take the quote's
/// meaning away. Backslashes before a quote and quotes themselves go outside, where a backslash before them means the same everywhere.
pub fn quote_for_any(text: &str, shell: Shell) -> String {
    let mut quoted = String::with_capacity(text.len() + text.len() / 8);
    for (index, part) in text.split('\'').enumerate() {
        quoted.push_str(if index > 0 { r"\'" } else { "" });
        let inside = part.trim_end_matches('\\');
        quoted.push('\'');
        match shell {
            Shell::Fish => quoted.push_str(&inside.replace('\\', r"\\")),
            Shell::Zsh | Shell::Bash => quoted.push_str(inside),
        }
        quoted.push('\'');
        quoted.extend(std::iter::repeat_n(r"\\", part.len() - inside.len()));
    }
    quoted
}

/// Why a script could not be read as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Misread {
    /// Nothing quoted it, so its lines came as one.
    Pieces,
    /// It is for another shell.
    Elsewhere,
}

impl Misread {
    /// Returns the command that finds out what to do then, quoted for all shells.
    pub fn question(self, shell: Shell, exe: &str, args: &str) -> String {
        let why = match self {
            Self::Pieces => "pieces",
            Self::Elsewhere => "elsewhere",
        };
        let words = [exe, "init", shell.name(), "--misread", why].into_iter().chain(args.split_whitespace());
        format!("\"$({})\"", words.map(|word| quote_for_any(word, shell)).collect::<Vec<_>>().join(" "))
    }

    /// Returns the answer: text that loads what is right, and says what is wrong.
    pub fn answer(self, shell: Shell, exe: &str, args: &str) -> String {
        let says = |text: &str| format!("'echo' 'ai: {text}' >&2");
        if self == Self::Pieces {
            let hint = typed(shell, "command ai", args);
            let line = format!("the line that loads ai came in pieces; it is loaded all the same; hint: put it as {hint}");
            return format!("{}; {}\n", typed(shell, &shell.quote(exe), args), says(&line));
        }
        let nothing = says(&format!("a line here loads ai for {shell}, and this is none of its shells; hint: ai install --shims"));
        let others = Shell::ALL.into_iter().filter(|other| *other != shell);
        others.fold(nothing, |otherwise, other| {
            let load = typed(other, &other.quote(exe), args);
            let line = format!("a line for {shell} loads ai in this {other}, which takes what is for {other}; hint: ai install {other}");
            let load = quote_for_any(&format!("{load}; {}", says(&line)), other);
            let version = other.name().to_uppercase();
            format!("'[' '-n' \"${version}_VERSION\" ']' && 'eval' {load} || 'eval' {}", quote_for_any(&otherwise, shell))
        }) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, posix: &str, fish: &str) {
        assert_eq!(quote_for_any(text, Shell::Bash), posix);
        assert_eq!(quote_for_any(text, Shell::Fish), fish);
    }

    #[test]
    fn no_backslash_stands_before_a_quote() {
        check("a b", "'a b'", "'a b'");
        check("it's", r"'it'\''s'", r"'it'\''s'");
        check(r"\a", r"'\a'", r"'\\a'");
        check(r"a\'b", r"'a'\\\''b'", r"'a'\\\''b'");
        check(r"a\\", r"'a'\\\\", r"'a'\\\\");
    }
}

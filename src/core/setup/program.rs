//! What a command line names: its program, and the paths among its words.

use std::path::{Path, PathBuf};

/// Words that a shell knows by itself.
const OF_SHELL: [&str; 20] = [
    "[", "[[", "test", "echo", "printf", "true", "false", "cd", "exit", "if", "for", "while", "case", "{", "(", ":", "exec", "command",
    "eval", "export",
];

/// Returns the words of a line without the variables in front of it and the signs between its commands; a line for another shell
/// (`sh -c LINE`) is taken apart too. Text that is no shell line is split at blanks.
pub fn words(line: &str) -> Vec<String> {
    let words = shell_words::split(line).unwrap_or_else(|_| line.split_whitespace().map(str::to_owned).collect());
    let is_setting = |word: &String| {
        word.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()))
    };
    let is_sign = |word: &str| matches!(word, "&&" | "||" | "|" | ";" | "&" | ">" | "2>" | "<" | ">>");
    let mut found = Vec::new();
    let mut is_line = false;
    for word in words.into_iter().skip_while(is_setting) {
        if is_line && word.len() < line.len() {
            found.extend(self::words(&word));
        } else if !is_sign(&word) {
            found.push(word.trim_end_matches(';').to_owned());
        }
        is_line = word == "-c";
    }
    found
}

/// Returns whether a shell knows this word without a program.
pub fn is_of_shell(word: &str) -> bool {
    word.is_empty() || OF_SHELL.contains(&word)
}

/// Returns the path that a word is: absolute, or below the home as a shell would spell that. Other variables are not known.
pub fn path(word: &str, home: Option<&Path>) -> Option<PathBuf> {
    let below = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|start| word.strip_prefix(start));
    match below {
        Some(below) => Some(home?.join(below)).filter(|_| !below.contains('$')),
        None => Some(PathBuf::from(word)).filter(|path| path.is_absolute() && path.components().count() > 1 && !word.contains('$')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        assert_eq!(words(line), expected, "{line}");
    }

    #[test]
    fn every_command_of_a_line_counts() {
        check("guard.sh --strict", &["guard.sh", "--strict"]);
        check("A=1 B='x y' guard", &["guard"]);
        check("jq . && rm x", &["jq", ".", "rm", "x"]);
        check("jq . | ~/bin/guard", &["jq", ".", "~/bin/guard"]);
        check("bash -c 'cd /x && ~/bin/guard'", &["bash", "-c", "cd", "/x", "~/bin/guard"]);
        check("a; b", &["a", "b"]);
        check("'my guard' \"a b\"", &["my guard", "a b"]);
        check("it's broken", &["it's", "broken"]);
        check("", &[]);
    }

    #[test]
    fn a_path_is_absolute_or_below_the_home() {
        let home = Some(Path::new("/home/u"));
        for (word, expected) in [
            ("/a/b", Some("/a/b")),
            ("~/x", Some("/home/u/x")),
            ("$HOME/x", Some("/home/u/x")),
            ("${HOME}/x y", Some("/home/u/x y")),
            ("$OTHER/x", None),
            ("$HOME/$X", None),
            ("a/b", None),
            ("/", None),
            ("-x", None),
        ] {
            assert_eq!(path(word, home), expected.map(PathBuf::from), "{word}");
        }
    }
}

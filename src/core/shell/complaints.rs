//! What shells say about the files that they read, and what can be seen in these without a shell.

use std::path::{Path, PathBuf};

use crate::core::shell::block::lines;

/// Something that is wrong with a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellComplaint {
    pub path: PathBuf,
    pub line: usize,
    pub what: String,
}

/// Returns the lines with which git marks what it could not merge.
pub fn conflicts(path: &Path, text: &[u8]) -> Vec<ShellComplaint> {
    let begins = |line: &[u8]| [&b"<<<<<<< "[..], b">>>>>>> "].iter().any(|mark| line.starts_with(mark));
    let found = lines(text).enumerate().find(|(_, line)| begins(line));
    let complaint = |(index, _)| ShellComplaint { path: path.to_owned(), line: index + 1, what: "a conflict that git left here".into() };
    found.map(complaint).into_iter().collect()
}

/// Reads the first complaint about the syntax of a file: `FILE: line N: …`, `FILE:N: …`, `FILE (line N): …`.
pub fn of_shell(path: &Path, said: &str) -> Option<ShellComplaint> {
    let name = path.to_string_lossy();
    said.lines().find_map(|text| {
        let (_, rest) = text.split_once(&*name)?;
        let rest = rest.trim_start_matches([':', ' ', '(']).trim_start_matches("line ");
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let what = rest[digits..].trim_start_matches([')', ':', ' ']).trim();
        let what = if what.is_empty() { "it cannot be read" } else { what };
        Some(ShellComplaint { path: path.to_owned(), line: rest[..digits].parse().ok()?, what: what.to_owned() })
    })
}

/// Returns the last line with letters in it that was shown, on a screen without colours.
pub fn last_words(screen: &str) -> Option<String> {
    let line = screen.lines().rev().find(|line| line.chars().any(char::is_alphabetic) && !line.contains("__ai"))?;
    Some(line.trim().to_owned())
}

/// Returns the last line of these files in a trace whose lines begin with `+__ai FILE:LINE`.
pub fn last_traced<'a>(screen: &str, files: impl Iterator<Item = &'a Path>) -> Option<(PathBuf, usize)> {
    let files: Vec<&Path> = files.collect();
    let place = |line: &str| {
        let (_, place) = line.split_once("+__ai ")?;
        let (path, number) = place.trim_end().rsplit_once(':')?;
        let path = *files.iter().find(|file| file.as_os_str() == path)?;
        Some((path.to_owned(), number.parse().ok()?))
    };
    screen.lines().filter_map(place).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_names_the_line_in_its_own_way() {
        let path = Path::new("/h/.rc");
        for (said, line, what) in [
            ("/h/.rc: line 7: syntax error near unexpected token `fi'\n", 7, "syntax error near unexpected token `fi'"),
            ("noise\n/h/.rc:3: parse error near `}'\n", 3, "parse error near `}'"),
            ("/h/.rc (line 12): Missing end to balance this if statement\nif true\n", 12, "Missing end to balance this if statement"),
        ] {
            assert_eq!(of_shell(path, said), Some(ShellComplaint { path: path.to_owned(), line, what: what.into() }), "{said}");
        }
        assert_eq!(of_shell(path, "/h/.other: line 7: no\n"), None);
    }

    #[test]
    fn what_git_left_is_found() {
        let text = b"a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> theirs\n";
        assert_eq!(conflicts(Path::new("/x"), text).into_iter().map(|found| found.line).collect::<Vec<_>>(), [2]);
        assert!(conflicts(Path::new("/x"), b"cat <<<<<<< x\n=======\n").is_empty());
    }

    #[test]
    fn the_last_line_of_a_trace_is_that_of_a_file_of_the_person() {
        let screen = "+__ai /h/.rc:1\r\nx\r\n++__ai /h/.rc:4\r\n+__ai /usr/share/x:9\r\n";
        assert_eq!(last_traced(screen, [Path::new("/h/.rc")].into_iter()), Some((PathBuf::from("/h/.rc"), 4)));
        assert_eq!(last_words("one\r\n $ \r\n+__ai x\r\n"), Some("one".into()));
    }
}

//! Append-only files of lines: what one side lacks is added at its end, nothing is ever rewritten.

use std::collections::HashSet;

/// Returns what has to be appended to ours so that it holds every complete line of theirs; empty if nothing.
///
/// A last line without its newline may still be in the making: it is not taken, and where ours ends in one it is closed first, so
/// that nothing is glued to it.
pub fn missing(ours: &[u8], theirs: &[u8]) -> Vec<u8> {
    let known: HashSet<&[u8]> = complete(ours).collect();
    let mut added = HashSet::new();
    let mut addition = Vec::new();
    for line in complete(theirs).filter(|line| !known.contains(line)) {
        if added.insert(line) {
            addition.extend_from_slice(line);
        }
    }
    if !addition.is_empty() && ours.last().is_some_and(|&last| last != b'\n') {
        addition.insert(0, b'\n');
    }
    addition
}

/// Returns what is left to append if an earlier append of the addition was cut short; nothing if that is not what happened.
///
/// `found` is the file now, `before` its length then. Somebody else's lines behind the cut make the rest meaningless.
pub fn rest<'a>(found: &[u8], before: usize, addition: &'a [u8]) -> Option<&'a [u8]> {
    addition.strip_prefix(found.get(before..)?)
}

/// Lines that say something and have their newline.
fn complete(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.len() > 1 && line.last() == Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Z-057
    #[test]
    fn only_complete_lines_that_are_new_are_added() {
        let check = |ours: &str, theirs: &str, expected: &str| {
            assert_eq!(String::from_utf8(missing(ours.as_bytes(), theirs.as_bytes())).unwrap(), expected);
        };
        check("", "a\nb\n", "a\nb\n");
        check("a\n", "a\nb\n", "b\n");
        check("b\na\n", "a\nb\n", "");
        check("a\n", "a\nb", "");
        check("", "a\na\n", "a\n");
        // A torn line is closed, kept, and taken for nobody's complete line.
        check("a\nto", "torn\n", "\ntorn\n");
        check("a\nto", "a\n", "");
    }

    #[test]
    fn an_append_that_was_cut_short_is_continued() {
        let check = |found: &str, before: usize, expected: Option<&str>| {
            assert_eq!(rest(found.as_bytes(), before, b"b\nc\n"), expected.map(str::as_bytes));
        };
        check("a\n", 2, Some("b\nc\n"));
        check("a\nb\nc", 2, Some("\n"));
        check("a\nb\nc\n", 2, Some(""));
        check("a\nx\n", 2, None);
        check("a\nb\nc\nd\n", 2, None);
        check("", 2, None);
    }

    proptest! {
        #[test]
        fn law_no_complete_line_vanishes_and_twice_is_once(ours in "[ab\n]{0,24}", theirs in "[ab\n]{0,24}") {
            let (ours, theirs) = (ours.as_bytes(), theirs.as_bytes());
            let merged = [ours, &missing(ours, theirs)].concat();
            prop_assert!(merged.starts_with(ours));
            let lines: HashSet<&[u8]> = complete(&merged).collect();
            prop_assert!(complete(ours).chain(complete(theirs)).all(|line| lines.contains(line)));
            prop_assert!(missing(&merged, theirs).is_empty());
        }
    }
}

//! A staged change, file by file, as `git diff-index --patch` prints it.

use std::ops::Range;

/// The change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePatch<'a> {
    /// As git spells it, without `a/` or `b/`.
    pub path: String,
    /// The lines before the first hunk.
    pub head: &'a [u8],
    /// Each begins with its `@@` line.
    pub hunks: Vec<&'a [u8]>,
    pub added: usize,
    pub removed: usize,
    pub is_binary: bool,
}

/// A line that the change adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added<'a> {
    /// Its number in the new file, from 1.
    pub number: usize,
    pub text: &'a [u8],
}

/// Returns the files of a change. What a file says cannot look like a header: git puts a character before each of its lines.
pub fn files(diff: &[u8]) -> Vec<FilePatch<'_>> {
    let mut begins: Vec<usize> = memchr::memmem::find_iter(diff, b"\ndiff --git ").map(|at| at + 1).collect();
    if diff.starts_with(b"diff --git ") {
        begins.insert(0, 0);
    }
    let ends = begins.iter().skip(1).copied().chain([diff.len()]);
    begins.iter().zip(ends).map(|(begin, end)| file(&diff[*begin..end])).collect()
}

fn file(text: &[u8]) -> FilePatch<'_> {
    let mut begins: Vec<usize> = memchr::memmem::find_iter(text, b"\n@@ ").map(|at| at + 1).collect();
    let head = &text[..begins.first().copied().unwrap_or(text.len())];
    begins.push(text.len());
    let hunks: Vec<&[u8]> = begins.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
    let count = |mark: u8| hunks.iter().flat_map(|hunk| lines(hunk)).filter(|line| line.first() == Some(&mark)).count();
    let (added, removed) = (count(b'+'), count(b'-'));
    let is_binary = lines(head).any(|line| line.starts_with(b"Binary files ") || line.starts_with(b"GIT binary patch"));
    FilePatch { path: path(head), head, added, removed, hunks, is_binary }
}

/// The lines of a text, without their ends.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let count = if text.is_empty() { 0 } else { usize::MAX };
    text.split(|byte| *byte == b'\n').take(count)
}

/// The new name of a file, else its old one.
fn path(head: &[u8]) -> String {
    let after = |mark: &[u8]| lines(head).find_map(|line| line.strip_prefix(mark)).filter(|name| *name != b"/dev/null");
    let text = |name: &[u8]| String::from_utf8_lossy(name).trim_end_matches('\t').to_owned();
    let bare = |name: &str, letter: char| {
        let (quote, inner) = name.strip_prefix('"').map_or(("", name), |inner| ("\"", inner));
        inner.strip_prefix(&format!("{letter}/")).map_or_else(|| name.to_owned(), |inner| format!("{quote}{inner}"))
    };
    if let Some(name) = after(b"+++ ") {
        return bare(&text(name), 'b');
    }
    if let Some(name) = after(b"--- ") {
        return bare(&text(name), 'a');
    }
    if let Some(name) = after(b"rename to ").or_else(|| after(b"copy to ")) {
        return text(name);
    }
    // Without content both halves of the first line name the same file.
    let both = text(after(b"diff --git ").unwrap_or_default());
    let half = both.get(both.len() / 2 + 1..).unwrap_or_default();
    bare(half, 'b')
}

impl<'a> FilePatch<'a> {
    /// Returns the lines that the change adds, with their numbers.
    pub fn added_lines(&self) -> impl Iterator<Item = Added<'a>> + '_ {
        self.hunks.iter().flat_map(|hunk| {
            let mut number = first_line(hunk);
            lines(hunk).skip(1).filter_map(move |line| {
                let here = number;
                number += usize::from(matches!(line.first(), Some(b'+' | b' ')));
                Some(Added { number: here, text: line.strip_prefix(b"+")? })
            })
        })
    }
}

/// The first line of a hunk in the new file: `@@ -1,2 +3,4 @@`.
fn first_line(hunk: &[u8]) -> usize {
    let head = lines(hunk).next().unwrap_or_default();
    let digits = head.split(|byte| *byte == b'+').nth(1).unwrap_or_default();
    let digits: String = digits.iter().take_while(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
    digits.parse().unwrap_or(1)
}

/// Returns the places of the lines of `text`, ends included.
pub fn spans(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut begin = 0;
    std::iter::from_fn(move || {
        if begin >= text.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &text[begin..]).map_or(text.len(), |at| begin + at + 1);
        let span = begin..end;
        begin = end;
        Some(span)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "diff --git a/src/a b.rs b/src/a b.rs\nindex 1..2 100644\n--- a/src/a b.rs\t\n+++ b/src/a b.rs\t\n@@ -1,2 +1,3 @@\n one\n-two\n+2\n+diff --git a/x b/x\n@@ -9 +10,2 @@ fn\n nine\n+@@ -1 +1 @@\n\\ No newline at end of file\ndiff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\ndiff --git a/p.png b/p.png\nnew file mode 100644\nBinary files /dev/null and b/p.png differ\ndiff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\ndiff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n";

    #[test]
    fn files_are_told_apart_whatever_is_in_them() {
        let files = files(DIFF.as_bytes());
        let paths: Vec<(&str, usize, usize, bool)> =
            files.iter().map(|file| (file.path.as_str(), file.added, file.removed, file.is_binary)).collect();
        let expected =
            [("src/a b.rs", 3, 1, false), ("gone", 0, 1, false), ("p.png", 0, 0, true), ("new", 0, 0, false), ("run.sh", 0, 0, false)];
        assert_eq!(paths, expected);
        assert_eq!(files[0].hunks.len(), 2);
        let whole: Vec<u8> =
            files.iter().flat_map(|file| [file.head].into_iter().chain(file.hunks.iter().copied()).flatten().copied()).collect();
        assert_eq!(whole, DIFF.as_bytes());
    }

    #[test]
    fn added_lines_have_the_numbers_of_the_new_file() {
        let files = files(DIFF.as_bytes());
        let added: Vec<(usize, &[u8])> = files[0].added_lines().map(|added| (added.number, added.text)).collect();
        assert_eq!(added, [(2, &b"2"[..]), (3, b"diff --git a/x b/x"), (11, b"@@ -1 +1 @@")]);
    }

    #[test]
    fn what_is_no_change_has_no_files() {
        assert!(files(b"").is_empty() && files(b"warning: x\n").is_empty());
        assert_eq!(lines(b"a\n\nb\n").collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
        assert_eq!(spans(b"a\n\nb").collect::<Vec<_>>(), [0..2, 2..3, 3..4]);
    }
}

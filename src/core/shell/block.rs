//! The marked block in an rc file: how it gets in, and how it comes out without a trace. Pure; bytes that are not ours
//! stay as they are, whatever their encoding and line ends.

use crate::core::shell::known_lines::{NumberedLine, loading_lines};
use crate::core::shell::{Shell, rc_lines};

/// Begins the block's first line; what follows says how to undo it.
const BEGIN: &str = "# >>> ai >>>";
const END: &str = "# <<< ai <<<";
/// The file had no newline at its end, so one was added before the block.
const JOINED: &str = " (with the line break before it)";
/// There was no file.
const CREATED: &str = " (in a file of its own)";
/// Before a line of the user's that was turned off with consent.
const OFF: &str = "# turned off by ai install: ";

/// `old` with one block of these lines, which replaces earlier ones where the first of them is; `None` stands for no file. What a
/// person wrote into them stays.
pub fn with_block(old: Option<&[u8]>, lines: &[String]) -> Vec<u8> {
    let mut text = old.unwrap_or_default().to_vec();
    let Some(first) = find(&text) else {
        let (how, gap) = match old {
            None => (CREATED, ""),
            Some(text) if !text.is_empty() && !text.ends_with(b"\n") => (JOINED, "\n"),
            Some(_) => ("", ""),
        };
        return [&text, gap.as_bytes(), &render(lines, how, &Theirs::default())].concat();
    };
    let mut theirs = theirs(&text[first.begin..first.end]);
    while let Some(next) = find(&text[first.end..]) {
        let (begin, end) = (first.end + next.begin, first.end + next.end);
        let more = self::theirs(&text[begin..end]);
        theirs.after.extend([more.before, more.after].concat());
        text.drain(begin..end);
    }
    text.splice(first.begin..first.end, render(lines, first.how, &theirs));
    text
}

/// `text` with a block of these lines before all else.
pub fn with_block_first(text: &[u8], lines: &[String]) -> Vec<u8> {
    [&render(lines, "", &Theirs::default()), text].concat()
}

fn render(lines: &[String], how: &str, theirs: &Theirs) -> Vec<u8> {
    let ours: String = lines.iter().map(|line| format!("{line}\n")).collect();
    [format!("{BEGIN}{how}\n").as_bytes(), &theirs.before, ours.as_bytes(), &theirs.after, format!("{END}\n").as_bytes()].concat()
}

/// What a person wrote into a block, before and after the lines of ours.
#[derive(Default)]
struct Theirs {
    before: Vec<u8>,
    after: Vec<u8>,
}

fn theirs(block: &[u8]) -> Theirs {
    let mut theirs = Theirs::default();
    let mut seen = false;
    let count = lines(block).count();
    for line in lines(block).skip(1).take(count.saturating_sub(2)) {
        if is_ours(line) {
            seen = true;
        } else if seen {
            theirs.after.extend_from_slice(line);
        } else {
            theirs.before.extend_from_slice(line);
        }
    }
    theirs
}

/// Whether a line in a block is one that `ai install` wrote, now or before.
fn is_ours(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    text.contains("__ai_bin") || text.contains("__ai_block") || Shell::ALL.into_iter().any(|shell| !loading_lines(line, shell).is_empty())
}

/// Returns the arguments for `ai init` in the first block.
pub fn args(text: &[u8], shell: Shell) -> Option<String> {
    let block = find(text)?;
    let found = loading_lines(&text[block.begin..block.end], shell);
    found.first().and_then(|(_, line)| rc_lines::args(line, shell))
}

/// Returns the lines outside of blocks that load the integration.
pub fn by_hand(text: &[u8], shell: Shell) -> Vec<NumberedLine> {
    let mut inside = false;
    let mut skip = Vec::new();
    for (index, line) in lines(text).enumerate() {
        inside |= line.trim_ascii_start().starts_with(BEGIN.as_bytes());
        if inside {
            skip.push(index + 1);
        }
        inside &= line.trim_ascii() != END.as_bytes();
    }
    loading_lines(text, shell).into_iter().filter(|(number, _)| !skip.contains(number)).collect()
}

/// `text` without the blocks, but with what a person wrote into them, and with turned-off lines on again; `None` if nothing of a
/// file of our own is left.
pub fn without_block(text: &[u8]) -> Option<Vec<u8>> {
    let mut rest = text.to_vec();
    let mut created = false;
    while let Some(block) = find(&rest) {
        created |= block.how == CREATED;
        let theirs = theirs(&rest[block.begin..block.end]);
        let kept = [theirs.before, theirs.after].concat();
        let joined = block.how == JOINED && kept.is_empty() && block.end == rest.len() && rest[..block.begin].ends_with(b"\n");
        rest.splice(block.begin - usize::from(joined)..block.end, kept);
    }
    let rest: Vec<u8> = lines(&rest).flat_map(|line| line.strip_prefix(OFF.as_bytes()).unwrap_or(line).to_vec()).collect();
    (!created || !rest.is_empty()).then_some(rest)
}

/// Whether the block is there.
pub fn has_block(text: &[u8]) -> bool {
    find(text).is_some()
}

/// Returns the 1-based line of a block's beginning that no end belongs to: what is ours below it cannot be told.
pub fn unclosed(text: &[u8]) -> Option<usize> {
    let mut open = None;
    for (index, line) in lines(text).enumerate() {
        if line.trim_ascii_start().starts_with(BEGIN.as_bytes()) {
            if open.is_some() {
                return open;
            }
            open = Some(index + 1);
        } else if line.trim_ascii() == END.as_bytes() {
            open = None;
        }
    }
    open
}

struct Block {
    begin: usize,
    end: usize,
    how: &'static str,
}

fn find(text: &[u8]) -> Option<Block> {
    let mut at = 0;
    let mut begin = None;
    for line in lines(text) {
        let bare = line.trim_ascii();
        if let Some(how) = bare.strip_prefix(BEGIN.as_bytes()) {
            begin = Some((at, [JOINED, CREATED].into_iter().find(|known| known.as_bytes() == how).unwrap_or("")));
        }
        at += line.len();
        if let (Some((begin, how)), true) = (begin, bare == END.as_bytes()) {
            return Some(Block { begin, end: at, how });
        }
    }
    None
}

/// Lines with their ends.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// `text` with the lines of these 1-based numbers as comments.
pub fn turned_off(text: &[u8], numbers: &[usize]) -> Vec<u8> {
    let off = |index: usize| if numbers.contains(&(index + 1)) { OFF.as_bytes() } else { b"" };
    lines(text).enumerate().flat_map(|(index, line)| [off(index), line].concat()).collect()
}

/// Returns the change from `old` to `new` as `diff -u` prints it. Both differ in one place only.
pub fn diff(path: &str, old: &[u8], new: &[u8]) -> String {
    let (a, b): (Vec<&[u8]>, Vec<&[u8]>) = (lines(old).collect(), lines(new).collect());
    let head = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let from = head.saturating_sub(3);
    let after = tail.min(3);
    let (a_end, b_end) = (a.len() - tail, b.len() - tail);
    let mut text = format!("--- {path}\n+++ {path}\n@@ -{},{} +{},{} @@\n", from + 1, a_end + after - from, from + 1, b_end + after - from);
    let mut put = |mark: char, lines: &[&[u8]]| {
        for line in lines {
            text.push(mark);
            text.push_str(&String::from_utf8_lossy(line));
            if !line.ends_with(b"\n") {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    };
    put(' ', &a[from..head]);
    put('-', &a[head..a_end]);
    put('+', &b[head..b_end]);
    put(' ', &a[a_end..a_end + after]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::shell::known_lines::old_lines;

    #[track_caller]
    fn check(old: Option<&str>) {
        let line = ["eval \"$('/opt/it'\\''s/ai' init zsh)\"".to_owned()];
        let new = with_block(old.map(str::as_bytes), &line);
        assert_eq!(with_block(Some(&new), &line), new, "twice is once");
        assert_eq!(without_block(&new).as_deref(), old.map(str::as_bytes), "and back");
        let other = with_block(Some(&new), &["eval \"$(/ai init zsh)\"".to_owned(), "true __ai_bin".to_owned()]);
        assert_eq!(without_block(&other).as_deref(), old.map(str::as_bytes), "also after an update");
    }

    // R-T04
    #[test]
    fn what_went_in_comes_out_byte_for_byte() {
        for old in [None, Some(""), Some("\n"), Some("a\n"), Some("a"), Some("a\r\nb\r\n"), Some("a\r\nb"), Some("a\n\n\n")] {
            check(old);
        }
    }

    #[test]
    fn lines_around_the_block_stay() {
        let new = with_block(Some(b"a"), &["true __ai_bin".to_owned()]);
        let edited = [&new[..], b"later\n"].concat();
        assert_eq!(without_block(&edited).unwrap(), b"a\nlater\n");
    }

    #[test]
    fn the_old_script_is_turned_off_and_on_again() {
        let old = b"a\n  source ~/src/ai-assistant.zsh\r\n# source ai-assistant.zsh\nb".as_slice();
        let found = old_lines(old);
        assert_eq!(found, [(2, "  source ~/src/ai-assistant.zsh".to_owned())]);
        let new = turned_off(old, &[2]);
        assert!(old_lines(&new).is_empty());
        assert_eq!(without_block(&with_block(Some(&new), &["true __ai_bin".to_owned()])).unwrap(), old);
    }

    #[test]
    fn what_people_write_into_a_block_stays_and_blocks_become_one() {
        let block = |line: &str| format!("# >>> ai >>>\nexport A=1\n{line}\nexport B=2\n# <<< ai <<<\n");
        let old = format!("a\n{}b\n{}c\n", block("eval \"$(/x/ai init zsh --only claude)\""), block("eval \"$(/y/ai init zsh)\""));
        assert_eq!(args(old.as_bytes(), Shell::Zsh).as_deref(), Some(" --only claude"));
        let new = with_block(Some(old.as_bytes()), &["new __ai_bin".to_owned()]);
        let expected = "a\n# >>> ai >>>\nexport A=1\nnew __ai_bin\nexport B=2\nexport A=1\nexport B=2\n# <<< ai <<<\nb\nc\n";
        assert_eq!(String::from_utf8_lossy(&new), expected);
        assert_eq!(without_block(&new).unwrap(), b"a\nexport A=1\nexport B=2\nexport A=1\nexport B=2\nb\nc\n");
        assert_eq!(by_hand(b"eval \"$(ai init zsh)\"\n# >>> ai >>>\neval \"$(ai init zsh)\"\n# <<< ai <<<\n", Shell::Zsh).len(), 1);
    }

    #[test]
    fn half_a_block_is_no_block() {
        let text = b"# >>> ai >>>\neval\n";
        assert!(!has_block(text));
        assert_eq!(without_block(text).unwrap(), text);
        assert_eq!(unclosed(text), Some(1));
        assert_eq!(unclosed(b"a\n# >>> ai >>> (in a file of its own)\nx\n# >>> ai >>>\nx\n# <<< ai <<<\n"), Some(2));
        assert_eq!(unclosed(b"# <<< ai <<<\n# >>> ai >>>\nx\n# <<< ai <<<\r\n"), None);
    }

    #[test]
    fn a_diff_shows_the_place() {
        let text = diff("rc", b"1\n2\n3\n4\n5", b"1\n2\n3\n4\n5\nx\n");
        assert_eq!(text, "--- rc\n+++ rc\n@@ -2,4 +2,5 @@\n 2\n 3\n 4\n-5\n\\ No newline at end of file\n+5\n+x\n");
    }
}

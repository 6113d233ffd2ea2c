//! Changes of control files in words: one line a kind, names made visible.

use std::path::Path;

use crate::core::control::kinds::Tier;
use crate::core::control::record::{AnchorDir, Handled, PendingChange};
use crate::core::control::{ControlPath, Trace};

/// Names in one line.
const MOST_NAMES: usize = 6;
/// Lines of a short diff, and how long each is.
const MOST_LINES: usize = 4;
const LONGEST: usize = 100;

/// What a person hears after a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlReport {
    pub warnings: Vec<String>,
    pub notes: Vec<String>,
}

/// What was not looked through, for there was too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Directories of the work tree that the run made.
    pub in_tree: bool,
    /// Git's own.
    pub in_git: bool,
}

/// Puts the changes of a run into words.
pub fn report(changes: &[PendingChange], anchors: &[AnchorDir], unseen: Unseen) -> ControlReport {
    let mut report = ControlReport::default();
    let of = |handled: &[Handled]| -> Vec<String> {
        let some = changes.iter().filter(|change| handled.contains(&change.handled));
        some.map(|change| described(change, anchors)).collect()
    };
    let mut warn = |handled: &[Handled], what: &str, hint: &str| {
        let names = of(handled);
        if !names.is_empty() {
            report.warnings.push(format!("{what}: {}; hint: {hint}", listed(&names)));
        }
    };
    warn(&[Handled::PutBack, Handled::Rewritten], "put back what this run changed and your machine would have run", "ai changes");
    warn(&[Handled::SetAside], "set aside what this run left for your machine to run", "ai changes");
    warn(&[Handled::Failed], "cannot put back what this run left for your machine to run", "remove it before you use git here");
    if unseen.in_tree {
        let text = "this run made more directories than `ai` looks through for repositories; hint: look before you `cd` into new ones";
        report.warnings.push(text.into());
    }
    if unseen.in_git {
        let text = "git's own directory has more in it than `ai` looks through, and git writes through links there; hint: look at what \
            `find .git -type l` names before you use git here";
        report.warnings.push(text.into());
    }
    let reported = changes.iter().filter(|change| change.handled == Handled::Reported);
    let (moved, opens): (Vec<_>, Vec<_>) = reported.partition(|change| change.tier == Tier::Runs && !change.names.is_empty());
    let in_words = |changes: Vec<&PendingChange>| changes.into_iter().map(|change| described(change, anchors)).collect::<Vec<_>>();
    let (moved, opens) = (in_words(moved), in_words(opens));
    if !moved.is_empty() {
        let what = "this run changed where git fetches from or pushes to";
        report.warnings.push(format!("{what}: {}; hint: ai changes", listed(&moved)));
    }
    if !opens.is_empty() {
        let what = "this run changed what your machine runs when you open the project, commit or start a tool there";
        report.notes.push(format!("{what}: {}; hint: ai changes", listed(&opens)));
    }
    let builds: Vec<String> = of(&[Handled::Counted]);
    if !builds.is_empty() {
        let files = if builds.len() == 1 { "file" } else { "files" };
        report.notes.push(format!("this run changed {} build {files}: {}", builds.len(), listed(&builds)));
    }
    report
}

fn listed(names: &[String]) -> String {
    let shown = names.get(..MOST_NAMES.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns a change by path, with the settings that it is about.
pub fn described(change: &PendingChange, anchors: &[AnchorDir]) -> String {
    let path = shown(&change.path, anchors);
    let mut names: Vec<String> = change.names.iter().map(|name| visible(name)).collect();
    let kept = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    match (names.is_empty(), kept) {
        (true, _) => path,
        (false, 0) => format!("{path} ({})", names.join(", ")),
        (false, more) => format!("{path} ({} and {more} more)", names.join(", ")),
    }
}

/// Returns a path as a person knows it: below the project, else as a whole.
pub fn shown(path: &ControlPath, anchors: &[AnchorDir]) -> String {
    let whole = anchors
        .get(usize::from(path.anchor))
        .filter(|_| path.anchor > 0)
        .map_or_else(|| path.below.clone(), |anchor| anchor.path.join(&path.below));
    visible(&whole.to_string_lossy())
}

/// Text in which nothing is obeyed: controls, line ends and marks of direction are escaped.
pub fn visible(text: &str) -> String {
    let is_mark =
        |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let shown = |c: char| if c.is_control() || is_mark(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Lines that went and came, as a short diff: the first few, none of them long.
pub fn short_diff(before: &[u8], after: &[u8]) -> Vec<String> {
    let all = diff(before, after);
    let more = all.len().saturating_sub(MOST_LINES);
    let cut =
        |line: &String| if line.chars().count() > LONGEST { line.chars().take(LONGEST).chain(['…']).collect() } else { line.clone() };
    let mut lines: Vec<String> = all.iter().take(MOST_LINES).map(cut).collect();
    if more > 0 {
        lines.push(format!("… {more} more lines"));
    }
    lines
}

/// Lines that went (`-`) and came (`+`), between what both have at their beginning and end.
pub fn diff(before: &[u8], after: &[u8]) -> Vec<String> {
    // A tab is what it is in all files.
    let shown = |line: &str| line.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    let lines = |bytes: &[u8]| -> Vec<String> { String::from_utf8_lossy(bytes).lines().map(shown).collect() };
    let (old, new) = (lines(before), lines(after));
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (old.get(same..).unwrap_or_default(), new.get(same..).unwrap_or_default());
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (old.get(..old.len() - end).unwrap_or_default(), new.get(..new.len() - end).unwrap_or_default());
    old.iter().map(|line| format!("-{line}")).chain(new.iter().map(|line| format!("+{line}"))).collect()
}

/// Returns what stands somewhere, in a word.
pub fn trace_in_words(trace: Option<&Trace>) -> String {
    match trace {
        None => "nothing".into(),
        Some(Trace::File { executable: true, .. }) => "a program".into(),
        Some(Trace::File { .. }) => "a file".into(),
        Some(Trace::Link { to }) => format!("a link to {}", visible(to)),
        Some(Trace::Directory) => "a repository".into(),
        Some(Trace::Strange { why, .. }) => why.clone(),
    }
}

/// Returns what was done about a change, in a word or two.
pub fn handled_in_words(handled: Handled) -> &'static str {
    match handled {
        Handled::PutBack | Handled::Rewritten => "put back",
        Handled::SetAside => "set aside",
        Handled::Reported | Handled::Counted => "changed",
        Handled::Failed => "not put back",
    }
}

/// Returns when the host runs it, in words.
pub fn tier_in_words(tier: Tier) -> &'static str {
    match tier {
        Tier::Runs => "runs at the next `git status`, `cd` or prompt",
        Tier::Opens => "runs when you open, commit or start a tool",
        Tier::Builds => "runs when you build",
    }
}

/// Says whether words of a person name this path: itself, or a directory that it is in.
pub fn is_named(path: &ControlPath, anchors: &[AnchorDir], word: &str) -> bool {
    let whole = anchors.get(usize::from(path.anchor)).map(|anchor| anchor.path.join(&path.below));
    let word = Path::new(word);
    path.below.starts_with(word) || whole.is_some_and(|whole| word.is_absolute() && whole.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    // BO-12
    #[test]
    fn what_was_not_looked_at_is_said_with_the_place_to_look() {
        let warnings = |unseen| report(&[], &[], unseen).warnings;
        assert!(warnings(Unseen::default()).is_empty());
        let all = warnings(Unseen { in_tree: true, in_git: true });
        assert!(matches!(all.as_slice(), [tree, git] if tree.contains("before you `cd`") && git.contains("find .git -type l")), "{all:?}");
    }

    #[test]
    fn a_name_is_seen_and_not_obeyed() {
        assert_eq!(visible("a\n\x1b]0;x\x07\u{202e}b"), "a\\u{a}\\u{1b}]0;x\\u{7}\\u{202e}b");
    }

    #[test]
    fn a_short_diff_has_what_changed_only() {
        assert_eq!(short_diff(b"a\nb\nc\n", b"a\nx\nc\n"), ["-b", "+x"]);
        assert_eq!(short_diff(b"", b"1\n2\n3\n4\n5\n"), ["+1", "+2", "+3", "+4", "… 1 more lines"]);
        assert_eq!(short_diff(b"a", b"a"), Vec::<String>::new());
        assert_eq!(short_diff(b"", b"\ta\x1b\tb"), ["+\ta\\u{1b}\tb"]);
        assert_eq!(short_diff(b"", &b"x".repeat(500))[0].chars().count(), 101);
    }
}

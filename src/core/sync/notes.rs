//! Notes that a tool added at the end of a file of instructions, while the person changed the rest.

use serde::Serialize;

use crate::core::sync::journal::{Act, Change, Unit};
use crate::core::sync::plan::{Gathered, SyncPlan};
use crate::core::sync::{Class, Hash, Mode, Pair, Place, Reading, Rule, Site, SyncRequest};

/// Largest file, in bytes, and most lines at its end, that are looked at.
const LARGEST: usize = 64 << 10;
const LINES: usize = 200;

/// Returns theirs with the notes that ours has behind what both agreed on last, of which only the hash is known. `None` where ours
/// was changed in any other way, or one of them is no text.
pub fn merged(name: &str, base: &Hash, ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let is_text = |bytes: &[u8]| bytes.len() <= LARGEST && std::str::from_utf8(bytes).is_ok();
    if !name.to_ascii_lowercase().ends_with(".md") || !is_text(ours) || !is_text(theirs) {
        return None;
    }
    let notes = added(base, ours)?;
    let mut merged = theirs.to_vec();
    if !merged.is_empty() && !merged.ends_with(b"\n") {
        merged.push(b'\n');
    }
    merged.extend_from_slice(notes);
    Some(merged)
}

/// Returns what stands behind the content with this hash; that may have had no newline at its end.
fn added<'a>(base: &Hash, ours: &'a [u8]) -> Option<&'a [u8]> {
    let ends = || (0..ours.len()).rev().filter(|&at| ours[at] == b'\n').take(LINES);
    // Each with where the notes begin: behind the newline, whoever wrote that.
    let whole = ends().map(|at| (at + 1, at + 1)).chain([(0, 0)]);
    let mut cuts = whole.chain(ends().map(|at| (at, at + 1))).filter(|(_, notes)| *notes < ours.len());
    cuts.find(|(cut, _)| Hash::of(&ours[..*cut]) == *base).map(|(_, notes)| &ours[notes..])
}

/// What a project has in instructions of the person's beyond their own file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notes {
    /// The person's own file.
    pub site: Site,
    /// What it holds, if it is there.
    #[serde(skip)]
    own: Option<Vec<u8>>,
    /// Lines that it has not.
    pub text: String,
}

/// Returns the notes of a project: what its tool added to each file of instructions, and what lost to the person's own changes. `lost`
/// are the copies of such a file.
pub fn of_project(request: &SyncRequest, seen: &Gathered, lost: impl Fn(&str) -> Vec<Vec<u8>>) -> Vec<Notes> {
    request.rules.iter().filter_map(|rule| of_file(rule, seen, &lost)).collect()
}

fn of_file(rule: &Rule, seen: &Gathered, lost: &impl Fn(&str) -> Vec<Vec<u8>>) -> Option<Notes> {
    let site = rule.site(Place::Host).filter(|_| rule.class == Class::Tree && rule.path.to_ascii_lowercase().ends_with(".md"))?;
    let read = |place| match seen.trees.get(&rule.site(place)?)?.as_ref().ok()?.get("")? {
        Reading::File { bytes, .. } => Some(bytes.as_slice()),
        Reading::Absent | Reading::Refused(_) => None,
    };
    // What cannot be read is not written either.
    if seen.trees.get(&site).is_some_and(Result::is_err) {
        return None;
    }
    let own = read(Place::Host);
    let agreed = seen.bases.get(&Pair::HubProject).and_then(|base| base.files.get(&rule.path)?.hash());
    let notes = agreed.and_then(|agreed| added(agreed, read(Place::Project)?)).map(<[u8]>::to_vec);
    let texts = notes.into_iter().chain(lost(&rule.path)).filter(|bytes| bytes.len() <= LARGEST);
    let mut text = String::new();
    for bytes in texts {
        let known = [own.unwrap_or_default(), text.as_bytes()].concat();
        text.push_str(&beyond(&String::from_utf8_lossy(&known), &String::from_utf8_lossy(&bytes)));
    }
    (!text.is_empty()).then(|| Notes { site, own: own.map(<[u8]>::to_vec), text })
}

/// Returns the lines of a text that another has not, in their order; none where only blank ones are left.
fn beyond(known: &str, text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().filter(|line| line.trim().is_empty() || !known.lines().any(|other| other == *line)).collect();
    lines.dedup_by(|line, before| line.trim().is_empty() && before.trim().is_empty());
    let is_blank = |line: &&str| line.trim().is_empty();
    let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    lines[first..last].iter().flat_map(|line| [*line, "\n"]).collect()
}

/// Plans that notes are put at the end of the person's own file.
pub fn taking(notes: &[Notes]) -> SyncPlan {
    let mut plan = SyncPlan::default();
    for notes in notes {
        let mut whole = notes.own.clone().unwrap_or_default();
        if !whole.is_empty() && !whole.ends_with(b"\n") {
            whole.push(b'\n');
        }
        whole.extend_from_slice(notes.text.as_bytes());
        let act = Act::Put { content: plan.keep(&whole), mode: Mode::Plain };
        let change = Change { site: notes.site.clone(), before: notes.own.as_deref().map(Hash::of), act, lock: None };
        plan.units.push(Unit { changes: vec![change], ..Unit::default() });
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, ours: &str, theirs: &str, expected: Option<&str>) {
        let merged = merged("CLAUDE.md", &Hash::of(base.as_bytes()), ours.as_bytes(), theirs.as_bytes());
        assert_eq!(merged.map(|bytes| String::from_utf8(bytes).unwrap()).as_deref(), expected, "{base:?} {ours:?} {theirs:?}");
    }

    // SE-10
    #[test]
    fn notes_at_the_end_stay_where_the_person_changes_the_rest() {
        check("a\n", "a\n- note\n", "b\nc\n", Some("b\nc\n- note\n"));
        check("a", "a\n- note\n", "b", Some("b\n- note\n"));
        check("a\n", "a\n\n## More\n- one\n- two", "b", Some("b\n\n## More\n- one\n- two"));
        check("", "- note\n", "b", Some("b\n- note\n"));
        check("a\n", "a\n- note\n", "", Some("- note\n"));
    }

    #[test]
    fn any_other_change_is_none_of_these() {
        check("a\nb\n", "a\n- note\nb\n", "c\n", None);
        check("a\n", "changed\n", "c\n", None);
        check("a\n", "", "c\n", None);
        let base = Hash::of(b"a\n");
        assert_eq!(merged("x.sh", &base, b"a\nb\n", b"c\n"), None, "a program is no list of notes");
        assert_eq!(merged("x.md", &base, b"a\n\xff\n", b"c\n"), None);
        let long = format!("a\n{}", "- note\n".repeat(LINES + 1));
        assert_eq!(merged("x.md", &base, long.as_bytes(), b"c\n"), None, "what is too much is for the person to look at");
    }

    // SE-10
    #[test]
    fn only_what_the_persons_own_file_has_not_is_a_note() {
        for (known, text, expected) in [
            ("a\nb\n", "b\nc\na\n", "c\n"),
            ("", "\n\nx\n\n\ny\n\n", "x\n\ny\n"),
            ("a\n", "a\n\n", ""),
            ("a", "", ""),
            ("- a\n", " - a\n- a", " - a\n"),
        ] {
            assert_eq!(beyond(known, text), expected, "{known:?} {text:?}");
        }
    }
}

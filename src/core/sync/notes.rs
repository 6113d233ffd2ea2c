//! Notes that a tool added at the end of a file of instructions, while the person changed the rest.

use crate::core::sync::Hash;

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
}

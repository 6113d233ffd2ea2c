//! Directories of files that are compared as wholes: instructions, commands, skills.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::sync::Hash;
use crate::core::sync::merge::{Prefer, Versions};

/// What becomes of one file of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeStep {
    /// Ours stays, or there is nothing.
    Keep,
    /// Both sides have the same.
    Agree,
    Take,
    /// Both sides changed it; whether theirs is taken.
    Conflict(Prefer),
}

/// Returns what to do with one file that theirs may have, by its contents' hashes.
///
/// `prefer` is [`Prefer::Ours`] towards the host, where a file that the person deleted stays deleted.
pub fn step(at: Versions<Option<&Hash>>, prefer: Prefer) -> TreeStep {
    let Some(theirs) = at.theirs else {
        return TreeStep::Keep;
    };
    match at.ours {
        Some(ours) if ours == theirs => TreeStep::Agree,
        None if prefer == Prefer::Ours && at.base == Some(theirs) => TreeStep::Keep,
        None => TreeStep::Take,
        Some(_) if at.base == Some(theirs) => TreeStep::Keep,
        ours if at.base == ours => TreeStep::Take,
        Some(_) => TreeStep::Conflict(prefer),
    }
}

/// Returns how many of the entries that the base knows are gone, if that is too many to believe: more than four, and more than a quarter.
///
/// An entry is what a person sees as one: a file, or a directory such as a skill with all that is in it.
pub fn vanished<'a>(base: impl Iterator<Item = &'a str>, present: &BTreeSet<&str>) -> Option<(usize, usize)> {
    let entry = |name: &'a str| name.split_once('/').map_or(name, |(entry, _)| entry);
    let known: BTreeSet<&str> = base.map(entry).collect();
    let left: BTreeSet<&str> = present.iter().map(|name| name.split_once('/').map_or(*name, |(entry, _)| entry)).collect();
    let (gone, of) = (known.difference(&left).count(), known.len());
    (gone > 4 && gone * 4 > of).then_some((gone, of))
}

/// Names that some file systems would take for another one of the same trees; the first of them is not among these.
pub fn case_clashes<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut first = BTreeMap::new();
    names.filter(|name| *first.entry(name.to_lowercase()).or_insert(*name) != *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_a_three_way_merge_of_wholes() {
        let check = |versions: [&str; 3], prefer, expected| {
            let hashes = versions.map(|content| (!content.is_empty()).then(|| Hash::of(content.as_bytes())));
            let [base, ours, theirs] = hashes.each_ref().map(Option::as_ref);
            assert_eq!(step(Versions { base, ours, theirs }, prefer), expected, "{versions:?}");
        };
        let theirs = Prefer::Theirs;
        check(["", "", "new"], theirs, TreeStep::Take);
        check(["old", "old", "new"], theirs, TreeStep::Take);
        check(["old", "mine", "old"], theirs, TreeStep::Keep);
        check(["old", "mine", "new"], theirs, TreeStep::Conflict(theirs));
        check(["", "mine", "new"], theirs, TreeStep::Conflict(theirs));
        check(["old", "same", "same"], theirs, TreeStep::Agree);
        check(["old", "old", ""], theirs, TreeStep::Keep);
        check(["old", "", "old"], theirs, TreeStep::Take);
        check(["old", "", "old"], Prefer::Ours, TreeStep::Keep);
        check(["old", "", "new"], Prefer::Ours, TreeStep::Take);
        check(["old", "mine", "new"], Prefer::Ours, TreeStep::Conflict(Prefer::Ours));
    }

    #[test]
    fn too_many_gone_at_once_is_not_believed() {
        let check = |of: usize, left: usize, expected| {
            let names: Vec<String> = (0..of).map(|n| n.to_string()).collect();
            let present = names.iter().take(left).map(String::as_str).collect();
            assert_eq!(vanished(names.iter().map(String::as_str), &present), expected, "{left} of {of}");
        };
        check(0, 0, None);
        check(1, 0, None);
        check(4, 0, None);
        check(5, 0, Some((5, 5)));
        check(100, 75, None);
        check(100, 74, Some((26, 100)));
        check(20, 15, None);
        check(19, 14, Some((5, 19)));
        // One skill of many files is one.
        let names: Vec<String> = (0..30).map(|n| format!("one/{n}")).chain(["two/SKILL.md".into()]).collect();
        assert_eq!(vanished(names.iter().map(String::as_str), &BTreeSet::from(["two/SKILL.md"])), None);
    }

    #[test]
    fn names_that_differ_by_case_only_clash() {
        let names = ["Readme.md", "readme.md", "a/B", "a/b", "c"];
        assert_eq!(case_clashes(names.into_iter()), BTreeSet::from(["readme.md", "a/b"]));
    }
}

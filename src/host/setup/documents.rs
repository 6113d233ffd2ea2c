//! Documents below a directory, by patterns: their paths and contents, read as whoever may have written them deserves.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use rustix::fd::OwnedFd;
use serde_json::Value;

use crate::core::setup::document::{self, DocumentRule};
use crate::core::setup::rules::NameRule;
use crate::core::setup::{NameKind, Named, line, named};
use crate::core::sync::{Reading, Refusal};
use crate::host::fs::{self, Absent, Child, Trust, read};
use crate::host::setup::{FileContent, LARGEST, MOVING, SettingsNames, TOO_LARGE};

/// Names that are looked at in one search, and how deep a `**` leads: what syncs.
const NAMES: usize = 40_000;
const DEPTH: usize = 16;
/// Bytes of documents that are read in one search, and names that are taken from them: a few kibibytes each, for thousands.
const BYTES: u64 = 64 << 20;
const NAMED: usize = 4096;
/// Documents of which it is said that they were not read.
const SAID: usize = 16;
/// Why.
const TOO_MUCH: &str = "there is too much beside it";

/// A document, and which of the rules found it.
pub struct FoundDocument {
    /// From the directory that was searched.
    pub path: String,
    pub rule: usize,
    pub content: FileContent,
}

/// Hands over each document below a directory that rules mean, one at a time: together they may be larger than memory. Hidden ones are
/// none.
pub fn documents(root: &Path, trust: Trust, rules: &[DocumentRule], each: &mut dyn FnMut(FoundDocument)) {
    let mut left = BYTES;
    search(root, trust, rules, &mut |rule, dir, name, path| {
        let content = content(dir, name, trust, left);
        left -= content.iter().flatten().map(|bytes| bytes.len() as u64).sum::<u64>().min(left);
        each(FoundDocument { path, rule, content });
    });
}

/// Returns the paths alone.
pub fn paths(root: &Path, trust: Trust, rules: &[DocumentRule]) -> Vec<String> {
    let mut found = Vec::new();
    search(root, trust, rules, &mut |_, _, _, path| found.push(path));
    found
}

/// Returns whether a pattern means a path.
pub fn is_meant(path: &str, pattern: &str) -> bool {
    fn fits(path: &[&str], pattern: &[&str]) -> bool {
        match (path, pattern) {
            ([], []) => true,
            (_, ["**", rest @ ..]) => fits(path, rest) || matches!(path, [name, below @ ..] if is_named(name, "*") && fits(below, pattern)),
            ([name, below @ ..], [part, rest @ ..]) => is_named(name, part) && fits(below, rest),
            _ => false,
        }
    }
    fits(&path.split('/').collect::<Vec<_>>(), &pattern.split('/').collect::<Vec<_>>())
}

/// Returns whether a part of a pattern means a name.
fn is_named(name: &str, part: &str) -> bool {
    match part.split_once('*') {
        Some((start, end)) => !name.starts_with('.') && name.starts_with(start) && name.ends_with(end),
        None => name == part,
    }
}

fn content(dir: &OwnedFd, name: &OsStr, trust: Trust, left: u64) -> FileContent {
    match read::read(dir, name, LARGEST.min(left), trust) {
        Ok(Reading::File { bytes, .. }) => Ok(Some(bytes)),
        Ok(Reading::Refused(Refusal::TooBig)) if left < LARGEST => Err(TOO_MUCH),
        Ok(Reading::Refused(Refusal::TooBig)) => Err(TOO_LARGE),
        Ok(Reading::Refused(Refusal::Moving)) => Err(MOVING),
        Ok(Reading::Absent | Reading::Refused(_)) | Err(_) => Ok(None),
    }
}

/// Takes what was found: by which rule, and where.
type Take<'a> = &'a mut dyn FnMut(usize, &OwnedFd, &OsStr, String);

fn search(root: &Path, trust: Trust, rules: &[DocumentRule], take: Take) {
    let opened = if trust == Trust::Host { fs::enter_following(root) } else { fs::enter(root, Path::new(""), Absent::Leave) };
    let Ok(Some(dir)) = opened else { return };
    let mut search = DocumentSearch { trust, left: NAMES, rule: 0, take };
    for (rule, DocumentRule { path, .. }) in rules.iter().enumerate() {
        let parts: Vec<&str> = path.split('/').collect();
        search.rule = rule;
        search.directory(&dir, "", &parts, DEPTH);
    }
}

struct DocumentSearch<'a> {
    trust: Trust,
    /// As many names as may still be looked at.
    left: usize,
    rule: usize,
    take: Take<'a>,
}

impl DocumentSearch<'_> {
    fn directory(&mut self, dir: &OwnedFd, below: &str, pattern: &[&str], depth: usize) {
        let Some((first, rest)) = pattern.split_first() else { return };
        if *first == "**" {
            self.directory(dir, below, rest, depth);
            if depth > 0 {
                self.below(dir, below, "*", pattern, depth - 1);
            }
        } else if rest.is_empty() {
            for name in self.names(dir, first) {
                let path = format!("{below}{}", name.to_string_lossy());
                (self.take)(self.rule, dir, &name, path);
            }
        } else {
            self.below(dir, below, first, rest, depth);
        }
    }

    /// Goes into each directory that a name means.
    fn below(&mut self, dir: &OwnedFd, below: &str, name: &str, pattern: &[&str], depth: usize) {
        for name in self.names(dir, name) {
            if let Child::Directory(inner) = fs::child(dir, &name, self.trust) {
                self.directory(&inner, &format!("{below}{}/", name.to_string_lossy()), pattern, depth);
            }
        }
    }

    /// Returns the names in a directory that a part of a pattern means.
    fn names(&mut self, dir: &OwnedFd, pattern: &str) -> Vec<OsString> {
        if !pattern.contains('*') {
            return vec![pattern.into()];
        }
        let names = fs::some_names(dir, Path::new(""), self.left).unwrap_or_default();
        self.left -= names.len().min(self.left);
        let mut names: Vec<OsString> = names.into_iter().filter(|name| name.to_str().is_some_and(|name| is_named(name, pattern))).collect();
        names.sort_unstable();
        names
    }
}

/// What documents name: their heads, and what their text runs.
pub struct DocumentNames<'a> {
    documents: &'a [DocumentRule],
    rules: &'a [NameRule],
    /// What a head must have for one of the rules.
    keys: Vec<&'a str>,
    /// The directory that the documents are in.
    at: &'a Path,
    names: SettingsNames,
}

impl<'a> DocumentNames<'a> {
    pub fn new(documents: &'a [DocumentRule], rules: &'a [NameRule], at: &'a Path) -> Self {
        let keys = rules.iter().filter(|rule| rule.file == document::HEAD).map(NameRule::section).collect();
        Self { documents, rules, keys, at, names: SettingsNames::default() }
    }

    /// Returns what those have named that were added.
    pub fn names(self) -> SettingsNames {
        self.names
    }

    pub fn add(&mut self, found: FoundDocument) {
        let FoundDocument { path, rule, content } = found;
        let rule = &self.documents[rule];
        let text = match content {
            Ok(Some(_)) if self.names.named.len() >= NAMED => return self.leave(rule, path, TOO_MUCH),
            Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            Ok(None) => return,
            Err(why) => return self.leave(rule, path, why),
        };
        let directory = self.at.join(&path).parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
        let call = |called: &str| format!("{called} of {path}");
        let lines = rule.runs.map(|mark| document::runs(&text, mark)).unwrap_or_default();
        let head = if rule.heads { document::head(&text, &self.keys) } else { Ok(Value::Null) };
        let of_head = head.as_ref().map(|head| named(self.rules, document::HEAD, head, &[(SKILL_DIRECTORY, &directory)]));
        self.names.named.extend(of_head.into_iter().flatten().map(|named| Named { called: call(&named.called), ..named }));
        let variables = BTreeMap::from([(SKILL_DIRECTORY.to_owned(), directory)]);
        let lines = lines.into_iter().map(|line| line::words(&line, &variables));
        self.names.named.extend(lines.map(|words| Named {
            kind: NameKind::Program,
            guards: false,
            comes: false,
            called: call("command"),
            words,
        }));
        if let Err(why) = head {
            self.leave(rule, path, why);
        }
    }

    /// Notes that nobody has read a document whose head may set something.
    fn leave(&mut self, rule: &DocumentRule, path: String, why: &'static str) {
        if rule.heads && self.names.unread.len() < SAID {
            self.names.unread.push((path, why));
        }
    }
}

/// By which a skill calls its own directory.
const SKILL_DIRECTORY: &str = "CLAUDE_SKILL_DIR";

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::host::fs::own;

    #[test]
    fn a_pattern_means_what_lies_where_it_says_and_links_are_followed_where_a_person_made_them() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = root.path().join(path);
            fs::files::private_dir(path.parent().unwrap()).unwrap();
            own::overwrite(&path, "x").unwrap();
        };
        for path in ["skills/a/SKILL.md", "skills/a/b/SKILL.md", "skills/.x/SKILL.md", "commands/c.md", "commands/d/e.md", "commands/f.txt"]
        {
            write(path);
        }
        write("elsewhere/SKILL.md");
        symlink("../elsewhere", root.path().join("skills/linked")).unwrap();
        symlink(".", root.path().join("commands/round")).unwrap();
        let rule = |pattern: &str| DocumentRule { path: pattern.into(), heads: false, runs: None, imports: false };
        let found = |trust, pattern: &str| {
            let found = paths(root.path(), trust, &[rule(pattern)]);
            assert!(found.iter().all(|path| is_meant(path, pattern)), "{found:?}");
            found
        };
        assert_eq!(found(Trust::State, "skills/*/SKILL.md"), ["skills/a/SKILL.md"]);
        assert_eq!(found(Trust::Host, "skills/*/SKILL.md"), ["skills/a/SKILL.md", "skills/linked/SKILL.md"]);
        assert_eq!(found(Trust::State, "commands/**/*.md"), ["commands/c.md", "commands/d/e.md"]);
        assert!(found(Trust::Host, "commands/**/*.md").len() <= NAMES, "a circle ends");
        assert!(found(Trust::State, "none/**/*.md").is_empty());
        for (path, pattern) in
            [("skills/a/b/SKILL.md", "skills/*/SKILL.md"), ("commands/.x/a.md", "commands/**/*.md"), ("a.md", "commands/**/*.md")]
        {
            assert!(!is_meant(path, pattern), "{path}");
        }
    }
}

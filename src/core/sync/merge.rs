//! Three-way merge of trees of keys, whatever format they were written in.
//!
//! The result is a list of edits to *ours*, so that a format can apply them to the user's own text and leave the rest of it alone.

use std::collections::BTreeMap;

/// A document as far as merging is concerned: tables are merged, everything else is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    Table(Table),
    /// A value in a spelling that is equal when the value is.
    Leaf(String),
}

/// Keys with their order, which does not count when two tables are compared.
#[derive(Clone, Debug, Default)]
pub struct Table {
    names: Vec<String>,
    items: BTreeMap<String, Tree>,
}

/// Three states of one thing; ours is what will be written.
#[derive(Clone, Copy, Debug)]
pub struct Versions<T> {
    pub base: T,
    pub ours: T,
    pub theirs: T,
}

/// Who wins where both sides changed the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    Ours,
    Theirs,
}

/// Which keys may flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    only: Option<Vec<Vec<String>>>,
    never: Vec<Vec<String>>,
}

/// One step from ours to the merged document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Take the value that theirs has at this path.
    Take(Vec<String>),
    Remove(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    pub edits: Vec<Edit>,
    /// Dotted paths that both sides changed.
    pub conflicts: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    Free,
    /// Something below this key may not pass, or only something below it may.
    Partly,
    Closed,
}

/// Changes of theirs since the base, as edits to ours.
pub fn merge(versions: Versions<&Table>, gate: &Gate, prefer: Prefer) -> Merge {
    let mut walk = Walk { gate, prefer, path: Vec::new(), found: Merge::default() };
    walk.table(versions);
    walk.found
}

struct Walk<'a> {
    gate: &'a Gate,
    prefer: Prefer,
    path: Vec<String>,
    found: Merge,
}

impl Walk<'_> {
    fn table(&mut self, Versions { base, ours, theirs }: Versions<&Table>) {
        let added = theirs.names.iter();
        let gone = base.names.iter().filter(|name| !theirs.items.contains_key(*name));
        for name in added.chain(gone) {
            self.path.push(name.clone());
            self.key(Versions { base: base.get(name), ours: ours.get(name), theirs: theirs.get(name) });
            self.path.pop();
        }
    }

    fn key(&mut self, at: Versions<Option<&Tree>>) {
        let passage = self.gate.passage(&self.path);
        if passage == Passage::Closed || at.theirs == at.base || at.theirs == at.ours {
            return;
        }
        match (passage, at.ours, at.theirs) {
            (_, Some(Tree::Table(ours)), Some(Tree::Table(theirs))) => {
                self.table(Versions { base: table_or_empty(at.base), ours, theirs });
            }
            // A value that is no table holds nothing that may pass, and must not cover what may not.
            (Passage::Partly, Some(Tree::Leaf(_)), _) => {}
            (Passage::Partly, ours, theirs) => {
                self.table(Versions { base: table_or_empty(at.base), ours: table_or_empty(ours), theirs: table_or_empty(theirs) });
            }
            _ if at.ours == at.base => self.follow(at.theirs.is_some()),
            // One side deleted what the other changed: the change is worth more.
            (_, _, None) => {}
            (_, None, Some(_)) => self.follow(true),
            (_, Some(_), Some(_)) => {
                self.found.conflicts.push(self.path.join("."));
                if self.prefer == Prefer::Theirs {
                    self.follow(true);
                }
            }
        }
    }

    fn follow(&mut self, present: bool) {
        let path = self.path.clone();
        self.found.edits.push(if present { Edit::Take(path) } else { Edit::Remove(path) });
    }
}

fn table_or_empty(tree: Option<&Tree>) -> &Table {
    static EMPTY: Table = Table { names: Vec::new(), items: BTreeMap::new() };
    match tree {
        Some(Tree::Table(table)) => table,
        Some(Tree::Leaf(_)) | None => &EMPTY,
    }
}

impl Table {
    pub fn get(&self, name: &str) -> Option<&Tree> {
        self.items.get(name)
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// False if the name was there already.
    pub fn insert(&mut self, name: String, tree: Tree) -> bool {
        let new = self.items.insert(name.clone(), tree).is_none();
        if new {
            self.names.push(name);
        }
        new
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Table) -> bool {
        self.items == other.items
    }
}

impl Eq for Table {}

impl Gate {
    pub fn new(only: Option<&[String]>, never: &[String]) -> Gate {
        let split = |dotted: &[String]| dotted.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
        Gate { only: only.map(split), never: split(never) }
    }

    /// Everything may flow, so a side's bytes may be taken as they are.
    pub fn is_open(&self) -> bool {
        self.only.is_none() && self.never.is_empty()
    }

    fn passage(&self, path: &[String]) -> Passage {
        let covers = |rule: &Vec<String>| path.starts_with(rule);
        let below = |rule: &Vec<String>| rule.starts_with(path);
        let listed = match &self.only {
            None => Passage::Free,
            Some(only) if only.iter().any(covers) => Passage::Free,
            Some(only) if only.iter().any(below) => Passage::Partly,
            Some(_) => Passage::Closed,
        };
        match listed {
            Passage::Closed => Passage::Closed,
            _ if self.never.iter().any(covers) => Passage::Closed,
            _ if self.never.iter().any(below) => Passage::Partly,
            open => open,
        }
    }
}

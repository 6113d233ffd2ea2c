//! Three-way merge of trees of keys, whatever format they were written in.
//!
//! The result is a list of edits to *ours*, so that a format can apply them to the user's own text and leave the rest of it alone.

use std::borrow::Cow;
use std::collections::HashMap;

/// A document as far as merging is concerned: tables are merged, everything else is replaced as a whole. Names and values are
/// borrowed from the text wherever they stand in it as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<'a> {
    Table(Table<'a>),
    /// A value in a spelling that is equal when the value is.
    Leaf(Cow<'a, str>),
}

/// Keys with their order, which does not count when two tables are compared.
#[derive(Clone, Debug, Default)]
pub struct Table<'a> {
    names: Vec<Cow<'a, str>>,
    items: HashMap<Cow<'a, str>, Tree<'a>>,
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

/// The way from ours to the merged document: what becomes of some keys of a table, each named once.
pub type Edits<'a> = Vec<(&'a str, Edit<'a>)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// Take the value that theirs has at this place.
    Take,
    Remove,
    /// The key's own table changes, and is made where there is none.
    Within(Edits<'a>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge<'a> {
    pub edits: Edits<'a>,
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

/// Changes of theirs since the base, as edits to ours. Looks at each key once.
pub fn merge<'a>(versions: Versions<&'a Table<'a>>, gate: &Gate, prefer: Prefer) -> Merge<'a> {
    let Versions { base, ours, theirs } = versions;
    let mut walk = Walk { gate, prefer, path: Vec::new(), conflicts: Vec::new() };
    let edits = walk.table(Versions { base: Some(base), ours: Some(ours), theirs: Some(theirs) });
    Merge { edits, conflicts: walk.conflicts }
}

struct Walk<'a, 'g> {
    gate: &'g Gate,
    prefer: Prefer,
    path: Vec<&'a str>,
    conflicts: Vec<String>,
}

impl<'a> Walk<'a, '_> {
    fn table(&mut self, Versions { base, ours, theirs }: Versions<Option<&'a Table<'a>>>) -> Edits<'a> {
        let get = |table: Option<&'a Table<'a>>, name: &str| table.and_then(|table| table.get(name));
        let names = |table: Option<&'a Table<'a>>| table.map(|table| table.names.as_slice()).unwrap_or_default();
        let gone = names(base).iter().filter(|name| get(theirs, name).is_none());
        let mut edits = Edits::new();
        for name in names(theirs).iter().chain(gone) {
            self.path.push(name);
            let edit = self.key(Versions { base: get(base, name), ours: get(ours, name), theirs: get(theirs, name) });
            self.path.pop();
            edits.extend(edit.map(|edit| (&**name, edit)));
        }
        edits
    }

    fn key(&mut self, at: Versions<Option<&'a Tree<'a>>>) -> Option<Edit<'a>> {
        let passage = self.gate.passage(&self.path);
        if passage == Passage::Closed || at.theirs == at.base || at.theirs == at.ours {
            return None;
        }
        match (passage, at.ours, at.theirs) {
            (_, Some(Tree::Table(_)), Some(Tree::Table(_))) => self.within(at),
            // A value that is no table holds nothing that may pass, and must not cover what may not.
            (Passage::Partly, Some(Tree::Leaf(_)), _) => None,
            (Passage::Partly, _, _) => self.within(at),
            _ if at.ours == at.base => Some(if at.theirs.is_some() { Edit::Take } else { Edit::Remove }),
            // One side deleted what the other changed: the change is worth more.
            (_, _, None) => None,
            (_, None, Some(_)) => Some(Edit::Take),
            (_, Some(_), Some(_)) => {
                self.conflicts.push(self.path.join("."));
                (self.prefer == Prefer::Theirs).then_some(Edit::Take)
            }
        }
    }

    fn within(&mut self, at: Versions<Option<&'a Tree<'a>>>) -> Option<Edit<'a>> {
        let edits = self.table(Versions { base: table(at.base), ours: table(at.ours), theirs: table(at.theirs) });
        (!edits.is_empty()).then_some(Edit::Within(edits))
    }
}

fn table<'a>(tree: Option<&'a Tree<'a>>) -> Option<&'a Table<'a>> {
    match tree {
        Some(Tree::Table(table)) => Some(table),
        Some(Tree::Leaf(_)) | None => None,
    }
}

impl<'a> Table<'a> {
    pub fn get(&self, name: &str) -> Option<&Tree<'a>> {
        self.items.get(name)
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// False if the name was there already.
    pub fn insert(&mut self, name: Cow<'a, str>, tree: Tree<'a>) -> bool {
        let new = self.items.insert(name.clone(), tree).is_none();
        if new {
            self.names.push(name);
        }
        new
    }
}

impl PartialEq for Table<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl Eq for Table<'_> {}

impl Gate {
    pub fn new(only: Option<&[String]>, never: &[String]) -> Gate {
        let split = |dotted: &[String]| dotted.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
        Gate { only: only.map(split), never: split(never) }
    }

    /// Everything may flow, so a side's bytes may be taken as they are.
    pub fn is_open(&self) -> bool {
        self.only.is_none() && self.never.is_empty()
    }

    fn passage(&self, path: &[&str]) -> Passage {
        let agree = |rule: &Vec<String>| rule.iter().zip(path).all(|(rule, name)| rule == name);
        let covers = |rule: &Vec<String>| rule.len() <= path.len() && agree(rule);
        let below = |rule: &Vec<String>| rule.len() >= path.len() && agree(rule);
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

//! Three-way merge of trees of keys, whatever format they were written in.
//!
//! The result is a list of edits to *ours*, so that a format can apply them to the user's own text and leave the rest of it alone.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::core::sync::gate::{Gate, Passage};
use crate::core::sync::merge::table::Finder;

pub mod outcome;
mod table;

/// A document as far as merging is concerned: tables are merged by key, lists by element, everything else is replaced
/// as a whole. Names and values are borrowed from the text wherever they stand in it as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<'a> {
    /// Kept apart, since nearly all others are small.
    Table(Box<Table<'a>>),
    /// A list of scalars, each in a spelling that is equal when the value is.
    List(Vec<Cow<'a, str>>),
    /// A value in a spelling that is equal when the value is; scalars are spelled as JSON.
    Leaf(Cow<'a, str>),
}

/// Keys with their order, which does not count when two tables are compared.
#[derive(Clone, Debug, Default)]
pub struct Table<'a> {
    items: IndexMap<Cow<'a, str>, Tree<'a>, RandomState>,
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

/// What it means that a side lacks what the base has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Deleted,
    /// The side was absent or broken in between, so nobody deleted anything.
    Lost,
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
    /// Elements of the key's own list go, and others come to its end.
    Unite(Box<Union>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Union {
    pub gone: BTreeSet<String>,
    pub new: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge<'a> {
    pub edits: Edits<'a>,
    /// Dotted paths that both sides changed.
    pub conflicts: Vec<String>,
}

/// Changes of theirs since the base, as edits to ours. Looks at each key once.
pub fn merge<'a>(versions: Versions<&'a Table<'a>>, gate: &Gate, prefer: Prefer) -> Merge<'a> {
    let Versions { base, ours, theirs } = versions;
    if std::ptr::eq(base, theirs) || std::ptr::eq(ours, theirs) {
        return Merge::default();
    }
    let mut walk = MergeWalk { gate, prefer, path: Vec::new(), conflicts: Vec::new() };
    let edits = walk.table(Versions { base: Some(base), ours: Some(ours), theirs: Some(theirs) });
    Merge { edits, conflicts: walk.conflicts }
}

struct MergeWalk<'a, 'g> {
    gate: &'g Gate,
    prefer: Prefer,
    path: Vec<&'a str>,
    conflicts: Vec<String>,
}

impl<'a> MergeWalk<'a, '_> {
    fn table(&mut self, Versions { base, ours, theirs }: Versions<Option<&'a Table<'a>>>) -> Edits<'a> {
        let items = |table: Option<&'a Table<'a>>| table.into_iter().flat_map(|table| &table.items);
        // Of thousands of keys, a few may pass: the others need not be looked up.
        let open = self.gate.names(&self.path);
        let may_pass = |name: &str| open.as_ref().is_none_or(|open| open.contains(name));
        let (mut of_base, mut of_ours, mut of_theirs) = (Finder::new(base), Finder::new(ours), Finder::new(theirs));
        let mut edits = Edits::new();
        for (name, tree) in items(theirs).filter(|(name, _)| may_pass(name)) {
            let at = Versions { base: of_base.find(name), ours: of_ours.find(name), theirs: Some(tree) };
            edits.extend(self.named(name, at));
        }
        for (name, tree) in items(base).filter(|(name, _)| may_pass(name)) {
            if of_theirs.find(name).is_none() {
                edits.extend(self.named(name, Versions { base: Some(tree), ours: of_ours.find(name), theirs: None }));
            }
        }
        edits
    }

    fn named(&mut self, name: &'a str, at: Versions<Option<&'a Tree<'a>>>) -> Option<(&'a str, Edit<'a>)> {
        self.path.push(name);
        let edit = self.key(at);
        self.path.pop();
        edit.map(|edit| (name, edit))
    }

    fn key(&mut self, at: Versions<Option<&'a Tree<'a>>>) -> Option<Edit<'a>> {
        if at.theirs == at.base || at.theirs == at.ours {
            return None;
        }
        let passage = self.gate.passage(&self.path, at);
        match (passage, at.ours, at.theirs) {
            (Passage::Closed, ..) => None,
            (_, Some(Tree::Table(_)), Some(Tree::Table(_))) => self.within(at),
            // A value that is no table holds nothing that may pass, and must not cover what may not.
            (Passage::Partly, Some(Tree::Leaf(_) | Tree::List(_)), _) => None,
            (Passage::Partly, _, _) => self.within(at),
            _ if at.ours == at.base => Some(if at.theirs.is_some() { Edit::Take } else { Edit::Remove }),
            // One side deleted what the other changed: the change is worth more.
            (_, _, None) => None,
            (_, None, Some(_)) => Some(Edit::Take),
            (_, Some(Tree::List(ours)), Some(Tree::List(theirs))) => unite(list(at.base), ours, theirs),
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
        Some(Tree::Leaf(_) | Tree::List(_)) | None => None,
    }
}

fn list<'a, 'b>(tree: Option<&'b Tree<'a>>) -> &'b [Cow<'a, str>] {
    match tree {
        Some(Tree::List(list)) => list,
        Some(Tree::Table(_) | Tree::Leaf(_)) | None => &[],
    }
}

/// Returns what theirs added to a list since the base and what it took out, so that both sides' changes hold.
fn unite<'a>(base: &[Cow<'_, str>], ours: &[Cow<'_, str>], theirs: &[Cow<'_, str>]) -> Option<Edit<'a>> {
    let [base, kept, wanted] = [base, ours, theirs].map(|list| list.iter().map(|item| &**item).collect::<HashSet<&str>>());
    let gone = base.iter().filter(|item| !wanted.contains(*item) && kept.contains(*item)).map(|item| (*item).to_owned()).collect();
    let mut known: HashSet<&str> = base.union(&kept).copied().collect();
    let new = theirs.iter().filter(|item| known.insert(item)).map(|item| item.clone().into_owned()).collect();
    let union = Union { gone, new };
    (union != Union::default()).then(|| Edit::Unite(Box::new(union)))
}

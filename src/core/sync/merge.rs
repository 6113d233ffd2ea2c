//! Three-way merge of trees of keys, whatever format they were written in.
//!
//! The result is a list of edits to *ours*, so that a format can apply them to the user's own text and leave the rest of it alone.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::core::sync::gate::{Gate, Passage};

/// A document as far as merging is concerned: tables are merged by key, lists by element, everything else is replaced
/// as a whole. Names and values are borrowed from the text wherever they stand in it as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<'a> {
    Table(Table<'a>),
    /// A list of scalars, each in a spelling that is equal when the value is.
    List(Vec<Cow<'a, str>>),
    /// A value in a spelling that is equal when the value is; scalars are spelled as JSON.
    Leaf(Cow<'a, str>),
}

/// Keys with their order, which does not count when two tables are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    Unite(Union),
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
        let get = |table: Option<&'a Table<'a>>, name: &str| table.and_then(|table| table.get(name));
        let names = |table: Option<&'a Table<'a>>| table.into_iter().flat_map(|table| table.items.keys());
        // Of thousands of keys, a few may pass: the others need not be looked up.
        let open = self.gate.names(&self.path);
        let may_pass = |name: &&Cow<str>| open.as_ref().is_none_or(|open| open.contains(&***name));
        let gone = names(base).filter(may_pass).filter(|name| get(theirs, name).is_none());
        let mut edits = Edits::new();
        for name in names(theirs).filter(may_pass).chain(gone) {
            self.path.push(name);
            let edit = self.key(Versions { base: get(base, name), ours: get(ours, name), theirs: get(theirs, name) });
            self.path.pop();
            edits.extend(edit.map(|edit| (&**name, edit)));
        }
        edits
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
    (union != Union::default()).then_some(Edit::Unite(union))
}

impl<'a> Table<'a> {
    pub fn get(&self, name: &str) -> Option<&Tree<'a>> {
        self.items.get(name)
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether it holds no value, in no table of its tables either.
    pub fn is_bare(&self) -> bool {
        self.items.values().all(|tree| matches!(tree, Tree::Table(table) if table.is_bare()))
    }

    /// Returns an empty one with room for so many keys.
    pub fn with_room(keys: usize) -> Self {
        Self { items: IndexMap::with_capacity_and_hasher(keys, RandomState::default()) }
    }

    /// False if the name was there already.
    pub fn insert(&mut self, name: Cow<'a, str>, tree: Tree<'a>) -> bool {
        self.items.insert(name, tree).is_none()
    }

    #[cfg(test)]
    pub fn keys(&self) -> BTreeSet<String> {
        self.items.keys().map(|name| name.clone().into_owned()).collect()
    }

    /// Returns the same, on its own feet.
    pub fn into_owned(self) -> Table<'static> {
        Table { items: self.items.into_iter().map(|(name, tree)| (name.into_owned().into(), tree.into_owned())).collect() }
    }

    /// Returns what of this table both others have as well, down to the elements of lists.
    #[must_use]
    pub fn common(&self, one: &Table, other: &Table) -> Table<'a> {
        let mut found = Table::default();
        for (name, base) in &self.items {
            if let (Some(one), Some(other)) = (one.get(name), other.get(name)) {
                found.insert(name.clone(), common(base, one, other));
            }
        }
        found
    }

    /// This table with what it lacks of another one.
    #[must_use]
    pub fn over(&self, below: &Table<'a>) -> Table<'a> {
        let mut found = self.clone();
        for (name, tree) in &below.items {
            match (found.items.get_mut(name), tree) {
                (None, _) => _ = found.insert(name.clone(), tree.clone()),
                (Some(Tree::Table(above)), Tree::Table(below)) => *above = above.over(below),
                _ => {}
            }
        }
        found
    }

    /// Whether it has every key of another table, in their tables as well.
    pub fn covers(&self, other: &Table) -> bool {
        other.items.iter().all(|(name, tree)| match (self.get(name), tree) {
            (Some(Tree::Table(own)), Tree::Table(other)) => own.covers(other),
            (found, _) => found.is_some(),
        })
    }

    /// Whether another table has everything that it has, with the same values.
    pub fn is_within(&self, other: &Table) -> bool {
        self.items.iter().all(|(name, tree)| match (tree, other.get(name)) {
            (Tree::Table(own), Some(Tree::Table(other))) => own.is_within(other),
            (own, found) => found == Some(own),
        })
    }

    /// Whether it has no part of something that another table has.
    pub fn lacks(&self, other: &Table) -> bool {
        other.items.iter().any(|(name, tree)| match (self.get(name), tree) {
            (None, Tree::Table(other)) => !other.is_bare(),
            (None, _) => true,
            (Some(Tree::Table(own)), Tree::Table(other)) => own.lacks(other),
            (Some(Tree::List(own)), Tree::List(other)) => {
                let own: HashSet<&str> = own.iter().map(|item| &**item).collect();
                other.iter().any(|item| !own.contains(&**item))
            }
            _ => false,
        })
    }
}

impl Tree<'_> {
    fn into_owned(self) -> Tree<'static> {
        match self {
            Tree::Table(table) => Tree::Table(table.into_owned()),
            Tree::List(list) => Tree::List(list.into_iter().map(|item| item.into_owned().into()).collect()),
            Tree::Leaf(value) => Tree::Leaf(value.into_owned().into()),
        }
    }
}

fn common<'a>(base: &Tree<'a>, one: &Tree, other: &Tree) -> Tree<'a> {
    match (base, one, other) {
        (Tree::Table(base), Tree::Table(one), Tree::Table(other)) => Tree::Table(base.common(one, other)),
        (Tree::List(base), Tree::List(one), Tree::List(other)) => {
            let [one, other] = [one, other].map(|list| list.iter().map(|item| &**item).collect::<HashSet<&str>>());
            Tree::List(base.iter().filter(|item| one.contains(&***item) && other.contains(&***item)).cloned().collect())
        }
        _ => base.clone(),
    }
}

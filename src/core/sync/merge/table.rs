//! Tables of keys, compared and put together.

use std::borrow::Cow;
#[cfg(test)]
use std::collections::BTreeSet;
use std::collections::HashSet;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::core::sync::merge::{Table, Tree, table};

/// Looks up the names of one table in another: mostly they stand there in the same order, and the next one is where it is looked for.
pub struct Finder<'t, 'a> {
    table: Option<&'t Table<'a>>,
    next: usize,
}

impl<'t, 'a> Finder<'t, 'a> {
    pub fn new(table: Option<&'t Table<'a>>) -> Self {
        Self { table, next: 0 }
    }

    pub fn find(&mut self, name: &str) -> Option<&'t Tree<'a>> {
        let items = &self.table?.items;
        let here = items.get_index(self.next).filter(|(known, _)| *known == name);
        let (at, tree) = match here {
            Some((_, tree)) => (self.next, tree),
            None => items.get_full(name).map(|(at, _, tree)| (at, tree))?,
        };
        self.next = at + 1;
        Some(tree)
    }
}

impl PartialEq for Table<'_> {
    fn eq(&self, other: &Self) -> bool {
        let mut finder = Finder::new(Some(other));
        self.items.len() == other.items.len() && self.items.iter().all(|(name, tree)| finder.find(name) == Some(tree))
    }
}

impl Eq for Table<'_> {}

impl<'a> Table<'a> {
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
        let (mut of_one, mut of_other) = (Finder::new(Some(one)), Finder::new(Some(other)));
        for (name, base) in &self.items {
            if let (Some(one), Some(other)) = (of_one.find(name), of_other.find(name)) {
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
                (Some(Tree::Table(above)), Tree::Table(below)) => **above = above.over(below),
                _ => {}
            }
        }
        found
    }

    /// Whether it has every key of another table, in their tables as well.
    pub fn covers(&self, other: &Table) -> bool {
        let mut finder = Finder::new(Some(self));
        other.items.iter().all(|(name, tree)| match (finder.find(name), tree) {
            (Some(Tree::Table(own)), Tree::Table(other)) => own.covers(other),
            (found, _) => found.is_some(),
        })
    }

    /// Whether another table has everything that it has, with the same values.
    pub fn is_within(&self, other: &Table) -> bool {
        let mut finder = Finder::new(Some(other));
        self.items.iter().all(|(name, tree)| match (tree, finder.find(name)) {
            (Tree::Table(own), Some(Tree::Table(other))) => own.is_within(other),
            (own, found) => found == Some(own),
        })
    }

    /// Whether it has no part of something that another table has.
    pub fn lacks(&self, other: &Table) -> bool {
        let mut finder = Finder::new(Some(self));
        other.items.iter().any(|(name, tree)| match (finder.find(name), tree) {
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
    /// Returns how many keys it is: its own, and those of all tables in it.
    pub fn keys(&self) -> usize {
        let inner = |table: &Table| table.items.values().map(Tree::keys).sum();
        1 + table(Some(self)).map_or(0, inner)
    }

    fn into_owned(self) -> Tree<'static> {
        match self {
            Tree::Table(table) => Tree::Table(Box::new(table.into_owned())),
            Tree::List(list) => Tree::List(list.into_iter().map(|item| item.into_owned().into()).collect()),
            Tree::Leaf(value) => Tree::Leaf(value.into_owned().into()),
        }
    }
}

fn common<'a>(base: &Tree<'a>, one: &Tree, other: &Tree) -> Tree<'a> {
    match (base, one, other) {
        (Tree::Table(base), Tree::Table(one), Tree::Table(other)) => Tree::Table(Box::new(base.common(one, other))),
        (Tree::List(base), Tree::List(one), Tree::List(other)) => {
            let [one, other] = [one, other].map(|list| list.iter().map(|item| &**item).collect::<HashSet<&str>>());
            Tree::List(base.iter().filter(|item| one.contains(&***item) && other.contains(&***item)).cloned().collect())
        }
        _ => base.clone(),
    }
}

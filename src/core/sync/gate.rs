//! Which keys of a document may flow from one place to another.

use std::collections::HashSet;

use crate::core::sync::bound::Bound;
use crate::core::sync::merge::{Tree, Versions};

/// Which keys may flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everything, so a side's bytes may be taken as they are.
    Open,
    /// What lies at or below these paths.
    Only(Vec<Vec<String>>),
    /// The values at these paths, if they are within their bounds; that a value is gone never passes.
    Values(Vec<(Vec<String>, Bound)>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    Free,
    /// Only something below this key may pass.
    Partly,
    Closed,
}

impl Gate {
    pub fn only(dotted: &[String]) -> Gate {
        Gate::Only(dotted.iter().map(|path| split(path)).collect())
    }

    pub fn values<'a>(out: impl IntoIterator<Item = (&'a String, &'a Bound)>) -> Gate {
        Gate::Values(out.into_iter().map(|(path, bound)| (split(path), bound.clone())).collect())
    }

    pub fn is_open(&self) -> bool {
        *self == Gate::Open
    }

    /// Returns the names in the table at a path beside which nothing in it may flow; `None` if any may.
    pub fn names(&self, path: &[&str]) -> Option<HashSet<&str>> {
        let agree = |rule: &&Vec<String>| rule.iter().zip(path).all(|(rule, name)| rule == name);
        match self {
            Gate::Open => None,
            Gate::Only(rules) if rules.iter().any(|rule| rule.len() <= path.len() && agree(&rule)) => None,
            Gate::Only(rules) => Some(rules.iter().filter(agree).filter_map(|rule| rule.get(path.len())).map(String::as_str).collect()),
            Gate::Values(rules) => {
                Some(rules.iter().map(|(rule, _)| rule).filter(agree).filter_map(|rule| rule.get(path.len())).map(String::as_str).collect())
            }
        }
    }

    /// Whether the key at a path may flow, given what each side has there.
    pub fn passage(&self, path: &[&str], at: Versions<Option<&Tree>>) -> Passage {
        let agree = |rule: &Vec<String>| rule.iter().zip(path).all(|(rule, name)| rule == name);
        match self {
            Gate::Open => Passage::Free,
            Gate::Only(rules) if rules.iter().any(|rule| rule.len() <= path.len() && agree(rule)) => Passage::Free,
            Gate::Only(rules) if rules.iter().any(agree) => Passage::Partly,
            Gate::Only(_) => Passage::Closed,
            Gate::Values(rules) => value_passage(rules.iter().filter(|(rule, _)| rule.len() >= path.len() && agree(rule)), path, at),
        }
    }
}

fn value_passage<'g>(mut rules: impl Iterator<Item = &'g (Vec<String>, Bound)>, path: &[&str], at: Versions<Option<&Tree>>) -> Passage {
    match (at.ours, at.theirs) {
        (_, Some(Tree::Table(_))) if rules.any(|(rule, _)| rule.len() > path.len()) => Passage::Partly,
        (None | Some(Tree::Leaf(_)), Some(Tree::Leaf(value)))
            if rules.any(|(rule, bound)| rule.len() == path.len() && bound.admits(value)) =>
        {
            Passage::Free
        }
        _ => Passage::Closed,
    }
}

fn split(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

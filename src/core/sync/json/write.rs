//! Writes a JSON text again with some of its keys changed, in one pass over it.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use crate::core::sync::json::list;
use crate::core::sync::json::scan::{Member, Node};
use crate::core::sync::merge::{Edit, Edits};

pub struct JsonWriter<'a> {
    ours: &'a str,
    /// Ours without what is no JSON.
    plain: &'a str,
    theirs: &'a str,
    out: String,
}

/// What an object puts around and between its members.
struct Style<'a> {
    opening: &'a str,
    gap: String,
    colon: &'a str,
    closing: &'a str,
}

impl<'a> JsonWriter<'a> {
    pub fn new(ours: &'a str, plain: &'a str, theirs: &'a str) -> Self {
        Self { ours, plain, theirs, out: String::with_capacity(ours.len()) }
    }

    /// Returns the whole text; nothing if an edit has no place in it.
    pub fn document(mut self, root: &Node, source: &Node, edits: &Edits) -> Option<String> {
        let span = root.span();
        self.out.push_str(self.ours.get(..span.start)?);
        self.object(root, Some(source), edits, "{\n  ", "\n}")?;
        self.out.push_str(self.ours.get(span.end..)?);
        Some(self.out)
    }

    /// Returns one object of ours with its edits. `opening` and `closing` are for one that had no members.
    fn object(&mut self, node: &Node, source: Option<&Node>, edits: &Edits, opening: &'a str, closing: &'a str) -> Option<()> {
        let Node::Object { span, members } = node else { return None };
        let style = self.style(span, members, opening, closing)?;
        let (mut sources, mut changes) = (members_of(source), NameFinder::new(edits, |(name, _)| name));
        let mut is_made = vec![false; edits.len()];
        let (mut end, mut is_first, mut comments) = (span.start, true, String::new());
        for member in members {
            let change = changes.find(&member.key).map(|at| {
                is_made[at] = true;
                &edits[at].1
            });
            if change != Some(&Edit::Remove) {
                // What is between two members goes with the second; who comes first stands where the first one stood.
                let gap = end..member.name.start;
                if is_first && end != span.start {
                    comments += &self.comments(gap.clone())?;
                }
                let [one, two] = if is_first { [style.opening, &comments] } else { [&comments, self.ours.get(gap)?] };
                self.out.push_str(one);
                self.out.push_str(two);
                comments.clear();
                self.out.push_str(self.ours.get(member.name.start..member.value.span().start)?);
                self.value(&member.value, value_of(&mut sources, change, &member.key), change)?;
                is_first = false;
            } else if end != span.start {
                comments += &self.comments(end..member.name.start)?;
            }
            end = member.value.span().end;
        }
        for (name, edit) in edits.iter().zip(is_made).filter(|(_, is_made)| !is_made).map(|(edit, _)| edit) {
            self.out.push_str(if is_first { style.opening } else { &style.gap });
            self.fresh_member(name, style.colon, value_of(&mut sources, Some(edit), name), edit)?;
            is_first = false;
        }
        self.out.push_str(if is_first { "" } else { &comments });
        self.out.push_str(if is_first { "{}" } else { style.closing });
        Some(())
    }

    fn style(&self, span: &Range<usize>, members: &[Member], opening: &'a str, closing: &'a str) -> Option<Style<'a>> {
        let Some((first, last)) = members.first().zip(members.last()) else {
            // A comment may be all that is in it.
            let said = self.ours.get(span.start..span.end - 1).filter(|_| self.ours.get(span.clone()) != self.plain.get(span.clone()));
            let (opening, closing) = said.map_or((opening, closing), |said| (said, "}"));
            return Some(Style { opening, gap: format!(",{}", opening.get(1..)?), colon: ": ", closing });
        };
        let opening = self.ours.get(span.start..first.name.start)?;
        let gap = match members.get(1) {
            Some(second) => self.spacing(first.value.span().end..second.name.start)?,
            None => format!(",{}", self.spacing(span.start + 1..first.name.start)?),
        };
        let colon = self.plain.get(first.name.end..first.value.span().start)?;
        Some(Style { opening, gap, colon, closing: self.ours.get(last.value.span().end..span.end)? })
    }

    /// Returns what is between two members; where there is a comment, only the line end and the indentation.
    fn spacing(&self, gap: Range<usize>) -> Option<String> {
        let (real, blank) = (self.ours.get(gap.clone())?, self.plain.get(gap)?);
        if real == blank {
            return Some(real.to_owned());
        }
        let comma = if blank.contains(',') { "," } else { "" };
        let line = blank.rfind('\n').and_then(|at| real.get(at..)).map_or(" ", |line| &line[..line.len() - line.trim_start().len()]);
        Some(format!("{comma}{line}"))
    }

    /// Returns what is between two members, without the comma, if it says something: it stays, whoever it is about.
    fn comments(&self, gap: Range<usize>) -> Option<String> {
        let (real, blank) = (self.ours.get(gap.clone())?, self.plain.get(gap)?);
        let mut kept = if real == blank { String::new() } else { real.to_owned() };
        if let Some(comma) = blank.find(',').filter(|_| !kept.is_empty()) {
            kept.remove(comma);
        }
        Some(kept)
    }

    /// Returns the value of a member of ours.
    fn value(&mut self, node: &Node, source: Option<&Node>, change: Option<&Edit>) -> Option<()> {
        match (change, node) {
            (None, _) => self.out.push_str(self.ours.get(node.span())?),
            (Some(Edit::Within(edits)), Node::Object { .. }) => self.object(node, source, edits, "{", "}")?,
            (Some(Edit::Unite(union)), _) => self.out.push_str(&list::united(self.ours.get(node.span())?, union)?),
            (Some(edit), _) => self.fresh(source, edit)?,
        }
        Some(())
    }

    /// Returns a value where ours has none that could be kept.
    fn fresh(&mut self, source: Option<&Node>, edit: &Edit) -> Option<()> {
        let edits = match edit {
            Edit::Remove | Edit::Unite(_) => return None,
            Edit::Take => {
                self.out.push_str(self.theirs.get(source?.span())?);
                return Some(());
            }
            Edit::Within(edits) => edits,
        };
        let mut sources = members_of(source);
        let mut gap = "{";
        for (name, edit) in edits {
            self.out.push_str(gap);
            self.fresh_member(name, ": ", value_of(&mut sources, Some(edit), name), edit)?;
            gap = ",";
        }
        self.out.push('}');
        Some(())
    }

    fn fresh_member(&mut self, name: &str, colon: &str, source: Option<&Node>, edit: &Edit) -> Option<()> {
        self.out.push_str(&serde_json::to_string(name).ok()?);
        self.out.push_str(colon);
        self.fresh(source, edit)
    }
}

/// How often all names are gone through, which costs less than to have a place for each.
const FEW: usize = 4;

/// Looks things up by their names. Mostly they are asked for in their own order, and the next one is the one.
struct NameFinder<'a, T> {
    all: &'a [T],
    name: fn(&T) -> &str,
    next: usize,
    /// How often one was asked for out of order.
    missed: usize,
    /// Made when that happens often.
    places: Option<HashMap<&'a str, usize, RandomState>>,
}

impl<'a, T> NameFinder<'a, T> {
    fn new(all: &'a [T], name: fn(&T) -> &str) -> Self {
        Self { all, name, next: 0, missed: 0, places: None }
    }

    /// Returns the place of a name.
    fn find(&mut self, name: &str) -> Option<usize> {
        let (all, name_of) = (self.all, self.name);
        let is_it = |one: &T| name_of(one) == name;
        let at = if all.get(self.next).is_some_and(is_it) {
            self.next
        } else if self.missed < FEW {
            self.missed += 1;
            all.iter().position(is_it)?
        } else {
            let places = || all.iter().enumerate().map(|(at, one)| (name_of(one), at)).collect();
            *self.places.get_or_insert_with(places).get(name)?
        };
        self.next = at + 1;
        Some(at)
    }
}

fn members_of<'a>(node: Option<&'a Node<'a>>) -> NameFinder<'a, Member<'a>> {
    let members = match node {
        Some(Node::Object { members, .. }) => members.as_slice(),
        Some(Node::Leaf(_)) | None => &[],
    };
    NameFinder::new(members, |member| &member.key)
}

/// Returns what theirs has where something is to be taken from it.
fn value_of<'a>(sources: &mut NameFinder<'a, Member<'a>>, change: Option<&Edit>, name: &str) -> Option<&'a Node<'a>> {
    change.and_then(|_| sources.find(name)).map(|at| &sources.all[at].value)
}

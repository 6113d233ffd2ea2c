//! From what was read in all places to what is to be written in them.

mod files;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use crate::core::sync::base::{Base, Entry};
use crate::core::sync::document::{self, Format};
use crate::core::sync::journal::{Act, Agreement, Change, Unit};
use crate::core::sync::merge::{Prefer, Versions};
use crate::core::sync::plan::view::{View, pick};
use crate::core::sync::report::{News, Notice};
use crate::core::sync::{Class, Flow, Hash, Pair, Place, Reading, Refusal, Request, Rule, Site, lines};

/// Everything that was read for one sync.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub files: BTreeMap<Site, Reading>,
    /// The files of each tree by their names in it, or why it was not read.
    pub trees: BTreeMap<Site, Result<BTreeMap<String, Reading>, Refusal>>,
    pub bases: BTreeMap<Pair, Base>,
}

/// Everything that is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub units: Vec<Unit>,
    /// New contents by hash.
    pub contents: BTreeMap<Hash, Vec<u8>>,
    pub copies: Vec<Copy>,
    pub notices: Vec<Notice>,
}

/// A content that is put aside because it would not survive otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub shelf: Shelf,
    pub site: Site,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    Conflicts,
    Quarantine,
}

pub fn plan(request: &Request, seen: &Seen) -> Plan {
    let mut plan = Plan::default();
    let flows = Flow::of(request.direction, request.host_sync);
    for rule in &request.rules {
        let flows = flows.iter().copied().filter(|flow| flow.carries(rule.class));
        let mut step = Step { request, rule, seen, plan: &mut plan };
        match Format::of(rule.class) {
            Some(format) => step.document(format, flows),
            None if rule.class == Class::Lines => step.lines(flows),
            None => step.tree(flows),
        }
    }
    plan
}

impl Plan {
    /// Nothing to commit; copies alone need no journal.
    pub fn is_settled(&self) -> bool {
        self.units.is_empty()
    }

    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.units.iter().flat_map(|unit| &unit.changes)
    }

    /// What a change would write; nothing if it removes.
    pub fn content(&self, change: &Change) -> Option<&[u8]> {
        self.contents.get(change.object()?).map(Vec::as_slice)
    }

    pub fn keep(&mut self, bytes: &[u8]) -> Hash {
        let hash = Hash::of(bytes);
        self.contents.entry(hash.clone()).or_insert_with(|| bytes.to_vec());
        hash
    }

    fn add(&mut self, unit: Unit) {
        if !unit.changes.is_empty() || !unit.agreements.is_empty() {
            self.units.push(unit);
        }
    }
}

struct Step<'a> {
    request: &'a Request,
    rule: &'a Rule,
    seen: &'a Seen,
    plan: &'a mut Plan,
}

impl<'a> Step<'a> {
    fn document(&mut self, format: Format, flows: impl Iterator<Item = Flow>) {
        let mut unit = Unit::default();
        let mut views = self.views(Some(format));
        for flow in flows {
            let Some((from, to)) = pick(&views, flow) else {
                continue;
            };
            if let Some(text) = self.flow_document(format, flow, from, to, &mut unit) {
                self.put(&mut unit, views.get_mut(&flow.to), text.into_bytes());
            }
        }
        self.plan.add(unit);
    }

    /// The new text of the flow's target, if it changes.
    fn flow_document(&mut self, format: Format, flow: Flow, from: &View, to: &View, unit: &mut Unit) -> Option<String> {
        let gate = self.rule.gate(flow);
        let seed = self.rule.seed.as_ref().filter(|_| flow.to == Place::Project && to.content.is_none());
        let Some(theirs) = from.document(format) else {
            return seed.cloned();
        };
        let ours = to.document(format);
        let base_text = self.entry(flow, &self.rule.path).and_then(Entry::text);
        if ours.is_some() && base_text == Some(theirs.text) {
            // Theirs changed nothing, and ours may have: there is nothing to do, and nothing new to agree on.
            return None;
        }
        let base = base_text.and_then(|text| format.parse(text.as_bytes()).ok());
        let Ok(agreed) = document::agreed(format, base.as_ref(), &theirs, &gate) else {
            self.notice(&from.site, News::Crowded);
            return None;
        };
        let news = base_text != Some(agreed.as_str());
        if flow.to == Place::Host && to.disk.is_none() && base.is_some() && !news {
            return None;
        }
        let seeded = seed.and_then(|text| format.parse(text.as_bytes()).ok());
        let versions = Versions { base: base.as_ref(), ours: ours.as_deref().or(seeded.as_ref()), theirs: Some(&*theirs) };
        let Ok(merged) = document::merge(format, versions, &gate, flow.prefer()) else {
            self.notice(&to.site, News::Crowded);
            return None;
        };
        if news {
            unit.agreements.push(agreement(flow, self.rule.path.clone(), Entry::Text(agreed)));
        }
        if !merged.conflicts.is_empty() && ours.is_some() {
            let loser = if flow.prefer() == Prefer::Theirs { to } else { from };
            self.conflict(loser, merged.conflicts);
        }
        let unchanged = ours.as_ref().is_some_and(|ours| ours.text == merged.text);
        let nothing = ours.is_none() && seeded.is_none() && format.parse(merged.text.as_bytes()).is_ok_and(|document| document.is_empty());
        (!unchanged && !nothing && !merged.text.is_empty()).then_some(merged.text)
    }

    fn lines(&mut self, flows: impl Iterator<Item = Flow>) {
        let mut unit = Unit::default();
        let mut views = self.views(None);
        for flow in flows {
            let Some((from, to)) = pick(&views, flow) else {
                continue;
            };
            let (Some(theirs), ours) = (&from.content, to.content.as_deref().unwrap_or_default()) else {
                continue;
            };
            let addition = lines::missing(ours, theirs);
            if addition.is_empty() {
                continue;
            }
            let (length, whole) = (ours.len(), [ours, &addition].concat());
            if to.disk.is_none() {
                self.put(&mut unit, views.get_mut(&flow.to), whole);
                continue;
            }
            let act = Act::Append { addition: self.plan.keep(&addition), length };
            let lock = self.rule.lock_in(flow.to);
            unit.changes.push(Change { site: to.site.clone(), before: to.disk.clone(), act, lock });
            if let Some(view) = views.get_mut(&flow.to) {
                view.content = Some(whole.into());
            }
        }
        self.plan.add(unit);
    }

    fn put(&mut self, unit: &mut Unit, view: Option<&mut View<'a>>, content: Vec<u8>) {
        let Some(view) = view else { return };
        let hash = self.plan.keep(&content);
        view.hash = Some(hash.clone());
        let act = Act::Put { content: hash, mode: view.mode };
        let lock = self.rule.lock_in(view.site.place);
        unit.changes.push(Change { site: view.site.clone(), before: view.disk.clone(), act, lock });
        view.content = Some(content.into());
        view.read = None;
    }

    fn entry(&self, flow: Flow, path: &str) -> Option<&'a Entry> {
        self.seen.bases.get(&flow.pair())?.files.get(path)
    }

    fn conflict(&mut self, loser: &View, keys: Vec<String>) {
        let bytes = loser.content.as_deref().unwrap_or_default().to_vec();
        self.notice(&loser.site, News::Conflict(keys));
        self.plan.copies.push(Copy { shelf: Shelf::Conflicts, site: loser.site.clone(), bytes });
    }

    fn notice(&mut self, site: &Site, news: News) {
        self.plan.notices.push(Notice { site: site.clone(), news });
    }
}

fn agreement(flow: Flow, path: String, entry: Entry) -> Agreement {
    Agreement { pair: flow.pair(), path, entry: Some(entry) }
}

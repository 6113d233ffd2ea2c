//! From what was read in all places to what is to be written in them.

mod documents;
mod files;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use crate::core::login::any;
use crate::core::sync::base::{Base, BaseEntry};
use crate::core::sync::document::{self, Documents, Format, Terms};
use crate::core::sync::gate::Gate;
use crate::core::sync::journal::{Act, Agreement, Change, Unit};
use crate::core::sync::merge::{Lack, Prefer, Versions};
use crate::core::sync::plan::view::{View, pick};
use crate::core::sync::report::{News, Notice};
use crate::core::sync::{Class, Flow, Hash, Mode, Pair, Place, Reading, Refusal, Rule, Site, SyncRequest, lines};

/// Everything that was read for one sync.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    pub files: BTreeMap<Site, Reading>,
    /// The files of each tree by their names in it, or why it was not read.
    pub trees: BTreeMap<Site, Result<BTreeMap<String, Reading>, Refusal>>,
    pub bases: BTreeMap<Pair, Base>,
    /// Trees whose directory is in one that is not there, so that what is missing says nothing.
    pub away: BTreeSet<Site>,
}

/// Everything that is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncPlan {
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

pub fn plan(request: &SyncRequest, seen: &Gathered) -> SyncPlan {
    let mut plan = SyncPlan::default();
    let flows = Flow::of(request.direction, request.host_sync);
    for rule in &request.rules {
        let flows = flows.iter().copied().filter(|flow| flow.carries(rule.class));
        let mut step = Step { request, rule, seen, documents: Documents::default(), plan: &mut plan };
        match Format::of(rule) {
            Some(format) => step.document(format, flows),
            None if rule.class == Class::Lines => step.lines(flows),
            None => step.tree(flows),
        }
    }
    plan
}

/// Returns the login that a document holds, of the keys that are one; nothing where it holds none.
pub fn login(rule: &Rule, document: &[u8]) -> Option<String> {
    let first = Rule { login_keys: rule.login_keys.iter().take(1).cloned().collect(), ..rule.clone() };
    let is_there = any::read(merged(&first, b"{}", document)?.as_bytes()).is_good();
    is_there.then(|| merged(rule, b"{}", document)).flatten()
}

/// Returns the plan by which the file of a rule in a place has the login that is given, and keeps all else; nothing where the file that is
/// there cannot be changed.
pub fn with_login(rule: &Rule, place: Place, there: &Reading, login: &str) -> Option<SyncPlan> {
    let site = rule.site(place)?;
    let (bytes, mode) = match there {
        Reading::Absent => (&b"{}"[..], Mode::Plain),
        Reading::File { bytes, mode } => (&bytes[..], *mode),
        Reading::Refused(_) => return None,
    };
    let text = merged(rule, bytes, login.as_bytes())?;
    let mut plan = SyncPlan::default();
    if text.as_bytes() != bytes {
        let before = (*there != Reading::Absent).then(|| Hash::of(bytes));
        let act = Act::Put { content: plan.keep(text.as_bytes()), mode };
        plan.add(Unit { changes: vec![Change { site, before, act, lock: rule.lock_in(place) }], ..Unit::default() });
    }
    Some(plan)
}

/// Returns ours with what theirs has of a login, and without what it has not.
fn merged(rule: &Rule, ours: &[u8], theirs: &[u8]) -> Option<String> {
    let format = Format::of(rule)?;
    let (ours, theirs) = (format.parse(ours).ok()?, format.parse(theirs).ok()?);
    let terms = Terms { gate: &Gate::only(&rule.login_keys), prefer: Prefer::Theirs, lack: Lack::Deleted };
    let versions = Versions { base: Some(&ours), ours: Some(&ours), theirs: Some(&theirs) };
    Some(document::merge(format, versions, terms).ok()?.text)
}

impl SyncPlan {
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
        if unit != Unit::default() {
            self.units.push(unit);
        }
    }
}

struct Step<'a> {
    request: &'a SyncRequest,
    rule: &'a Rule,
    seen: &'a Gathered,
    documents: Documents<'a>,
    plan: &'a mut SyncPlan,
}

impl<'a> Step<'a> {
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
        view.read = self.documents.find(&content).and_then(Result::ok);
        view.content = Some(content.into());
    }

    fn entry(&self, flow: Flow, path: &str) -> Option<&'a BaseEntry> {
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

fn agreement(flow: Flow, path: String, entry: BaseEntry) -> Agreement {
    Agreement { pair: flow.pair(), path, entry: Some(entry), deleted: None }
}

//! The part of a plan that is about trees of files.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::sync::base::BaseEntry;
use crate::core::sync::journal::{Act, Agreement, Change, Unit};
use crate::core::sync::merge::{Prefer, Versions};
use crate::core::sync::plan::view::View;
use crate::core::sync::plan::{Step, agreement};
use crate::core::sync::report::News;
use crate::core::sync::{Brake, Flow, Pair, Place, Reading, Site, notes, tree};

/// The files of one tree: those that take part, and the names of all.
struct TreeFiles<'a> {
    root: Site,
    views: BTreeMap<String, View<'a>>,
    names: BTreeSet<String>,
}

impl<'a> Step<'a> {
    pub(super) fn tree(&mut self, flows: impl Iterator<Item = Flow>) {
        let mut trees = self.trees();
        let mut units: BTreeMap<String, Unit> = BTreeMap::new();
        for flow in flows {
            let (Some(from), Some(mut to)) = (trees.remove(&flow.from), trees.remove(&flow.to)) else {
                continue;
            };
            for name in self.deletions(flow, &from, &units) {
                self.delete(flow, &name, &mut to, units.entry(name.clone()).or_default());
            }
            self.flow_files(flow, &from, &mut to, &mut units);
            trees.insert(flow.to, to);
        }
        for unit in units.into_values() {
            self.plan.add(unit);
        }
    }

    /// Returns the files that the person deleted, and that the flow's target may still have. What is not believed is told.
    fn deletions(&mut self, flow: Flow, from: &TreeFiles, units: &BTreeMap<String, Unit>) -> Vec<String> {
        let gone: Vec<String> = self.known(flow).filter(|name| !from.names.contains(*name)).map(str::to_owned).collect();
        if flow.from == Place::Hub {
            // A hub that lost a file has not been told that somebody deleted it.
            let now = |name: &String| units.get(name).is_some_and(|unit| unit.agreements.iter().any(|agreed| agreed.deleted.is_some()));
            let before = self.seen.bases.get(&Pair::HostHub);
            let was = |name: &String| before.is_some_and(|base| base.deleted.contains_key(&self.path(name)));
            return gone.into_iter().filter(|name| now(name) || was(name)).collect();
        }
        if self.seen.away.contains(&from.root) {
            return Vec::new();
        }
        let present = from.names.iter().map(String::as_str).collect();
        match tree::vanished(self.known(flow), &present).filter(|_| self.request.brake == Brake::On) {
            None => gone,
            Some((gone, of)) => {
                self.notice(&from.root, News::Vanished { gone, of });
                Vec::new()
            }
        }
    }

    /// Takes a deleted file away where nobody changed it since it came; else it is the target's own from now on.
    fn delete(&mut self, flow: Flow, name: &str, to: &mut TreeFiles<'a>, unit: &mut Unit) {
        let path = self.path(name);
        let base = self.entry(flow, &path).and_then(BaseEntry::hash).cloned();
        let unchanged = to.views.get(name).filter(|view| view.hash.is_some() && view.hash == base).map(|view| view.site.clone());
        if let Some(site) = &unchanged {
            unit.changes.push(Change { site: site.clone(), before: base.clone(), act: Act::Remove, lock: None });
            to.views.remove(name);
            to.names.remove(name);
        }
        let is_gone = unchanged.is_some() || !to.names.contains(name);
        let deleted = base.filter(|_| is_gone && flow.to == Place::Hub);
        unit.agreements.push(Agreement { pair: flow.pair(), path, entry: None, deleted });
    }

    fn flow_files(&mut self, flow: Flow, from: &TreeFiles<'a>, to: &mut TreeFiles<'a>, units: &mut BTreeMap<String, Unit>) {
        let names: BTreeSet<&str> = from.names.iter().chain(&to.names).map(String::as_str).collect();
        let clashes: BTreeSet<String> = tree::case_clashes(names.into_iter()).into_iter().map(str::to_owned).collect();
        for (name, theirs) in &from.views {
            if clashes.contains(name) {
                self.notice(&theirs.site, News::CaseClash);
                continue;
            }
            if to.names.insert(name.clone()) {
                to.views.insert(name.clone(), View::nothing(to.root.below(name)));
            }
            if let Some(ours) = to.views.get_mut(name) {
                self.flow_file(flow, theirs, ours, name, units.entry(name.clone()).or_default());
            }
        }
    }

    fn flow_file(&mut self, flow: Flow, theirs: &View<'a>, ours: &mut View<'a>, name: &str, unit: &mut Unit) {
        let path = self.path(name);
        let base = self.entry(flow, &path).and_then(BaseEntry::hash);
        let (now, new) = (&ours.hash, theirs.hash.clone());
        let step = tree::step(Versions { base, ours: now.as_ref(), theirs: new.as_ref() }, flow.prefer());
        let notes = Some(step).filter(|step| matches!(step, tree::TreeStep::Conflict(_)) && flow.is_inward());
        let notes = notes.and_then(|_| notes::merged(&path, base?, ours.content.as_deref()?, theirs.content.as_deref()?));
        if let (tree::TreeStep::Conflict(prefer), None) = (step, &notes) {
            self.conflict(if prefer == Prefer::Theirs { ours } else { theirs }, Vec::new());
        }
        if let Some(new) = new.filter(|new| base != Some(new)) {
            unit.agreements.push(agreement(flow, path, BaseEntry::Hash(new)));
        }
        if let Some(merged) = notes {
            self.put(unit, Some(ours), merged);
        } else if let (tree::TreeStep::Take | tree::TreeStep::Conflict(Prefer::Theirs), Some(content)) = (step, &theirs.content) {
            ours.mode = theirs.mode;
            self.put(unit, Some(ours), content.to_vec());
        }
    }

    fn trees(&mut self) -> BTreeMap<Place, TreeFiles<'a>> {
        let mut trees = BTreeMap::new();
        for place in [Place::Host, Place::Hub, Place::Project] {
            let Some(root) = self.rule.site(place) else {
                continue;
            };
            match self.seen.trees.get(&root) {
                None => {}
                Some(Err(why)) => self.notice(&root, News::Refused(*why)),
                Some(Ok(files)) => {
                    trees.insert(place, self.files(root, files));
                }
            }
        }
        trees
    }

    fn files(&mut self, root: Site, files: &'a BTreeMap<String, Reading>) -> TreeFiles<'a> {
        let views = files.iter().filter_map(|(name, reading)| Some((name.clone(), self.view(root.below(name), reading, None)?))).collect();
        TreeFiles { root, views, names: files.keys().cloned().collect() }
    }

    /// Returns the names that the pair agreed on.
    fn known(&self, flow: Flow) -> impl Iterator<Item = &str> {
        let base = self.seen.bases.get(&flow.pair());
        base.into_iter().flat_map(|base| base.below(&self.rule.path)).map(|(name, _)| name)
    }

    fn path(&self, name: &str) -> String {
        Site { place: Place::Hub, path: self.rule.path.clone() }.below(name).path
    }
}

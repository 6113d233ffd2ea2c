//! The part of a plan that is about settings, which are merged key by key.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::core::sync::base::BaseEntry;
use crate::core::sync::document::{self, Document, Format, Merged, Terms};
use crate::core::sync::journal::{Loss, Unit};
use crate::core::sync::merge::{Lack, Prefer, Versions};
use crate::core::sync::plan::view::{View, Wholeness, pick};
use crate::core::sync::plan::{Step, agreement};
use crate::core::sync::report::News;
use crate::core::sync::{Flow, Pair, Place};

/// What one flow of a document starts from.
struct Sides<'a> {
    flow: Flow,
    from: &'a View<'a>,
    to: &'a View<'a>,
    theirs: &'a Document<'a>,
    /// What the pair agreed on.
    base: Option<Rc<Document<'a>>>,
    seed: Option<Rc<Document<'a>>>,
    lack: Lack,
}

impl<'a> Step<'a> {
    pub(super) fn document(&mut self, format: Format<'a>, flows: impl Iterator<Item = Flow>) {
        let mut unit = Unit::default();
        let mut views = self.views(Some(format));
        self.losses(format, &views, &mut unit);
        for flow in flows {
            let Some((from, to)) = pick(&views, flow) else {
                continue;
            };
            let text = match from.document(format) {
                Some(theirs) => {
                    let sides = self.sides(format, flow, (from, to), &theirs, &unit);
                    self.flow_document(format, sides, &mut unit)
                }
                None => self.rule.seed.clone().filter(|_| flow.to == Place::Project && to.content.is_none()),
            };
            if let Some(text) = text {
                self.put(&mut unit, views.get_mut(&flow.to), text.into_bytes());
            }
        }
        self.plan.add(unit);
    }

    /// Notes which places have lost the file, so that nobody takes what is missing there for deleted, now or later.
    fn losses(&self, format: Format, views: &BTreeMap<Place, View>, unit: &mut Unit) {
        for (place, pair) in [(Place::Host, Pair::HostHub), (Place::Hub, Pair::HubProject), (Place::Project, Pair::HubProject)] {
            let is_lost = || views.get(&place).is_some_and(|view| self.is_lost(format, view));
            let is_new = |pair| self.agreed_document(format, pair).is_some_and(|known| !known.is_bare()) && !self.is_noted(pair);
            // The hub is a side of both pairs: that one of them has noted a loss says nothing of the other.
            let is_known = is_new(pair) || (place == Place::Hub && is_new(Pair::HostHub));
            if is_known && is_lost() {
                unit.losses.push(Loss { place, path: self.rule.path.clone() });
            }
        }
    }

    /// Absent or torn; or made anew by somebody who knew nothing of what it held.
    fn is_lost(&self, format: Format, view: &View) -> bool {
        let Some(found) = view.document(format) else {
            return view.found == Wholeness::Lost;
        };
        match view.site.place {
            Place::Host => false,
            // Nothing is ever removed outwards, so the hub has whatever the host was known to have.
            Place::Hub if self.is_noted(Pair::HostHub) => false,
            Place::Hub => self.agreed_document(format, Pair::HostHub).is_some_and(|base| found.lacks(&base)),
            Place::Project if !found.is_empty() && !self.seed(format).is_some_and(|seed| found.is_within(&seed)) => false,
            // What holds all that was agreed on has lost nothing, however little that was.
            Place::Project => !self.agreed_document(format, Pair::HubProject).is_some_and(|base| base.is_within(&found)),
        }
    }

    fn sides<'b>(
        &self,
        format: Format,
        flow: Flow,
        (from, to): (&'b View<'b>, &'b View<'b>),
        theirs: &'b Document<'b>,
        unit: &Unit,
    ) -> Sides<'b>
    where
        'a: 'b,
    {
        let noted = self.is_noted(flow.pair()) || unit.losses.iter().any(|loss| loss.concerns(flow.pair()));
        let is_lost = to.found == Wholeness::Lost || from.found == Wholeness::Lost || noted;
        Sides {
            flow,
            from,
            to,
            theirs,
            base: self.agreed_document(format, flow.pair()),
            seed: self.seed(format),
            // What the host lacks was never taken from it.
            lack: if is_lost && flow.to != Place::Host { Lack::Lost } else { Lack::Deleted },
        }
    }

    /// Returns the new text of the flow's target, if it changes.
    fn flow_document(&mut self, format: Format, sides: Sides, unit: &mut Unit) -> Option<String> {
        let Sides { flow, from, to, theirs, base, seed, lack } = sides;
        if to.found == Wholeness::Whole && lack == Lack::Deleted && self.agreed(flow.pair()) == Some(theirs.text) {
            // Theirs changed nothing, and ours may have: there is nothing to do, and nothing new to agree on.
            return None;
        }
        let gate = self.rule.gate(flow);
        // Outwards a seed is no change of the project: it counts as agreed.
        let under = seed.as_ref().filter(|_| !flow.is_inward()).map(|seed| match &base {
            None => seed.clone(),
            Some(base) if base.covers(seed) => base.clone(),
            Some(base) => Rc::new(base.over(seed)),
        });
        let compared = under.as_deref().or(base.as_deref());
        let ours = to.document(format);
        let Ok(agreed) = document::agreed(format, base.as_deref(), compared, theirs, &gate) else {
            self.notice(&from.site, News::Crowded);
            return None;
        };
        let seed = seed.filter(|_| flow.to == Place::Project && ours.is_none());
        let terms = Terms { gate: &gate, prefer: flow.prefer(), lack };
        let versions = Versions { base: compared, ours: ours.as_deref().or(seed.as_deref()), theirs: Some(theirs) };
        // Where ours is what was agreed, the same changes lead to the same text.
        let is_agreed = lack == Lack::Deleted && versions.ours.is_some() && versions.ours.map(|ours| ours.text) == self.agreed(flow.pair());
        let merged = if is_agreed { Ok(Merged::plain(agreed.clone())) } else { document::merge(format, versions, terms) };
        let Ok(merged) = merged else {
            self.notice(&to.site, News::Crowded);
            return None;
        };
        self.agree(flow, agreed, unit);
        if !merged.conflicts.is_empty() && ours.is_some() {
            let loser = if flow.prefer() == Prefer::Theirs { to } else { from };
            self.conflict(loser, merged.conflicts);
        }
        let unchanged = ours.as_ref().is_some_and(|ours| ours.text == merged.text);
        let nothing = ours.is_none() && seed.is_none() && format.parse(merged.text.as_bytes()).is_ok_and(|document| document.is_empty());
        (!unchanged && !nothing && !merged.text.is_empty()).then_some(merged.text)
    }

    /// Notes what the pair agrees on after a flow. What was lost is agreed on again when the settings have come inwards.
    fn agree(&self, flow: Flow, agreed: String, unit: &mut Unit) {
        let noted = self.is_noted(flow.pair()) || unit.losses.iter().any(|loss| loss.concerns(flow.pair()));
        if noted && !flow.is_inward() {
            return;
        }
        if noted || self.agreed(flow.pair()) != Some(agreed.as_str()) {
            unit.agreements.push(agreement(flow, self.rule.path.clone(), BaseEntry::Text(agreed)));
        }
    }

    fn agreed(&self, pair: Pair) -> Option<&'a str> {
        self.seen.bases.get(&pair)?.files.get(&self.rule.path)?.text()
    }

    fn agreed_document(&self, format: Format, pair: Pair) -> Option<Rc<Document<'a>>> {
        self.documents.parse(format, self.agreed(pair)?.as_bytes()).ok()
    }

    fn seed(&self, format: Format) -> Option<Rc<Document<'a>>> {
        self.documents.parse(format, self.rule.seed.as_deref()?.as_bytes()).ok()
    }

    /// Whether an earlier sync noted that one side of the pair had lost the file.
    fn is_noted(&self, pair: Pair) -> bool {
        self.seen.bases.get(&pair).is_some_and(|base| base.lost.contains(&self.rule.path))
    }
}

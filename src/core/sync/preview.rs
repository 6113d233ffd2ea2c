//! What a sync found and would do, for `status`, `diff` and `--dry-run`.

use serde::Serialize;

use crate::core::sync::document::{Flaw, Format};
use crate::core::sync::journal::{Act, Change};
use crate::core::sync::plan::{Gathered, SyncPlan};
use crate::core::sync::{Class, Flow, Hash, Place, Reading, Refusal, Site, SyncRequest};

/// One file of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    pub site: Site,
    pub health: Health,
    pub hash: Option<Hash>,
    /// Seconds since 1970, for people: nothing is decided by it.
    pub modified: Option<u64>,
    /// The places that the next syncs would write it from.
    pub from: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Absent,
    Valid,
    Torn,
    Ambiguous,
    Unread,
    /// See [`crate::core::sync::report::News::Crowded`].
    Crowded,
    Refused(Refusal),
}

/// What a change would make of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff<'a> {
    pub site: &'a Site,
    pub before: Option<&'a [u8]>,
    /// The added lines only, where lines are added.
    pub after: Option<&'a [u8]>,
    pub appends: bool,
}

/// Returns every file that the rules are about, rule by rule, from the host inwards.
pub fn status(request: &SyncRequest, seen: &Gathered, plan: &SyncPlan) -> Vec<Status> {
    let mut found = files(request, seen);
    mark(&mut found, request, plan);
    found
}

/// Adds what a plan for `request` would write to a status.
pub fn mark(found: &mut [Status], request: &SyncRequest, plan: &SyncPlan) {
    for change in plan.changes() {
        let from = Flow::of(request.direction, request.host_sync).into_iter().find(|flow| flow.to == change.site.place);
        if let Some(status) = found.iter_mut().find(|status| status.site == change.site) {
            status.from.extend(from.map(|flow| flow.from));
        }
    }
}

fn files(request: &SyncRequest, seen: &Gathered) -> Vec<Status> {
    let mut found = Vec::new();
    for rule in &request.rules {
        let format = Format::of(rule);
        for place in [Place::Host, Place::Hub, Place::Project] {
            let Some(site) = rule.site(place) else {
                continue;
            };
            match seen.trees.get(&site) {
                _ if rule.class != Class::Tree => {
                    let reading = seen.files.get(&site);
                    found.extend(reading.map(|reading| of_file(site, reading, format)));
                }
                Some(Ok(files)) => {
                    found.extend(files.iter().map(|(name, file)| of_file(site.below(name), file, None)));
                }
                Some(Err(why)) => found.push(of_file(site, &Reading::Refused(*why), None)),
                None => {}
            }
        }
    }
    found
}

pub fn diffs<'a>(seen: &'a Gathered, plan: &'a SyncPlan) -> Vec<Diff<'a>> {
    let diff = |change: &'a Change| Diff {
        site: &change.site,
        before: before(seen, &change.site),
        after: plan.content(change),
        appends: matches!(change.act, Act::Append { .. }),
    };
    plan.changes().map(diff).collect()
}

fn before<'a>(seen: &'a Gathered, site: &Site) -> Option<&'a [u8]> {
    let in_tree = || {
        seen.trees.iter().find_map(|(root, files)| {
            let name = site.path.strip_prefix(&root.path).filter(|_| root.place == site.place)?;
            files.as_ref().ok()?.get(name.strip_prefix('/').unwrap_or(name))
        })
    };
    match seen.files.get(site).or_else(in_tree) {
        Some(Reading::File { bytes, .. }) => Some(bytes),
        _ => None,
    }
}

fn of_file(site: Site, reading: &Reading, format: Option<Format>) -> Status {
    let (health, hash) = match reading {
        Reading::Absent => (Health::Absent, None),
        Reading::Refused(why) => (Health::Refused(*why), None),
        Reading::File { bytes, .. } => {
            let health = match format.map(|format| format.parse(bytes)) {
                Some(Err(Flaw::Torn)) => Health::Torn,
                Some(Err(Flaw::Ambiguous)) => Health::Ambiguous,
                Some(Err(Flaw::Unread)) => Health::Unread,
                Some(Err(Flaw::TooMany)) => Health::Crowded,
                Some(Ok(_)) | None => Health::Valid,
            };
            (health, Some(Hash::of(bytes)))
        }
    };
    Status { site, health, hash, modified: None, from: Vec::new() }
}

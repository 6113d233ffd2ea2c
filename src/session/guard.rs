//! The end of a run with a helper: what did not get out, or was not signed, is said, and noted in the log.

use crate::core::guard::key::listed::Listed;
use crate::core::guard::order::GuardOrder;
use crate::core::guard::record::GuardRecord;
use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::guard::order;
use crate::host::output;
use crate::session::close::Known;

/// Says what the helper of a session saw, and returns it for the log. Nothing is there for a session that had none.
pub fn end(state: &Store, session: &SessionId, known: &Known) -> Vec<(&'static str, serde_json::Value)> {
    let order = order::read(&state.guard(session)).ok();
    let Some((record, order)) = order::take(state, session).zip(order) else { return Vec::new() };
    tell(&record, &order, known);
    let mut seen = Vec::new();
    if order.egress.is_some() {
        seen.extend([("allowed", serde_json::json!(record.allowed)), ("blocked", serde_json::json!(record.blocked))]);
    }
    if order.key.is_some() {
        let counts = [("keyed", &record.keyed), ("unkeyed", &record.unkeyed), ("dropped", &record.dropped)];
        seen.extend(counts.map(|(name, counts)| (name, serde_json::json!(counts))));
    }
    if order.agent.is_some() {
        seen.push(("ssh_refused", serde_json::json!(record.refused)));
    }
    if record.opened > 0 {
        seen.push(("pages_opened", serde_json::json!(record.opened)));
    }
    if record.pictures > 0 {
        seen.push(("pictures_read", serde_json::json!(record.pictures)));
    }
    if record.mended > 0 {
        seen.push(("put_back", serde_json::json!(record.mended)));
    }
    seen
}

fn tell(record: &GuardRecord, order: &GuardOrder, known: &Known) {
    let rules = known.tool.as_ref().map(|tool| &tool.manifest.egress);
    // Where the key stays outside, the tool does without the other hosts of its maker.
    let model = rules.filter(|_| order.key.is_some()).map(|rules| rules.model.as_slice());
    let quiet = [rules.map(|rules| rules.quiet.as_slice()), model].into_iter().flatten().flatten().cloned().collect::<Vec<_>>();
    let at_start = rules.map(|rules| rules.at_start.clone()).unwrap_or_default();
    if let Some(line) = record.line(&quiet, &at_start) {
        output::note(&line);
    }
    if let Some(line) = record.unreached_line() {
        output::note(&line);
    }
    if let Some(line) = record.agent_line() {
        output::note(&line);
    }
    let ways = known.tool.iter().flat_map(|tool| &tool.manifest.keys.from);
    let quiet: Vec<Listed> = ways.flat_map(|way| &way.quiet).filter_map(|request| request.parse().ok()).collect();
    if let Some((tool, true)) = known.tool.as_ref().map(|tool| (&tool.name, record.lacked_key())) {
        let hint = format!("hint: ai login {tool}, or ai creds status {tool}");
        output::note(&format!("the login of {tool} has ended, or could not be renewed; {hint}"));
    }
    if let Some(line) = record.key_line(&quiet) {
        output::note(&line);
    }
    if let Some(line) = record.page_line() {
        output::note(&line);
    }
    if record.crowded > 0 {
        output::note(&format!("{} connections were refused: more than 256 at a time", record.crowded));
    }
    if let Some(why) = &record.unwatched {
        output::note(&format!("not all that your machine runs from this project was watched, but compared at the end alone: {why}"));
    }
    if !record.ended {
        output::warn(&format!("the helper of this run was killed; without it {}; hint: ai doctor", order.loss()));
    }
}

//! The end of a guarded run: what did not get out is said, and noted in the log.

use crate::core::guard::record::GuardRecord;
use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::guard::order;
use crate::host::output;
use crate::session::close::Known;

/// Says what the helper of a session saw, and returns it for the log. Nothing is there for a session that had none.
pub fn end(state: &Store, session: &SessionId, known: &Known) -> Vec<(&'static str, serde_json::Value)> {
    let Some(record) = order::take(state, session) else { return Vec::new() };
    tell(&record, known);
    vec![
        ("allowed", serde_json::json!(record.allowed)),
        ("blocked", serde_json::json!(record.blocked)),
        ("ssh_refused", serde_json::json!(record.refused)),
    ]
}

fn tell(record: &GuardRecord, known: &Known) {
    let quiet = known.tool.as_ref().map(|tool| tool.manifest.egress.quiet.as_slice()).unwrap_or_default();
    if let Some(line) = record.line(quiet) {
        output::note(&line);
    }
    if let Some(line) = record.agent_line() {
        output::note(&line);
    }
    if record.crowded > 0 {
        output::note(&format!("{} connections were refused: more than 256 at a time", record.crowded));
    }
    if !record.ended {
        output::warn("the helper of this guarded run was killed: from then on nothing got out of the container; hint: ai doctor");
    }
}

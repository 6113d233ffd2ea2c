//! `ai __sync`: one act of the settings engine, described as data. The fault tests drive the engine through it, so that every
//! place is a directory of theirs.

use std::path::Path;

use serde::Deserialize;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::sync::report::Report;
use crate::core::sync::{SyncRequest, preview};
use crate::host::fs::files::read_text;
use crate::host::machine::deadline::Deadline;
use crate::host::output;
use crate::host::sync::place::Places;
use crate::host::sync::{self, PATIENCE, SyncError};
use crate::session::settings::sync_failure;

#[derive(Deserialize)]
struct Job {
    act: JobKind,
    places: Places,
    request: SyncRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum JobKind {
    Sync,
    Repair,
    Undo,
    Status,
    Diff,
    Log,
}

pub fn run(file: &Path) -> Result<u8> {
    let invalid = |why: String| Failure::new(Kind::Usage, format!("cannot read `{}`", file.display())).because(why);
    let text = read_text(file)?.ok_or_else(|| invalid("there is no such file".into()))?;
    let job: Job = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let (text, whole) = act(&job).map_err(|error| sync_failure(&error))?;
    output::exact(format!("{text}\n").as_bytes())?;
    Ok(u8::from(!whole))
}

/// Returns what to print, and whether everything was done that was asked for.
fn act(Job { act, places, request }: &Job) -> std::result::Result<(String, bool), SyncError> {
    let text = match act {
        JobKind::Sync => return Ok(told(&sync::run(places, request, &Deadline::after(PATIENCE))?)),
        JobKind::Undo => return Ok(told(&sync::undo(places)?)),
        JobKind::Repair => format!("{{\"recovered\":{}}}", sync::repair(places)?),
        JobKind::Log => serde_json::to_string(&sync::log(places)?).unwrap_or_default(),
        JobKind::Status => {
            let sync::Preview { seen, plan, .. } = sync::preview(places, request)?;
            serde_json::to_string(&preview::status(request, &seen, &plan)).unwrap_or_default()
        }
        JobKind::Diff => {
            let sync::Preview { seen, plan, pending } = sync::preview(places, request)?;
            let notices = plan.notices.iter().map(ToString::to_string);
            let diffs = preview::diffs(&seen, &plan);
            let diffs = diffs.iter().map(|diff| format!("{} {:?} {:?} {}", diff.site, diff.before, diff.after, diff.appends));
            notices.chain(diffs).chain(pending.then(|| "pending".to_owned())).collect::<Vec<_>>().join("\n")
        }
    };
    Ok((text, true))
}

fn told(report: &Report) -> (String, bool) {
    (serde_json::to_string(report).unwrap_or_default(), report.is_whole())
}

//! `ai`: AI coding assistants in containers that live for exactly one run.

mod host;
mod sync;

use std::path::PathBuf;
use std::process::ExitCode;

use host::place::Places;
use host::sync::{Preview, SyncError};
use serde::Deserialize;
use sync::report::Report;
use sync::{Request, preview};

/// One act of the sync engine, described as plain data for the fault tests.
#[derive(Deserialize)]
struct Job {
    act: Act,
    places: Places,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Sync,
    Repair,
    Undo,
    Status,
    Diff,
    Log,
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "stands in for the command layer"
)]
fn main() -> ExitCode {
    let path = std::env::args_os()
        .nth(2)
        .map(PathBuf::from)
        .unwrap_or_default();
    let job: Job = match std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
    {
        Ok(job) => job,
        Err(error) => {
            eprintln!("ai: {error}");
            return ExitCode::from(2);
        }
    };
    match act(&job) {
        Ok((text, whole)) => {
            println!("{text}");
            if whole {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("ai: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What to print, and whether everything was done that was asked for.
fn act(
    Job {
        act,
        places,
        request,
    }: &Job,
) -> Result<(String, bool), SyncError> {
    let text = match act {
        Act::Sync => return Ok(told(&host::sync::run(places, request)?)),
        Act::Undo => return Ok(told(&host::sync::undo(places)?)),
        Act::Repair => format!("{{\"recovered\":{}}}", host::sync::repair(places)?),
        Act::Log => serde_json::to_string(&host::sync::log(places)?).unwrap_or_default(),
        Act::Status => {
            let Preview { seen, plan, .. } = host::sync::preview(places, request)?;
            serde_json::to_string(&preview::status(request, &seen, &plan)).unwrap_or_default()
        }
        Act::Diff => {
            let Preview {
                seen,
                plan,
                pending,
            } = host::sync::preview(places, request)?;
            let notices = plan.notices.iter().map(ToString::to_string);
            let diffs = preview::diffs(&seen, &plan);
            let diffs = diffs.iter().map(|diff| {
                format!(
                    "{} {:?} {:?} {}",
                    diff.site, diff.before, diff.after, diff.appends
                )
            });
            notices
                .chain(diffs)
                .chain(pending.then(|| "pending".to_owned()))
                .collect::<Vec<_>>()
                .join("\n")
        }
    };
    Ok((text, true))
}

fn told(report: &Report) -> (String, bool) {
    (
        serde_json::to_string(report).unwrap_or_default(),
        report.is_whole(),
    )
}

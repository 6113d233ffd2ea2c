//! `ai`: AI coding assistants in containers that live for exactly one run.

mod host;
mod sync;

use std::path::PathBuf;
use std::process::ExitCode;

use host::place::Places;
use serde::Deserialize;
use sync::Request;

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
    Preview,
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
    let done = match job.act {
        Act::Sync => host::sync::run(&job.places, &job.request),
        Act::Undo => host::sync::undo(&job.places),
        Act::Repair => host::sync::repair(&job.places).map(|recovered| sync::Report {
            recovered,
            ..sync::Report::default()
        }),
        Act::Preview => {
            host::sync::preview(&job.places, &job.request).map(|preview| sync::Report {
                recovered: preview.pending,
                changed: preview
                    .plan
                    .changes()
                    .map(|change| change.site.clone())
                    .collect(),
                notices: preview.plan.notices,
            })
        }
    };
    match done {
        Ok(report) => {
            println!("{}", serde_json::to_string(&report).unwrap_or_default());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ai: {error}");
            ExitCode::FAILURE
        }
    }
}

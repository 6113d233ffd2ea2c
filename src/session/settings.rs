//! Settings of a tool between the host, the hub and the project: which places, which rules, and what is said about it.

use crate::core::config::Config;
use crate::core::failure::{Failure, Kind};
use crate::core::sync::report::Report;
use crate::core::sync::{Brake, Class, Direction, Rule, SyncRequest};
use crate::core::tool::Tool;
use crate::host::fs::lock::LockError;
use crate::host::machine::deadline::Deadline;
use crate::host::sync::place::Places;
use crate::host::sync::{self, SyncError};
use crate::host::{Host, output};
use crate::session::setup;

/// Returns the places of one tool and project.
pub fn places(host: &Host, tool: &Tool, project: &str) -> Places {
    Places {
        host_home: host.home(),
        hub: host.store.hub(&tool.name),
        project: host.store.home(&tool.name, project),
        store: host.store.root().to_owned(),
        tool: tool.name.clone(),
        project_id: project.into(),
    }
}

pub fn request(host: &Host, tool: &Tool, config: &Config, direction: Direction) -> SyncRequest {
    SyncRequest { rules: rules(host, tool), direction, host_sync: config.settings.host_sync.value, brake: Brake::On }
}

/// A profile shares instructions and commands with the host's own tool, but neither its account nor its settings: these may name
/// another server or a key helper.
fn rules(host: &Host, tool: &Tool) -> Vec<Rule> {
    let is_profile = tool.name != tool.base;
    let own = |rule: &Rule| is_profile && rule.class != Class::Tree;
    tool.manifest
        .sync
        .iter()
        .map(|rule| if own(rule) { Rule { host: None, ..rule.clone() } } else { rule.clone() })
        .chain(setup::rules(host, tool))
        .collect()
}

/// Syncs before or after a run. What fails is told and does not stop the run; whether all of it was done is the value.
pub fn sync(host: &Host, tool: &Tool, config: &Config, project: &str, direction: Direction, deadline: &Deadline) -> bool {
    if tool.manifest.sync.is_empty() {
        return true;
    }
    match sync::run(&places(host, tool, project), &request(host, tool, config, direction), deadline) {
        Ok(report) => {
            tell(&tool.name, &report);
            report.is_whole()
        }
        Err(error) => {
            output::warn(&format!("settings of {} are not synced this time: {error}", tool.name));
            false
        }
    }
}

pub fn tell(tool: &str, report: &Report) {
    if report.recovered {
        output::note("finished a sync of settings that was interrupted");
    }
    if let Some(waiting) = &report.waiting {
        output::warn(&format!("a sync that was interrupted waits for the next run there: {waiting}"));
    }
    for notice in &report.notices {
        output::note(&format!("{tool}: {notice}; hint: {}", notice.news.next_step(tool)));
    }
}

/// An explicit command fails where a run would go on.
pub fn sync_failure(error: &SyncError) -> Failure {
    let kind = match error {
        SyncError::Lock(LockError::Busy { .. }) => Kind::Busy,
        SyncError::Newer { .. } => Kind::Config,
        _ => Kind::General,
    };
    let failure = Failure::new(kind, error.to_string());
    match kind {
        Kind::Busy => failure.hint("try again when it has ended"),
        Kind::Config => failure.hint("update this `ai`, or use the newer one"),
        _ => failure,
    }
}

/// Finishes an interrupted sync of any tool; whether there was one.
pub fn repair(host: &Host) -> crate::core::failure::Result<bool> {
    let places = Places {
        host_home: None,
        hub: host.store.root().into(),
        project: host.store.root().into(),
        store: host.store.root().into(),
        tool: String::new(),
        project_id: String::new(),
    };
    sync::repair(&places).map_err(|error| sync_failure(&error))
}

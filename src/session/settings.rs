//! Settings of a tool between the host, the hub and the project: which places, which rules, and what is said about it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::core::config::Config;
use crate::core::failure::{Failure, Kind};
use crate::core::sync::report::Report;
use crate::core::sync::{Brake, Class, Direction, Rule, SyncRequest};
use crate::core::tool::Tool;
use crate::host::fs::lock::LockError;
use crate::host::fs::own;
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
        .flat_map(|rule| each(host, tool, rule))
        .map(|rule| if own(&rule) { Rule { host: None, ..rule } } else { rule })
        .chain(setup::rules(host, tool))
        .collect()
}

/// Returns a rule for each file that one with `*` before the end of its name means: what the person has, or had.
fn each(host: &Host, tool: &Tool, rule: &Rule) -> Vec<Rule> {
    let (Some(end), Some(on_host)) = (rule.path.strip_prefix('*'), &rule.host) else { return vec![rule.clone()] };
    let (above, _) = on_host.rsplit_once('/').unwrap_or(("", on_host));
    let on_host = host.home().map(|home| home.join(above));
    let names = on_host.into_iter().chain([host.store.hub(&tool.name)]).flat_map(|directory| names(&directory, end));
    let names: BTreeSet<String> = names.take(MOST).collect();
    names.into_iter().map(|name| Rule { host: Some(format!("{above}/{name}")), path: name, ..rule.clone() }).collect()
}

/// Most files that one rule may mean.
const MOST: usize = 64;

/// Returns the names in a directory that have this end.
fn names(directory: &Path, end: &str) -> Vec<String> {
    let entries = own::entries(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.len() > end.len() && name.ends_with(end) && !name.starts_with('.')).collect()
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
    if report.left > 0 {
        let (done, all) = (report.changed.len(), report.changed.len() + report.left);
        output::warn(&format!(
            "{tool}: {done} of {all} files were written in the time that there is; the others are not there yet; hint: ai sync accept {tool}, or the next run goes on"
        ));
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

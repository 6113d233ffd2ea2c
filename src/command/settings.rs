//! Settings of a tool between the host, the hub and the project: which places, which rules, and what is said about it.

use std::fmt::Write;

use crate::census::age;
use crate::command::{Context, fallback};
use crate::config::{Config, Layer};
use crate::failure::{Failure, Kind, Result};
use crate::host::Host;
use crate::host::lock::LockError;
use crate::host::place::Places;
use crate::host::sync::{self, Preview, SyncError};
use crate::output;
use crate::session::Lease;
use crate::sync::preview::{self, Diff, Health};
use crate::sync::report::Report;
use crate::sync::{Brake, Class, Direction, Request, Rule};
use crate::tool::Tool;
use crate::workspace::Workspace;

/// The places of one tool and project.
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

fn request(tool: &Tool, config: &Config, direction: Direction) -> Request {
    Request { rules: rules(tool), direction, host_sync: config.settings.host_sync.value, brake: Brake::On }
}

/// A profile shares instructions and commands with the host's own tool, but neither its account nor its settings: these may name
/// another server or a key helper.
fn rules(tool: &Tool) -> Vec<Rule> {
    let is_profile = tool.name != tool.base;
    let own = |rule: &Rule| is_profile && rule.class != Class::Tree;
    tool.manifest.sync.iter().map(|rule| if own(rule) { Rule { host: None, ..rule.clone() } } else { rule.clone() }).collect()
}

/// Syncs before or after a run. What fails is told and does not stop the run; whether all of it was done is the value.
pub fn sync(host: &Host, tool: &Tool, config: &Config, project: &str, direction: Direction) -> bool {
    if tool.manifest.sync.is_empty() {
        return true;
    }
    match sync::run(&places(host, tool, project), &request(tool, config, direction)) {
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

fn tell(tool: &str, report: &Report) {
    if report.recovered {
        output::note("finished a sync of settings that was interrupted");
    }
    for notice in &report.notices {
        output::note(&format!("{tool}: {notice}"));
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

/// What a command about the settings of the project here starts from.
struct Here {
    places: Places,
    request: Request,
}

impl Here {
    fn new(tool: &str) -> Result<Self> {
        let context = Context::new(tool, Layer::default())?;
        let settings = &context.config.settings;
        let workspace = Workspace::new(&context.facts(None), settings.workspace.value, settings.force_workspace.value)?;
        Ok(Self {
            places: places(&context.host, &context.tool, &workspace.project),
            request: request(&context.tool, &context.config, Direction::In),
        })
    }

    fn preview(&self) -> Result<Preview> {
        sync::preview(&self.places, &self.request).map_err(|error| sync_failure(&error))
    }
}

/// Every file with what the next sync in, and the one out after it, would write it from.
pub fn status(tool: &str, json: bool) -> Result<()> {
    let mut here = Here::new(tool)?;
    let Preview { seen, plan, .. } = here.preview()?;
    let mut rows = preview::status(&here.request, &seen, &plan);
    here.request.direction = Direction::Out;
    preview::mark(&mut rows, &here.request, &here.preview()?.plan);
    for row in &mut rows {
        row.modified = here.places.modified(&row.site);
    }
    if json {
        return output::json(&rows);
    }
    let now = crate::host::now();
    let mut text = String::new();
    for row in rows {
        let health = match row.health {
            Health::Absent => "absent".to_owned(),
            Health::Valid => "valid".to_owned(),
            Health::Broken => "broken".to_owned(),
            Health::Ambiguous => "ambiguous".to_owned(),
            Health::Refused(why) => format!("refused: {why}"),
        };
        let hash = row.hash.as_ref().map_or("", |hash| hash.short());
        let age = row.modified.map_or_else(String::new, |modified| format!("{} ago", age(now.saturating_sub(modified))));
        let from: Vec<String> = row.from.iter().map(|place| format!("<- {place}")).collect();
        let line = format!("{:40} {health:10} {hash:12} {age:>12} {}", row.site.to_string(), from.join(" "));
        writeln!(text, "{}", line.trim_end()).map_err(|_| unwritable())?;
    }
    output::data(text.as_bytes())
}

/// What the next sync in would write.
pub fn diff(tool: &str, json: bool) -> Result<()> {
    print_diff(&Here::new(tool)?, json)
}

/// What the sync out of a session would write now.
pub fn diff_out(host: &Host, lease: &Lease) -> Result<()> {
    let Some(tool) = Tool::load(&lease.tool, |name| host.manifest(name))? else { return Ok(()) };
    let (config, failure) = fallback::config(host, &lease.tool);
    fallback::tell(failure);
    let here = Here { places: places(host, &tool, &lease.project), request: request(&tool, &config, Direction::Out) };
    print_diff(&here, false)
}

fn print_diff(here: &Here, json: bool) -> Result<()> {
    let Preview { seen, plan, pending } = here.preview()?;
    if pending {
        output::note("a sync was interrupted; it is finished first");
    }
    for notice in &plan.notices {
        output::note(&notice.to_string());
    }
    let diffs = preview::diffs(&seen, &plan);
    let content = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    if json {
        let row = |diff: &Diff| serde_json::json!({"site": diff.site, "before": content(diff.before), "after": content(diff.after), "appends": diff.appends});
        return output::json(&diffs.iter().map(row).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for diff in diffs {
        let lines = |bytes, sign: char| {
            let content = content(bytes).unwrap_or_default();
            content.lines().map(|line| format!("{sign}{line}\n")).collect::<String>()
        };
        writeln!(text, "--- {}", diff.site).map_err(|_| unwritable())?;
        if !diff.appends {
            text.push_str(&lines(diff.before, '-'));
        }
        text.push_str(&lines(diff.after, '+'));
    }
    output::data(text.as_bytes())
}

pub fn log(tool: &str, json: bool) -> Result<()> {
    let here = Here::new(tool)?;
    let records = sync::log(&here.places).map_err(|error| sync_failure(&error))?;
    if json {
        return output::json(&records);
    }
    let mut text = String::new();
    for record in records {
        let what = match record.direction {
            Some(Direction::In) => "in",
            Some(Direction::Out) => "out",
            None => "undo",
        };
        let files: Vec<String> = record.changes.iter().map(|change| change.site.to_string()).collect();
        writeln!(text, "{:>5} {what:4} {}", record.sequence, files.join(", ")).map_err(|_| unwritable())?;
    }
    output::data(text.as_bytes())
}

pub fn undo(tool: &str) -> Result<()> {
    let here = Here::new(tool)?;
    let report = sync::undo(&here.places).map_err(|error| sync_failure(&error))?;
    tell(tool, &report);
    for site in &report.changed {
        output::note(&format!("put back {site}"));
    }
    Ok(())
}

/// Finishes an interrupted sync of any tool; whether there was one.
pub fn repair(host: &Host) -> Result<bool> {
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

fn unwritable() -> Failure {
    Failure::new(Kind::General, "cannot write the answer")
}

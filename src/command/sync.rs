//! `ai sync`: settings before and after a run, and what is known of them.

use crate::core::lease::SessionId;
use clap::{Args, Subcommand};

use crate::command::{commit, resolve::Tty};
use crate::core::census::age;
use crate::core::config::Layer;
use crate::core::failure::Result;
use crate::core::lease::Lease;
use crate::core::plan::RunCommand;
use crate::core::sync::generation::SyncRecord;
use crate::core::sync::preview::{self, Diff, Health};
use crate::core::sync::{Brake, Direction, Site, SyncRequest};
use crate::core::text::table::Side;
use crate::core::tool::Tool;
use crate::core::workspace::Workspace;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::process;
use crate::host::restore;
use crate::host::sync::place::Places;
use crate::host::sync::{self, Preview};
use crate::host::{self, Host, output};
use crate::session::close::{self, Saved};
use crate::session::context::Context;
use crate::session::decide::decide;
use crate::session::settings::{self, places, request, sync_failure, tell};
use crate::session::{self, repair, tolerant};

mod conflicts;
mod notes;

#[derive(Debug, Args)]
pub struct SyncArgs {
    #[command(subcommand)]
    pub command: SyncCommand,
}

#[derive(Debug, Subcommand)]
pub enum SyncCommand {
    /// Before a run: make the tool's state ready; prints the session's id
    In {
        tool: String,
        /// Process that the session belongs to
        #[arg(long)]
        owner: Option<i32>,
        /// Which of the run's standard streams are terminals, whatever ours are
        #[arg(long, hide = true)]
        tty: Option<Tty>,
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// After a run: take its settings over and close the session
    Out {
        session: SessionId,
        /// Exit code of the run, to explain it
        #[arg(long)]
        code: Option<u8>,
        /// Only say what would change; the session stays open
        #[arg(long)]
        dry_run: bool,
    },
    /// Which settings files there are, and whether they are valid
    Status {
        tool: String,
        #[arg(long)]
        json: bool,
    },
    /// What the next `sync in` would change
    Diff {
        tool: String,
        #[arg(long)]
        json: bool,
    },
    /// What earlier syncs of this project changed, newest first
    Log {
        tool: String,
        #[arg(long)]
        json: bool,
    },
    /// Put back what the last sync of this project overwrote; again to undo the undo
    Undo { tool: String },
    /// What lost where both sides had changed a file, or could not be read: copies, newest first
    Conflicts {
        tool: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// What this project's tool wrote into your instructions, such as CLAUDE.md
    Notes(notes::NotesArgs),
    /// Take away everywhere what you deleted from your own commands, skills and the like, however much it is
    Accept { tool: String },
    /// Finish what was interrupted: syncs, and sessions whose shell is gone
    Repair,
}

pub fn run(sync: SyncArgs) -> Result<u8> {
    match sync.command {
        SyncCommand::In { tool, dry_run: true, .. } => print_diff(&SyncStart::new(&tool)?.preview()?)?,
        SyncCommand::Diff { tool, json } => diff(&tool, json)?,
        SyncCommand::Out { session, dry_run: true, .. } => {
            let host = Host::new()?;
            diff_out(&host, &close::find(&host, &session)?)?;
        }
        SyncCommand::In { tool, owner, tty, dry_run: false } => {
            let context = Context::new(&tool, Layer::default())?;
            let mut decided = decide(&context, RunCommand::placeholder(&context.tool), tty.map(|tty| tty.over(host::terminal())))?;
            let begun = session::open(&context, &mut decided, owner.unwrap_or_else(process::parent))?;
            output::exact(format!("{}\n", begun.lease.session).as_bytes())?;
        }
        SyncCommand::Out { session, code, dry_run: false } => {
            let host = Host::to_write()?;
            // Only who ran something knows its code, and may have left the terminal as that did.
            if code.is_some() {
                restore::restore(&host);
            }
            let lease = close::find(&host, &session)?;
            if close::close(&host, &lease, code)? == Saved::Nothing {
                return Ok(1);
            }
            commit::after::offer(&host, &lease);
        }
        SyncCommand::Status { tool, json } => status(&tool, json)?,
        SyncCommand::Log { tool, json } => log(&tool, json)?,
        SyncCommand::Undo { tool } => undo(&tool)?,
        SyncCommand::Conflicts { tool, json } => conflicts::list(tool.as_deref(), json)?,
        SyncCommand::Notes(wanted) => notes::run(&wanted)?,
        SyncCommand::Accept { tool } => accept(&tool)?,
        SyncCommand::Repair => {
            let (context, failures) = tolerant::context()?;
            tolerant::tell(failures);
            let settings = settings::repair(&context.host);
            repair::repair(&context.host, &context.facts(None).engine)?;
            if settings? {
                output::note("finished a sync of settings that was interrupted");
            }
        }
    }
    Ok(0)
}

/// What a command about the settings of the project here starts from.
struct SyncStart {
    places: Places,
    request: SyncRequest,
}

impl SyncStart {
    fn new(tool: &str) -> Result<Self> {
        let context = Context::of_account(tool)?;
        let settings = &context.config.settings;
        let workspace = Workspace::new(&context.facts(None), settings)?;
        Ok(Self {
            places: places(&context.host, &context.tool, &workspace.project),
            request: request(&context.host, &context.tool, &context.config, Direction::In),
        })
    }

    fn preview(&self) -> Result<Preview> {
        sync::preview(&self.places, &self.request).map_err(|error| sync_failure(&error))
    }
}

/// Returns every file with what the next sync in, and the one out after it, would write it from.
pub fn status(tool: &str, json: bool) -> Result<()> {
    let mut here = SyncStart::new(tool)?;
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
    let now = host::now();
    let line = |row: preview::Status| {
        let health = match row.health {
            Health::Absent => "absent".to_owned(),
            Health::Valid => "valid".to_owned(),
            Health::Torn => "torn".to_owned(),
            Health::Ambiguous => "ambiguous".to_owned(),
            Health::Unread => "unread".to_owned(),
            Health::Crowded => "too many keys".to_owned(),
            Health::Refused(why) => format!("refused: {why}"),
        };
        let hash = row.hash.as_ref().map_or("", |hash| hash.short());
        let age = row.modified.map_or_else(String::new, |modified| format!("{} ago", age(now.saturating_sub(modified))));
        let from: Vec<String> = row.from.iter().map(|place| format!("<- {place}")).collect();
        [row.site.to_string(), health, hash.to_owned(), age, from.join(" ")]
    };
    let rows: Vec<_> = rows.into_iter().map(line).collect();
    output::table([Side::Left, Side::Left, Side::Left, Side::Right, Side::Left], &rows)
}

/// Returns what the next sync in would write.
pub fn diff(tool: &str, json: bool) -> Result<()> {
    let preview = SyncStart::new(tool)?.preview()?;
    if json { print_json(&preview) } else { print_diff(&preview) }
}

/// Returns what the sync out of a session would write now.
pub fn diff_out(host: &Host, lease: &Lease) -> Result<()> {
    let Some(tool) = Tool::load(&lease.tool, |name| host.manifest(name))? else { return Ok(()) };
    let (config, failure) = tolerant::config(host, &lease.tool);
    tolerant::tell(failure);
    let here = SyncStart { places: places(host, &tool, &lease.project), request: request(host, &tool, &config, Direction::Out) };
    print_diff(&here.preview()?)
}

/// Returns what would be written, and says what else there is to know about it.
fn told(preview: &Preview) -> Vec<Diff<'_>> {
    if preview.pending {
        output::note("a sync was interrupted; it is finished first");
    }
    for notice in &preview.plan.notices {
        output::note(&notice.to_string());
    }
    preview::diffs(&preview.seen, &preview.plan)
}

fn content(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn print_json(preview: &Preview) -> Result<()> {
    let row = |diff: &Diff| serde_json::json!({"site": diff.site, "before": content(diff.before), "after": content(diff.after), "appends": diff.appends});
    output::json(&told(preview).iter().map(row).collect::<Vec<_>>())
}

fn print_diff(preview: &Preview) -> Result<()> {
    let mut lines = Vec::new();
    for diff in told(preview) {
        let signed = |bytes, sign: char| -> Vec<String> {
            let content = content(bytes).unwrap_or_default();
            content.lines().map(|line| format!("{sign}{line}")).collect()
        };
        lines.push(format!("--- {}", diff.site));
        if !diff.appends {
            lines.extend(signed(diff.before, '-'));
        }
        lines.extend(signed(diff.after, '+'));
    }
    output::lines(lines)
}

pub fn log(tool: &str, json: bool) -> Result<()> {
    let here = SyncStart::new(tool)?;
    let records = sync::log(&here.places).map_err(|error| sync_failure(&error))?;
    if json {
        return output::json(&records);
    }
    let row = |record: &SyncRecord| {
        let what = match record.direction {
            Some(Direction::In) => "in",
            Some(Direction::Out) => "out",
            // An undo, or notes that were taken.
            None => "by hand",
        };
        let files: Vec<String> = record.changes.iter().map(|change| change.site.to_string()).collect();
        [record.sequence.to_string(), what.to_owned(), files.join(", ")]
    };
    if records.is_empty() && host::terminal().stderr {
        output::note(&format!("no sync of {tool} in this project has changed anything yet"));
    }
    output::table([Side::Right, Side::Left, Side::Left], &records.iter().map(row).collect::<Vec<_>>())
}

/// Returns a sync in that believes every deletion.
pub fn accept(tool: &str) -> Result<()> {
    let mut here = SyncStart::new(tool)?;
    here.request.brake = Brake::Off;
    let report = sync::run(&here.places, &here.request, &Deadline::after(sync::LONG_PATIENCE)).map_err(|error| sync_failure(&error))?;
    tell(tool, &report);
    named("changed", &report.changed);
    Ok(())
}

/// Names the files of which something is true, and counts those that are too many for that.
fn named(what: &str, sites: &[Site]) {
    const MOST: usize = 50;
    sites.iter().take(MOST).for_each(|site| output::note(&format!("{what} {site}")));
    if sites.len() > MOST {
        output::note(&format!("{what} {} more files; `ai sync log` names them", sites.len() - MOST));
    }
}

pub fn undo(tool: &str) -> Result<()> {
    let here = SyncStart::new(tool)?;
    let mut report = sync::undo(&here.places).map_err(|error| sync_failure(&error))?;
    let (left, done) = (std::mem::take(&mut report.left), report.changed.len());
    tell(tool, &report);
    named("put back", &report.changed);
    if left > 0 {
        output::warn(&format!("{done} files are as they were, {left} more are not yet; hint: ai sync undo {tool}"));
    }
    Ok(())
}

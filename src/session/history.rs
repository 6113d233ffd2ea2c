//! The sessions that the host's own tools had in a project: copied into its history when asked, and offered once before its first run.

use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::history::import::ImportState;
use crate::core::plan::{Part, Plan};
use crate::core::tool::Tool;
use crate::core::workspace::Workspace;
use crate::host::fs::files;
use crate::host::fs::look::Look;
use crate::host::history::copy;
use crate::host::history::import::{FoundSessions, HostSearch, HostSession};
use crate::host::store::{layout, state};
use crate::host::{self, output};
use crate::session::context::Context;
use crate::session::{mended, tree};

/// What became of the host's sessions of one tool.
#[derive(Debug, Serialize)]
pub struct Imported {
    pub tool: String,
    /// The last used first.
    pub sessions: Vec<ImportedSession>,
    /// Transcripts that the tool packed; they stay where they are.
    pub packed: usize,
}

#[derive(Debug, Serialize)]
pub struct ImportedSession {
    pub id: String,
    /// Where it ran, on the host.
    pub directory: PathBuf,
    pub bytes: u64,
    /// Seconds since 1970.
    pub modified: i64,
    pub state: ImportState,
}

impl ImportedSession {
    fn new(session: &HostSession, state: ImportState) -> Self {
        let HostSession { id, directory, bytes, modified, .. } = session;
        Self { id: id.clone(), directory: directory.clone(), bytes: *bytes, modified: *modified, state }
    }
}

impl Imported {
    pub fn count(&self, state: ImportState) -> usize {
        self.sessions.iter().filter(|session| session.state == state).count()
    }
}

/// Whether sessions are copied, or only looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    Copy,
    Look,
}

/// Whether the host can have sessions of a tool: a profile is another account.
pub fn has_sessions(tool: &Tool) -> bool {
    tool.manifest.transcripts.is_some() && tool.host_directory().is_some() && tool.name == tool.base
}

/// Copies the sessions that the host's own tool had in the project of `workspace`, or in a directory where it was `before`.
///
/// # Errors
/// Where the store or the tool's home cannot be written.
pub fn import(context: &Context, workspace: &Workspace, before: &[PathBuf], mode: ImportMode) -> Result<Imported> {
    let Context { host, tool, .. } = context;
    let mut found = find(context, workspace, before);
    let packed = found.packed;
    let home = host.store.home(&tool.name, &workspace.project);
    let surplus = found.split_surplus();
    let mut sessions = Vec::new();
    let failed = |error| Failure::new(Kind::General, format!("cannot copy the sessions of {}", tool.name)).because(error).hint("ai doctor");
    if mode == ImportMode::Copy && !found.sessions.is_empty() {
        layout::upgrade(&host.store)?;
        tree::separate(host, workspace, None)?;
        make_home(context, workspace).map_err(failed)?;
    }
    for session in &found.sessions {
        let state = if mode == ImportMode::Copy { copy::copy(&home, session).map_err(failed)? } else { copy::state(&home, session) };
        sessions.push(ImportedSession::new(session, state));
    }
    sessions.extend(surplus.iter().map(|session| ImportedSession::new(session, ImportState::LeftOut)));
    Ok(Imported { tool: tool.name.clone(), sessions, packed })
}

fn find(context: &Context, workspace: &Workspace, before: &[PathBuf]) -> FoundSessions {
    let Context { host, tool, config, .. } = context;
    let (Some(home), Some(below), Some(rules)) = (host.home(), tool.host_directory(), &tool.manifest.transcripts) else {
        return FoundSessions::default();
    };
    let search = HostSearch {
        tool: &home.join(below),
        rules,
        workspace,
        mapping: config.settings.workspace.value,
        cwd: host.cwd().unwrap_or(&workspace.root),
        before,
        home: &host.store.home(&tool.name, &workspace.project),
    };
    search.find()
}

/// Makes the tool's home of a project, and says what was in the way.
fn make_home(context: &Context, workspace: &Workspace) -> io::Result<()> {
    let Context { host, tool, .. } = context;
    let aside = state::prepare_home(&host.store, &tool.name, workspace)?;
    mended::tell(host, tool, &host.store, &aside);
    Ok(())
}

/// Asks once, before the first run of a project, whether the host's sessions of it shall be copied. Only a person at a terminal is asked,
/// and what goes wrong delays no run.
pub fn offer(context: &Context, plan: &Plan) {
    let Context { host, tool, .. } = context;
    let is_person =
        plan.parts.iter().any(|reasoned| matches!(reasoned.part, Part::Terminal)) && host::terminal().stderr && !host.is_machine();
    let record = host.store.project(&tool.name, &plan.workspace.project).join("offered");
    if !is_person || !has_sessions(tool) || record.is_there() {
        return;
    }
    // First: a question that was not answered is not asked again either.
    if make_home(context, &plan.workspace).and_then(|()| files::write_private(&record, b"")).is_err() {
        return;
    }
    let offered = import(context, &plan.workspace, &[], ImportMode::Look).map(|found| found.count(ImportState::New)).unwrap_or_default();
    let name = &tool.name;
    if offered == 0 || !output::ask(&question(name, offered)) {
        return;
    }
    match import(context, &plan.workspace, &[], ImportMode::Copy) {
        Ok(imported) => output::note(&told(&imported)),
        Err(failure) => output::warn_of(&failure),
    }
}

fn question(tool: &str, count: usize) -> String {
    let (sessions, were) = if count == 1 { ("session", "was") } else { ("sessions", "were") };
    format!("{count} {sessions} of {tool} in this project {were} made without ai. Copy them, so that they go on in its containers?")
}

/// Returns what became of the sessions of one tool, in a line.
pub fn told(imported: &Imported) -> String {
    let Imported { tool, packed, .. } = imported;
    let count = |state| imported.count(state);
    let sessions = |count: usize| if count == 1 { "1 session".to_owned() } else { format!("{count} sessions") };
    let before = |there: usize| if there == 0 { String::new() } else { format!(", {there} there already") };
    let copied = count(ImportState::Copied);
    let mut line = match (copied, count(ImportState::New), count(ImportState::There)) {
        (0, 0, 0) => format!("{tool}: no session of this project was made without ai"),
        (0, 0, there) => format!("{tool}: {} there already", sessions(there)),
        (0, new, there) => format!("{tool}: {} to copy{}", sessions(new), before(there)),
        (copied, _, there) => format!("{tool}: {} copied{}; yours stay as they are", sessions(copied), before(there)),
    };
    for (count, why) in [
        (count(ImportState::LeftOut), "left out, which are older than what is copied at once"),
        (*packed, "packed, which stay where they are"),
    ] {
        if count > 0 {
            line.push_str(&format!("; {} {why}", sessions(count)));
        }
    }
    line
}

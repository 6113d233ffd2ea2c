//! `ai history import`: the sessions that the host's own tools had in this project, as copies in its history.

use std::path::PathBuf;

use clap::Args;

use crate::core::census::age;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::history::import::ImportState;
use crate::core::text::path::without_dots;
use crate::core::text::table::Side;
use crate::core::tool::Tool;
use crate::core::workspace::Workspace;
use crate::host::fs::look::Look;
use crate::host::{self, Host, output};
use crate::session::context::Context;
use crate::session::history::{ImportMode, Imported, ImportedSession, has_sessions, import, told};

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Only of this tool; of all of them otherwise
    pub tool: Option<String>,
    /// Where the project was before it was moved, too
    #[arg(long, value_name = "DIR")]
    pub from: Vec<PathBuf>,
    /// Only say what would be copied
    #[arg(long)]
    pub dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &ImportArgs) -> Result<u8> {
    let host = Host::new()?;
    let tools = match &args.tool {
        Some(tool) => vec![tool.clone()],
        None => host.tool_names().into_iter().filter(|name| known(&host, name)).collect(),
    };
    let mode = if args.dry_run { ImportMode::Look } else { ImportMode::Copy };
    let mut imported = Vec::new();
    for tool in &tools {
        match of_tool(tool, &args.from, mode) {
            Ok(of_tool) => imported.push(of_tool),
            Err(failure) if args.tool.is_some() => return Err(failure),
            // What keeps one tool's sessions out does not keep out the others'.
            Err(failure) => output::warn(&failure.to_string()),
        }
    }
    if args.json {
        return output::json(&imported).map(|()| 0);
    }
    if args.dry_run {
        let rows: Vec<_> = imported.iter().flat_map(|imported| imported.sessions.iter().map(|session| row(imported, session))).collect();
        output::table([Side::Left, Side::Left, Side::Right, Side::Right, Side::Left, Side::Left], &rows)?;
    }
    for imported in &imported {
        output::note(&told(imported));
    }
    Ok(0)
}

/// Whether the host can have sessions of the tool with this name; what its manifest is, a run of it says.
fn known(host: &Host, name: &str) -> bool {
    Tool::load(name, |name| host.manifest(name)).ok().flatten().is_some_and(|tool| has_sessions(&tool))
}

fn of_tool(tool: &str, from: &[PathBuf], mode: ImportMode) -> Result<Imported> {
    let context = Context::of_account(tool)?;
    if !has_sessions(&context.tool) {
        let why = if context.tool.name == context.tool.base { "its manifest does not say where it keeps them" } else { "it is a profile" };
        return Err(Failure::new(Kind::Usage, format!("cannot copy sessions of {tool}: {why}")).hint("ai history import"));
    }
    let workspace = Workspace::new(&context.facts(None), &context.config.settings)?;
    let cwd = context.host.cwd().unwrap_or(&workspace.root);
    let before: Vec<PathBuf> =
        from.iter().map(|path| cwd.join(path)).map(|path| path.resolved().unwrap_or_else(|_| without_dots(&path))).collect();
    import(&context, &workspace, &before, mode)
}

fn row(imported: &Imported, session: &ImportedSession) -> [String; 6] {
    let state = match session.state {
        ImportState::New => "to copy",
        ImportState::Copied => "copied",
        ImportState::There => "there",
        ImportState::LeftOut => "left out",
    };
    let used = u64::try_from(session.modified).unwrap_or(0);
    [
        imported.tool.clone(),
        state.to_owned(),
        format!("{} ago", age(host::now().saturating_sub(used))),
        format!("{} KiB", session.bytes.div_ceil(1024)),
        session.directory.to_string_lossy().into_owned(),
        session.id.clone(),
    ]
}

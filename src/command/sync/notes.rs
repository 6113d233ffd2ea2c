//! `ai sync notes`: what a project's tool wrote into the person's instructions, and the word that takes it over.

use clap::Args;

use crate::command::sync::SyncStart;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::store::Store;
use crate::core::sync::notes::{self, Notes};
use crate::core::text::visible::quoted_lines;
use crate::host::sync;
use crate::host::sync::kept::{self, SyncCopy};
use crate::host::{self, output};
use crate::session::settings::{sync_failure, tell};

#[derive(Debug, Args)]
pub struct NotesArgs {
    pub tool: String,
    /// Only of this file, such as CLAUDE.md
    pub file: Option<String>,
    /// Put them at the end of your own file, from where every project gets them
    #[arg(long, conflicts_with = "json")]
    pub take: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(wanted: &NotesArgs) -> Result<()> {
    let here = SyncStart::new(&wanted.tool)?;
    let found = found(&here, wanted)?;
    if wanted.json {
        return output::json(&found);
    }
    if wanted.take {
        return take(&here, wanted, &found);
    }
    for notes in &found {
        output::lines([notes.site.to_string()])?;
        output::lines(quoted_lines(&notes.text).map(|line| format!("  | {line}")))?;
    }
    if !found.is_empty() {
        output::note(&format!("`ai sync notes --take {}` puts them into your own file", wanted.tool));
    } else if host::terminal().stderr {
        output::note(&format!("{} added nothing to your instructions in this project", wanted.tool));
    }
    Ok(())
}

fn found(here: &SyncStart, wanted: &NotesArgs) -> Result<Vec<Notes>> {
    let preview = here.preview()?;
    let copies = kept::all(&Store::new(here.places.store.clone()));
    let is_ours = |copy: &SyncCopy, path: &str| {
        (copy.tool.as_str(), copy.project.as_str(), copy.place.as_str(), copy.path.as_str())
            == (here.places.tool.as_str(), here.places.project_id.as_str(), "project", path)
    };
    let lost = |path: &str| copies.iter().filter(|copy| is_ours(copy, path)).filter_map(kept::content).collect();
    let mut found = notes::of_project(&here.request, &preview.seen, lost);
    found.retain(|notes| wanted.file.as_ref().is_none_or(|file| notes.site.path.rsplit('/').next() == Some(file)));
    Ok(found)
}

fn take(here: &SyncStart, wanted: &NotesArgs, found: &[Notes]) -> Result<()> {
    if found.is_empty() {
        let what = wanted.file.as_deref().unwrap_or("your instructions");
        let failure = Failure::new(Kind::General, format!("cannot take notes: {} added none to {what} in this project", wanted.tool));
        return Err(failure.hint("ai sync conflicts lists all copies"));
    }
    let report = sync::carry_out(&here.places, &notes::taking(found)).map_err(|error| sync_failure(&error))?;
    tell(&wanted.tool, &report);
    for site in &report.changed {
        output::note(&format!("changed {site}; `ai sync undo {}` takes it back", wanted.tool));
    }
    if report.is_whole() { Ok(()) } else { Err(Failure::new(Kind::General, "cannot take all notes").hint("see above, then try again")) }
}

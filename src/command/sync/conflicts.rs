//! `ai sync conflicts`: copies of what lost, or could not be read.

use crate::core::census::age;
use crate::core::failure::Result;
use crate::core::text::table::Side;
use crate::host::sync::kept::{self, SyncCopy};
use crate::host::{Host, output};

/// Lists the copies of one tool or of all, newest first.
pub fn list(tool: Option<&str>, json: bool) -> Result<()> {
    let host = Host::new()?;
    let found: Vec<SyncCopy> = kept::all(&host.store).into_iter().filter(|kept| tool.is_none_or(|tool| kept.tool == tool)).collect();
    if json {
        return output::json(&found);
    }
    if found.is_empty() && crate::host::terminal().stderr {
        output::note("nothing that was overwritten or could not be read is kept");
    }
    let now = crate::host::now();
    let row = |kept: &SyncCopy| {
        let SyncCopy { tool, project, place, path, why, .. } = kept;
        let age = format!("{} ago", age(now.saturating_sub(kept.since)));
        [age, tool.clone(), project.clone(), format!("{path} ({place})"), (*why).to_owned(), kept.copy.display().to_string()]
    };
    output::table([Side::Right, Side::Left, Side::Left, Side::Left, Side::Left, Side::Left], &found.iter().map(row).collect::<Vec<_>>())
}

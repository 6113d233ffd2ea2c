//! After a run that changed the project: a commit, where the person wants to be asked.

use std::ffi::OsString;

use crate::command::commit::{self, CommitArgs};
use crate::core::failure::Result;
use crate::core::lease::Lease;
use crate::core::tool::Tool;
use crate::host::{Host, output};
use crate::session::changed;

/// Offers a commit of what a run that has ended left to commit. The run's exit code is its own, whatever comes of that.
pub fn offer(host: &Host, lease: &Lease) {
    if changed::after(host, lease)
        && let Err(failure) = ask(host, lease)
    {
        output::failure(&failure);
    }
}

fn ask(host: &Host, lease: &Lease) -> Result<()> {
    let question = format!("{} changed the project. Commit? [y/N] ", lease.tool);
    if !output::ask_line(&question).is_some_and(|typed| matches!(typed.trim().to_lowercase().as_str(), "y" | "yes")) {
        return Ok(());
    }
    // A tool that writes no messages leaves that to the default one.
    let writes = Tool::load(&lease.tool, |name| host.manifest(name)).ok().flatten().is_some_and(|tool| tool.manifest.commit.is_some());
    let args = CommitArgs { tool: writes.then(|| lease.tool.clone()), allow_secrets: false, hint: Vec::<OsString>::new() };
    commit::run(&args).map(drop)
}

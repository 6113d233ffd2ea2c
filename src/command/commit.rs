//! `ai commit`: not there yet; the word is taken.

use std::ffi::OsString;

use clap::Args;

use crate::command::use_tool::{default_tool, full_name};
use crate::core::failure::{Failure, Kind, Result};
use crate::host::Host;

#[derive(Debug, Args)]
pub struct CommitArgs {
    /// The tool that writes the message; the default one if absent
    #[arg(long)]
    pub tool: Option<String>,
    /// What the message should say
    pub hint: Vec<OsString>,
}

pub fn run(commit: &CommitArgs) -> Result<u8> {
    let host = Host::new()?;
    let tool = commit.tool.as_ref().map_or_else(|| default_tool(&host).map(|(name, _)| name), |tool| full_name(&host, tool))?;
    Err(Failure::new(Kind::Unavailable, format!("cannot commit with {tool}: this version of ai has no `ai commit` yet"))
        .hint(format!("git diff --staged | {tool} -p \"write a commit message for this change\"")))
}

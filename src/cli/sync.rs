//! `ai sync` and its subcommands.

use clap::{Args, Subcommand};

use crate::core::lease::SessionId;

#[derive(Debug, Args)]
pub struct Sync {
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
    /// Finish what was interrupted: syncs, and sessions whose shell is gone
    Repair,
}

//! Arguments of `ai login`, `ai logout`, `ai creds` and `ai project`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct Login {
    /// Tool whose own login to use
    pub tool: String,
    /// More arguments for the tool's login command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub args: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Logout {
    pub tool: String,
}

#[derive(Debug, Args)]
pub struct Creds {
    #[command(subcommand)]
    pub command: CredsCommand,
}

#[derive(Debug, Subcommand)]
pub enum CredsCommand {
    /// Where logins are, whose, until when; shows no secret
    Status {
        /// Only this tool
        tool: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Take over the host's own login of a tool, once; the host's copy is of no use afterwards
    Import {
        tool: String,
        /// The credential file, or the directory that it is in
        #[arg(long, value_name = "PATH")]
        from: Option<PathBuf>,
        /// Even if the store's login is of another account, or newer
        #[arg(long)]
        replace: bool,
    },
    /// Keep the logins as they are now
    Backup {
        /// Only this tool
        tool: Option<String>,
        /// Copy the newest backup to this directory too; may be repeated
        #[arg(long, value_name = "DIR")]
        to: Vec<PathBuf>,
    },
    /// Go back to a backup; what is there now is kept as one
    Restore {
        tool: String,
        /// A backup's name, as `ai creds status` shows it
        #[arg(required_unless_present = "last_good", conflicts_with = "last_good")]
        backup: Option<String>,
        /// The newest backup that is whole and holds a login
        #[arg(long)]
        last_good: bool,
    },
    /// Take over what the old directories hold; they stay as they are
    Migrate {
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Undo the last migration
        #[arg(long, conflicts_with = "dry_run")]
        undo: bool,
        #[arg(long)]
        json: bool,
    },
    /// Remove the old directories after a verified migration
    Prune {
        /// The directories that `ai creds migrate` took over
        #[arg(long, required = true)]
        legacy: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct Project {
    #[command(subcommand)]
    pub command: Option<ProjectCommand>,
}

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// The projects that have state, and whether they are still where they were
    List {
        #[arg(long)]
        json: bool,
    },
    /// Give this project the state of one that was moved or renamed
    Adopt {
        /// Its id, as `ai project list` shows it
        #[arg(value_name = "PROJECT")]
        old: String,
    },
}

//! What looks at, ends and cleans up after sessions.

use clap::{Args, Subcommand};

use crate::core::shell::Shell;

#[derive(Debug, Args)]
pub struct Ps {
    /// Show anew every two seconds, until Ctrl-C
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = true)]
pub struct Stop {
    /// Container or session, as `ai ps` shows it
    #[arg(group = "which", value_name = "CONTAINER", conflicts_with_all = ["tool", "mine", "all"])]
    pub names: Vec<String>,
    /// All sessions of this tool
    #[arg(long, group = "which", conflicts_with_all = ["mine", "all"])]
    pub tool: Option<String>,
    /// All sessions of this store
    #[arg(long, group = "which", conflicts_with = "all")]
    pub mine: bool,
    /// All sessions of yours, those of other stores too
    #[arg(long, group = "which")]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct Gc {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Doctor {
    #[command(subcommand)]
    pub part: Option<DoctorPart>,
    /// Run about thirty small containers, and record what holds on this engine
    #[arg(long)]
    pub prove: bool,
    /// Repair what can be repaired without asking: permissions of the store
    #[arg(long)]
    pub fix: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum DoctorPart {
    /// Only the shell: whether a new one loads the functions, and what stands in their way
    Shell(DoctorShell),
}

#[derive(Debug, Args)]
pub struct DoctorShell {
    /// The shell to look at; the one in $SHELL if absent
    pub shell: Option<Shell>,
    #[arg(long)]
    pub json: bool,
}

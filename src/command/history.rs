//! `ai history`: sessions that people had with the tools.

use clap::{Args, Subcommand};

use crate::core::failure::Result;

mod import;
pub mod list;
mod show;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistoryArgs {
    #[command(subcommand)]
    pub command: Option<HistoryCommand>,
    #[command(flatten)]
    pub list: list::ListArgs,
}

#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// Copy the sessions that the host's own tools had in this project, so that they go on in its containers
    Import(import::ImportArgs),
    /// Print what was said in one conversation
    Show(show::MessagesArgs),
}

pub fn run(history: &HistoryArgs) -> Result<u8> {
    match &history.command {
        Some(HistoryCommand::Import(import)) => import::run(import),
        Some(HistoryCommand::Show(show)) => show::run(show),
        None => list::run(&history.list),
    }
}

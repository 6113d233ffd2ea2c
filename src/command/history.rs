//! `ai history`: sessions that people had with the tools.

use clap::{Args, Subcommand};

use crate::core::failure::Result;

mod import;

#[derive(Debug, Args)]
pub struct HistoryArgs {
    #[command(subcommand)]
    pub command: HistoryCommand,
}

#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// Copy the sessions that the host's own tools had in this project, so that they go on in its containers
    Import(import::ImportArgs),
}

pub fn run(history: HistoryArgs) -> Result<u8> {
    match history.command {
        HistoryCommand::Import(import) => import::run(&import),
    }
}

//! `ai help`.

use clap::Args;

#[derive(Debug, Args)]
pub struct Help {
    /// A topic, a command, or `man DIR` to write the manual pages there
    #[arg(value_name = "TOPIC")]
    pub words: Vec<String>,
}

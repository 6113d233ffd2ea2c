//! What completes, and what shells ask at each Tab.

use clap::Args;

use crate::core::shell::Shell;

#[derive(Debug, Args)]
pub struct Completions {
    #[arg(required_unless_present = "learn")]
    pub shell: Option<Shell>,
    /// Read the tools' own options from their --help, in the image; `ai image build` does so too
    #[arg(long)]
    pub learn: bool,
}

/// What may stand at the cursor; for the functions that `ai completions` prints
#[derive(Debug, Args)]
pub struct Complete {
    #[arg(long)]
    pub shell: Shell,
    /// Which word the cursor is in, counted from 0
    #[arg(long)]
    pub index: usize,
    #[arg(last = true)]
    pub words: Vec<std::ffi::OsString>,
}

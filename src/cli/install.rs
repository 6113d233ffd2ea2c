//! Putting the integration into rc files, and taking it out.

use std::path::PathBuf;

use clap::Args;

use crate::core::shell::Shell;

#[derive(Debug, Args)]
pub struct Install {
    /// The shell to set up; the one in $SHELL if absent
    pub shell: Option<Shell>,
    /// Make links named like the tools in a directory (`shims` in the store if none is named), for editors and scripts
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "shell")]
    pub shims: Option<Option<PathBuf>>,
    /// Print the change and make none
    #[arg(long)]
    pub dry_run: bool,
}

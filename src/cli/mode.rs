//! Which tool is the default, and the everyday words that use it.

use std::ffi::OsString;

use clap::Args;

#[derive(Debug, Args)]
pub struct Use {
    /// The tool that becomes the default in all shells; c, g and z are short for claude, gemini and glm
    pub tool: Option<String>,
    /// Print only the name of the default
    #[arg(long, conflicts_with = "tool")]
    pub quiet: bool,
    /// Print the full name of TOOL and change nothing
    #[arg(long, hide = true, requires = "tool")]
    pub name: bool,
}

#[derive(Debug, Args)]
pub struct Commit {
    /// The tool that writes the message; the default one if absent
    #[arg(long)]
    pub tool: Option<String>,
    /// What the message should say
    pub hint: Vec<OsString>,
}

/// A word of the shell integration, such as `aic`
#[derive(Debug, Args)]
pub struct Word {
    pub name: String,
    #[arg(last = true)]
    pub words: Vec<OsString>,
}

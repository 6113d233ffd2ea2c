//! The everyday words of the shell integration: `aic`, `cic`, `ai-mode`, and what became of older ones.

use std::ffi::OsString;

use clap::Args;

use crate::command::{self, use_tool};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::tool::default;

/// A word of the shell integration, such as `aic`
#[derive(Debug, Args)]
pub struct WordArgs {
    pub name: String,
    #[arg(last = true)]
    pub words: Vec<OsString>,
}

/// Returns a word that the shell's functions pass on.
pub fn run(word: &WordArgs) -> Result<u8> {
    match word.name.as_str() {
        "aic" => as_typed(&["commit"], &word.words),
        "cic" => as_typed(&["commit", "--tool", "claude"], &word.words),
        "ai-mode" => ai_mode(&word.words),
        name => Err(tombstone(name)),
    }
}

/// Runs `ai` with these words, options and all.
fn as_typed(head: &[&str], words: &[OsString]) -> Result<u8> {
    let words = ["ai"].iter().chain(head).map(OsString::from).chain(words.iter().cloned());
    command::main(words.collect())
}

/// `ai-mode` without a tool; the shell's own function sets one, since only it can.
fn ai_mode(words: &[OsString]) -> Result<u8> {
    if let Some(extra) = words.get(1) {
        let message = format!("cannot use `{}`: one tool is enough", extra.to_string_lossy());
        return Err(Failure::new(Kind::General, message).hint("ai-mode help"));
    }
    use_tool::run(&use_tool::UseArgs { tool: None, quiet: false, name: false })
}

fn tombstone(name: &str) -> Failure {
    match default::RETIRED.iter().find(|(gone, _)| *gone == name) {
        Some((_, now)) => Failure::new(Kind::General, format!("{name} is gone: {now}")).hint("ai help"),
        None => Failure::new(Kind::Usage, format!("cannot run `{name}`: it is no word of the shell integration")).hint("ai help shells"),
    }
}

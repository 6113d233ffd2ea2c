//! `ai help`: topics, commands, and manual pages.

use clap::Args;
use std::path::Path;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::help::{self, TOPICS};
use crate::core::text::nearest::nearest;
use crate::host::fs::files;
use crate::host::output;

#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A topic, a command, or `man DIR` to write the manual pages there
    #[arg(value_name = "TOPIC")]
    pub words: Vec<String>,
}

pub fn run(words: &[String]) -> Result<u8> {
    match words {
        [] => output::exact(help::list().as_bytes())?,
        [man, directory] if man == "man" => man_pages(Path::new(directory))?,
        [name] if help::topic(name).is_some() => output::exact(help::topic(name).map_or("", help::Topic::text).as_bytes())?,
        path => {
            let text = command(path)?.render_long_help();
            output::styled(&text.ansi().to_string())?;
        }
    }
    Ok(0)
}

/// Returns the command of this name, or of these names.
fn command(path: &[String]) -> Result<clap::Command> {
    let mut command = Cli::command();
    command.build();
    for name in path {
        command = command.find_subcommand(name).cloned().ok_or_else(|| unknown(name, &command))?;
    }
    Ok(command)
}

fn unknown(name: &str, above: &clap::Command) -> Failure {
    let commands = above.get_subcommands().map(|command| command.get_name().to_owned());
    let names: Vec<String> = TOPICS.iter().map(|topic| topic.name.to_owned()).chain(commands).collect();
    let failure = Failure::new(Kind::Usage, format!("cannot explain `{name}`: there is no such topic or command"));
    let longer = || names.iter().find(|known| !name.is_empty() && known.starts_with(name));
    match longer().or_else(|| nearest(name, &names)) {
        Some(nearest) => failure.hint(format!("ai help {nearest}")),
        None => failure.hint("ai help"),
    }
}

/// Returns one page for `ai` and one for each command: `ai.1`, `ai-run.1`, …
fn man_pages(directory: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Failure::new(Kind::General, format!("cannot write `{}`", directory.display())).because(error);
    files::public_dir(directory).map_err(failed)?;
    let mut ai = Cli::command();
    ai.build();
    let visible = ai.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let pages = std::iter::once(ai.clone()).chain(visible.map(|command| {
        let name = format!("ai-{}", command.get_name());
        command.name(name)
    }));
    for page in pages {
        let path = directory.join(format!("{}.1", page.get_name()));
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text).map_err(failed)?;
        files::write(&path, &text, 0o644).map_err(failed)?;
    }
    Ok(())
}

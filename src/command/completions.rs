//! `ai completions`: the script that completes, and learning the words of the tools.

use clap::Args;

use crate::command::{complete, init};
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::shell::{Shell, script};
use crate::core::{plan, tool};
use crate::host::engine::vocabulary;
use crate::host::{Host, output};
use crate::session::context::Context;

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    #[arg(required_unless_present = "learn")]
    pub shell: Option<Shell>,
    /// Read the tools' own options from their --help, in the image; `ai image build` does so too
    #[arg(long)]
    pub learn: bool,
}

/// Prints the script that completes, or learns the words that it completes with.
pub fn run(completions: &CompletionsArgs) -> Result<u8> {
    if completions.learn {
        let context = Context::new(tool::EXEC, Layer::default())?;
        let image = plan::image(&context.tool, &context.config);
        vocabulary::learn(&context.host, &context.facts(None), &image)?;
        for shell in Shell::ALL {
            complete::refresh_places(&context.host, shell);
        }
        return Ok(0);
    }
    let Some(shell) = completions.shell else { return Err(Failure::new(Kind::Usage, "cannot print completions: for which shell?")) };
    let host = Host::new()?;
    let integration = init::integration(&host, shell, init::functions(&host))?;
    output::exact(script::completions(shell, &integration)?.as_bytes())?;
    Ok(0)
}

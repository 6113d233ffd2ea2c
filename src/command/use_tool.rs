//! `ai use`: shows or sets the default tool.

use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::nearest::nearest;
use crate::core::tool::Tool;
use crate::core::tool::default::{self, ChosenBy};
use crate::host::Host;
use crate::host::fs::files;
use crate::host::output;
use clap::Args;

#[derive(Debug, Args)]
pub struct UseArgs {
    /// The tool that becomes the default in all shells; c, g and z are short for claude, gemini and glm
    pub tool: Option<String>,
    /// Print only the name of the default
    #[arg(long, conflicts_with = "tool")]
    pub quiet: bool,
    /// Print the full name of TOOL and change nothing
    #[arg(long, hide = true, requires = "tool")]
    pub name: bool,
}

pub fn run(wanted: &UseArgs) -> Result<u8> {
    let host = if wanted.tool.is_some() && !wanted.name { Host::to_write()? } else { Host::new()? };
    let Some(typed) = &wanted.tool else {
        let (name, origin) = default_tool(&host)?;
        if wanted.quiet {
            output::exact(format!("{name}\n").as_bytes())?;
        } else {
            output::lines(default::overview(&name, origin, &tools(&host)))?;
        }
        return Ok(0);
    };
    let name = full_name(&host, typed)?;
    if wanted.name {
        output::exact(format!("{name}\n").as_bytes())?;
        output::note(&format!("the default tool of this shell is {name}"));
        return Ok(0);
    }
    let failed = |error: std::io::Error| Failure::new(Kind::General, "cannot save the default tool").because(error);
    files::private_dir(host.store.root()).map_err(failed)?;
    files::write_private(&host.store.default_tool(), format!("{name}\n").as_bytes()).map_err(failed)?;
    output::note(&format!("the default tool is {name}"));
    if host.env.text("AI_TOOL").is_some_and(|own| own != name) {
        output::note(&format!("this shell has a default of its own; hint: ai-mode {name}"));
    }
    Ok(0)
}

/// Returns the default tool and where it was set.
pub fn default_tool(host: &Host) -> Result<(String, ChosenBy)> {
    let of_store = files::read_text(&host.store.default_tool())?;
    Ok(default::default_tool(host.env.text("AI_TOOL"), of_store.as_deref(), &host.tool_names()))
}

/// Names and descriptions; a manifest that cannot be read is no reason to show none.
pub fn tools(host: &Host) -> Vec<(String, String)> {
    let about = |name: &str| Tool::load(name, |name| host.manifest(name)).ok().flatten().map(|tool| tool.manifest.about);
    let names = host.tool_names().into_iter();
    names.map(|name| (about(&name).unwrap_or_default(), name)).map(|(about, name)| (name, about)).collect()
}

pub fn full_name(host: &Host, typed: &str) -> Result<String> {
    let tools = host.tool_names();
    default::full_name(typed, &tools).cloned().ok_or_else(|| {
        let failure = Failure::new(Kind::General, format!("cannot use `{typed}`: there is no such tool; there are {}", tools.join(", ")));
        match nearest(typed, &tools) {
            Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
            None => failure.hint("ai tools"),
        }
    })
}

//! `ai use` and the everyday words: `aic`, `cic`, `ai-mode`, and what became of older ones.

use std::ffi::OsString;

use crate::cli::mode::{Commit, Use, Word};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::nearest::nearest;
use crate::core::tool::Tool;
use crate::core::tool::default::{self, Origin};
use crate::host::Host;
use crate::host::fs::files;
use crate::host::output;

pub fn run(wanted: &Use) -> Result<u8> {
    let host = Host::new()?;
    let Some(typed) = &wanted.tool else {
        let (name, origin) = default_tool(&host)?;
        let text = if wanted.quiet { format!("{name}\n") } else { default::overview(&name, origin, &tools(&host)) };
        output::data(text.as_bytes())?;
        return Ok(0);
    };
    let name = full_name(&host, typed)?;
    if wanted.name {
        output::data(format!("{name}\n").as_bytes())?;
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

/// The default tool and where it was set.
pub fn default_tool(host: &Host) -> Result<(String, Origin)> {
    let of_store = files::read_text(&host.store.default_tool())?;
    Ok(default::default_tool(host.env.text("AI_TOOL"), of_store.as_deref(), &host.tool_names()))
}

/// Names and descriptions; a manifest that cannot be read is no reason to show none.
pub fn tools(host: &Host) -> Vec<(String, String)> {
    let about = |name: &str| Tool::load(name, |name| host.manifest(name)).ok().flatten().map(|tool| tool.manifest.about);
    let names = host.tool_names().into_iter();
    names.map(|name| (about(&name).unwrap_or_default(), name)).map(|(about, name)| (name, about)).collect()
}

fn full_name(host: &Host, typed: &str) -> Result<String> {
    let tools = host.tool_names();
    default::full_name(typed, &tools).cloned().ok_or_else(|| {
        let failure = Failure::new(Kind::General, format!("cannot use `{typed}`: there is no such tool; there are {}", tools.join(", ")));
        match nearest(typed, &tools) {
            Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
            None => failure.hint("ai-mode help"),
        }
    })
}

/// A word that the shell's functions pass on.
pub fn word(word: &Word) -> Result<u8> {
    let args = |tool: Option<&str>| Commit { tool: tool.map(str::to_owned), hint: word.words.clone() };
    match word.name.as_str() {
        "aic" => commit(&args(None)),
        "cic" => commit(&args(Some("claude"))),
        "ai-mode" => ai_mode(&word.words),
        name => Err(tombstone(name)),
    }
}

/// `ai-mode` without a tool; the shell's own function sets one, since only it can.
fn ai_mode(words: &[OsString]) -> Result<u8> {
    if let Some(extra) = words.get(1) {
        let message = format!("cannot use `{}`: one tool is enough", extra.to_string_lossy());
        return Err(Failure::new(Kind::General, message).hint("ai-mode help"));
    }
    run(&Use { tool: None, quiet: false, name: false })
}

fn tombstone(name: &str) -> Failure {
    match default::TOMBSTONES.iter().find(|(gone, _)| *gone == name) {
        Some((_, now)) => Failure::new(Kind::General, format!("{name} is gone: {now}")).hint("ai help"),
        None => Failure::new(Kind::Usage, format!("cannot run `{name}`: it is no word of the shell integration")).hint("ai help shells"),
    }
}

pub fn commit(commit: &Commit) -> Result<u8> {
    let host = Host::new()?;
    let tool = commit.tool.as_ref().map_or_else(|| default_tool(&host).map(|(name, _)| name), |tool| full_name(&host, tool))?;
    Err(Failure::new(Kind::Unavailable, format!("cannot commit with {tool}: this version of ai has no `ai commit` yet"))
        .hint(format!("git diff --staged | {tool} -p \"write a commit message for this change\"")))
}

//! `ai trust`: what this project's `.ai.toml` asks for, and the person's answer.

use clap::Args;

use crate::core::config::source::ConfigText;
use crate::core::config::{Config, Layer};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::policy::asked::Asked;
use crate::core::policy::trust::FILE;
use crate::core::shell::block;
use crate::core::tool::{self, Tool};
use crate::host::store::trust;
use crate::host::{Host, output};

#[derive(Debug, Args)]
pub struct TrustArgs {
    /// Agree without being asked
    #[arg(long, conflicts_with_all = ["diff", "revoke"])]
    pub yes: bool,
    /// Only show what changed since you agreed
    #[arg(long, conflicts_with = "revoke")]
    pub diff: bool,
    /// Take the agreement back
    #[arg(long)]
    pub revoke: bool,
    /// As JSON
    #[arg(long, conflicts_with_all = ["yes", "diff", "revoke"])]
    pub json: bool,
}

pub fn run(args: &TrustArgs) -> Result<u8> {
    let host = Host::new()?;
    let failed = |error: std::io::Error| Failure::new(Kind::General, "cannot write what you agreed to").because(error);
    let path =
        host.project_file_path().ok_or_else(|| Failure::new(Kind::Config, "cannot find the project: the directory is gone").hint("cd"))?;
    if args.revoke {
        let was = trust::revoke(&host.store, &path.display().to_string()).map_err(failed)?;
        output::note(if was { "the project's file asks again" } else { "there was no agreement" });
        return Ok(0);
    }
    let Some(source) = host.project_file()? else {
        if args.json {
            return output::json(&serde_json::json!({"file": null, "agreed": false, "asks": [], "refused": []})).map(|()| 0);
        }
        output::note(&format!("there is no `{}`: this project asks for nothing", path.display()));
        return Ok(0);
    };
    if args.diff {
        let before = trust::agreed_text(&host.store, &source.path).unwrap_or_default();
        output::lines(block::diff(FILE, before.as_bytes(), source.text.as_bytes()).lines())?;
        return Ok(0);
    }
    let asked = asked(&host, &source)?;
    if args.json {
        let row = serde_json::json!({"file": source.path, "agreed": asked.agreed, "asks": asked.rows, "refused": asked.refused});
        return output::json(&row).map(|()| 0);
    }
    for key in &asked.refused {
        output::warn(&format!("{FILE} asks for `{key}`, which no project can ask for; it is ignored"));
    }
    if asked.rows.is_empty() {
        output::note(&format!("{FILE} asks for nothing that needs your word"));
        return Ok(0);
    }
    for row in &asked.rows {
        output::note(row);
    }
    if asked.agreed {
        output::note("you agreed to this");
        return Ok(0);
    }
    if !args.yes && !output::ask_for_yes("Let this project have it?") {
        return Err(Failure::new(Kind::NotAllowed, format!("cannot use what {FILE} asks for: you did not agree")).hint("ai trust --yes"));
    }
    trust::agree(&host.store, &source).map_err(failed)?;
    output::note("agreed, to this text and no other; ai trust --revoke takes it back");
    Ok(0)
}

/// Returns what the file asks for, for any tool, over the person's own configuration: the agreement is to the whole text.
fn asked(host: &Host, source: &ConfigText) -> Result<Asked> {
    let mut sources = host.own_config_sources()?;
    sources.push(source.clone());
    let mut tools = host.tool_names();
    tools.push(tool::EXEC.into());
    tools.extend(source.tools()?);
    tools.sort_unstable();
    tools.dedup();
    let mut asked = Vec::new();
    for name in tools {
        // Without a manifest that can be read, every limit is asked for.
        let tool = Tool::load(&name, |name| host.manifest(name)).ok().flatten();
        let scope = host.scope(&name, tool.as_ref().map(|tool| &tool.manifest));
        asked.push((name.clone(), Config::new(scope.borrowed(), &sources, &host.env, Layer::default())?.asked));
    }
    Ok(Asked::of_all(asked))
}

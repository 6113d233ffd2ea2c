//! `ai tools`: what can be run, and where each comes from.

use clap::Args;
use serde::Serialize;

use crate::core::failure::Result;
use crate::core::text::table::Side;
use crate::core::tool::Tool;
use crate::core::tool::manifest::Manifest;
use crate::host::Host;
use crate::host::output;

#[derive(Debug, Args)]
pub struct ToolsArgs {
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct ToolRow {
    name: String,
    about: String,
    profile_of: Option<String>,
    manifest: String,
}

pub fn run(tools: &ToolsArgs) -> Result<u8> {
    let host = Host::new()?;
    let mut rows = Vec::new();
    let mut code = 0;
    for name in host.tool_names() {
        match row(&host, &name) {
            Ok(row) => rows.extend(row),
            // One that is broken does not hide the others.
            Err(failure) => {
                output::failure(&failure);
                code = failure.kind.exit_code();
            }
        }
    }
    if tools.json {
        output::json(&rows)?;
    } else {
        let rows: Vec<_> = rows.into_iter().map(|row| [row.name, row.about, row.manifest]).collect();
        output::table([Side::Left; 3], &rows)?;
    }
    Ok(code)
}

fn row(host: &Host, name: &str) -> Result<Option<ToolRow>> {
    let Some(Manifest { about, profile_of, .. }) = Tool::load(name, |name| host.manifest(name))?.map(|tool| tool.manifest) else {
        return Ok(None);
    };
    let manifest = host.manifest(name)?.map(|source| source.origin).unwrap_or_default();
    Ok(Some(ToolRow { name: name.into(), about, profile_of, manifest }))
}

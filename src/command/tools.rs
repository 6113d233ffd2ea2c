//! `ai tools`: what can be run, and where each comes from.

use serde::Serialize;

use crate::cli::Tools;
use crate::failure::{Failure, Kind, Result};
use crate::host::Host;
use crate::output;
use crate::tool::Tool;

#[derive(Serialize)]
struct Row {
    name: String,
    about: String,
    profile_of: Option<String>,
    manifest: String,
}

pub fn run(tools: &Tools) -> Result<u8> {
    let host = Host::new()?;
    let mut rows = Vec::new();
    for name in host.tool_names() {
        let origin = host.manifest(&name)?.map(|source| source.origin).unwrap_or_default();
        match Tool::load(&name, |name| host.manifest(name)) {
            Ok(Some(tool)) => rows.push(Row { name, about: tool.manifest.about, profile_of: tool.manifest.profile_of, manifest: origin }),
            Ok(None) => {}
            Err(failure) => output::failure(&failure),
        }
    }
    let text = if tools.json {
        let json = serde_json::to_string_pretty(&rows).map_err(|error| Failure::new(Kind::General, "cannot write JSON").because(error))?;
        json + "\n"
    } else {
        rows.iter().map(|row| format!("{:10} {:24} {}\n", row.name, row.about, row.manifest)).collect()
    };
    output::data(text.as_bytes())?;
    Ok(0)
}

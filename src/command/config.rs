//! `ai config`: each setting, its value for a tool, and where that comes from.

use crate::core::config::Layer;
use crate::core::failure::Result;
use crate::core::text::table::Side;
use crate::host::output;
use crate::session::context::Context;
use clap::Args;

#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Tool or profile whose section counts too
    #[arg(default_value = "claude")]
    pub tool: String,
    #[arg(long)]
    pub json: bool,
}

pub fn run(command: &ConfigArgs) -> Result<u8> {
    let context = Context::new(&command.tool, Layer::default())?;
    let rows = context.config.settings.rows();
    for section in context.config.unknown_sections(&context.host.tool_names()) {
        output::note(&format!(
            "{}: `[tool.{}]` has no effect: there is no tool of this name; hint: ai tools",
            section.origin, section.value
        ));
    }
    if command.json {
        let rows: serde_json::Map<_, _> = rows
            .into_iter()
            .map(|(key, value, origin)| (key.to_owned(), serde_json::json!({ "value": value, "origin": origin })))
            .collect();
        output::json(&rows)?;
    } else {
        let rows: Vec<_> = rows.iter().map(|(key, value, origin)| row(key, value, origin)).collect();
        output::table([Side::Left; 3], &rows)?;
    }
    Ok(0)
}

fn row(key: &str, value: &serde_json::Value, origin: &str) -> [String; 3] {
    let (value, origin) = if value.is_null() { ("-".to_owned(), decided_by(key)) } else { (value.to_string(), origin) };
    [key.to_owned(), value, origin.to_owned()]
}

/// Returns who decides about a setting that has no value.
fn decided_by(key: &str) -> &'static str {
    match key {
        "engine" => "(the first that is installed)",
        "engine_cpus" | "engine_memory" => "(the engine's own)",
        _ => "(the tool's manifest)",
    }
}

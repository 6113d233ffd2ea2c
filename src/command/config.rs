//! `ai config`: each setting, its value for a tool, and where that comes from.

use crate::cli::ConfigCommand;
use crate::command::Context;
use crate::config::Layer;
use crate::failure::Result;
use crate::output;

pub fn run(command: &ConfigCommand) -> Result<u8> {
    let context = Context::new(&command.tool, Layer::default())?;
    let rows = context.config.settings.rows();
    for section in context.config.strangers(&context.host.tool_names()) {
        output::warn(&format!(
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
        let text: String = rows.iter().map(|(key, value, origin)| format!("{key:16} {:12} {origin}\n", value.to_string())).collect();
        output::data(text.as_bytes())?;
    }
    Ok(0)
}

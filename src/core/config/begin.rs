//! What a file of settings begins with for one tool.

use toml_edit::{DocumentMut, Item, Table, Value, value};

use crate::core::tool::Tool;
use crate::core::tool::manifest::Manifest;

/// Returns the section of a tool that says what it is run with now; the same runs follow from it, until somebody changes a line.
pub fn section(tool: &Tool) -> String {
    let Manifest { limits, network, image, env, .. } = &tool.manifest;
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    let lines = [
        ("image", text(image)),
        ("network", text(network)),
        ("memory", text(&limits.memory)),
        ("cpus", limits.cpus.map(Value::from)),
        ("pids", limits.pids.map(|most| i64::from(most).into())),
    ];
    let mut of_tool: Table = lines.into_iter().filter_map(|(key, line)| Some((key, Item::Value(line?)))).collect();
    let set: Table = env.set.iter().map(|(name, text)| (name.as_str(), value(text))).collect();
    if !set.is_empty() {
        of_tool.insert("env", around("set", set));
    }
    let document = DocumentMut::from(Table::from_iter([("tool", around(&tool.name, of_tool))]));
    let name = &tool.name;
    format!("\n# What {name} is run with now. A line that is taken out is again what `ai tools show {name}` says.\n{document}")
}

/// Returns a table that holds one other, and has no header of its own.
fn around(name: &str, table: Table) -> Item {
    let mut around = Table::from_iter([(name, Item::Table(table))]);
    around.set_implicit(true);
    Item::Table(around)
}

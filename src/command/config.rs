//! `ai config`: each setting, its value for a tool, and where that comes from; and the person's file, changed without losing what it
//! was.

use clap::{Args, Subcommand};
use std::path::PathBuf;

use crate::core::config::Layer;
use crate::core::config::allow::Allowance;
use crate::core::config::schema::{SchemaOf, schema};
use crate::core::failure::Result;
use crate::core::text::table::Side;
use crate::host::output;
use crate::session::context::Context;

mod change;
mod check;
mod import;
#[cfg(test)]
mod reference;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub command: Option<ConfigCommand>,
    #[command(flatten)]
    pub show: ShowArgs,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Tool or profile whose section counts too
    #[arg(default_value = "claude")]
    pub tool: String,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Each setting, its value, and where that comes from; also without this word
    Show(ShowArgs),
    /// Whether the files can be used, for every tool and profile; whether keys lie open in them
    Check {
        /// A file in place of your own
        file: Option<PathBuf>,
    },
    /// Write a file to begin with
    Init {
        /// With a section for this tool: what it is run with now, to be changed
        #[arg(long, value_name = "TOOL")]
        from: Option<String>,
        /// In place of the one that is there, which is kept
        #[arg(long)]
        yes: bool,
    },
    /// Take over a file of shell lines such as `export NAME="value"`; nothing of it is run
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Change the file in your editor; it counts once it can be used
    Edit,
    /// Let one more thing in
    Allow(LetInArgs),
    /// What the file was before each change that `ai` made
    History {
        #[arg(long)]
        json: bool,
    },
    /// Make the file what it was; what it is now is kept
    Rollback {
        /// A number of `ai config history`; the newest if absent
        number: Option<u32>,
    },
    /// Print the JSON Schema of a file
    Schema {
        #[arg(value_enum, default_value = "config")]
        of: SchemaOf,
    },
}

#[derive(Debug, Args)]
pub struct LetInArgs {
    #[arg(value_enum)]
    pub what: Allowance,
    /// Such as ~/notes, ~/shared:rw, DATABASE_URL, 3000, npm, aws, example.com
    #[arg(required = true, value_name = "VALUE")]
    pub values: Vec<String>,
    /// For this project alone
    #[arg(long, conflicts_with = "tool")]
    pub project: bool,
    /// For one tool
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,
}

pub fn run(config: ConfigArgs) -> Result<u8> {
    match config.command {
        None => show(&config.show),
        Some(ConfigCommand::Show(args)) => show(&args),
        Some(ConfigCommand::Check { file }) => check::run(file.as_deref()),
        Some(ConfigCommand::Init { from, yes }) => change::init(from.as_deref(), yes),
        Some(ConfigCommand::Import { file }) => import::run(&file),
        Some(ConfigCommand::Edit) => change::edit(),
        Some(ConfigCommand::Allow(args)) => change::let_in(&args),
        Some(ConfigCommand::History { json }) => change::history(json),
        Some(ConfigCommand::Rollback { number }) => change::rollback(number),
        Some(ConfigCommand::Schema { of }) => output::json(&schema(of)).map(|()| 0),
    }
}

fn show(command: &ShowArgs) -> Result<u8> {
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
        "engine_cpus" | "engine_memory" | "shm" => "(the engine's own)",
        "scratch" => "(half of the memory limit)",
        "commit_persona" => "(a careful engineer)",
        "commit_language" => "(as recent subjects)",
        "notify_after" => "(off)",
        "gpus" | "budget_day" | "budget_month" | "budget_project" | "telemetry" | "metrics_textfile" => "(none)",
        _ => "(the tool's manifest)",
    }
}

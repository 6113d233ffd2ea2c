//! `ai stats`: what was asked of models, by all tools in all projects.

use clap::Args;

use crate::core::failure::Result;
use crate::core::ledger::{Grouping, Ledger, LedgerRow};
use crate::core::text::table::Side;
use crate::core::tool::Tool;
use crate::host::ledger::{self, Unread};
use crate::host::store::project;
use crate::host::{Host, output};

#[derive(Debug, Args)]
pub struct StatsArgs {
    /// A row for each day, in UTC; this is the default
    #[arg(long, group = "by")]
    pub day: bool,
    /// A row for each week, by its Monday
    #[arg(long, group = "by")]
    pub week: bool,
    /// A row for each project
    #[arg(long, group = "by")]
    pub project: bool,
    /// A row for each tool
    #[arg(long, group = "by")]
    pub tool: bool,
    /// A row for each model
    #[arg(long, group = "by")]
    pub model: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

impl StatsArgs {
    fn grouping(&self) -> Grouping {
        match self {
            Self { week: true, .. } => Grouping::Week,
            Self { project: true, .. } => Grouping::Project,
            Self { tool: true, .. } => Grouping::Tool,
            Self { model: true, .. } => Grouping::Model,
            _ => Grouping::Day,
        }
    }
}

pub fn run(stats: &StatsArgs) -> Result<u8> {
    let host = Host::new()?;
    let (mut ledger, mut unread) = (Ledger::default(), Unread::default());
    let mut partitions = project::partitions(&host.store, project::Sizes::Unknown);
    partitions.sort_by(|a, b| a.tool.cmp(&b.tool));
    for partition in &partitions {
        // A manifest that is gone or broken says nothing of its transcripts.
        let tool = Tool::load(&partition.tool, |name| host.manifest(name)).ok().flatten();
        if let Some(rules) = tool.and_then(|tool| tool.manifest.transcripts) {
            ledger::read(&host.store, &partition.tool, &partition.project, &rules, &mut ledger, &mut unread);
        }
    }
    if unread.packed > 0 {
        output::note(&format!("{} packed transcripts are not counted", unread.packed));
    }
    let rows = ledger.rows(stats.grouping());
    if stats.json {
        output::json(&serde_json::json!({ "rows": rows, "total": ledger.total() }))?;
        return Ok(0);
    }
    let head = ["", "requests", "input", "cached", "written", "output"].map(str::to_owned);
    let line = |row: &LedgerRow| {
        let tokens = row.tokens;
        [
            row.name.clone(),
            row.requests.to_string(),
            tokens.input.to_string(),
            tokens.cached.to_string(),
            tokens.written.to_string(),
            tokens.output.to_string(),
        ]
    };
    let lines: Vec<_> = [head].into_iter().chain(rows.iter().map(line)).chain([line(&ledger.total())]).collect();
    output::table([Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right], &lines)?;
    Ok(0)
}

//! `ai stats`: what was asked of models, by all tools in all projects, and what it cost.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::ledger::day::Day;
use crate::core::ledger::price::Prices;
use crate::core::ledger::{Filter, Grouping, Ledger, LedgerRow, chart, total};
use crate::core::store::Store;
use crate::core::text::table::Side;
use crate::host::{Host, ledger, output};

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
    /// Only from this day on, such as 2026-11-26
    #[arg(long, value_name = "DAY", value_parser = Day::from_word)]
    pub since: Option<Day>,
    /// As JSON
    #[arg(long, group = "form")]
    pub json: bool,
    /// As bars
    #[arg(long, group = "form")]
    pub plot: bool,
    /// As a picture in this file; `-` prints it
    #[arg(long, group = "form", value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

impl StatsArgs {
    fn grouping(&self) -> (Grouping, &'static str) {
        match self {
            Self { week: true, .. } => (Grouping::Week, "by week"),
            Self { project: true, .. } => (Grouping::Project, "by project"),
            Self { tool: true, .. } => (Grouping::Tool, "by tool"),
            Self { model: true, .. } => (Grouping::Model, "by model"),
            _ => (Grouping::Day, "by day"),
        }
    }
}

pub fn run(stats: &StatsArgs) -> Result<u8> {
    let host = Host::new()?;
    let prices = ledger::prices(&host.store)?;
    let ledger = ledger::read(&host);
    let filter = Filter { since: stats.since, ..Filter::default() };
    let (by, title) = stats.grouping();
    let rows = ledger.rows(by, &filter, &prices);
    if let Some(file) = &stats.svg {
        let svg = chart::svg(&rows, &format!("What was asked of models, {title}"), &prices.date);
        return picture(file, &svg);
    }
    if stats.json {
        output::json(&json!({ "prices": prices.date, "rows": rows, "total": total(&rows) }))?;
        return Ok(0);
    }
    if stats.plot {
        output::lines(chart::lines(&rows, output::columns(), &prices.date))?;
    } else {
        table(&rows, &prices)?;
    }
    if total(&rows).unpriced > 0 {
        tell_of_prices(&host.store, &ledger, &filter, &prices);
    }
    Ok(0)
}

fn picture(file: &std::path::Path, svg: &str) -> Result<u8> {
    if file.as_os_str() == "-" {
        output::exact(svg.as_bytes())?;
    } else {
        let failed = |error| Failure::new(Kind::General, format!("cannot write `{}`", file.display())).because(error);
        crate::host::fs::own::overwrite(file, svg).map_err(failed)?;
    }
    Ok(0)
}

/// Prints rows with their sum.
pub fn table(rows: &[LedgerRow], prices: &Prices) -> Result<()> {
    let of = format!("prices of {}", prices.date);
    let head = [of.as_str(), "requests", "input", "cached", "written", "output", "cost"].map(str::to_owned);
    let line = |row: &LedgerRow| {
        let tokens = row.tokens;
        let cost = match row.cost() {
            Some(cost) => cost.to_string(),
            None if row.unpriced == row.requests => "no price".into(),
            None => format!("{} + ?", row.priced),
        };
        [
            row.name.clone(),
            row.requests.to_string(),
            tokens.input.to_string(),
            tokens.cached.to_string(),
            tokens.written.to_string(),
            tokens.output.to_string(),
            cost,
        ]
    };
    let sum = total(rows);
    let lines: Vec<_> = [head].into_iter().chain(rows.iter().chain([&sum]).map(line)).collect();
    output::table([Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right], &lines)
}

/// Says which models have no price.
pub fn tell_of_prices(store: &Store, ledger: &Ledger, filter: &Filter, prices: &Prices) {
    let unpriced = ledger.unpriced(filter, prices);
    if !unpriced.is_empty() {
        output::note(&format!("no price for {}; hint: put one into {}", unpriced.join(", "), store.prices().display()));
    }
}

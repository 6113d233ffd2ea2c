//! `ai metrics`: counters of questions, costs and runs, for a monitoring system.

use std::path::PathBuf;

use clap::Args;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::log::chain;
use crate::core::metrics::{self, MetricsFormat};
use crate::host::fs::files;
use crate::host::{Host, ledger, output, store};

#[derive(Debug, Args)]
pub struct MetricsArgs {
    /// How they are written
    #[arg(long, value_enum, default_value_t)]
    pub format: MetricsFormat,
    /// Write them to `ai.prom` in this directory of node_exporter's textfile collector, in the form that it wants
    #[arg(long, value_name = "DIR", conflicts_with = "format")]
    pub textfile: Option<PathBuf>,
}

pub fn run(args: &MetricsArgs) -> Result<u8> {
    let host = Host::new()?;
    let prices = ledger::prices(&host.store)?;
    let cells = ledger::read(&host).cells(&prices);
    let runs = store::log::read(&host.store).files.last().map(|file| chain::sums(&file.text)).unwrap_or_default();
    let Some(directory) = &args.textfile else {
        output::exact(metrics::text(args.format, cells, &runs).as_bytes())?;
        return Ok(0);
    };
    let path = directory.join("ai.prom");
    // The collector runs as somebody else, and must never see half of it.
    files::write(&path, metrics::text(MetricsFormat::Prometheus, cells, &runs).as_bytes(), 0o644).map_err(|error| {
        Failure::new(Kind::General, format!("cannot write `{}`", path.display()))
            .because(error)
            .hint("name the directory that node_exporter's `--collector.textfile.directory` has")
    })?;
    Ok(0)
}

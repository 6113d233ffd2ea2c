//! `ai metrics`: counters of questions, costs and runs, for a monitoring system.

use std::path::PathBuf;

use clap::Args;

use crate::core::failure::Result;
use crate::core::metrics::MetricsFormat;
use crate::host::{Host, output};
use crate::session::metrics;

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
    match &args.textfile {
        Some(directory) => metrics::write(&host, directory)?,
        None => output::exact(metrics::text(&host, args.format)?.as_bytes())?,
    }
    Ok(0)
}

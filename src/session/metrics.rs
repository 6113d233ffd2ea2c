//! Counters for a monitoring system: read from the ledger and the log, and kept in a file where a person wants that.

use std::path::{Path, PathBuf};

use crate::core::config::Settings;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::log::chain;
use crate::core::metrics::{self, MetricsFormat};
use crate::host::fs::files;
use crate::host::{Host, ledger, output, store};

/// Returns all counters as they stand now.
pub fn text(host: &Host, format: MetricsFormat) -> Result<String> {
    let prices = ledger::prices(&host.store)?;
    let cells = ledger::read(host).cells(&prices);
    let runs = store::log::read(&host.store).files.last().map(|file| chain::sums(&file.text)).unwrap_or_default();
    Ok(metrics::text(format, cells, &runs))
}

/// Writes them for node_exporter's textfile collector.
pub fn write(host: &Host, directory: &Path) -> Result<()> {
    let path = directory.join("ai.prom");
    // The collector runs as somebody else, and must never see half of it.
    files::write(&path, text(host, MetricsFormat::Prometheus)?.as_bytes(), 0o644).map_err(|error| {
        Failure::new(Kind::General, format!("cannot write `{}`", path.display()))
            .because(error)
            .hint("name the directory that node_exporter's `--collector.textfile.directory` has")
    })
}

/// Writes them after a run, where the person wants them kept.
pub fn after(host: &Host, settings: &Settings) {
    let Some(directory) = &settings.metrics_textfile.value else { return };
    let directory = match (directory.strip_prefix("~/"), host.home()) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(directory),
    };
    if let Err(failure) = write(host, &directory) {
        output::warn(&failure.to_string());
    }
}

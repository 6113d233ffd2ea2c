//! Counters for a monitoring system, in the two texts that Prometheus reads.
//!
//! Names of models are written by containers, so they are escaped, and only so many of them become series.

use std::collections::BTreeMap;

use crate::core::ledger::{LedgerRow, total};
use crate::core::log::chain::Sums;
use crate::core::text::visible::visible;

/// Series of one counter; what is asked less often is one series, whose model is `other`.
const SERIES: usize = 200;

/// How the counters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MetricsFormat {
    /// OpenMetrics 1.0
    #[default]
    Openmetrics,
    /// What Prometheus had before, which the textfile collector of `node_exporter` wants
    Prometheus,
}

/// One counter: its name without `_total`, what it counts, and its samples.
struct Counter {
    name: &'static str,
    help: &'static str,
    samples: Vec<(String, String)>,
}

/// Returns the text of all counters.
pub fn text(format: MetricsFormat, cells: BTreeMap<[String; 3], LedgerRow>, runs: &Sums) -> String {
    let cells = bounded(cells);
    let of_cells = |name, help, value: fn(&LedgerRow) -> String| {
        let samples = cells.iter().map(|(key, row)| (labels(key), value(row))).collect();
        Counter { name, help, samples }
    };
    let tokens = cells.iter().flat_map(|(key, row)| {
        let kinds =
            [("input", row.tokens.input), ("output", row.tokens.output), ("cached", row.tokens.cached), ("written", row.tokens.written)];
        kinds.map(|(kind, count)| (format!("{},kind=\"{kind}\"", labels(key)), count.to_string()))
    });
    let ended = runs.iter().flat_map(|(tool, sums)| {
        let label = move |ending: &String| format!("tool=\"{}\",ending=\"{}\"", escaped(tool), escaped(ending));
        sums.ended.iter().map(move |(ending, count)| (label(ending), count.to_string()))
    });
    let seconds = runs.iter().map(|(tool, sums)| (format!("tool=\"{}\"", escaped(tool)), sums.seconds.to_string()));
    let counters = [
        of_cells("ai_requests", "Questions to models.", |row| row.requests.to_string()),
        of_cells("ai_unpriced_requests", "Questions to models that have no price.", |row| row.unpriced.to_string()),
        of_cells("ai_cost_usd", "List price of the questions that have one, in US dollars.", |row| row.priced.dollars().to_string()),
        Counter { name: "ai_tokens", help: "Tokens of these questions, by kind.", samples: tokens.collect() },
        Counter { name: "ai_runs", help: "Runs that have ended, by how they did.", samples: ended.collect() },
        Counter { name: "ai_run_seconds", help: "Time that these runs took.", samples: seconds.collect() },
    ];
    let mut text: String = counters.iter().map(|counter| counter.text(format)).collect();
    if format == MetricsFormat::Openmetrics {
        text.push_str("# EOF\n");
    }
    text
}

impl Counter {
    fn text(&self, format: MetricsFormat) -> String {
        let family = match format {
            MetricsFormat::Openmetrics => self.name.to_owned(),
            MetricsFormat::Prometheus => format!("{}_total", self.name),
        };
        let samples: String = self.samples.iter().map(|(labels, value)| format!("{}_total{{{labels}}} {value}\n", self.name)).collect();
        format!("# HELP {family} {}\n# TYPE {family} counter\n{samples}", self.help)
    }
}

/// Joins the cells that are beyond the bound into one for each tool.
fn bounded(cells: BTreeMap<[String; 3], LedgerRow>) -> BTreeMap<[String; 3], LedgerRow> {
    let mut order: Vec<_> = cells.into_iter().collect();
    order.sort_by(|(a_key, a), (b_key, b)| b.requests.cmp(&a.requests).then_with(|| a_key.cmp(b_key)));
    let rest = order.split_off(order.len().min(SERIES));
    let mut cells: BTreeMap<_, _> = order.into_iter().collect();
    for ([tool, _, _], row) in rest {
        let other = cells.entry([tool, "other".into(), "other".into()]).or_default();
        *other = total(&[std::mem::take(other), row]);
    }
    cells
}

fn labels([tool, project, model]: &[String; 3]) -> String {
    format!("tool=\"{}\",project=\"{}\",model=\"{}\"", escaped(tool), escaped(project), escaped(model))
}

/// Returns a label's value as both texts want it, and as no terminal obeys it.
fn escaped(value: &str) -> String {
    visible(value).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ledger::Tokens;
    use crate::core::log::chain::RunSums;

    fn cell(model: &str, requests: u64) -> ([String; 3], LedgerRow) {
        let tokens = Tokens { input: 10 * requests, output: requests, cached: 5, written: 0, hour: 0 };
        (["claude".into(), "p-1".into(), model.into()], LedgerRow { requests, tokens, unpriced: requests, ..LedgerRow::default() })
    }

    // R-T02
    #[test]
    fn both_texts_have_the_same_samples() {
        let runs = Sums::from([("gemini".into(), RunSums { ended: [("success".into(), 3)].into(), seconds: 90 })]);
        let text = |format| super::text(format, [cell("m\"1\n\x1b", 2)].into(), &runs);
        let (open, prometheus) = (text(MetricsFormat::Openmetrics), text(MetricsFormat::Prometheus));
        assert!(open.starts_with("# HELP ai_requests Questions to models.\n# TYPE ai_requests counter\n"), "{open}");
        assert!(prometheus.starts_with("# HELP ai_requests_total Questions"), "{prometheus}");
        assert!(open.ends_with("\n# EOF\n") && !prometheus.contains("EOF"));
        let samples = |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(samples(&open), samples(&prometheus));
        let labels = r#"tool="claude",project="p-1",model="m\"1\\n\\u{1b}""#;
        for line in [
            format!("ai_requests_total{{{labels}}} 2"),
            format!("ai_tokens_total{{{labels},kind=\"input\"}} 20"),
            format!("ai_cost_usd_total{{{labels}}} 0"),
            r#"ai_runs_total{tool="gemini",ending="success"} 3"#.to_owned(),
            r#"ai_run_seconds_total{tool="gemini"} 90"#.to_owned(),
        ] {
            assert!(samples(&open).contains(&line), "{line}\n{open}");
        }
    }

    #[test]
    fn a_thousand_models_are_not_a_thousand_series() {
        let cells = (0..1000).map(|number| cell(&format!("m{number:04}"), 1000 - number)).collect();
        let text = text(MetricsFormat::Prometheus, cells, &Sums::new());
        let requests: Vec<&str> = text.lines().filter(|line| line.starts_with("ai_requests_total{")).collect();
        assert_eq!(requests.len(), SERIES + 1);
        let sum: u64 = requests.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 500_500);
        assert!(text.contains(r#"model="other"} 320400"#), "{}", requests[SERIES]);
    }
}

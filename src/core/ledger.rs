//! The ledger: what the tools' own transcripts say of their questions to models, each counted once.
//!
//! Transcripts are written by containers: a line that is not understood counts for nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod transcript;

use transcript::ModelCall;

/// Tokens of some questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Read anew.
    pub input: u64,
    pub output: u64,
    /// Read from the maker's cache.
    pub cached: u64,
    /// Written into it.
    pub written: u64,
}

impl Tokens {
    fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cached: self.cached.saturating_add(other.cached),
            written: self.written.saturating_add(other.written),
        }
    }

    /// Of two reports of one question, the later one knows more.
    fn most(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cached: self.cached.max(other.cached),
            written: self.written.max(other.written),
        }
    }
}

/// What the rows of a table stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    Day,
    Week,
    Project,
    Tool,
    Model,
}

/// One row: a name, how many questions, how many tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    pub name: String,
    pub requests: u64,
    #[serde(flatten)]
    pub tokens: Tokens,
}

#[derive(Debug)]
struct Entry {
    project: String,
    call: ModelCall,
}

/// All questions, by tool and by the maker's name for the answer: a fork or a resume copies lines, and they have the same name.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<(String, String), Entry>,
}

impl Ledger {
    pub fn add(&mut self, tool: &str, project: &str, call: ModelCall) {
        let entry = self.entries.entry((tool.to_owned(), call.key.clone()));
        let known = entry.or_insert_with(|| Entry { project: project.to_owned(), call: call.clone() });
        known.call.tokens = known.call.tokens.most(call.tokens);
    }

    /// Returns a row for each day, week, project, tool or model: days and weeks in their order, others by their output.
    pub fn rows(&self, by: Grouping) -> Vec<LedgerRow> {
        let mut rows: BTreeMap<String, LedgerRow> = BTreeMap::new();
        for ((tool, _), Entry { project, call }) in &self.entries {
            let name = match by {
                Grouping::Day => call.day.clone(),
                Grouping::Week => monday(&call.day),
                Grouping::Project => project.clone(),
                Grouping::Tool => tool.clone(),
                Grouping::Model => call.model.clone(),
            };
            let row = rows.entry(name.clone()).or_insert_with(|| LedgerRow { name, requests: 0, tokens: Tokens::default() });
            row.requests += 1;
            row.tokens = row.tokens.plus(call.tokens);
        }
        let mut rows: Vec<LedgerRow> = rows.into_values().collect();
        if !matches!(by, Grouping::Day | Grouping::Week) {
            rows.sort_by(|a, b| b.tokens.output.cmp(&a.tokens.output).then_with(|| a.name.cmp(&b.name)));
        }
        rows
    }

    /// Returns the sum of everything.
    pub fn total(&self) -> LedgerRow {
        let tokens = self.entries.values().fold(Tokens::default(), |sum, entry| sum.plus(entry.call.tokens));
        LedgerRow { name: "total".into(), requests: self.entries.len() as u64, tokens }
    }
}

/// Returns the Monday of a day, both as `2026-11-26`; the day itself where it is none.
fn monday(day: &str) -> String {
    let mut parts = day.split('-').map(|part| part.parse::<i64>().ok());
    let (Some(Some(year)), Some(Some(month)), Some(Some(date))) = (parts.next(), parts.next(), parts.next()) else { return day.into() };
    // Days since 1970-01-01, a Thursday, and back (Howard Hinnant's `days_from_civil` and `civil_from_days`).
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, month_from_march) = (shifted.div_euclid(400), (month + 9) % 12);
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * month_from_march + 2) / 5 + date - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let z = days - (days + 3).rem_euclid(7) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    format!("{:04}-{month:02}-{:02}", yoe + era * 400 + i64::from(month <= 2), doy - (153 * mp + 2) / 5 + 1)
}

/// `[transcripts]` of a manifest: where the tool keeps what was said, and how it writes that down.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptRules {
    /// A directory of the home.
    pub at: String,
    pub format: transcript::TranscriptFormat,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(key: &str, day: &str, output: u64) -> ModelCall {
        let tokens = Tokens { input: 1, output, cached: 10, written: 0 };
        ModelCall { key: key.into(), day: day.into(), model: "m".into(), tokens }
    }

    // DA-02
    #[test]
    fn what_a_fork_or_a_resume_copies_counts_once() {
        let mut ledger = Ledger::default();
        for (key, output) in [("a", 1), ("b", 2), ("a", 5), ("b", 2)] {
            ledger.add("claude", "p", call(key, "2026-11-26", output));
        }
        ledger.add("glm", "p", call("a", "2026-11-26", 7));
        assert_eq!((ledger.total().requests, ledger.total().tokens.output), (3, 14));
        let names: Vec<(String, u64)> = ledger.rows(Grouping::Tool).into_iter().map(|row| (row.name, row.requests)).collect();
        assert_eq!(names, [("claude".to_owned(), 2), ("glm".to_owned(), 1)]);
    }

    #[test]
    fn a_week_begins_on_monday() {
        for (day, expected) in [
            ("2026-11-26", "2026-11-23"),
            ("2026-11-23", "2026-11-23"),
            ("2026-11-29", "2026-11-23"),
            ("2027-01-01", "2026-12-28"),
            ("2024-03-01", "2024-02-26"),
            ("2000-02-29", "2000-02-28"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(monday(day), expected);
        }
    }

    #[test]
    fn a_number_that_is_too_large_does_not_wrap() {
        let mut ledger = Ledger::default();
        ledger.add("x", "p", call("a", "d", u64::MAX));
        ledger.add("x", "p", call("b", "d", u64::MAX));
        assert_eq!(ledger.total().tokens.output, u64::MAX);
    }
}

//! The chain of the log: each line names the digest of the line before it, so that one that was changed, removed or moved is noticed.
//!
//! It shows what somebody edited, not somebody who makes the whole chain anew: who must know that keeps the digest of the end elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::text::digest::sha256;

/// The field that names the line before.
pub const LINK: &str = "previous";
/// The event that begins a file after an older one was put away; it carries the sums of all files before.
pub const OPENED: &str = "opened";
/// Older files that are kept.
pub const KEPT: u64 = 5;

/// Returns the link to a line: what the line after it has to name.
pub fn link_to(line: &[u8]) -> String {
    sha256(line)
}

/// Returns the link of the next line behind a text, of which only the last lines are needed; `end` is the digest of the last line that was
/// written whole.
///
/// Where lines at the end are gone, that digest is the link, so that the gap stays visible.
pub fn next_link(text: &[u8], end: Option<&str>) -> String {
    let is_torn = text.last().is_some_and(|byte| *byte != b'\n');
    let mut lines = text.strip_suffix(b"\n").unwrap_or(text).rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (last, before) = (lines.next(), lines.next());
    let Some(last) = last else { return end.unwrap_or_default().to_owned() };
    let link = link_to(last);
    let is_whole = match end {
        Some(end) => {
            // Whoever wrote the last line may have ended before the digest was there, or in the middle of the line.
            let named = serde_json::from_slice::<Value>(last).ok().and_then(|value| value[LINK].as_str().map(str::to_owned));
            link == end || named.as_deref() == Some(end) || (is_torn && before.is_none_or(|before| link_to(before) == end))
        }
        None => true,
    };
    if is_whole { link } else { end.unwrap_or_default().to_owned() }
}

/// How many runs of a tool ended in which way, and their seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSums {
    /// `success`, `failure`, `engine`, `killed` or `unknown` → how many.
    pub ended: BTreeMap<String, u64>,
    pub seconds: u64,
}

/// The sums of all runs, by tool.
pub type Sums = BTreeMap<String, RunSums>;

/// Returns the sums at the end of a file: those that its first line carries, and its own runs.
pub fn sums(text: &[u8]) -> Sums {
    let mut sums = Sums::new();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(value) = serde_json::from_slice::<Value>(line) else { continue };
        match value["event"].as_str() {
            Some(OPENED) => sums = Sums::deserialize(&value["runs"]).unwrap_or_default(),
            Some("run") => {
                let run = sums.entry(value["tool"].as_str().unwrap_or_default().to_owned()).or_default();
                *run.ended.entry(ending(value["exit"].as_u64()).to_owned()).or_default() += 1;
                let time = |name: &str| value[name].as_u64().unwrap_or_default();
                run.seconds = run.seconds.saturating_add(time("end").saturating_sub(time("start")));
            }
            _ => {}
        }
    }
    sums
}

fn ending(code: Option<u64>) -> &'static str {
    match code {
        Some(0) => "success",
        Some(125..=127) => "engine",
        Some(137) => "killed",
        Some(_) => "failure",
        None => "unknown",
    }
}

/// One file of the log.
#[derive(Clone, Debug)]
pub struct LogFile {
    pub name: String,
    pub text: Vec<u8>,
}

/// What a look at the whole chain found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// All lines.
    pub lines: usize,
    /// Those at the beginning that an older program wrote without a link.
    pub unlinked: usize,
    /// Lines that a crash or a full disk tore, followed by one that says so.
    pub torn: usize,
    /// The digest of the last line.
    pub end: Option<String>,
    /// Each thing that is not as it was written.
    pub faults: Vec<String>,
}

/// Looks at all files, the oldest first, and at the digest of the last line that was written.
pub fn audit(files: &[LogFile], end: Option<&str>) -> Audit {
    let mut audit = Audit::default();
    let mut before: Option<String> = None;
    let (mut is_linked, mut is_end_seen) = (false, false);
    for file in files {
        let lines = file.text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        for (at, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
            let place = || format!("{}, line {}", file.name, at + 1);
            let value = serde_json::from_slice::<Value>(line).unwrap_or_default();
            match (value[LINK].as_str(), &before) {
                // Nothing says what stood before; an older file may have been put away, or this is the first line ever.
                (Some(link), None) if link.is_empty() || value["event"] == OPENED => {}
                (Some(_), None) => audit.faults.push(format!("{}: lines before it are gone", place())),
                (Some(link), Some(before)) if link == before => {}
                (Some(_), Some(_)) => audit.faults.push(format!("{}: what stood before it was changed, removed or moved", place())),
                (None, _) if value.is_null() => audit.torn += 1,
                (None, _) if is_linked => audit.faults.push(format!("{}: it is not ours, or was changed", place())),
                (None, _) => audit.unlinked += 1,
            }
            is_linked |= value[LINK].is_string();
            let link = link_to(line);
            is_end_seen |= end == Some(link.as_str());
            before = Some(link);
            audit.lines += 1;
        }
    }
    let (older, before_last) = (files.len().saturating_sub(1) as u64, files.last().and_then(|file| number(&file.text)));
    let wanted = before_last.unwrap_or_default().min(KEPT);
    if older < wanted {
        audit.faults.push(format!("{} of {wanted} older files are gone", wanted - older));
    }
    match end {
        Some(_) if is_end_seen => {}
        Some(_) => audit.faults.push("the last lines are gone, or were changed".into()),
        None if is_linked => audit.faults.push("the digest of the last line is gone".into()),
        None => {}
    }
    audit.end = before;
    audit
}

/// Returns how many files were put away before this one.
pub fn number(text: &[u8]) -> Option<u64> {
    let first = text.split(|byte| *byte == b'\n').next()?;
    let value = serde_json::from_slice::<Value>(first).ok()?;
    value["number"].as_u64().filter(|_| value["event"] == OPENED)
}

#[cfg(test)]
mod tests;

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

/// What is kept beside the log of its end: written before a line, and once more behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// The digest of the line before the last one.
    pub before: String,
    /// That of the last line.
    pub last: String,
    /// Whether the last line is written. Where it is not, a crash may have come before it, or in the middle of it.
    pub is_written: bool,
}

const WRITTEN: &str = "written";
const BEGUN: &str = "begun  ";

impl LogEnd {
    /// Reads what [`Self::text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (before, last, state) = (lines.next()?, lines.next()?, lines.next()?);
        Some(Self { before: before.to_owned(), last: last.to_owned(), is_written: state == WRITTEN })
    }

    /// Returns what is kept. Both states are of one length, so that the file can be written where it is.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.before, self.last, if self.is_written { WRITTEN } else { BEGUN })
    }
}

/// The link behind lines that are chained where the digest of the last one is gone: no line has it.
const UNKNOWN: &str = "unknown";

/// Returns the link of the next line behind a text, of which only the last lines are needed.
///
/// Where the text does not end as it was written, the link is to the line that should be there, so that the gap stays visible.
pub fn next_link(text: &[u8], end: Option<&LogEnd>) -> String {
    let is_torn = text.last().is_some_and(|byte| *byte != b'\n');
    let mut lines = text.strip_suffix(b"\n").unwrap_or(text).rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (last, before) = (lines.next(), lines.next());
    let Some(end) = end else {
        let is_chained = last.is_some_and(|last| link_in(last).is_some());
        return if is_chained { UNKNOWN.to_owned() } else { last.map(link_to).unwrap_or_default() };
    };
    let Some(last) = last else { return end.last.clone() };
    let link = link_to(last);
    let is_begun = !end.is_written && (link == end.before || (is_torn && before.map(link_to).unwrap_or_default() == end.before));
    if link == end.last || is_begun { link } else { end.last.clone() }
}

/// Returns what a line names as the one before it.
fn link_in(line: &[u8]) -> Option<String> {
    serde_json::from_slice::<Value>(line).ok()?[LINK].as_str().map(str::to_owned)
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

/// Looks at all files, the oldest first, and at the digests of the end.
pub fn audit(files: &[LogFile], end: Option<&LogEnd>) -> Audit {
    let mut audit = Audit::default();
    let mut before: Option<String> = None;
    let (mut is_linked, mut is_torn) = (false, false);
    // The places of lines that have a digest of the end, and of the last one.
    let (mut last_seen, mut before_seen, mut last_place) = (false, false, String::new());
    for file in files {
        let lines = file.text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        for (at, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
            let place = format!("{}, line {}", file.name, at + 1);
            let value = serde_json::from_slice::<Value>(line).unwrap_or_default();
            let fault = match (value[LINK].as_str(), &before) {
                // Nothing says what stood before; an older file may have been put away, or this is the first line ever.
                (Some(link), None) if link.is_empty() || value["event"] == OPENED => None,
                (Some(_), None) => Some("lines before it are gone"),
                (Some(link), Some(before)) if link == before => None,
                (Some(_), Some(_)) => Some("what stood before it was changed, removed or moved"),
                // Whether a crash tore it says the line that names it.
                (None, _) if value.is_null() => None,
                (None, _) if is_linked => Some("it is not ours, or was changed"),
                (None, _) => None,
            };
            audit.faults.extend(fault.map(|fault| format!("{place}: {fault}")));
            audit.torn += usize::from(value.is_null());
            audit.unlinked += usize::from(!is_linked && !value.is_null() && value[LINK].is_null());
            is_linked |= value[LINK].is_string();
            let link = link_to(line);
            last_seen = end.is_some_and(|end| end.last == link);
            before_seen = end.is_some_and(|end| end.before == link) || (value.is_null() && before_seen);
            is_torn = value.is_null();
            last_place = place;
            before = Some(link);
            audit.lines += 1;
        }
    }
    let wanted = files.last().and_then(|file| number(&file.text)).unwrap_or_default().min(KEPT);
    let older = files.len().saturating_sub(1) as u64;
    if older < wanted {
        audit.faults.push(format!("{} of {wanted} older files are gone", wanted - older));
    }
    let is_open = files.last().is_some_and(|file| file.text.last().is_some_and(|byte| *byte != b'\n'));
    let is_begun = if is_torn { is_open && (before_seen || audit.lines == 1) } else { before_seen };
    match end {
        Some(end) if last_seen || (is_begun && !end.is_written) => {}
        Some(_) if audit.lines == 0 => audit.faults.push("all lines are gone".into()),
        Some(_) => audit.faults.push(format!("{last_place}: it is not the last one that was written, or was changed")),
        None if is_linked => audit.faults.push("what is kept of the end is gone".into()),
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

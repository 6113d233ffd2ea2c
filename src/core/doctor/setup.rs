//! The person's set-up: what their settings name and the container of a run here lacks.

use crate::core::doctor::{Finding, Level};
use crate::core::setup::{Missing, Named};

/// Returns a finding for each thing that the container lacks, once; one that all is there, otherwise.
pub fn examine(tool: &str, named: usize, lacking: &[(Named, Missing)], is_blind: bool, agreed: bool) -> Vec<Finding> {
    let title = || format!("{tool} settings");
    let mut findings: Vec<Finding> = Vec::new();
    // Whatever hooks are called, those that guard are also among the others.
    let is_told = |named: &Named, what: &Missing| {
        !named.guards && lacking.iter().any(|(other, found)| other.guards && (&other.called, found) == (&named.called, what))
    };
    for (named, what) in lacking.iter().filter(|(named, what)| !is_told(named, what)) {
        let hint = what.way_in().unwrap_or_else(|| what.other_way().to_owned());
        let finding = finding(title(), named, what, tool, agreed).hint(hint);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    if is_blind {
        let cause = "they name programs, and which ones the image has is not known";
        findings.push(Finding::new(Level::Note, title(), cause).hint("ai image status"));
    } else if findings.is_empty() && named > 0 {
        findings.push(Finding::new(Level::Ok, title(), "the programs, files and addresses that they name are in the container"));
    }
    findings
}

fn finding(title: String, named: &Named, what: &Missing, tool: &str, agreed: bool) -> Finding {
    let called = &named.called;
    match (named.guards, agreed, what) {
        (true, false, Missing::Unread { .. } | Missing::Dropped) => {
            Finding::new(Level::Error, title, format!("{called}: {what}, and may guard: {tool} does not start here"))
        }
        (true, false, Missing::Unknown(_)) => {
            Finding::new(Level::Error, title, format!("{called}: {what} guards: {tool} does not start here"))
        }
        (true, false, _) => {
            Finding::new(Level::Error, title, format!("{called}: {what} is not in the container, and guards: {tool} does not start here"))
        }
        (_, _, Missing::Foreign(_)) => Finding::new(Level::Warning, title, format!("{called}: {what} does not run in the container")),
        (_, _, Missing::Unknown(_)) => Finding::new(Level::Warning, title, format!("{called}: {what} may not be in the container")),
        _ => Finding::new(Level::Warning, title, format!("{called}: {what} is not in the container")),
    }
}

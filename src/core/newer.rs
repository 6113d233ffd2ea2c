//! Newer versions of the tools: when they are asked for, and when somebody is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::text::version::is_newer;

/// Seconds between two questions, and between two lines about one tool.
const DAY: u64 = 24 * 60 * 60;

/// What is remembered of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewestVersions {
    /// Seconds since 1970 of the last question.
    pub asked: u64,
    /// Seconds since 1970 of the last line.
    pub said: u64,
    /// The newest version of each tool.
    pub newest: BTreeMap<String, String>,
    /// Why the last question had no answer.
    pub failed: Option<String>,
}

/// What is to be done at the end of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct UpdateStep {
    /// Whether the registry is asked, by a process of its own.
    pub ask: bool,
    /// What is said.
    pub say: Option<String>,
    /// What is remembered from now on, if that is something else.
    pub keep: Option<NewestVersions>,
}

impl NewestVersions {
    /// Decides what is done after a run of a tool, of which `version` is in its image. Nothing is asked within a day of the first run.
    pub fn after(&self, tool: &str, version: Option<&str>, now: u64) -> UpdateStep {
        let mut next = self.clone();
        // A clock that was put back is no reason to ask at every run.
        let is_due = self.asked != 0 && (now >= self.asked.saturating_add(DAY) || now < self.asked);
        if is_due || self.asked == 0 {
            next.asked = now;
        }
        let newer = version.and_then(|version| Some((version, self.newest.get(tool).filter(|newest| is_newer(newest, version))?)));
        let say = newer.filter(|_| now >= self.said.saturating_add(DAY) || now < self.said).map(|(version, newest)| {
            next.said = now;
            format!("{tool} {newest} is there, this was {version}: ai image update {tool} (update_notice = false ends these lines)")
        });
        UpdateStep { ask: is_due, say, keep: (next != *self).then_some(next) }
    }

    /// Returns what `ai image status` says of it.
    pub fn rows(&self, built: &[(String, String)]) -> Vec<String> {
        let newer = |(tool, version): &(String, String)| {
            let newest = self.newest.get(tool).filter(|newest| is_newer(newest, version))?;
            Some(format!("{tool} {newest} is there; hint: ai image update {tool}"))
        };
        let failed = self.failed.iter().map(|why| format!("the newest versions are not known: {why}"));
        built.iter().filter_map(newer).chain(failed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(asked: u64, said: u64, newest: &str) -> NewestVersions {
        NewestVersions { asked, said, newest: [("claude".to_owned(), newest.to_owned())].into(), failed: None }
    }

    // N-01, N-03
    #[test]
    fn a_newer_version_is_asked_for_and_said_at_most_once_a_day() {
        let first = NewestVersions::default().after("claude", Some("1.0.0"), 5);
        assert_eq!((first.ask, &first.say, first.keep.as_ref().map(|keep| keep.asked)), (false, &None, Some(5)), "no run asks at once");
        let step = known(5, 0, "1.0.1").after("claude", Some("1.0.0"), 5 + DAY);
        assert!(step.ask && step.say.unwrap().starts_with("claude 1.0.1 is there, this was 1.0.0: ai image update claude"));
        let next = step.keep.unwrap();
        assert_eq!((next.asked, next.said), (5 + DAY, 5 + DAY));
        assert_eq!(next.after("claude", Some("1.0.0"), 6 + DAY), UpdateStep { ask: false, say: None, keep: None });
        let again = next.after("claude", Some("1.0.0"), 5 + 2 * DAY);
        assert!(again.ask && again.say.is_some());
        assert!(known(9 * DAY, 0, "1.0.1").after("claude", None, DAY).ask, "a clock that was put back");
        for (there, newest) in
            [("1.0.1", "1.0.1"), ("1.0.2", "1.0.1"), ("1.0.1", "1.0.1-rc.1"), ("2.0.0-nightly", "1.9.9"), ("1.0.0", "odd")]
        {
            assert_eq!(known(5, 0, newest).after("claude", Some(there), 6).say, None, "{there} {newest}");
        }
        assert_eq!(known(5, 0, "1.0.1").after("codex", Some("1.0.0"), 6).say, None);
    }

    // N-02
    #[test]
    fn what_could_not_be_asked_is_in_the_status_alone() {
        let known = NewestVersions { failed: Some("no answer in 3 s".into()), ..known(5, 0, "1.0.1") };
        assert_eq!(known.after("codex", Some("1.0.0"), 6).say, None);
        let rows = known.rows(&[("claude".into(), "1.0.0".into()), ("codex".into(), "1.0.0".into())]);
        assert_eq!(rows, ["claude 1.0.1 is there; hint: ai image update claude", "the newest versions are not known: no answer in 3 s"]);
    }
}

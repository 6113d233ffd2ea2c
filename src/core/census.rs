//! Who is alive: our containers and leases, told apart into live, dead, kept, and those that nobody answers for.
//!
//! Pure: `host` lists and looks up; `ai ps`, `ai stop`, `ai gc` and `ai doctor` decide by what is here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::core::lease::Lease;
use crate::core::spare::LABEL;

/// A container that carries our labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    pub name: String,
    pub session: String,
    pub tool: String,
    pub project: String,
    pub owner: String,
    pub store: String,
    pub kept: bool,
    /// Whether it was made to wait for a run.
    pub spare: bool,
    pub running: bool,
    /// When it began, as the engine writes it.
    pub started: String,
}

impl Container {
    /// Returns one element of what the engine's `inspect` prints; Docker, podman and nerdctl agree on these keys.
    pub fn from_inspect(value: &Value) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let labels: BTreeMap<String, String> = serde_json::from_value(value.pointer("/Config/Labels")?.clone()).ok()?;
        let label = |key: &str| labels.get(key).cloned().unwrap_or_default();
        Some(Self {
            name: text("/Name")?.trim_start_matches('/').to_owned(),
            session: labels.get("ai.session")?.clone(),
            tool: label("ai.tool"),
            project: label("ai.project"),
            owner: label("ai.owner"),
            store: label("ai.store"),
            kept: labels.contains_key("ai.keep"),
            spare: labels.contains_key(LABEL),
            running: value.pointer("/State/Running").and_then(Value::as_bool).unwrap_or_default(),
            started: text("/State/StartedAt").unwrap_or_default(),
        })
    }
}

/// What is to be done about whom.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub live: Vec<Container>,
    /// Their session is over, or its owner is gone.
    pub dead: Vec<Container>,
    /// Kept on request, and not running any more.
    pub kept: Vec<Container>,
    /// They run, and no session of ours answers for them: somebody ran a printed command by hand.
    pub unattended: Vec<Container>,
    /// They wait for a run.
    pub waiting: Vec<Container>,
}

/// Sorts containers by the leases of their sessions. `alive` tells whether the owner of a lease still is; `waiting` are the
/// sessions of containers that wait for a run.
pub fn take(containers: Vec<Container>, leases: &[Lease], alive: impl Fn(&Lease) -> bool, waiting: &[String]) -> Census {
    let mut census = Census::default();
    for container in containers {
        let lease = leases.iter().find(|lease| lease.session.as_str() == container.session);
        let list = match lease.map(&alive) {
            _ if container.kept && !container.running => &mut census.kept,
            Some(true) => &mut census.live,
            Some(false) => &mut census.dead,
            None if container.spare && waiting.contains(&container.session) => &mut census.waiting,
            None if container.running && !container.spare => &mut census.unattended,
            None => &mut census.dead,
        };
        list.push(container);
    }
    census
}

/// Seconds as a person says them.
pub fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lease::Process;

    fn container(session: &str, running: bool, kept: bool) -> Container {
        let text = |text: &str| text.to_owned();
        Container {
            name: format!("ai-claude-p-{session}"),
            session: text(session),
            tool: text("claude"),
            project: text("p-1"),
            owner: text("0"),
            store: text("s"),
            kept,
            spare: false,
            running,
            started: String::new(),
        }
    }

    fn lease(session: &str) -> Lease {
        Lease {
            session: session.parse().unwrap(),
            tool: "claude".into(),
            project: "p-1".into(),
            root: "/p".into(),
            container: "c".into(),
            owner: Process { pid: 1, started: None, boot: None },
            since: 0,
            engine: crate::core::engine::kind::EngineKind::Docker,
            endpoint: String::new(),
            image: String::new(),
            memory: None,
            keep: false,
            ports: Vec::new(),
            let_in: Vec::new(),
            points: Vec::new(),
            tree: None,
            secret_files: None,
            waits: None,
        }
    }

    #[test]
    fn only_what_nobody_answers_for_is_dead() {
        let (live, dead, none) = ("aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc");
        let leases = [lease(live), lease(dead)];
        let containers = vec![
            container(live, true, false),
            container(dead, true, false),
            container(dead, false, true),
            container(none, true, false),
            container(none, false, false),
        ];
        let spare = |session: &str| Container { spare: true, ..container(session, true, false) };
        let (waits, lost) = ("dddddddddddd", "eeeeeeeeeeee");
        let containers = containers.into_iter().chain([spare(waits), spare(lost), spare(live)]).collect();
        let census = take(containers, &leases, |lease| lease.session.as_str() == live, &[waits.to_owned()]);
        let names = |list: &[Container]| list.iter().map(|container| container.session.clone()).collect::<Vec<_>>();
        assert_eq!(names(&census.live), [live, live]);
        assert_eq!(names(&census.dead), [dead, none, lost]);
        assert_eq!(names(&census.waiting), [waits]);
        assert_eq!(names(&census.kept), [dead]);
        assert_eq!(names(&census.unattended), [none]);
    }

    #[test]
    fn what_lacks_our_label_is_no_container_of_ours() {
        let inspected = serde_json::json!({ "Name": "/x", "Config": { "Labels": { "ai.owner": "0" } }, "State": { "Running": true } });
        assert_eq!(Container::from_inspect(&inspected), None);
    }

    #[test]
    fn ages_are_short() {
        for (seconds, text) in [(5, "5s"), (90, "1m"), (3_660, "1h01m"), (90_000, "1d1h")] {
            assert_eq!(age(seconds), text);
        }
    }
}

//! A session: one run of one tool. Its id names the container and the lease.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::engine::kind::{Engine, EngineKind};

/// 12 lowercase hexadecimal digits: 48 random bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

impl SessionId {
    pub fn from_random(bytes: [u8; 6]) -> Self {
        Self(bytes.iter().fold(String::with_capacity(12), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
            text
        }))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SessionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() == 12 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.into()))
        } else {
            Err("a session's id is 12 hexadecimal digits, as `ai sync in` prints it".into())
        }
    }
}

impl TryFrom<String> for SessionId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A process, told apart from a later one with the same pid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: i32,
    /// When it started, in the system's own unit (Linux: clock ticks since boot); `None` where it cannot be known.
    pub started: Option<String>,
    /// The boot that it belongs to.
    pub boot: Option<String>,
}

/// What a session leaves on disk while it lives, so that a later one can finish it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub session: SessionId,
    pub tool: String,
    pub project: String,
    /// The project's root on the host, for people; lossy where it is no text.
    pub root: String,
    pub container: String,
    pub owner: Process,
    /// Seconds since 1970, for `ai ps` and the log; nothing is decided by it.
    pub since: u64,
    /// The engine and endpoint that the container is with; a lease of an older version does not say.
    #[serde(default)]
    pub engine: EngineKind,
    #[serde(default)]
    pub endpoint: String,
    #[serde(default)]
    pub image: String,
    /// Memory limit in bytes.
    #[serde(default)]
    pub memory: Option<u64>,
    /// Whether the container is to survive the run.
    #[serde(default)]
    pub keep: bool,
    /// What the host reaches, as `127.0.0.1:8080:80`.
    #[serde(default)]
    pub ports: Vec<String>,
    /// What the person let in beside the project, as `/srv/data (writable)`.
    #[serde(default)]
    pub let_in: Vec<String>,
    /// What was made in the project for something to be mounted there, relative to its root; directories with `/` at the end.
    #[serde(default)]
    pub points: Vec<String>,
    /// What git saw in the project before the run, where a commit is offered after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The directory of the files that hold its secrets.
    #[serde(default)]
    pub secret_files: Option<String>,
    /// Where a container is to wait for the next run: whether it gets a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<bool>,
}

impl Lease {
    /// Whether the container is with this engine, as far as the lease says.
    pub fn is_of(&self, engine: &Engine) -> bool {
        self.engine == engine.kind && (self.endpoint.is_empty() || self.endpoint == engine.endpoint.url())
    }
}

/// Whether a lease's owner still runs.
pub fn is_alive(lease: &Lease, now: Option<&Process>) -> bool {
    let Some(now) = now else { return false };
    let same = |then: &Option<String>, now: &Option<String>| match (then, now) {
        (Some(then), Some(now)) => then == now,
        _ => true,
    };
    now.pid == lease.owner.pid && same(&lease.owner.started, &now.started) && same(&lease.owner.boot, &now.boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twelve_hex_digits_are_an_id() {
        for text in ["", "0123456789a", "0123456789abc", "0123456789AB", "../../etc/pa"] {
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
        assert_eq!(SessionId::from_random([0, 1, 0x2f, 0xff, 0x80, 9]).as_str(), "00012fff8009");
    }

    #[test]
    fn a_reused_pid_is_another_process() {
        let process = |pid, started: &str| Process { pid, started: Some(started.into()), boot: Some("b".into()) };
        let lease = Lease {
            session: "0123456789ab".parse().unwrap(),
            tool: "claude".into(),
            project: "p-1".into(),
            root: "/p".into(),
            container: "c".into(),
            owner: process(7, "100"),
            since: 0,
            engine: EngineKind::Docker,
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
        };
        assert!(is_alive(&lease, Some(&process(7, "100"))));
        assert!(!is_alive(&lease, Some(&process(7, "101"))));
        assert!(!is_alive(&lease, None));
    }
}

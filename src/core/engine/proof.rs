//! What `ai doctor --prove` found out by running small containers, and what a plan makes of it.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Seconds since 1970, for people.
    pub at: u64,
    pub image: String,
    pub outcomes: Vec<ProbeOutcome>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeOutcome {
    pub name: String,
    pub verdict: ProbeVerdict,
    /// What was seen.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeVerdict {
    Holds,
    Fails,
    /// It could not be measured here.
    Unknown,
}

/// Names of the outcomes that the tools' logins depend on.
pub const LOCKS: [&str; 3] = ["lock-flock", "lock-fcntl", "lock-mkdir"];

/// Name of the outcome that a guarded network depends on.
pub const SOCKETS: &str = "socket-mount";

impl Proof {
    /// Whether a container was seen not to reach a socket of the host.
    pub fn sockets_fail(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.verdict == ProbeVerdict::Fails && outcome.name == SOCKETS)
    }

    /// Whether a lock on the store's file system was seen to fail between containers and host.
    pub fn locks_fail(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.verdict == ProbeVerdict::Fails && LOCKS.contains(&outcome.name.as_str()))
    }
}

impl ProbeVerdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "FAILS",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failing_lock_is_enough() {
        let outcome = |name: &str, verdict| ProbeOutcome { name: name.into(), verdict, detail: String::new() };
        let proof = |outcomes| Proof { outcomes, ..Proof::default() };
        assert!(proof(vec![outcome("lock-flock", ProbeVerdict::Fails)]).locks_fail());
        assert!(!proof(vec![outcome("lock-flock", ProbeVerdict::Holds), outcome("dns", ProbeVerdict::Fails)]).locks_fail());
        assert!(!proof(vec![outcome("lock-fcntl", ProbeVerdict::Unknown)]).locks_fail());
    }
}

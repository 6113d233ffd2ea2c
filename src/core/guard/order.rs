//! What the helper of one run is told: written once, when the session begins, and read once.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::guard::rule::EgressRules;

/// The port in the container at which the forwarder listens.
pub const PORT: u16 = 3128;
/// The socket in the directory of sockets that leads out.
pub const EGRESS: &str = "egress";

/// The settings of ssh beside the sockets, which the container's own include where they are: what no setting of the person's leads
/// elsewhere goes out as everything does.
pub const SSH: &str = "ssh_config";
pub const SSH_SETTINGS: &str = "Host *\n  ProxyCommand /ai/ai dial %h %p\n";

/// The socket in the directory of sockets that is the filtered agent.
pub const AGENT: &str = "agent";

/// To which hosts a login is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostKeys {
    /// To those in the person's `known_hosts`, and in the system's.
    Known,
    Any,
}

/// What a container has of the SSH agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentOrder {
    /// Files of public keys; every key where there is no list.
    pub keys: Option<Vec<PathBuf>>,
    pub hosts: HostKeys,
    /// Namespaces of file signatures.
    pub sign: Vec<String>,
    pub confirm: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardOrder {
    /// What may be reached; nothing is where there is no such network.
    pub egress: Option<EgressRules>,
    /// The setting `proxy`: `auto`, `off`, or a URL.
    pub proxy: String,
    /// Nothing of it where there is no agent, or none is wanted.
    #[serde(default)]
    pub agent: Option<AgentOrder>,
}

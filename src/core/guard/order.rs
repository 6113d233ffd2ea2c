//! What the helper of one run is told: written once, when the session begins, and read once.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::guard::key::KeyOrder;
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

/// The socket in the directory of sockets at which pages are opened.
pub const PAGE: &str = "page";
/// The program beside the sockets that `BROWSER` names inside.
pub const OPEN: &str = "open";
/// The same beside the directory of sockets, for programs that ask nothing but `PATH`, and where it is inside.
pub const XDG_OPEN: &str = "xdg-open";
pub const XDG_OPEN_INSIDE: &str = "/usr/local/bin/xdg-open";
pub const OPEN_PROGRAM: &str = "#!/bin/sh\nexec /ai/ai open-page \"$@\"\n";

/// To which hosts a login is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostKeys {
    /// As `Known` where the agent can tell which host it is, as OpenSSH's can; else as `Any`.
    #[default]
    Auto,
    /// To those in the person's `known_hosts`, and in the system's.
    Known,
    Any,
}

impl HostKeys {
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto | Self::Known => "known",
            Self::Any => "any",
        }
    }
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

/// Whose control files are watched while a run lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchOrder {
    pub project: String,
    pub tool: String,
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
    /// Whose control files are watched.
    #[serde(default)]
    pub watch: Option<WatchOrder>,
    /// Hosts of which the pages of a login are opened on the person's desktop.
    #[serde(default)]
    pub pages: Vec<String>,
    /// Whether pictures of the person's clipboard are handed over.
    #[serde(default)]
    pub clipboard: bool,
    /// A key that is put into requests to its vendor.
    #[serde(default)]
    pub key: Option<KeyOrder>,
    /// What is kept of the run.
    #[serde(default)]
    pub keep: Option<KeepOrder>,
}

/// What is kept of a run, beside its vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepOrder {
    pub tool: String,
    pub image: String,
    /// Asked of the engine when the session begins.
    pub image_id: Option<String>,
}

impl GuardOrder {
    /// Returns whether the container gets our own program.
    pub fn has_program(&self) -> bool {
        self.egress.is_some() || !self.pages.is_empty() || self.clipboard
    }

    /// Returns whether a helper has something to do.
    pub fn wants_helper(&self) -> bool {
        self.egress.is_some() || self.agent.is_some() || self.watch.is_some() || !self.pages.is_empty() || self.clipboard
    }

    /// Returns whether nothing may start without the helper; without one there is no agent, which is no reason not to work.
    pub fn is_needed(&self) -> bool {
        self.egress.is_some()
    }

    /// Returns what a run without the helper does not have.
    pub fn loss(&self) -> &'static str {
        match self {
            Self { egress: Some(_), .. } => "nothing gets out of the container",
            Self { agent: Some(_), .. } => "there is no SSH agent in the container",
            Self { .. } => "what your machine runs from this project is compared at the end of the run alone",
        }
    }
}

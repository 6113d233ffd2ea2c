//! What may leave a guarded container, and what an SSH agent signs for one: verdicts as values.
//!
//! Everything here reads bytes that a container made. Nothing connects, resolves or waits: `host::guard` does, with these answers.

pub mod address;
pub mod agent;
pub mod clipboard;
pub mod head;
pub mod hello;
pub mod inside;
pub mod key;
pub mod order;
pub mod page;
pub mod peer;
pub mod record;
pub mod rule;
pub mod sets;
pub mod upstream;

use serde::{Deserialize, Serialize};

/// Why something does not get out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EgressRefusal {
    /// It is no name of a host.
    BadName,
    /// It is an address, and no rule names it.
    Literal,
    /// It is the container itself, for which nobody needs a way out, and no rule names it.
    Inside,
    NotListed,
    /// The host is on the list, with another port.
    Port,
    /// It is on the list of what is taken away.
    Denied,
    /// The name stands for an address that is not public, and no rule permits that.
    Private,
    /// What was said first is no TLS.
    NoTls,
    NoServerName,
    /// TLS was begun with another server.
    OtherServerName(String),
    /// The server's name is encrypted.
    HiddenServerName,
    /// The request is none that a proxy can understand.
    BadRequest,
    /// The name could not be resolved, or nothing answers there.
    Unreachable(String),
}

impl EgressRefusal {
    /// Returns whether a rule for the host and port would let it out.
    pub fn wants_rule(&self) -> bool {
        matches!(self, Self::NotListed | Self::Port | Self::Literal | Self::Private)
    }

    /// Returns whether it was let out, and nothing answers there.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// Returns what a person types to let a peer of this spelling out.
    pub fn allowing(&self, peer: &str) -> String {
        let usual = peer.strip_suffix(":443").filter(|host| host.contains('.') && !host.starts_with('['));
        let private = if matches!(self, Self::Private | Self::Literal) { "!private" } else { "" };
        format!("{}{private}", usual.unwrap_or(peer))
    }

    /// Returns the reason in words, where it is more than that nobody allowed it.
    pub fn words(&self) -> Option<String> {
        Some(match self {
            Self::NotListed => return None,
            Self::BadName => "no name of a host".into(),
            Self::Literal => "an address".into(),
            Self::Inside => "the container itself; your machine is host.docker.internal".into(),
            Self::Port => "another port".into(),
            Self::Denied => "denied".into(),
            Self::Private => "its address is not public".into(),
            Self::NoTls => "no TLS".into(),
            Self::NoServerName => "TLS without the name of a server".into(),
            Self::OtherServerName(other) => format!("TLS with `{other}`"),
            Self::HiddenServerName => "TLS with a hidden name".into(),
            Self::BadRequest => "no request that a proxy understands".into(),
            Self::Unreachable(why) => why.clone(),
        })
    }
}

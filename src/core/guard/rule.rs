//! Rules of what may be reached: a host, a port, and whether its address may be private.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::core::guard::EgressRefusal;
use crate::core::guard::peer::{HostName, Peer, PeerHost, THIS_MACHINE, parse_port};
use crate::core::guard::sets;
use crate::core::text::nearest::nearest;

/// What a rule without a port means.
const USUAL_PORT: u16 = 443;
const PRIVATE: &str = "!private";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleHost {
    Exact(PeerHost),
    /// `*.example.com`: any name below it, and not that name itself.
    Below(HostName),
}

/// `example.com`, `*.example.com:8443`, `internal.corp:8443!private`, `10.0.0.5:8080!private`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EgressRule {
    pub host: RuleHost,
    pub port: Option<u16>,
    /// Whether the host may have an address that is not public.
    pub private: bool,
}

impl FromStr for EgressRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = |why: &str| format!("`{text}` is no rule such as example.com, *.example.com:8443 or git.corp:443!private: {why}");
        let (peer, private) = text.strip_suffix(PRIVATE).map_or((text, false), |peer| (peer, true));
        if peer == "*" {
            return Err(invalid("mode = \"open\" lets every public host be reached"));
        }
        if peer.contains("://") {
            return Err(invalid("a host and a port, no URL"));
        }
        let end_of_host = peer.rfind(']').unwrap_or(0);
        let (host, port) = match peer.rfind(':').filter(|at| *at >= end_of_host) {
            Some(at) => (&peer[..at], Some(parse_port(&peer.as_bytes()[at + 1..]).ok_or_else(|| invalid("its port is none"))?)),
            None => (peer, None),
        };
        let no_name = |_| invalid("its host is no name");
        let host = match host.strip_prefix("*.") {
            Some(parent) => RuleHost::Below(HostName::new(parent.as_bytes()).map_err(no_name)?),
            None => RuleHost::Exact(PeerHost::new(host.as_bytes()).map_err(no_name)?),
        };
        Ok(Self { host, port, private })
    }
}

impl TryFrom<String> for EgressRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<EgressRule> for String {
    fn from(rule: EgressRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for EgressRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            RuleHost::Exact(host) => write!(f, "{host}")?,
            RuleHost::Below(parent) => write!(f, "*.{}", parent.as_str())?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(if self.private { PRIVATE } else { "" })
    }
}

impl EgressRule {
    fn names(&self, host: &PeerHost) -> bool {
        match (&self.host, host) {
            (RuleHost::Exact(own), host) => own == host,
            (RuleHost::Below(parent), PeerHost::Name(name)) => name.is_below(parent),
            (RuleHost::Below(_), PeerHost::Address(_)) => false,
        }
    }

    /// Returns whether the rule lets an address be reached that is not public: it says so, or names this very machine.
    fn permits_private(&self) -> bool {
        let names_machine = matches!(&self.host, RuleHost::Exact(PeerHost::Name(name)) if name.as_str() == THIS_MACHINE);
        self.private || names_machine
    }
}

/// A word of `[egress] allow` or `deny`: a rule, or the name of a set of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum EgressWord {
    Set(String),
    Rule(EgressRule),
}

impl FromStr for EgressWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(['.', ':', '!', '*']) {
            return text.parse().map(Self::Rule);
        }
        let names = sets::names();
        if names.iter().any(|name| name == text) {
            return Ok(Self::Set(text.to_owned()));
        }
        let meant = nearest(text, &names).map_or_else(
            || format!("there are {}; a host of one word is written with its port, {text}:443", names.join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        Err(format!("there is no set `{text}`; {meant}"))
    }
}

impl TryFrom<String> for EgressWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for EgressWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(name) => f.write_str(name),
            Self::Rule(rule) => rule.fmt(f),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum EgressMode {
    /// What a rule names
    #[default]
    List,
    /// And every host with a public address, by https
    Open,
}

/// All rules of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgressRules {
    pub mode: EgressMode,
    pub allow: Vec<EgressRule>,
    /// What nothing else allows.
    pub deny: Vec<EgressRule>,
}

/// What may be connected to for a peer that was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EgressReach {
    Public,
    Any,
}

impl EgressReach {
    /// Returns whether a connection may go to this address.
    pub fn permits(self, address: IpAddr) -> bool {
        self == Self::Any || crate::core::guard::address::is_public(address)
    }
}

/// What becomes of a peer, and the rule that decides it where one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressVerdict<'a> {
    pub rule: Option<&'a EgressRule>,
    pub reach: Result<EgressReach, EgressRefusal>,
}

impl EgressRules {
    /// Returns how far a peer may be reached.
    ///
    /// # Errors
    /// Where no rule allows it, or one denies it.
    pub fn judge(&self, peer: &Peer) -> Result<EgressReach, EgressRefusal> {
        self.verdict(peer).reach
    }

    /// Returns the same with the rule behind it.
    pub fn verdict(&self, peer: &Peer) -> EgressVerdict<'_> {
        let is_of_port = |rule: &&EgressRule| rule.port.is_none_or(|port| port == peer.port);
        let refused = |rule, refusal| EgressVerdict { rule, reach: Err(refusal) };
        if let Some(rule) = self.deny.iter().filter(is_of_port).find(|rule| rule.names(&peer.host)) {
            return refused(Some(rule), EgressRefusal::Denied);
        }
        let of_host: Vec<&EgressRule> = self.allow.iter().filter(|rule| rule.names(&peer.host)).collect();
        let allowing = || of_host.iter().copied().filter(|rule| rule.port.unwrap_or(USUAL_PORT) == peer.port);
        if let Some(rule) = allowing().find(|rule| rule.permits_private()) {
            return EgressVerdict { rule: Some(rule), reach: Ok(EgressReach::Any) };
        }
        if let Some(rule) = allowing().next() {
            return EgressVerdict { rule: Some(rule), reach: Ok(EgressReach::Public) };
        }
        match (&peer.host, self.mode) {
            (PeerHost::Name(_), EgressMode::Open) if peer.port == USUAL_PORT && !peer.is_inside() => {
                EgressVerdict { rule: None, reach: Ok(EgressReach::Public) }
            }
            // Programs that know no exception from their proxy ask so, and a rule would lead to this machine instead.
            _ if peer.is_inside() => refused(None, EgressRefusal::Inside),
            _ if !of_host.is_empty() => refused(of_host.first().copied(), EgressRefusal::Port),
            (PeerHost::Address(_), _) => refused(None, EgressRefusal::Literal),
            (PeerHost::Name(_), _) => refused(None, EgressRefusal::NotListed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EgressRefusal::{Denied, Inside, Literal, NotListed, Port};

    fn rules(mode: EgressMode, allow: &[&str], deny: &[&str]) -> EgressRules {
        let all = |words: &[&str]| words.iter().map(|word| word.parse().unwrap()).collect();
        EgressRules { mode, allow: all(allow), deny: all(deny) }
    }

    #[track_caller]
    fn check(rules: &EgressRules, peer: &str, expected: Result<EgressReach, EgressRefusal>) {
        assert_eq!(rules.judge(&Peer::parse(peer.as_bytes(), None).unwrap()), expected, "{peer}");
    }

    // GU-02, Z-075, Z-077
    #[test]
    fn only_what_a_rule_names_is_reached() {
        let allow = ["api.example.com", "*.github.com", "git.corp:8443!private", "10.0.0.5:80!private", "host.docker.internal:11434"];
        let rules = rules(EgressMode::List, &allow, &["gist.github.com"]);
        check(&rules, "api.example.com:443", Ok(EgressReach::Public));
        check(&rules, "x.github.com:443", Ok(EgressReach::Public));
        check(&rules, "a.b.github.com:443", Ok(EgressReach::Public));
        check(&rules, "git.corp:8443", Ok(EgressReach::Any));
        check(&rules, "10.0.0.5:80", Ok(EgressReach::Any));
        check(&rules, "host.docker.internal:11434", Ok(EgressReach::Any));
        check(&rules, "gist.github.com:443", Err(Denied));
        for other in ["example.com", "x.api.example.com", "api.example.com.evil.com", "github.com", "evilgithub.com"] {
            check(&rules, &format!("{other}:443"), Err(NotListed));
        }
        for other in ["api.example.com:80", "api.example.com:22", "x.github.com:22", "git.corp:443", "host.docker.internal:80"] {
            check(&rules, other, Err(Port));
        }
        for other in ["169.254.169.254:80", "8.8.8.8:443", "10.0.0.6:80"] {
            check(&rules, other, Err(Literal));
        }
        for inside in ["127.0.0.1:3128", "127.0.0.1:443", "127.9.9.9:80", "[::1]:443", "localhost:443", "LOCALHOST:3128"] {
            check(&rules, inside, Err(Inside));
        }
        assert!(!Inside.wants_rule());
        check(&EgressRules::default(), "api.example.com:443", Err(NotListed));
    }

    #[test]
    fn open_means_public_hosts_by_https() {
        let rules = rules(EgressMode::Open, &["example.com:8443"], &["evil.com", "half.com:22"]);
        check(&rules, "anything.example:443", Ok(EgressReach::Public));
        check(&rules, "example.com:8443", Ok(EgressReach::Public));
        check(&rules, "half.com:443", Ok(EgressReach::Public));
        check(&rules, "evil.com:443", Err(Denied));
        check(&rules, "evil.com:80", Err(Denied));
        check(&rules, "anything.example:80", Err(NotListed));
        check(&rules, "example.com:80", Err(Port));
        check(&rules, "8.8.8.8:443", Err(Literal));
        check(&rules, "localhost:443", Err(Inside));
    }

    #[test]
    fn a_rule_has_one_spelling() {
        for (text, shown) in [
            ("Example.COM.", "example.com"),
            ("*.example.com:8443", "*.example.com:8443"),
            ("git.corp:443!private", "git.corp:443!private"),
            ("gitlab:443", "gitlab:443"),
            ("[::1]:80!private", "[::1]:80!private"),
        ] {
            assert_eq!(text.parse::<EgressRule>().unwrap().to_string(), shown, "{text}");
        }
        for bad in ["*", "*.", "*.*.com", "a.*.com", "https://a.com", "a.com:", "a.com:0443", "a.com:x", "a.com!public", "a b.com", "127.1"]
        {
            assert!(bad.parse::<EgressRule>().unwrap_err().contains(&format!("`{bad}`")), "{bad}");
        }
    }

    #[test]
    fn a_word_without_a_dot_is_a_set() {
        assert_eq!("npm".parse(), Ok(EgressWord::Set("npm".into())));
        assert!(matches!("gitlab:443".parse(), Ok(EgressWord::Rule(_))));
        assert_eq!("nmp".parse::<EgressWord>().unwrap_err(), "there is no set `nmp`; did you mean `npm`?");
        assert!("intranet".parse::<EgressWord>().unwrap_err().contains("intranet:443"));
    }
}

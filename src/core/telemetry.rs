//! Where the tools themselves report what they do: an OpenTelemetry collector of the person's own, in the words that each tool has for it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::core::guard::order::PORT;
use crate::core::guard::peer::{Peer, PeerHost, THIS_MACHINE};
use crate::core::guard::rule::{EgressRule, RuleHost};
use crate::core::plan::guard::GUARD;

/// How reports are sent. The ports are those of the OTLP specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpWire {
    /// gRPC, port 4317.
    Grpc,
    /// Protobuf over HTTP, port 4318.
    Http,
}

/// Where a collector listens: `otlp://HOST[:PORT]` and `otlps://…` speak gRPC, `http://…` and `https://…` protobuf over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Collector {
    pub wire: OtlpWire,
    is_encrypted: bool,
    peer: Peer,
    /// What stands before `/v1/metrics`, with its slash; empty as a rule.
    path: String,
}

impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = |why: &str| format!("`{text}` is no collector such as otlp://localhost:4317 or https://otel.example.com:4318: {why}");
        let (wire, is_encrypted, rest) = [
            ("otlp://", OtlpWire::Grpc, false),
            ("otlps://", OtlpWire::Grpc, true),
            ("http://", OtlpWire::Http, false),
            ("https://", OtlpWire::Http, true),
        ]
        .into_iter()
        .find_map(|(scheme, wire, is_encrypted)| Some((wire, is_encrypted, text.strip_prefix(scheme)?)))
        .ok_or_else(|| invalid("it begins with none of otlp://, otlps://, http://, https://"))?;
        let (place, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let path = path.trim_end_matches('/');
        if place.contains('@') {
            return Err(invalid("a key is a header, which `env.pass = [\"OTEL_EXPORTER_OTLP_HEADERS\"]` lets in"));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if !path.chars().all(is_plain) || (wire == OtlpWire::Grpc && !path.is_empty()) {
            return Err(invalid("its path is none"));
        }
        let usual = if wire == OtlpWire::Grpc { 4317 } else { 4318 };
        let peer = Peer::parse(place.as_bytes(), Some(usual)).map_err(|_| invalid("its host and port are none"))?;
        Ok(Self { wire, is_encrypted, peer, path: path.to_owned() })
    }
}

impl TryFrom<String> for Collector {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Collector> for String {
    fn from(collector: Collector) -> Self {
        collector.to_string()
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.wire, self.is_encrypted) {
            (OtlpWire::Grpc, false) => "otlp",
            (OtlpWire::Grpc, true) => "otlps",
            (OtlpWire::Http, false) => "http",
            (OtlpWire::Http, true) => "https",
        };
        write!(f, "{scheme}://{}{}", self.peer, self.path)
    }
}

impl Collector {
    /// Returns the URL that tools are told. The loopback of the host is another one than the container's, unless they share a network; in
    /// a guarded container, a port of its own loopback leads to the collector, since not every exporter knows of proxies.
    pub fn endpoint(&self, network: &str) -> String {
        if let Some(port) = self.port_inside(network) {
            return format!("http://127.0.0.1:{port}{}", self.path);
        }
        let scheme = if self.is_encrypted { "https" } else { "http" };
        let peer = if network == "host" { self.peer.clone() } else { self.peer() };
        format!("{scheme}://{peer}{}", self.path)
    }

    fn is_of_this_machine(&self) -> bool {
        match &self.peer.host {
            PeerHost::Name(name) => name.as_str() == "localhost",
            PeerHost::Address(address) => address.is_loopback(),
        }
    }

    /// Returns the port inside that leads to it; none where it is reached by its name, which its certificate must have.
    pub fn port_inside(&self, network: &str) -> Option<u16> {
        (network == GUARD && !self.is_encrypted).then_some(if self.peer.port == PORT { PORT + 1 } else { self.peer.port })
    }

    /// Returns it as containers name it.
    pub fn peer(&self) -> Peer {
        let this_machine = || PeerHost::new(THIS_MACHINE.as_bytes()).ok().filter(|_| self.is_of_this_machine());
        Peer { host: this_machine().unwrap_or_else(|| self.peer.host.clone()), port: self.peer.port }
    }

    /// Returns the rule that lets a guarded run reach it, wherever its address is: the person named it.
    pub fn rule(&self) -> EgressRule {
        let Peer { host, port } = self.peer();
        EgressRule { host: RuleHost::Exact(host), port: Some(port), private: true }
    }
}

/// How a tool is told to report; `{endpoint}` stands for the collector's URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryRules {
    /// Variables, whatever the wire.
    pub env: BTreeMap<String, String>,
    pub grpc: WireWords,
    pub http: WireWords,
}

/// What is said for one wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WireWords {
    pub env: BTreeMap<String, String>,
    /// Words behind the program, before the person's.
    pub args: Vec<String>,
}

impl TelemetryRules {
    fn of(&self, wire: OtlpWire) -> &WireWords {
        match wire {
            OtlpWire::Grpc => &self.grpc,
            OtlpWire::Http => &self.http,
        }
    }

    /// Returns the variables by which the tool reports to a collector.
    pub fn variables(&self, collector: &Collector, network: &str) -> Vec<(String, String)> {
        let endpoint = collector.endpoint(network);
        let all = self.env.iter().chain(&self.of(collector.wire).env);
        all.map(|(name, value)| (name.clone(), value.replace("{endpoint}", &endpoint))).collect()
    }

    /// Returns the words by which it does.
    pub fn words(&self, collector: &Collector, network: &str) -> Vec<String> {
        let endpoint = collector.endpoint(network);
        self.of(collector.wire).args.iter().map(|word| word.replace("{endpoint}", &endpoint)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str, inside: &str, rule: &str) {
        let collector: Collector = text.parse().unwrap();
        assert_eq!(collector.to_string(), shown);
        assert_eq!(collector.endpoint("bridge"), inside);
        assert_eq!(collector.rule().to_string(), rule);
    }

    // DA-04
    #[test]
    fn a_collector_is_named_by_its_wire_and_place() {
        check("otlp://localhost", "otlp://localhost:4317", "http://host.docker.internal:4317", "host.docker.internal:4317!private");
        check("otlps://otel.corp:443", "otlps://otel.corp:443", "https://otel.corp:443", "otel.corp:443!private");
        check("http://127.0.0.1:9/", "http://127.0.0.1:9", "http://host.docker.internal:9", "host.docker.internal:9!private");
        check("https://[::1]/a/b", "https://[::1]:4318/a/b", "https://host.docker.internal:4318/a/b", "host.docker.internal:4318!private");
        check("http://10.0.0.5", "http://10.0.0.5:4318", "http://10.0.0.5:4318", "10.0.0.5:4318!private");
        let endpoint = |text: &str, network: &str| text.parse::<Collector>().unwrap().endpoint(network);
        assert_eq!(endpoint("otlp://localhost", "host"), "http://localhost:4317");
        assert_eq!(endpoint("otlp://otel.corp", "guard"), "http://127.0.0.1:4317");
        assert_eq!(endpoint("http://otel.corp:3128/x", "guard"), "http://127.0.0.1:3129/x");
        assert_eq!(endpoint("https://otel.corp", "guard"), "https://otel.corp:4318");
    }

    #[test]
    fn what_is_no_collector_is_refused() {
        for (text, why) in [
            ("localhost:4317", "it begins with none of"),
            ("otlp://", "its host and port are none"),
            ("otlp://a b", "its host and port are none"),
            ("otlp://host:0", "its host and port are none"),
            ("otlp://host:99999", "its host and port are none"),
            ("otlp://host/v1", "its path is none"),
            ("https://host/\"x", "its path is none"),
            ("https://user:key@host", "env.pass"),
        ] {
            let failure = text.parse::<Collector>().unwrap_err();
            assert!(failure.contains(why), "{text}: {failure}");
        }
    }
}

//! A host in the one spelling that is compared, and the port on it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::core::guard::EgressRefusal;

/// The name by which a container reaches a service of the machine that it runs on.
pub const THIS_MACHINE: &str = "host.docker.internal";

/// A host's name: lower case, no dot at the end, letters, digits, hyphens and underscores between dots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostName(String);

impl HostName {
    /// Returns the name that these bytes spell.
    ///
    /// # Errors
    /// For what is no name, and for numbers that the resolver would take for an address (inet_aton(3): `127.1`, `0x7f.1`, `2130706433`).
    pub fn new(raw: &[u8]) -> Result<Self, EgressRefusal> {
        let text = std::str::from_utf8(raw).map_err(|_| EgressRefusal::BadName)?;
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if text.is_empty() || text.len() > 253 || !text.split('.').all(is_label) {
            return Err(EgressRefusal::BadName);
        }
        let last = text.rsplit('.').next().unwrap_or_default();
        let is_hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if is_hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(EgressRefusal::Literal);
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is a name below `parent`, label by label.
    pub fn is_below(&self, parent: &Self) -> bool {
        self.0.strip_suffix(&parent.0).is_some_and(|head| head.len() > 1 && head.ends_with('.'))
    }
}

fn is_label(label: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(is_known)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerHost {
    Name(HostName),
    /// Spelled in full, as RFC 3986 has it: `192.0.2.1`, `[2001:db8::1]`.
    Address(IpAddr),
}

impl PeerHost {
    /// Reads a name, or an address in its one canonical spelling.
    pub fn new(raw: &[u8]) -> Result<Self, EgressRefusal> {
        let text = std::str::from_utf8(raw).map_err(|_| EgressRefusal::BadName)?;
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(EgressRefusal::BadName)?;
            return inner.parse::<Ipv6Addr>().map(|address| Self::Address(address.into())).map_err(|_| EgressRefusal::BadName);
        }
        match text.parse::<IpAddr>() {
            // Without brackets, nobody knows where the port of such an address begins.
            Ok(IpAddr::V6(_)) => Err(EgressRefusal::BadName),
            Ok(address) => Ok(Self::Address(address)),
            Err(_) => HostName::new(raw).map(Self::Name),
        }
    }
}

impl fmt::Display for PeerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// Who is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub host: PeerHost,
    pub port: u16,
}

impl Peer {
    /// Reads `host:port`. Where there is no port, it is `default`, or what was read is no peer.
    pub fn parse(authority: &[u8], default: Option<u16>) -> Result<Self, EgressRefusal> {
        let end_of_host = authority.iter().rposition(|byte| *byte == b']').unwrap_or(0);
        let colon = authority.iter().rposition(|byte| *byte == b':').filter(|at| *at >= end_of_host);
        let (host, port) = match colon {
            Some(at) => (&authority[..at], parse_port(&authority[at + 1..])),
            None => (authority, default),
        };
        Ok(Self { host: PeerHost::new(host)?, port: port.ok_or(EgressRefusal::BadName)? })
    }
}

impl Peer {
    /// Returns whether this is how a program in the container calls the container itself.
    pub fn is_inside(&self) -> bool {
        match &self.host {
            PeerHost::Name(name) => name.as_str() == "localhost",
            PeerHost::Address(address) => address.is_loopback(),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Reads a port in its one spelling: no sign, no zero in front.
pub fn parse_port(digits: &[u8]) -> Option<u16> {
    let is_plain = digits.first().is_some_and(|first| *first != b'0') && digits.iter().all(u8::is_ascii_digit);
    is_plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use EgressRefusal::{BadName, Literal};

    #[track_caller]
    fn check(authority: impl AsRef<[u8]>, expected: Result<&str, EgressRefusal>) {
        let authority = authority.as_ref();
        let found = Peer::parse(authority, None).map(|peer| peer.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{}", authority.escape_ascii());
    }

    // GU-02, Z-077
    #[test]
    fn a_name_has_one_spelling() {
        check("api.example.com:443", Ok("api.example.com:443"));
        check("API.Example.COM:443", Ok("api.example.com:443"));
        check("api.example.com.:443", Ok("api.example.com:443"));
        check("xn--bcher-kva.example:8443", Ok("xn--bcher-kva.example:8443"));
        check("_srv.example.com:1", Ok("_srv.example.com:1"));
        check(format!("{}.com:443", "a".repeat(63)), Ok(&format!("{}.com:443", "a".repeat(63))));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a..",
            "-a.com",
            "a-.com",
            "a b",
            "a@b.com",
            "a%2eb.com",
            "a#b.com",
            "a/b",
            "a?b",
            "a\\b",
            "*.com",
            "a\0.com",
            "evil.com\0.allowed.com",
            "a\r.com",
            "a\n.com",
            "a\t.com",
            "bücher.example",
            "ｅxample.com",
            "a。b",
            "user:pw@a.com",
        ] {
            check(format!("{name}:443"), Err(BadName));
        }
        check(format!("{}.com:443", "a".repeat(64)), Err(BadName));
        check(format!("{}com:443", "a.".repeat(126)), Err(BadName));
        check(b"\xff.com:443", Err(BadName));
    }

    #[test]
    fn an_address_is_one_only_in_full() {
        check("192.0.2.1:443", Ok("192.0.2.1:443"));
        check("[2001:DB8::1]:443", Ok("[2001:db8::1]:443"));
        check("[::ffff:10.0.0.1]:443", Ok("[::ffff:10.0.0.1]:443"));
        for old in ["127.1", "0x7f.1", "0x7f000001", "0177.0.0.1", "2130706433", "1.2.3", "1.2.3.4.5", "256.1.1.1", "127.0.0.1."] {
            check(format!("{old}:443"), Err(Literal));
        }
        for broken in ["::1", "[::1", "[::1%lo]", "[::1]x", "[127.0.0.1]"] {
            check(format!("{broken}:443"), Err(BadName));
        }
    }

    #[test]
    fn a_port_has_one_spelling_too() {
        for port in ["", "+443", "0443", "0", "65536", "-1", " 443", "443 ", "443x", "0x1bb", "４４３"] {
            check(format!("example.com:{port}"), Err(BadName));
        }
        check("example.com", Err(BadName));
        check("[2001:db8::1]", Err(BadName));
        assert_eq!(Peer::parse(b"example.com", Some(80)).unwrap().to_string(), "example.com:80");
        assert_eq!(Peer::parse(b"[2001:db8::1]", Some(80)).unwrap().to_string(), "[2001:db8::1]:80");
    }
}

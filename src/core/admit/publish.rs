//! Ports of the container that the host can reach.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use serde::Deserialize;

/// One port. Only the host itself reaches it, unless an address says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Publish {
    pub address: IpAddr,
    pub host: u16,
    pub inside: u16,
    pub protocol: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl FromStr for Publish {
    type Err = String;

    /// Reads `3000`, `8080:80`, `127.0.0.1:8080:80`, `[::1]:8080:80`, each with `/udp` behind it or not.
    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("`{text}` is no port such as 3000, 8080:80 or 0.0.0.0:8080:80");
        let (ports, protocol) = match text.split_once('/') {
            None | Some((_, "tcp")) => (text.split('/').next().unwrap_or(text), Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some(_) => return Err(invalid()),
        };
        let port = |text: &str| Some(text).filter(|text| is_number(text)).and_then(|text| text.parse().ok()).filter(|port| *port > 0);
        let (rest, inside) = ports.rsplit_once(':').map_or((None, ports), |(rest, inside)| (Some(rest), inside));
        let inside = port(inside).ok_or_else(invalid)?;
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (address, host) = match rest {
            None => (loopback, inside),
            Some(host) if is_number(host) => (loopback, port(host).ok_or_else(invalid)?),
            Some(both) => {
                let (address, host) = both.rsplit_once(':').ok_or_else(invalid)?;
                let address = address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(address);
                (address.parse().map_err(|_| invalid())?, port(host).ok_or_else(invalid)?)
            }
        };
        Ok(Self { address, host, inside, protocol })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Publish {
    /// Returns whether it takes the host's side of another one by being for every address.
    pub fn covers(&self, other: &Self) -> bool {
        let is_same = self.host == other.host && self.protocol == other.protocol && self.address.is_ipv4() == other.address.is_ipv4();
        is_same && self.address.is_unspecified() && !other.address.is_unspecified()
    }
}

impl TryFrom<String> for Publish {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Publish {
    /// Spells it as the engines do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}")?,
            IpAddr::V6(address) => write!(f, "[{address}]")?,
        }
        write!(f, ":{}:{}", self.host, self.inside)?;
        if self.protocol == Protocol::Udp { f.write_str("/udp") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_for_this_machine_alone_unless_an_address_is_written() {
        for (text, expected) in [
            ("3000", "127.0.0.1:3000:3000"),
            ("8080:80", "127.0.0.1:8080:80"),
            ("0.0.0.0:8080:80", "0.0.0.0:8080:80"),
            ("[::1]:8080:80", "[::1]:8080:80"),
            ("53/udp", "127.0.0.1:53:53/udp"),
            ("53:5353/tcp", "127.0.0.1:53:5353"),
        ] {
            assert_eq!(text.parse::<Publish>().unwrap().to_string(), expected);
        }
        for text in ["", "0", "65536", "-1", "+80", "a:80", "80:", ":80", "80:80:80", "1.2.3:80:80", "80/sctp", "80/udp/udp", " 80"] {
            assert!(text.parse::<Publish>().is_err(), "{text}");
        }
    }
}

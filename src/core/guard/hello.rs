//! The name of the server in a TLS ClientHello (RFC 8446, 4.1.2; RFC 6066, 3): just enough of the format to compare it.

use crate::core::guard::EgressRefusal;
use crate::core::guard::peer::{HostName, Peer, PeerHost};

/// The most bytes that a hello may have before anybody answers.
pub const LONGEST: usize = 32 << 10;

/// What a client said first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// It may become one.
    More,
    NotTls,
    Broken,
    Whole(ServerName),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerName {
    pub name: Option<String>,
    /// Encrypted Client Hello: the name that is seen is not the name that is meant.
    pub is_hidden: bool,
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// RFC 8446, 5.2, with the room that older versions have.
const LONGEST_RECORD: usize = (16 << 10) + 256;
const SERVER_NAME: usize = 0;
const ENCRYPTED_HELLO: usize = 0xfe0d;

/// Bytes that are read from the front.
#[derive(Clone, Copy)]
struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    /// Takes a number of `width` bytes.
    fn number(&mut self, width: usize) -> Option<usize> {
        Some(self.take(width)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// Takes what stands behind its own length of `width` bytes.
    fn vector(&mut self, width: usize) -> Option<Self> {
        let length = self.number(width)?;
        self.take(length).map(Self)
    }
}

impl Hello {
    /// Reads what has come so far. A hello may be spread over several records.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut message = Vec::new();
        let mut rest = Cut(bytes);
        loop {
            match whole(&message) {
                Err(()) => return Self::Broken,
                Ok(Some(body)) => return server_name(body).map_or(Self::Broken, Self::Whole),
                Ok(None) => {}
            }
            match rest.0.first() {
                None => return Self::More,
                Some(&HANDSHAKE) => {}
                Some(_) if message.is_empty() => return Self::NotTls,
                Some(_) => return Self::Broken,
            }
            let mut record = rest;
            let Some(length) = record.take(3).and_then(|_| record.number(2)) else { return Self::More };
            if length == 0 || length > LONGEST_RECORD {
                return Self::Broken;
            }
            let Some(part) = record.take(length) else { return Self::More };
            message.extend_from_slice(part);
            rest = record;
        }
    }

    /// Returns what is wrong with this hello to a peer that a rule allows. `None`: more must come.
    pub fn judge(&self, peer: &Peer) -> Option<Result<(), EgressRefusal>> {
        Some(match self {
            Self::More => return None,
            // What is no TLS has no name to compare; where https is meant, it must be TLS.
            Self::NotTls if peer.port != 443 => Ok(()),
            Self::NotTls | Self::Broken => Err(EgressRefusal::NoTls),
            Self::Whole(ServerName { is_hidden: true, .. }) => Err(EgressRefusal::HiddenServerName),
            Self::Whole(ServerName { name: Some(name), .. }) => match (&peer.host, HostName::new(name.as_bytes())) {
                (PeerHost::Name(host), Ok(name)) if name == *host => Ok(()),
                _ => Err(EgressRefusal::OtherServerName(name.chars().take(100).collect())),
            },
            // RFC 6066, 3: an address is never named.
            Self::Whole(_) if matches!(peer.host, PeerHost::Address(_)) => Ok(()),
            Self::Whole(_) => Err(EgressRefusal::NoServerName),
        })
    }
}

/// Returns the body of the message once all of it is there; an error if it can be no hello.
fn whole(message: &[u8]) -> Result<Option<Cut<'_>>, ()> {
    let mut cut = Cut(message);
    let (Some(kind), Some(length)) = (cut.number(1), cut.number(3)) else { return Ok(None) };
    if kind != usize::from(CLIENT_HELLO) || length > LONGEST {
        return Err(());
    }
    Ok(cut.take(length).map(Cut))
}

fn server_name(mut body: Cut) -> Option<ServerName> {
    body.take(2 + 32)?;
    for width in [1, 2, 1] {
        body.vector(width)?;
    }
    let mut found = ServerName::default();
    if body.0.is_empty() {
        return Some(found);
    }
    let mut extensions = body.vector(2)?;
    if !body.0.is_empty() {
        return None;
    }
    while !extensions.0.is_empty() {
        let kind = extensions.number(2)?;
        let mut extension = extensions.vector(2)?;
        if kind == ENCRYPTED_HELLO {
            found.is_hidden = true;
        } else if kind == SERVER_NAME {
            let mut list = extension.vector(2)?;
            let is_host = list.number(1)? == 0;
            let name = list.vector(2)?;
            // Two names, and nobody could say which one the server takes.
            if !is_host || !list.0.is_empty() || found.name.is_some() {
                return None;
            }
            found.name = Some(std::str::from_utf8(name.0).ok()?.to_owned());
        }
    }
    Some(found)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use EgressRefusal::{HiddenServerName, NoServerName, NoTls, OtherServerName};

    fn vector(width: usize, bytes: &[u8]) -> Vec<u8> {
        [&bytes.len().to_be_bytes()[8 - width..], bytes].concat()
    }

    fn name(host: &str) -> Vec<u8> {
        [&[0, 0][..], &vector(2, &vector(2, &[&[0][..], &vector(2, host.as_bytes())].concat()))].concat()
    }

    fn message(extensions: &[u8]) -> Vec<u8> {
        let body = [&[3, 3][..], &[7; 32], &vector(1, &[]), &vector(2, &[0x13, 1]), &vector(1, &[0]), &vector(2, extensions)].concat();
        [&[1][..], &vector(3, &body)].concat()
    }

    fn record(bytes: &[u8]) -> Vec<u8> {
        [&[22, 3, 1][..], &vector(2, bytes)].concat()
    }

    /// A hello to `host`.
    pub fn hello(host: &str) -> Vec<u8> {
        record(&message(&name(host)))
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<Result<(), EgressRefusal>>) {
        let peer = Peer::parse(b"api.example.com:443", None).unwrap();
        assert_eq!(Hello::parse(bytes).judge(&peer), expected, "{}", bytes.escape_ascii());
    }

    // GU-02, Z-077
    #[test]
    fn the_server_must_be_the_one_that_was_asked_for() {
        check(&hello("api.example.com"), Some(Ok(())));
        check(&hello("API.example.COM"), Some(Ok(())));
        check(&hello("api.example.com."), Some(Ok(())));
        let more: Vec<u8> = [hello("api.example.com"), b"and what follows".to_vec()].concat();
        check(&more, Some(Ok(())));
        for other in ["evil.com", "api.example.com.evil.com", "example.com", "", "api.example.com\0", "127.0.0.1"] {
            check(&hello(other), Some(Err(OtherServerName(other.into()))));
        }
        check(&record(&message(&[])), Some(Err(NoServerName)));
        check(&record(&message(&[name("api.example.com"), vec![0xfe, 0x0d, 0, 0]].concat())), Some(Err(HiddenServerName)));
    }

    #[test]
    fn a_hello_may_come_in_any_pieces() {
        let whole = hello("api.example.com");
        for end in 0..whole.len() {
            check(&whole[..end], None);
        }
        let inner = message(&name("api.example.com"));
        for at in [1, 3, 4, 5, inner.len() - 1] {
            check(&[record(&inner[..at]), record(&inner[at..])].concat(), Some(Ok(())));
        }
    }

    #[test]
    fn what_is_no_hello_is_refused() {
        check(b"GET / HTTP/1.1\r\n", Some(Err(NoTls)));
        check(b"SSH-2.0-x\r\n", Some(Err(NoTls)));
        check(b"PRI * HTTP/2.0\r\n", Some(Err(NoTls)));
        check(&[22, 3, 1, 0, 0], Some(Err(NoTls)));
        check(&[22, 3, 1, 0xff, 0xff], Some(Err(NoTls)));
        check(&record(&[2, 0, 0, 1, 0]), Some(Err(NoTls)));
        check(&record(&[1, 0xff, 0, 0]), Some(Err(NoTls)));
        check(&[record(&[1]), b"GET".to_vec()].concat(), Some(Err(NoTls)));
        check(&record(&message(&[name("api.example.com"), name("api.example.com")].concat())), Some(Err(NoTls)));
        let two = [&[0, 0][..], &vector(2, &vector(2, &[&[0][..], &vector(2, b"a"), &[0], &vector(2, b"b")].concat()))].concat();
        check(&record(&message(&two)), Some(Err(NoTls)));
        let mut cut = message(&name("api.example.com"));
        cut.truncate(cut.len() - 2);
        let length = cut.len() - 4;
        cut[3] = u8::try_from(length).unwrap();
        check(&record(&cut), Some(Err(NoTls)));
    }

    #[test]
    fn other_ports_may_speak_what_they_like_but_not_tls_to_others() {
        let peer = Peer::parse(b"api.example.com:22", None).unwrap();
        assert_eq!(Hello::parse(b"SSH-2.0-x\r\n").judge(&peer), Some(Ok(())));
        assert_eq!(Hello::parse(&hello("evil.com")).judge(&peer), Some(Err(OtherServerName("evil.com".into()))));
        let address = Peer::parse(b"192.0.2.1:443", None).unwrap();
        assert_eq!(Hello::parse(&record(&message(&[]))).judge(&address), Some(Ok(())));
        assert_eq!(Hello::parse(&hello("a.com")).judge(&address), Some(Err(OtherServerName("a.com".into()))));
    }
}

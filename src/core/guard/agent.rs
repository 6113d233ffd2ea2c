//! What an SSH agent does for a container: some keys, some purposes, some hosts. Everything else is refused.
//!
//! Requests are those of draft-ietf-sshm-ssh-agent, with `session-bind@openssh.com` (OpenSSH, PROTOCOL.agent). A login is signed only
//! for a session that the real agent has seen a host's own signature for, so what runs inside cannot say to whom it logs in.

use std::collections::BTreeSet;

use crate::core::text::base64;

/// The most bytes of a request or an answer, as OpenSSH has it.
pub const LONGEST: usize = 256 << 10;
/// The answer that says no.
pub const FAILURE: &[u8] = &[5];

const SUCCESS: u8 = 6;
const LIST: u8 = 11;
const LISTED: u8 = 12;
const SIGN: u8 = 13;
const EXTENSION: u8 = 27;
const LOGIN: u8 = 50;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentRules {
    /// The keys that a container sees; any where there is no such list.
    pub keys: Option<BTreeSet<Vec<u8>>>,
    /// The keys of the hosts that it may log in to; any where there is no such list.
    pub hosts: Option<BTreeSet<Vec<u8>>>,
    /// The namespaces of file signatures: `git` for commits and tags.
    pub sign: Vec<String>,
}

/// A session that a host has proven to be its own, on one connection to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundSession {
    session: Vec<u8>,
    host: Vec<u8>,
}

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentStep {
    /// Pass it on, and take out of the answer what is not chosen.
    List,
    /// Pass it on; what for, in words.
    Sign(String),
    /// Pass it on; if the agent agrees, the session counts as bound.
    Bind(Option<BoundSession>),
    Refuse(String),
}

/// Bytes that are read from the front.
#[derive(Clone, Copy)]
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*head))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn is_over(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

impl AgentRules {
    /// Decides about one request of a connection on which these sessions are bound.
    pub fn judge(&self, bound: &[BoundSession], request: &[u8]) -> AgentStep {
        let body = request.get(1..).unwrap_or_default();
        let refuse = |why: &str| AgentStep::Refuse(why.to_owned());
        match request.first() {
            Some(&LIST) if body.is_empty() => AgentStep::List,
            Some(&SIGN) => self.sign(bound, body).map_or_else(AgentStep::Refuse, AgentStep::Sign),
            Some(&EXTENSION) => self.bind(body).unwrap_or_else(|| refuse("an extension")),
            // Up to 9 they are of the first protocol; ssh-add(1) still asks by both.
            Some(7 | 17 | 25 | 20 | 26) => refuse("to add a key"),
            Some(8 | 9 | 18 | 19 | 21) => refuse("to remove keys"),
            Some(22 | 23) => refuse("to lock the agent"),
            _ => refuse("an unknown request"),
        }
    }

    fn has(&self, key: &[u8]) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains(key))
    }

    fn sign(&self, bound: &[BoundSession], body: &[u8]) -> Result<String, String> {
        let mut wire = Wire(body);
        let request = (|| {
            let (key, data) = (wire.string()?, wire.string()?);
            wire.number()?;
            wire.is_over().map(|()| (key, data))
        })();
        let (key, data) = request.ok_or("a signature that was asked for in a broken way")?;
        if !self.has(key) {
            return Err("a signature by a key that is not chosen".into());
        }
        if let Some(rest) = data.strip_prefix(b"SSHSIG") {
            let namespace = namespace(rest).ok_or("a signature over something unknown")?;
            let is_known = self.sign.contains(&namespace);
            return if is_known {
                Ok(format!("a signature for {namespace}"))
            } else {
                Err(format!("a signature for `{}`", short(&namespace)))
            };
        }
        let login = AgentLogin::parse(data, key).ok_or("a signature over something unknown")?;
        let Some(_) = &self.hosts else { return Ok(format!("a login as {}", short(&login.user))) };
        let session = bound.iter().find(|bound| bound.session == login.session);
        let session = session.ok_or("a login to a host that is not in your known_hosts")?;
        if login.host.is_some_and(|host| host != session.host) {
            return Err("a login to another host than the one that was proven".into());
        }
        Ok(format!("a login as {}", short(&login.user)))
    }

    fn bind(&self, body: &[u8]) -> Option<AgentStep> {
        let mut wire = Wire(body);
        if wire.string()? != b"session-bind@openssh.com" {
            return None;
        }
        let (host, session, _signature, forwarding) = (wire.string()?, wire.string()?, wire.string()?, wire.byte()?);
        wire.is_over()?;
        // A session that only passes the agent on to another machine proves nothing about who logs in from there.
        let is_known = self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host));
        let counts = is_known && forwarding == 0;
        Some(AgentStep::Bind(counts.then(|| BoundSession { session: session.to_owned(), host: host.to_owned() })))
    }

    /// Returns the agent's list without the keys that are not chosen, and without their comments, which are paths and addresses.
    pub fn chosen(&self, answer: &[u8]) -> Vec<u8> {
        let kept = (|| {
            let mut wire = Wire(answer);
            let (LISTED, count) = (wire.byte()?, wire.number()?) else { return None };
            let mut kept = Vec::new();
            for _ in 0..count {
                let (key, _comment) = (wire.string()?, wire.string()?);
                if self.has(key) {
                    kept.push(key);
                }
            }
            Some(kept)
        })();
        let Some(kept) = kept else { return FAILURE.to_vec() };
        let size = |length: usize| u32::try_from(length).unwrap_or_default().to_be_bytes();
        let mut list = [&[LISTED][..], &size(kept.len())].concat();
        for key in kept {
            list.extend_from_slice(&[&size(key.len())[..], key, &size(3), b"key"].concat());
        }
        list
    }
}

/// Returns whether an agent's answer says yes.
pub fn is_success(answer: &[u8]) -> bool {
    answer == [SUCCESS]
}

fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(40).collect()
}

/// Returns the namespace of a file signature (OpenSSH, PROTOCOL.sshsig), if the data is one to its last byte.
fn namespace(rest: &[u8]) -> Option<String> {
    let mut wire = Wire(rest);
    let (namespace, _reserved, _hash, _message) = (wire.string()?, wire.string()?, wire.string()?, wire.string()?);
    wire.is_over()?;
    String::from_utf8(namespace.to_owned()).ok()
}

/// A login by public key (RFC 4252, 7), with the host's key where OpenSSH binds it to that.
struct AgentLogin<'a> {
    session: &'a [u8],
    user: String,
    host: Option<&'a [u8]>,
}

impl<'a> AgentLogin<'a> {
    fn parse(data: &'a [u8], key: &[u8]) -> Option<Self> {
        let mut wire = Wire(data);
        let session = wire.string().filter(|session| !session.is_empty())?;
        if wire.byte()? != LOGIN {
            return None;
        }
        let user = String::from_utf8(wire.string()?.to_owned()).ok()?;
        let (service, method, has_signature, _algorithm) = (wire.string()?, wire.string()?, wire.byte()?, wire.string()?);
        if service != b"ssh-connection" || has_signature != 1 || wire.string()? != key {
            return None;
        }
        let host = match method {
            b"publickey" => None,
            b"publickey-hostbound-v00@openssh.com" => Some(wire.string()?),
            _ => return None,
        };
        wire.is_over()?;
        Some(Self { session, user, host })
    }
}

/// Returns the keys in a text as `known_hosts`, `authorized_keys` and `*.pub` have them. Lines with a mark (`@revoked`,
/// `@cert-authority`) stand for no key of a host.
pub fn keys_in(text: &str) -> BTreeSet<Vec<u8>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['#', '@']));
    lines.flat_map(|line| line.split_whitespace().filter(|word| word.starts_with("AAAA")).filter_map(base64::decode)).collect()
}

#[cfg(test)]
mod tests;

//! A request that gets the person's key on the way to its vendor: which one does, and what the vendor hears of it.
//!
//! The container has something in place of the key. What it says is judged here, a request at a time; nothing behind the body of one
//! is passed on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::guard::head::ProxyHead;
use crate::core::guard::key::body::RequestBody;
use crate::core::guard::key::fields::{goes_along, query_of};
use crate::core::guard::key::listed::{Listed, is_plain_path};
use crate::core::plan::secret::SecretSource;

pub mod body;
pub mod fields;
pub mod listed;

/// The first part of the path by which programs ask the helper for this.
pub const PLACE: &str = "/keys";
/// What the container has in place of a key.
pub const SENTINEL: &str = "outside-of-the-container";
/// Most requests with a key in a minute.
pub const MOST: u32 = 300;

/// What the helper is told of a key; the key is told by another way, and written nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOrder {
    /// The vendor: host and port.
    pub peer: String,
    /// Whether its address may be one that is not public.
    pub private: bool,
    /// What stands before each path there.
    pub base: String,
    pub paths: Vec<String>,
    /// Which fields and words of the query go along, beside what any request has.
    pub fields: Vec<String>,
    pub query: Vec<String>,
    pub header: String,
    /// Its name, and where it is.
    pub name: String,
    pub from: KeySource,
    /// The host's own `openssl`, which does what is TLS.
    pub openssl: PathBuf,
    /// A file of certificate authorities beside the system's.
    pub authorities: Option<PathBuf>,
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// Fetched when the run begins.
    Secret(SecretSource),
    /// In the login of this tool: read for each request, since it is renewed while the run lasts.
    Login { tool: String, at: LoginPlaces },
}

/// Where in a login's document a token is, and what goes along with it, as JSON pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginPlaces {
    pub token: String,
    /// Fields of a request by their names.
    pub also: BTreeMap<String, String>,
}

/// What is put into a request: a key, and the fields that belong to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub key: String,
    pub also: Vec<(String, String)>,
}

/// What a program says to whom it is connected to: not worth a word that it is not passed on.
const HOP: [&str; 3] = ["host", "connection", "keep-alive"];

/// Seconds before the end of a login at which it is renewed.
pub const NEAR: u64 = 300;

impl LoginPlaces {
    /// Returns what a credential document has at these places; `None` without a token.
    pub fn find(&self, document: &[u8]) -> Option<Credential> {
        let document: serde_json::Value = serde_json::from_slice(document).ok()?;
        let text = |at: &String| document.pointer(at)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let also = self.also.iter().filter_map(|(name, at)| Some((name.clone(), text(at)?))).collect();
        Some(Credential { key: text(&self.token)?, also })
    }
}

/// Why a request gets no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// The path or its query could be read in two ways.
    Target,
    /// It is not one of those that get one.
    NotListed,
    /// It would be no HTTP any more.
    Upgrade,
    /// Where its body ends could be read in two ways.
    Framing,
    TooMany,
    NoKey,
    Unreachable(String),
}

impl KeyRefusal {
    /// Returns the status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Target | Self::NotListed => 403,
            // What programs go on from without it (measured: Codex 0.169).
            Self::Upgrade => 426,
            Self::Framing => 400,
            Self::TooMany => 429,
            // As its vendor would say: what programs do not try again.
            Self::NoKey => 401,
            Self::Unreachable(_) => 502,
        }
    }

    pub fn words(&self) -> &str {
        match self {
            Self::Target => "a path that can be read in two ways",
            Self::NotListed => "not one of the requests that get your key",
            Self::Upgrade => "no change of protocol gets your key",
            Self::Framing => "a body of which the end can be read in two ways",
            Self::TooMany => "more than 300 requests in a minute",
            Self::NoKey => "there is no key any more, or its login has ended",
            Self::Unreachable(why) => why,
        }
    }
}

/// Returns the name and the value of the field that a rule describes, with this key.
pub fn header_of(rule: &str, key: &str) -> Option<(String, Vec<u8>)> {
    let (name, value) = rule.split_once(": ")?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    (is_name && is_key && value.contains("{key}")).then(|| (name.to_owned(), value.replace("{key}", key).into_bytes()))
}

/// Returns the beginning of an answer with the word that its connection ends behind it: a program that were to ask again there would
/// be asked to try once more, and some wait for seconds before they do [m: Gemini CLI 0.61].
pub fn closing(answer: &[u8]) -> Vec<u8> {
    let line = answer.iter().position(|byte| *byte == b'\n').filter(|_| answer.starts_with(b"HTTP/1."));
    let (line, rest) = answer.split_at(line.map_or(0, |line| line + 1));
    let field: &[u8] = if line.is_empty() { b"" } else { b"Connection: close\r\n" };
    [line, field, rest].concat()
}

/// A request that gets the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// The vendor's own path, with what is listed of its query.
    pub target: String,
    /// The rule that lists it.
    pub listed: String,
    /// The fields that go along.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The names of those that do not; words of the query begin with `?`.
    pub dropped: Vec<String>,
    pub body: RequestBody,
}

impl KeyOrder {
    /// Judges what a container asks for; `None` if it is not for this at all.
    pub fn judge(&self, head: &ProxyHead) -> Option<Result<KeyedRequest, KeyRefusal>> {
        let target = std::str::from_utf8(head.own_path()).ok()?.strip_prefix(PLACE)?;
        target.starts_with('/').then(|| self.judge_path(head, target))
    }

    fn judge_path(&self, head: &ProxyHead, target: &str) -> Result<KeyedRequest, KeyRefusal> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !is_plain_path(path) {
            return Err(KeyRefusal::Target);
        }
        if head.values("upgrade").next().is_some() {
            return Err(KeyRefusal::Upgrade);
        }
        let is_listed = |rule: &&String| rule.parse::<Listed>().is_ok_and(|listed| listed.names(&head.method, path));
        let listed = self.paths.iter().find(is_listed).ok_or(KeyRefusal::NotListed)?.clone();
        let (query, mut dropped) = query_of(&self.query, query).ok_or(KeyRefusal::Target)?;
        let body = RequestBody::of(head).ok_or(KeyRefusal::Framing)?;
        let mut fields = Vec::new();
        for (name, value) in &head.fields {
            let small = name.to_ascii_lowercase();
            if self.is_ours(&small) || HOP.contains(&&*small) {
                continue;
            }
            if goes_along(&self.fields, &small) {
                fields.push((name.clone(), value.clone()));
            } else {
                dropped.push(small);
            }
        }
        let mark = if query.is_empty() { "" } else { "?" };
        Ok(KeyedRequest { target: format!("{}{path}{mark}{query}", self.base), listed, fields, dropped, body })
    }

    /// Returns whether a field of this name is one that we put in, also where the login says nothing of it.
    fn is_ours(&self, name: &str) -> bool {
        // Some servers read `_` as `-`.
        let name = name.replace('_', "-");
        let is_also = matches!(&self.from, KeySource::Login { at, .. } if at.also.contains_key(&name));
        is_also || self.header.split(": ").next() == Some(&name)
    }

    /// Returns the head that the vendor gets: what is listed of the container's, and ours.
    pub fn head(&self, asked: &KeyedRequest, head: &ProxyHead, host: &str, credential: &Credential) -> Option<Vec<u8>> {
        let mut own = vec![header_of(&self.header, &credential.key)?];
        for (name, value) in &credential.also {
            own.push(header_of(&format!("{name}: {{key}}"), value)?);
        }
        let fields = asked.fields.iter().cloned().chain(own).collect();
        Some(ProxyHead { fields, ..head.clone() }.for_server(host, asked.target.as_bytes()))
    }
}

/// Counts the requests of a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyPace {
    minute: u64,
    count: u32,
}

impl KeyPace {
    /// Returns whether one more may go at this second.
    pub fn admits(&mut self, second: u64) -> bool {
        if self.minute != second / 60 {
            *self = Self { minute: second / 60, count: 0 };
        }
        self.count += 1;
        self.count <= MOST
    }
}

#[cfg(test)]
mod tests;

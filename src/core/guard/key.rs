//! A request that gets the person's key on the way to its vendor: which one does, and what the vendor hears of it.
//!
//! The container has something in place of the key. What it says is judged here, a request at a time; nothing behind the body of one
//! is passed on.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::core::guard::head::ProxyHead;
use crate::core::plan::secret::SecretSource;

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
    pub header: String,
    /// Its name, and where it is.
    pub name: String,
    pub from: SecretSource,
    /// The host's own `openssl`, which does what is TLS.
    pub openssl: PathBuf,
    /// A file of certificate authorities beside the system's.
    pub authorities: Option<PathBuf>,
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
            Self::Target | Self::NotListed | Self::Upgrade => 403,
            Self::Framing => 400,
            Self::TooMany => 429,
            Self::NoKey | Self::Unreachable(_) => 502,
        }
    }

    pub fn words(&self) -> &str {
        match self {
            Self::Target => "a path that can be read in two ways",
            Self::NotListed => "not one of the requests that get your key",
            Self::Upgrade => "no change of protocol gets your key",
            Self::Framing => "a body of which the end can be read in two ways",
            Self::TooMany => "more than 300 requests in a minute",
            Self::NoKey => "there is no key any more",
            Self::Unreachable(why) => why,
        }
    }
}

/// A method and a path as a manifest lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    method: String,
    path: String,
}

impl FromStr for Listed {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (method, path) = text.split_once(' ').ok_or(())?;
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_method && is_plain_path(&path.replace('*', "a"))).then(|| Self { method: method.into(), path: path.into() }).ok_or(())
    }
}

impl Listed {
    fn names(&self, method: &str, path: &str) -> bool {
        let (mut own, mut other) = (self.path.split('/'), path.split('/'));
        let is_same = |(own, other): (&str, &str)| own == other || own == "*" && !other.is_empty();
        self.method == method && own.by_ref().zip(other.by_ref()).all(is_same) && self.path.split('/').count() == path.split('/').count()
    }
}

/// Whether everybody reads this path alike: no `%`, no `..`, nothing empty, no parameters.
fn is_plain_path(path: &str) -> bool {
    let is_part = |part: &str| {
        part != "."
            && part != ".."
            && !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte))
    };
    path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_part))
}

/// What a name has in it that may carry a key, or tell the vendor to read the request as another one.
const TELLING: [&str; 10] = ["auth", "key", "token", "cookie", "secret", "credential", "override", "original", "rewrite", "forwarded"];

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

fn is_plain_query(query: &str) -> bool {
    let is_plain = query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~=&,:".contains(&byte));
    is_plain && query.split('&').all(|pair| !is_telling(pair.split('=').next().unwrap_or_default()))
}

/// Returns the name and the value of the field that a rule describes, with this key.
pub fn header_of(rule: &str, key: &str) -> Option<(String, Vec<u8>)> {
    let (name, value) = rule.split_once(": ")?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    (is_name && is_key && value.contains("{key}")).then(|| (name.to_owned(), value.replace("{key}", key).into_bytes()))
}

/// A request that gets the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// The vendor's own path, with its query.
    pub target: String,
    /// The rule that lists it.
    pub listed: String,
    pub body: RequestBody,
}

impl KeyOrder {
    /// Judges what a container asks for; `None` if it is not for this at all.
    pub fn judge(&self, head: &ProxyHead) -> Option<Result<KeyedRequest, KeyRefusal>> {
        let target = std::str::from_utf8(&head.target).ok()?.strip_prefix(PLACE)?;
        target.starts_with('/').then(|| self.judge_path(head, target))
    }

    fn judge_path(&self, head: &ProxyHead, target: &str) -> Result<KeyedRequest, KeyRefusal> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !is_plain_path(path) || !is_plain_query(query) {
            return Err(KeyRefusal::Target);
        }
        let is_listed = |rule: &&String| rule.parse::<Listed>().is_ok_and(|listed| listed.names(&head.method, path));
        let listed = self.paths.iter().find(is_listed).ok_or(KeyRefusal::NotListed)?.clone();
        if head.values("upgrade").next().is_some() {
            return Err(KeyRefusal::Upgrade);
        }
        Ok(KeyedRequest { target: format!("{}{target}", self.base), listed, body: RequestBody::of(head).ok_or(KeyRefusal::Framing)? })
    }

    /// Returns the head that the vendor gets: nothing of the container's that may be a key, and ours.
    pub fn head(&self, asked: &KeyedRequest, head: &ProxyHead, host: &str, key: &str) -> Option<Vec<u8>> {
        let own = header_of(&self.header, key)?;
        let of_hop: Vec<String> = head.values("connection").map(|value| String::from_utf8_lossy(value).to_ascii_lowercase()).collect();
        let stays = |name: &str| {
            let name = name.to_ascii_lowercase();
            let is_of_hop = of_hop.iter().any(|list| list.split(',').any(|known| known.trim() == name));
            let frames = ["content-length", "transfer-encoding"].contains(&name.as_str());
            frames || !is_of_hop && !is_telling(&name) && !["expect", "trailer"].contains(&name.as_str()) && name != own.0
        };
        let fields = head.fields.iter().filter(|(name, _)| stays(name)).cloned();
        let fields = fields.chain([own.clone()]).collect();
        Some(ProxyHead { fields, ..head.clone() }.for_server(host, asked.target.as_bytes()))
    }
}

/// Where the body of a request is, piece by piece as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// So many bytes more.
    Sized(u64),
    Chunked(Chunk),
}

/// What comes next of a body in chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    Size {
        value: u64,
        digits: u8,
    },
    /// The line feed behind a size.
    Begin(u64),
    Data(u64),
    DataReturn,
    DataFeed,
    LastReturn,
    LastFeed,
    Over,
}

const FRESH: Chunk = Chunk::Size { value: 0, digits: 0 };

impl RequestBody {
    /// Returns where the body of a request is; `None` where that is not said in one way.
    fn of(head: &ProxyHead) -> Option<Self> {
        if let Some(coding) = head.values("transfer-encoding").next() {
            return coding.eq_ignore_ascii_case(b"chunked").then_some(Self::Chunked(FRESH));
        }
        let Some(length) = head.values("content-length").next() else { return Some(Self::Sized(0)) };
        let is_number = !length.is_empty() && length.len() < 18 && length.iter().all(u8::is_ascii_digit);
        is_number.then(|| String::from_utf8_lossy(length).parse().ok().map(Self::Sized)).flatten()
    }

    pub fn is_over(&self) -> bool {
        matches!(self, Self::Sized(0) | Self::Chunked(Chunk::Over))
    }

    /// Returns how many of these bytes are the body's; what is behind them is not.
    ///
    /// # Errors
    /// Where they are no body in chunks: an extension, a trailer, a bare line feed.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, KeyRefusal> {
        let mut at = 0;
        while at < bytes.len() && !self.is_over() {
            let (Self::Sized(left) | Self::Chunked(Chunk::Data(left))) = self else {
                let Self::Chunked(chunk) = self else { break };
                *chunk = chunk.after(bytes[at]).ok_or(KeyRefusal::Framing)?;
                at += 1;
                continue;
            };
            let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
            *left -= count as u64;
            at += count;
            if *self == Self::Chunked(Chunk::Data(0)) {
                *self = Self::Chunked(Chunk::DataReturn);
            }
        }
        Ok(at)
    }
}

impl Chunk {
    /// Returns what comes behind this byte.
    fn after(&self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Size { value, digits: 1.. }, b'\r') => Some(Self::Begin(*value)),
            (Self::Size { value, digits: digits @ ..15 }, _) => {
                let digit = char::from(byte).to_digit(16)?;
                Some(Self::Size { value: value << 4 | u64::from(digit), digits: digits + 1 })
            }
            (Self::Begin(0), b'\n') => Some(Self::LastReturn),
            (Self::Begin(size), b'\n') => Some(Self::Data(*size)),
            (Self::DataReturn, b'\r') => Some(Self::DataFeed),
            (Self::DataFeed, b'\n') => Some(FRESH),
            (Self::LastReturn, b'\r') => Some(Self::LastFeed),
            (Self::LastFeed, b'\n') => Some(Self::Over),
            _ => None,
        }
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

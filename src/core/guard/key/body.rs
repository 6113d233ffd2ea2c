//! Where the body of a request ends, which is where the request does.

use crate::core::guard::head::ProxyHead;
use crate::core::guard::key::KeyRefusal;

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
    pub fn of(head: &ProxyHead) -> Option<Self> {
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

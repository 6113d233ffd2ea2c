//! One request of the Engine API, as short as HTTP allows: a question that costs a millisecond instead of a process.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longest time that a local engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer that is read.
const LARGEST: u64 = 16 << 20;

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// The line of the status, and those of the head.
    pub head: String,
    pub body: Vec<u8>,
}

/// `GET path`.
pub fn get(socket: &Path, path: &str) -> io::Result<Response> {
    request(socket, "GET", path, PATIENCE)
}

/// Puts a question without a body. HTTP/1.0, so that the answer ends when the connection does.
pub fn request(socket: &Path, method: &str, path: &str, patience: Duration) -> io::Result<Response> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(format!("{method} {path} HTTP/1.0\r\nHost: docker\r\n\r\n").as_bytes())?;
    let mut text = Vec::new();
    stream.take(LARGEST).read_to_end(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it speaks no HTTP"))
}

fn parse(text: &[u8]) -> Option<Response> {
    let status = std::str::from_utf8(text.get(9..12)?).ok()?.parse().ok()?;
    let end = text.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(Response { status, head: String::from_utf8_lossy(&text[..end]).into_owned(), body: text[end + 4..].to_vec() })
}

/// Returns a name as one segment of a URL.
pub fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b':' | b'/' | b'@' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_its_body() {
        let answer = parse(b"HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (404, b"{}".as_slice()));
        assert!(parse(b"").is_none());
        assert!(parse(b"SSH-2.0-OpenSSH_9.2").is_none());
    }

    #[test]
    fn names_become_segments() {
        assert_eq!(encoded("a/b:1@sha256:c d%"), "a/b:1@sha256:c%20d%25");
    }
}

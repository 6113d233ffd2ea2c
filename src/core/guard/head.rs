//! The head of a request to a proxy (RFC 9112): read strictly, so that nobody behind us can read it differently.

use crate::core::guard::order::PORT;
use crate::core::guard::peer::Peer;

/// The most bytes of a head.
pub const LONGEST: usize = 16 << 10;

/// What has come so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadRead {
    More,
    Bad,
    Whole(ProxyHead),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyHead {
    pub method: String,
    /// As it was sent: any bytes but blanks and controls of a line.
    pub target: Vec<u8>,
    /// Name and value of each field.
    pub fields: Vec<(String, Vec<u8>)>,
    /// Bytes of all this.
    pub length: usize,
}

/// Reads a head once its last line is there.
pub fn parse(bytes: &[u8]) -> HeadRead {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let head = &bytes[..end.unwrap_or(bytes.len())];
    // Nothing that ends in a line feed alone is ever waited for.
    let is_bare = head.iter().enumerate().any(|(at, byte)| *byte == b'\n' && (at == 0 || head[at - 1] != b'\r'));
    match end {
        _ if is_bare || head.len() > LONGEST => HeadRead::Bad,
        None => HeadRead::More,
        Some(end) => whole(head, end + 4).map_or(HeadRead::Bad, HeadRead::Whole),
    }
}

fn whole(head: &[u8], length: usize) -> Option<ProxyHead> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_version = version == b"HTTP/1.1" || version == b"HTTP/1.0";
    if words.next().is_some() || !is_token(method) || target.is_empty() || target.contains(&b'\r') || !is_version {
        return None;
    }
    let fields: Vec<(String, Vec<u8>)> = lines.map(field).collect::<Option<_>>()?;
    let head = ProxyHead { method: text(method), target: target.to_owned(), fields, length };
    let count = |name: &str| head.values(name).count();
    // Two ways to say where a body ends are how a second request is smuggled behind the first.
    let is_framed = count("content-length") + count("transfer-encoding") <= 1;
    is_framed.then_some(head)
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    let is_clean = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
    (is_token(name) && is_clean).then(|| (text(name), value.to_owned()))
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Fields that are between a client and its proxy.
const OF_THE_HOP: [&str; 6] = ["host", "connection", "keep-alive", "te", "upgrade", "proxy-connection"];

impl ProxyHead {
    /// Returns the values of the fields of this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// Splits `http://authority/path`; `None` if the target is of another form.
    pub fn absolute(&self) -> Option<(&[u8], &[u8])> {
        let scheme = self.target.get(..7)?;
        let rest = &self.target[7..];
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        scheme.eq_ignore_ascii_case(b"http://").then_some((&rest[..end], &rest[end..]))
    }

    /// Returns the path that is asked of the helper itself: as it stands, or behind the helper's own address, which programs say that
    /// take every address for one behind their proxy.
    pub fn own_path(&self) -> &[u8] {
        let is_ours = |authority: &[u8]| Peer::parse(authority, Some(80)).is_ok_and(|peer| peer.is_inside() && peer.port == PORT);
        self.absolute().filter(|(authority, _)| is_ours(authority)).map_or(&self.target, |(_, path)| path)
    }

    /// Returns the head that the server gets, by whatever name we checked: one request, then the end of the connection.
    pub fn for_server(&self, host: &str, path: &[u8]) -> Vec<u8> {
        let slash: &[u8] = if path.first() == Some(&b'/') { b"" } else { b"/" };
        let mut head = [self.method.as_bytes(), b" ", slash, path, b" HTTP/1.1\r\nHost: ", host.as_bytes(), b"\r\n"].concat();
        let is_of_hop = |name: &str| OF_THE_HOP.contains(&name) || name.starts_with("proxy-");
        for (name, value) in self.fields.iter().filter(|(name, _)| !is_of_hop(&name.to_ascii_lowercase())) {
            head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        head.extend_from_slice(b"Connection: close\r\n\r\n");
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(text: &str) -> ProxyHead {
        match parse(text.as_bytes()) {
            HeadRead::Whole(head) => head,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = "CONNECT a.com:443 HTTP/1.1\r\nHost: a.com:443\r\nX:\t1 \r\n\r\n";
        let head = read(&format!("{text}rest"));
        assert_eq!((head.method.as_str(), head.target.as_slice(), head.length), ("CONNECT", b"a.com:443".as_slice(), text.len()));
        assert_eq!(head.fields, [("Host".into(), b"a.com:443".to_vec()), ("X".into(), b"1".to_vec())]);
        for end in 0..text.len() {
            assert_eq!(parse(&text.as_bytes()[..end]), HeadRead::More, "{end}");
        }
    }

    // GU-02
    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for bad in [
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1 \r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET /\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            " GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
            "GET / HTTP/1.1\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
            "G\0T / HTTP/1.1\r\n\r\n",
            "GET /\rx HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(parse(bad.as_bytes()), HeadRead::Bad, "{bad:?}");
        }
        assert_eq!(parse(&vec![b'A'; LONGEST + 1]), HeadRead::Bad);
        assert_eq!(parse(&vec![b'A'; LONGEST]), HeadRead::More);
    }

    #[test]
    fn a_server_gets_a_request_of_its_own() {
        let head =
            read("GET HTTP://A.com:80/x?y HTTP/1.1\r\nHost: evil\r\nProxy-Authorization: s\r\nConnection: keep-alive\r\nA: b\r\n\r\n");
        let (authority, path) = head.absolute().unwrap();
        assert_eq!((authority, path), (b"A.com:80".as_slice(), b"/x?y".as_slice()));
        assert_eq!(head.for_server("a.com", path), b"GET /x?y HTTP/1.1\r\nHost: a.com\r\nA: b\r\nConnection: close\r\n\r\n");
        let head = read("GET http://a.com?y HTTP/1.1\r\n\r\n");
        let (authority, path) = head.absolute().unwrap();
        assert_eq!(authority, b"a.com");
        assert!(head.for_server("a.com", path).starts_with(b"GET /?y HTTP/1.1\r\n"));
        for other in ["https://a.com/", "/x", "*", "a.com:443", "ftp://a.com/", "http:/a.com"] {
            assert_eq!(read(&format!("GET {other} HTTP/1.1\r\n\r\n")).absolute(), None, "{other}");
        }
    }
}

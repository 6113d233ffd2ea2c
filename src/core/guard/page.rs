//! A page that a program inside asks to have opened: a login that comes back to a port of its own loopback, and nothing else.
//!
//! An opened page is a way out and acts with the person's name, so it must be one of the hosts where the tool logs in; and what the
//! browser brings back is the one request that the page was told to send.

use crate::core::guard::head::ProxyHead;
use crate::core::guard::peer::{HostName, parse_port};

/// The most bytes of a page's address.
pub const LONGEST: usize = 8 << 10;

/// A page that may be opened, by what it comes back with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPage {
    pub port: u16,
    /// As it is written in a request.
    pub path: String,
    /// What the page gives back unchanged, so that nobody else's answer is taken for its own (RFC 6749, 10.12).
    pub state: String,
}

/// Why a page is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageRefusal {
    /// It is no plain https address.
    Address,
    /// Nobody logs in there.
    Host(HostName),
    /// It does not come back to a port of this machine with a state.
    NoLogin,
}

impl PageRefusal {
    pub fn words(&self) -> String {
        match self {
            Self::Address => "an address that is no plain https".into(),
            Self::Host(host) => format!("a page of {}", host.as_str()),
            Self::NoLogin => "a page that is no login".into(),
        }
    }
}

impl LoginPage {
    /// Returns what a page on one of these hosts comes back with.
    ///
    /// # Errors
    /// For every other page.
    pub fn parse(url: &[u8], hosts: &[HostName]) -> Result<Self, PageRefusal> {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'`\\<>{}|^#".contains(byte);
        let text = std::str::from_utf8(url).ok().filter(|text| text.len() <= LONGEST && text.bytes().all(|byte| is_plain(&byte)));
        let rest = text.and_then(|text| text.strip_prefix("https://")).ok_or(PageRefusal::Address)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = HostName::new(authority.as_bytes()).map_err(|_| PageRefusal::Address)?;
        if !hosts.contains(&host) {
            return Err(PageRefusal::Host(host));
        }
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let back = one(query, "redirect_uri").and_then(|back| Some((back, one(query, "state")?)));
        let (back, state) = back.filter(|(_, state)| !state.is_empty()).ok_or(PageRefusal::NoLogin)?;
        let (port, path) = loopback(&back).ok_or(PageRefusal::NoLogin)?;
        Ok(Self { port, path, state })
    }

    /// Returns whether this is the request that the page sends the browser back with.
    pub fn is_answered_by(&self, head: &ProxyHead) -> bool {
        let Some((path, query)) = self.of_browser(head) else { return false };
        path == self.path && one(query, "state").is_some_and(|state| state == self.state)
    }

    /// Returns whether this is another page of the tool's, to which the browser is sent when the login is done.
    pub fn is_followed_by(&self, head: &ProxyHead) -> bool {
        self.of_browser(head).is_some_and(|(path, _)| path != self.path)
    }

    /// Splits the target of a request that a browser sends to the port: without a body, under a name of this machine.
    fn of_browser<'a>(&self, head: &'a ProxyHead) -> Option<(&'a str, &'a str)> {
        let values = |name: &str| {
            let of_name = head.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
            of_name.map(|(_, value)| value.as_slice()).collect::<Vec<_>>()
        };
        let names = [format!("localhost:{}", self.port), format!("127.0.0.1:{}", self.port)];
        let is_named = matches!(values("host")[..], [host] if names.iter().any(|name| name.as_bytes() == host));
        let has_body = !values("content-length").is_empty() || !values("transfer-encoding").is_empty();
        let target = std::str::from_utf8(&head.target).ok().filter(|target| target.starts_with('/'))?;
        (head.method == "GET" && is_named && !has_body).then(|| target.split_once('?').unwrap_or((target, "")))
    }
}

/// Returns the one value of a name in a query; `None` where there are two, or one that is not encoded as it must be.
fn one(query: &str, name: &str) -> Option<String> {
    let mut values = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
    let value = values.next()?.1;
    values.next().is_none().then(|| decoded(value)).flatten()
}

/// Decodes a value of a query (the URL standard, 5.1).
fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits =
                    std::str::from_utf8(rest.get(..2)?).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
                rest = &rest[2..];
                u8::from_str_radix(digits, 16).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Splits `http://localhost:PORT/path`, where the port is none of the system's.
fn loopback(address: &str) -> Option<(u16, String)> {
    let rest = address.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let (name, port) = authority.split_once(':')?;
    let port = parse_port(port.as_bytes()).filter(|port| *port >= 1024)?;
    let is_path = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    (is_path && ["localhost", "127.0.0.1"].contains(&name)).then(|| (port, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::guard::head::{self, HeadRead};

    const LOGIN: &str = "https://claude.ai/oauth/authorize?code=true&redirect_uri=http%3A%2F%2Flocalhost%3A41234%2Fcallback&state=a%2Bb";

    fn parse(url: &str) -> Result<LoginPage, PageRefusal> {
        LoginPage::parse(url.as_bytes(), &[HostName::new(b"claude.ai").unwrap()])
    }

    #[test]
    fn a_login_that_comes_back_here_is_opened_and_nothing_else() {
        let page = LoginPage { port: 41234, path: "/callback".into(), state: "a+b".into() };
        assert_eq!(parse(LOGIN), Ok(page));
        assert!(parse(&LOGIN.replace("claude.ai", "CLAUDE.ai.")).is_ok(), "the same name");
        for (from, to) in [
            ("https:", "http:"),
            ("https:", "file:"),
            ("https:", "HTTPS:"),
            ("claude.ai/", "claude.ai:8443/"),
            ("claude.ai/", "me@claude.ai/"),
            ("claude.ai/", "claude.ai%2f/"),
            ("claude.ai/", "claude.ai\\/"),
            ("authorize", "authorize#"),
            ("authorize", "auth orize"),
            ("authorize", "auth\u{1b}orize"),
            ("authorize", "auth\u{f6}rize"),
        ] {
            assert_eq!(parse(&LOGIN.replace(from, to)), Err(PageRefusal::Address), "{to}");
        }
        for host in ["evil.com", "claude.ai.evil.com", "evilclaude.ai", "x.claude.ai"] {
            let refusal = parse(&LOGIN.replace("claude.ai", host)).unwrap_err();
            assert_eq!(refusal.words(), format!("a page of {host}"));
        }
        for (from, to) in [
            ("localhost", "evil.com"),
            ("localhost", "localhost.evil.com"),
            ("localhost", "x%40localhost"),
            ("http%3A", "https%3A"),
            ("41234", "80"),
            ("41234", "%2B443"),
            ("%3A41234", ""),
            ("%2Fcallback", ""),
            ("callback", "call%0d%0aback"),
            ("callback", "call%zzback"),
            ("&state=a%2Bb", ""),
            ("a%2Bb", ""),
            ("&state", "&state=x&state"),
            ("redirect_uri", "redirect_uri=http%3A%2F%2Flocalhost%3A1234%2Fx&redirect_uri"),
        ] {
            assert_eq!(parse(&LOGIN.replace(from, to)), Err(PageRefusal::NoLogin), "{to}");
        }
        let long = format!("{LOGIN}&x={}", "x".repeat(LONGEST));
        assert_eq!(parse(&long), Err(PageRefusal::Address));
    }

    #[test]
    fn the_browser_brings_back_what_the_page_was_told() {
        let page = parse(LOGIN).unwrap();
        let read = |text: &str| match head::parse(text.as_bytes()) {
            HeadRead::Whole(head) => head,
            other => panic!("{other:?}"),
        };
        let good = "GET /callback?code=c&state=a%2Bb HTTP/1.1\r\nHost: localhost:41234\r\nAccept: */*\r\n\r\n";
        assert!(page.is_answered_by(&read(good)) && !page.is_followed_by(&read(good)));
        let next = read(&good.replace("/callback", "/success"));
        assert!(page.is_followed_by(&next) && !page.is_answered_by(&next));
        for (from, to) in [
            ("a%2Bb", "a+b"),
            ("a%2Bb", "other"),
            ("&state", "&state=a%2Bb&state"),
            ("/callback", "/callback/"),
            ("/callback", "http://localhost:41234/callback"),
            ("GET", "POST"),
            ("localhost:41234", "evil.com:41234"),
            ("localhost:41234", "localhost"),
            ("Accept: */*", "Host: evil.com"),
            ("Accept: */*", "Content-Length: 3"),
        ] {
            assert!(!page.is_answered_by(&read(&good.replace(from, to))), "{to}");
        }
        assert!(!page.is_followed_by(&read(&good.replace("/callback", "/success").replace("localhost:", "evil.com:"))));
    }
}

//! The person's own proxy, which the helper goes through where there is one.

use crate::core::text::base64;

/// Where it is, and what it wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamProxy {
    pub host: String,
    pub port: u16,
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<String>,
}

impl UpstreamProxy {
    /// Reads `http://[user:password@]host[:port][/]`.
    ///
    /// # Errors
    /// For any other kind of proxy; the reason names no password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => return Err(format!("a proxy of the kind `{scheme}` is not one that the helper can go through")),
            None => url,
        };
        let rest = rest.trim_end_matches('/');
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        let end_of_host = place.rfind(']').unwrap_or(0);
        let (host, port) = match place.rfind(':').filter(|at| *at >= end_of_host) {
            Some(at) => (&place[..at], place[at + 1..].parse().map_err(|_| "its port is none".to_owned())?),
            None => (place, 80),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
            return Err("its host is none".into());
        }
        let authorization = user.map(|user| format!("Basic {}", base64::encode(&percent_decoded(user))));
        Ok(Self { host: host.to_owned(), port, authorization })
    }
}

/// Returns whether `NO_PROXY` names this host: itself, a parent of it, or everything.
pub fn is_exempt(no_proxy: &str, host: &str) -> bool {
    let mut entries = no_proxy.split(',').map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty());
    entries.any(|entry| {
        let parent = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || host == parent || host.strip_suffix(parent).is_some_and(|head| !parent.is_empty() && head.ends_with('.'))
    })
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code =
            after.get(..2).filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, host: &str, port: u16, authorization: Option<&str>) {
        let expected = UpstreamProxy { host: host.into(), port, authorization: authorization.map(str::to_owned) };
        assert_eq!(UpstreamProxy::parse(url), Ok(expected), "{url}");
    }

    #[test]
    fn a_proxy_is_read_as_programs_read_it() {
        check("http://proxy.corp:3128", "proxy.corp", 3128, None);
        check("HTTP://proxy.corp/", "proxy.corp", 80, None);
        check("proxy:8080", "proxy", 8080, None);
        check("http://[::1]:8080", "::1", 8080, None);
        check("http://me:p%40ss@proxy:1", "proxy", 1, Some("Basic bWU6cEBzcw=="));
        check("http://u:p@proxy:1", "proxy", 1, Some("Basic dTpw"));
        check("http://a@proxy:1", "proxy", 1, Some("Basic YQ=="));
        for other in ["socks5://a:1", "https://a:1", "http://", "http://a:x", "http://a b:1"] {
            assert!(UpstreamProxy::parse(other).is_err(), "{other}");
        }
        assert!(!UpstreamProxy::parse("socks5://u:secret@a").unwrap_err().contains("secret"));
    }

    #[test]
    fn what_needs_no_proxy_is_told_by_name() {
        for (list, host, expected) in [
            ("", "a.com", false),
            ("*", "a.com", true),
            ("a.com", "a.com", true),
            ("a.com", "x.a.com", true),
            (".a.com", "x.a.com", true),
            ("*.a.com", "x.a.com", true),
            ("a.com", "xa.com", false),
            ("b.com, a.com ", "a.com", true),
            (".", "a.com", false),
        ] {
            assert_eq!(is_exempt(list, host), expected, "{list:?} {host}");
        }
    }
}

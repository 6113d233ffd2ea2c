//! Which requests get a key: a method and a path that can be read in one way, and nothing that may be another key.

use std::str::FromStr;

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
    /// Returns whether it lists a request.
    pub fn names(&self, method: &str, path: &str) -> bool {
        let (mut own, mut other) = (self.path.split('/'), path.split('/'));
        let is_same = |(own, other): (&str, &str)| match own.split_once('*') {
            // A verb behind a colon is listed, and never a part of a name; nor is what leads upwards.
            Some((before, behind)) => {
                let part = other.strip_prefix(before).and_then(|other| other.strip_suffix(behind));
                part.is_some_and(|part| !part.is_empty() && !part.contains(':') && !part.starts_with('.'))
            }
            None => own == other,
        };
        self.method == method && own.by_ref().zip(other.by_ref()).all(is_same) && self.path.split('/').count() == path.split('/').count()
    }
}

/// Whether everybody reads this path alike: no `%`, no `..`, nothing empty, no parameters.
pub(super) fn is_plain_path(path: &str) -> bool {
    let is_part = |part: &str| {
        part != "."
            && part != ".."
            && !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte))
    };
    path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_part))
}

/// What a name has in it that may carry a key, or tell the vendor to read the request as another one.
const TELLING: [&str; 30] = [
    "auth",
    "key",
    "token",
    "cookie",
    "secret",
    "credential",
    "password",
    "passwd",
    "bearer",
    "jwt",
    "dpop",
    "signature",
    "cert",
    "override",
    "original",
    "rewrite",
    "forwarded",
    "method",
    "host",
    "uri",
    "url",
    "accel",
    "destination",
    "upload",
    "account",
    "organi",
    "project",
    "tenant",
    "billing",
    "workspace",
];

pub(super) fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "sig" || TELLING.iter().any(|word| name.contains(word))
}

pub(super) fn is_plain_query(query: &str) -> bool {
    let is_plain = query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~=&,:".contains(&byte));
    is_plain && query.split('&').all(|pair| !is_telling(pair.split('=').next().unwrap_or_default()))
}

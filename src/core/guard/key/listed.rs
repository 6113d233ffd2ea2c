//! Which requests get a key: a method and a path that can be read in one way.

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

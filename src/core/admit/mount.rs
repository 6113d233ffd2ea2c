//! Directories and files of the person's that a container gets to see.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};

use crate::core::plan::mount::Access;
use crate::core::text::path::without_dots;

/// One directory or file that is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountRule {
    /// As it was written: absolute, below `~`, or relative to where it was written for.
    pub path: String,
    pub access: Access,
    /// Where it is in the container; at the host's path if absent.
    pub at: Option<String>,
}

/// The table form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MountTable {
    path: String,
    #[serde(default)]
    write: bool,
    at: Option<String>,
}

impl MountRule {
    /// Reads `PATH`, `PATH:ro` or `PATH:rw`, as on a command line.
    pub fn from_word(word: &str) -> Self {
        let (path, access) = match word.rsplit_once(':') {
            Some((path, "rw")) => (path, Access::ReadWrite),
            Some((path, "ro")) => (path, Access::ReadOnly),
            _ => (word, Access::ReadOnly),
        };
        Self { path: path.into(), access, at: None }
    }

    /// Returns where it is in the container: at `path` of the host unless it says otherwise, without `.` and `..`, which an engine
    /// would resolve when everything was judged.
    pub fn place(&self, path: &Path) -> PathBuf {
        self.at.as_ref().map_or_else(|| path.to_owned(), |at| without_dots(Path::new(at)))
    }

    /// Returns the absolute path that is meant, without `.` and `..`; links are not looked at. `None` for `~` without a home.
    pub fn absolute(&self, home: Option<&Path>, base: &Path) -> Option<PathBuf> {
        let path = match self.path.strip_prefix('~') {
            Some("") => home?.to_owned(),
            Some(below) if below.starts_with('/') => home?.join(below.trim_start_matches('/')),
            _ => base.join(&self.path),
        };
        Some(without_dots(&path))
    }
}

impl<'de> Deserialize<'de> for MountRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = MountRule;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a path, or a table such as { path = \"../shared\", write = true }")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<MountRule, E> {
                Ok(MountRule { path: path.into(), access: Access::ReadOnly, at: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MountRule, A::Error> {
                let MountTable { path, write, at } = MountTable::deserialize(MapAccessDeserializer::new(map))?;
                let access = if write { Access::ReadWrite } else { Access::ReadOnly };
                Ok(MountRule { path, access, at })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let rule = MountRule::from_word(path);
        let absolute = rule.absolute(Some(Path::new("/home/u")), Path::new("/work/p")).unwrap();
        assert_eq!(absolute, Path::new(expected));
    }

    #[test]
    fn a_path_is_meant_from_the_home_or_the_project() {
        check("~/notes", "/home/u/notes");
        check("~", "/home/u");
        check("../shared", "/work/shared");
        check("./a/./b/../c", "/work/p/a/c");
        check("/srv/data:rw", "/srv/data");
        check("a~b", "/work/p/a~b");
        check("/../..", "/");
    }

    #[test]
    fn a_place_says_what_the_engine_makes_of_it() {
        let place = |at: &str| MountRule { path: "/a".into(), access: Access::ReadOnly, at: Some(at.into()) }.place(Path::new("/a"));
        for (at, expected) in [("/x/../ai/shared", "/ai/shared"), ("/x/", "/x"), ("//x/./y", "/x/y"), ("/..", "/"), ("x/..", "")] {
            assert_eq!(place(at), Path::new(expected), "{at}");
        }
        assert_eq!(MountRule::from_word("/a").place(Path::new("/a")), Path::new("/a"));
    }

    #[test]
    fn the_end_of_a_word_says_how() {
        for (word, path, access) in [
            ("/a", "/a", Access::ReadOnly),
            ("/a:ro", "/a", Access::ReadOnly),
            ("/a:rw", "/a", Access::ReadWrite),
            ("/a:b", "/a:b", Access::ReadOnly),
            ("/a:rw:rw", "/a:rw", Access::ReadWrite),
        ] {
            assert_eq!(MountRule::from_word(word), MountRule { path: path.into(), access, at: None });
        }
    }
}

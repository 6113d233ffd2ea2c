//! Directories of the project that are its own inside: what was installed there for the host is not seen, and the other way round.

use std::path::{Component, Path};

use serde::Deserialize;

/// Such a directory, relative to the root of the project, as `packages/web/node_modules`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Overlay(String);

impl Overlay {
    /// Returns it relative to the root, with a `/` between its parts.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// Returns the name of its directory in the store, of one part.
    pub fn name(&self) -> String {
        self.0.replace('%', "%25").replace('/', "%2F")
    }
}

impl TryFrom<String> for Overlay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid = |why: &str| Err(format!("`{text}` is no directory of the project such as node_modules: {why}"));
        let path = Path::new(&text);
        if text.is_empty() || text.contains(char::is_control) {
            return invalid("it is no name");
        }
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return invalid("it is meant from the root of the project, without `.` and `..`");
        }
        if path.components().any(|part| part.as_os_str() == ".git") {
            return invalid("what git keeps there would be in the container alone");
        }
        // A file name has 255 bytes, and each `/` becomes three.
        let plain: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let overlay = Self(plain.join("/"));
        if overlay.name().len() > 200 { invalid("it is too long") } else { Ok(overlay) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // NE-01
    #[test]
    fn an_overlay_is_a_directory_of_the_project() {
        let check = |text: &str, expected: Result<&str, &str>| match (Overlay::try_from(text.to_owned()), expected) {
            (Ok(overlay), Ok(path)) => assert_eq!(overlay.path(), path),
            (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("node_modules", Ok("node_modules"));
        check("packages/web/node_modules/", Ok("packages/web/node_modules"));
        check(".venv", Ok(".venv"));
        check("a b,c", Ok("a b,c"));
        for (text, why) in [
            ("", "no name"),
            ("a\nb", "no name"),
            (".", "root of the project"),
            ("../x", "root of the project"),
            ("a/../../x", "root of the project"),
            ("/x", "root of the project"),
            (".git", "what git keeps"),
            ("sub/.git/hooks", "what git keeps"),
        ] {
            check(text, Err(why));
        }
        check(&"x".repeat(201), Err("too long"));
        let name = |text: &str| Overlay::try_from(text.to_owned()).unwrap().name();
        assert_ne!(name("a/b"), name("a%2Fb"));
    }
}

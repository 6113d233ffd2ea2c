//! Places that the environment names and a container can write: what lies there is of somebody else's choice.
//!
//! A file that only sets variables is enough to put the store, a socket or our own program there.

use std::path::{Path, PathBuf};

use crate::core::failure::{Failure, Kind};

/// The variable that names the SSH agent; one that no run gets may be anywhere.
pub const AGENT: &str = "SSH_AUTH_SOCK";

/// Where a container gets to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable {
    Project,
    State,
}

/// Something that the environment names, by its real path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentPath {
    /// Such as `AI_HOME`.
    pub by: &'static str,
    pub path: PathBuf,
    /// What puts it right.
    pub fix: &'static str,
}

/// Tells whether a container can write `path`, which has no links in it; `project` is the one around the working directory.
pub fn writable(path: &Path, project: Option<&Path>) -> Option<Writable> {
    if project.is_some_and(|project| path.starts_with(project)) {
        return Some(Writable::Project);
    }
    // What tools write lies below this directory of a store, whichever store it is.
    path.ancestors().any(|above| above.file_name().is_some_and(|name| name == "global_state")).then_some(Writable::State)
}

/// Refuses the first of the places that a container can write.
pub fn refusal<'a>(named: impl IntoIterator<Item = &'a EnvironmentPath>, project: Option<&Path>) -> Option<Failure> {
    named.into_iter().find_map(|named| {
        let place = match writable(&named.path, project)? {
            Writable::Project => "in the project",
            Writable::State => "in the state of a store",
        };
        let message = format!("cannot use {} `{}`: it lies {place}, where a container can write", named.by, named.path.display());
        Some(Failure::new(Kind::Config, message).hint(named.fix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<Writable>) {
        assert_eq!(writable(Path::new(path), Some(Path::new("/w/p"))), expected, "{path}");
    }

    #[test]
    fn what_lies_in_the_project_is_writable() {
        check("/w/p", Some(Writable::Project));
        check("/w/p/a/b", Some(Writable::Project));
        check("/w/pp", None);
        check("/w", None);
        assert_eq!(writable(Path::new("/w/p/a"), None), None);
    }

    #[test]
    fn what_lies_in_the_state_of_any_store_is_writable() {
        check("/home/u/.docker-ai-config/global_state/claude/shared/evil", Some(Writable::State));
        check("/home/u/.docker-ai-config", None);
        check("/home/u/.docker-ai-config/sessions", None);
    }

    #[test]
    fn a_refusal_says_what_where_and_what_to_do() {
        let named = EnvironmentPath { by: "AI_HOME", path: "/w/p/store".into(), fix: "unset AI_HOME" };
        let failure = refusal([&named], Some(Path::new("/w/p"))).unwrap();
        assert_eq!((failure.kind, failure.hint.as_deref()), (Kind::Config, Some("unset AI_HOME")));
        assert_eq!(failure.message, "cannot use AI_HOME `/w/p/store`: it lies in the project, where a container can write");
        assert!(refusal([&named], Some(Path::new("/w/q"))).is_none());
    }
}

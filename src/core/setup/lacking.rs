//! What a container lacks of a set-up, in words, and what would let it in.

use std::fmt;
use std::path::Path;

use crate::core::failure::{Failure, Kind};
use crate::core::setup::{Missing, Named};
use crate::core::shell::Shell;

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(name) => write!(out, "the program `{name}`"),
            Self::Interpreter { script, name } => write!(out, "`{name}`, which `{}` is run by,", script.display()),
            Self::Foreign(path) => write!(out, "`{}`, a program of another system or processor,", path.display()),
            Self::Unknown(word) => write!(out, "`{word}`, which only the run knows,"),
            Self::Path(path) | Self::Asked(path) => write!(out, "`{}`", path.display()),
            Self::Nowhere(path) => write!(out, "`{}`, which is not on your machine either,", path.display()),
            Self::Variable(name) => write!(out, "the variable `{name}`"),
            Self::Address(url) => write!(out, "`{url}`, which is your machine's own loopback,"),
            Self::Unread { file, why } => write!(out, "what `{file}` names ({why})"),
            Self::Dropped => write!(out, "what this project's settings have no more"),
        }
    }
}

impl Missing {
    /// Returns what brings it in; `None` where only the settings can be written otherwise.
    pub fn way_in(&self) -> Option<String> {
        match self {
            Self::Program(_) | Self::Interpreter { .. } => {
                Some("put it into the image: `image = { apt = [...] }`, or `run = [...]`, in config.toml".into())
            }
            Self::Path(path) => Some(format!("let it in: `mounts = [...]` in config.toml, or {}", mounts([path.as_path()].into_iter()))),
            Self::Variable(name) => Some(format!("pass it: `env = {{ pass = [\"{name}\"] }}` in config.toml, or AI_ENV={name}")),
            Self::Address(url) => Some(inside_spelling(url)),
            Self::Asked(_) | Self::Foreign(_) | Self::Unknown(_) | Self::Nowhere(_) | Self::Unread { .. } | Self::Dropped => None,
        }
    }

    /// Returns what is to be written into the settings instead.
    pub fn other_way(&self) -> &'static str {
        match self {
            Self::Asked(_) => READ_FIRST,
            Self::Foreign(_) => "name a script, or a program that is built for Linux and this processor",
            Self::Nowhere(_) => "take it out of the settings, or put it there",
            Self::Unread { .. } => "make that file smaller and plainer",
            Self::Dropped => "`ai sync status` and `ai sync conflicts` say where it is; put it back there",
            _ => "spell its path out in the settings",
        }
    }
}

/// What to do about a path that a repository or a container names: it may be any file of the person's.
const READ_FIRST: &str = "none of your own settings name it: read what does, before you let it in by `mounts = [...]` in config.toml";

/// Rows in one line.
const MOST_ROWS: usize = 6;

/// Spells the variable that lets paths in, as a person types it.
fn mounts<'a>(paths: impl Iterator<Item = &'a Path>) -> String {
    let words: Vec<String> = paths.map(|path| Shell::Bash.quote(&path.to_string_lossy())).collect();
    format!("AI_MOUNTS={}", Shell::Bash.quote(&words.join(" ")))
}

/// Returns why a run stops for something that guards and cannot run.
pub fn refusal(tool: &str, named: &Named, what: &Missing) -> Failure {
    let way_in = || what.way_in().unwrap_or_else(|| what.other_way().to_owned());
    let refused = |why: String| {
        Failure::new(Kind::NotAllowed, format!("cannot start {tool}: {why}"))
            .hint(format!("{}; or go on without it: AI_ALLOW_MISSING_GUARDS=1", way_in()))
    };
    let why = match what {
        Missing::Unread { file, why } => return refused(format!("`{file}` may name what guards, and cannot be read: {why}")),
        Missing::Dropped => return refused(format!("your {} guards, and this project's settings do not have it", named.called)),
        Missing::Unknown(word) => format!("what `{word}` is, nobody knows before the run"),
        Missing::Foreign(path) => format!("`{}` is a program of another system or processor than the container's", path.display()),
        Missing::Nowhere(path) => format!("`{}` is not in the container, nor on your machine", path.display()),
        Missing::Path(_)
        | Missing::Asked(_)
        | Missing::Program(_)
        | Missing::Interpreter { .. }
        | Missing::Variable(_)
        | Missing::Address(_) => {
            format!("{what} is not in the container")
        }
    };
    refused(format!("its {} guards, and {why}", named.called))
}

/// Puts what is lacking into one line, however much a repository names.
pub fn listed(rows: &[String]) -> String {
    let shown = rows.get(..MOST_ROWS.min(rows.len())).unwrap_or_default().join(", ");
    match rows.len().saturating_sub(MOST_ROWS) {
        0 => shown,
        more => format!("{shown} and {more} more, which `ai doctor` lists"),
    }
}

/// Returns what is lacking, each with who names it, once.
pub fn rows(lacking: &[(Named, Missing)]) -> Vec<String> {
    let mut rows: Vec<String> = lacking.iter().map(|(named, what)| format!("{what} ({})", named.called)).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// Returns what to do about all of it at once: about paths before addresses, about these before programs.
pub fn hint(lacking: &[(Named, Missing)]) -> String {
    let mut paths: Vec<&Path> = lacking.iter().filter_map(|(_, what)| what.path()).collect();
    paths.sort_unstable();
    paths.dedup();
    if (1..=MOST_ROWS).contains(&paths.len()) {
        return format!("mounts = [...] in config.toml, or {}", mounts(paths.into_iter()));
    }
    if !paths.is_empty() {
        return "ai doctor".into();
    }
    if lacking.iter().any(|(_, what)| matches!(what, Missing::Asked(_))) {
        return READ_FIRST.into();
    }
    let url = lacking.iter().find(|(_, what)| matches!(what, Missing::Address(_)));
    let other = url.or(lacking.first()).and_then(|(_, what)| what.way_in());
    other.unwrap_or_else(|| "ai doctor".into())
}

/// Returns how an address of the host's loopback is reached from inside.
fn inside_spelling(url: &str) -> String {
    let spelled = ["localhost", "127.0.0.1", "[::1]"].iter().fold(url.to_owned(), |url, own| url.replace(own, "host.docker.internal"));
    format!("{spelled} or AI_NETWORK=host")
}

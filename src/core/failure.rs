//! One failure type at the boundary: what went wrong, what caused it, and what to do next.

use std::fmt;

use crate::core::text::visible::{quoted_lines, visible};

/// Our own exit codes; a tool's code passes through unchanged and is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    General,
    Usage,
    /// The engine or the image is not there.
    Unavailable,
    /// Somebody else holds what we need.
    Busy,
    NotAllowed,
    /// Configuration that cannot be used, or a place from which nothing is started: a directory that must not be mounted, a store of a
    /// newer layout.
    Config,
    /// What must stand beside a container is not there, so none is started: the engines' own code for a container that did not begin.
    NotStarted,
    /// A program that should be run is none, or may not be.
    NotExecutable,
    /// A program that should be run is missing.
    NotFound,
}

impl Kind {
    /// Returns the process exit code: `sysexits(3)` where it has a word for the case, the shell's 126 and 127 for programs.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::General => 1,
            Self::Usage => 2,
            Self::Unavailable => 69,
            Self::Busy => 75,
            Self::NotAllowed => 77,
            Self::Config => 78,
            Self::NotStarted => 125,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
        }
    }
}

/// A failure that a person reads: `ai: cannot <verb> <thing>: <why>`, then the next command.
///
/// As text, the message is one line and the hint another, whatever names are in them: nothing that is quoted can pass for a hint.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    pub causes: Vec<String>,
    pub hint: Option<String>,
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        // A program that failed may have said nothing.
        self.causes.extend(Some(cause.to_string()).filter(|cause| !cause.trim().is_empty()));
        self
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::General, error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.message))?;
        for line in self.causes.iter().flat_map(|cause| quoted_lines(cause)) {
            write!(f, "\n  {line}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n\nhint: {}", visible(hint))?;
        }
        Ok(())
    }
}

pub type Result<T> = std::result::Result<T, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hint_is_a_line_that_begins_like_one() {
        let failure = Failure::new(Kind::General, "cannot read `a\nhint: rm`").because("one\nhint: two\x1b\n").hint("ls 'a\nhint: b'");
        assert_eq!(failure.to_string(), "cannot read `a\\nhint: rm`\n  one\n  > hint: two\\u{1b}\n\nhint: ls 'a\\nhint: b'");
    }
}

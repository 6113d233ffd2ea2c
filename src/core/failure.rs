//! One failure type at the boundary: what went wrong, what caused it, and what to do next.

use std::fmt;

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
    /// Bad configuration, or a directory that must not be mounted.
    Config,
    /// A program that should be run is missing.
    NotFound,
}

impl Kind {
    /// The process exit code: `sysexits(3)` where it has a word for the case, the shell's 127 for a missing program.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::General => 1,
            Self::Usage => 2,
            Self::Unavailable => 69,
            Self::Busy => 75,
            Self::NotAllowed => 77,
            Self::Config => 78,
            Self::NotFound => 127,
        }
    }
}

/// A failure that a person reads: `ai: cannot <verb> <thing>: <why>`, then the next command.
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
        self.causes.push(cause.to_string());
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
        write!(f, "{}", self.message)?;
        for cause in &self.causes {
            write!(f, "\n  {}", cause.trim_end().replace('\n', "\n  "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n\nhint: {hint}")?;
        }
        Ok(())
    }
}

pub type Result<T> = std::result::Result<T, Failure>;

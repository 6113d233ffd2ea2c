//! The three real shells, started without anybody's rc file.

use crate::process::Run;
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Zsh,
    Bash,
    Fish,
}

impl Shell {
    /// Those that this machine has; only the one in AI_ONLY_SHELL if that is set.
    #[track_caller]
    pub fn all() -> Vec<Self> {
        let only = std::env::var("AI_ONLY_SHELL").ok();
        let wanted = |shell: &Self| only.as_deref().is_none_or(|only| only == shell.name());
        let here = |shell: &Self| need(shell.name(), find_program(shell.name())).is_some();
        [Self::Zsh, Self::Bash, Self::Fish].into_iter().filter(wanted).filter(here).collect()
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Zsh => "zsh",
            Self::Bash => "bash",
            Self::Fish => "fish",
        }
    }

    /// The arguments that keep rc files out.
    pub fn plain(self) -> &'static [&'static str] {
        match self {
            Self::Zsh => &["--no-rcs", "-f"],
            Self::Bash => &["--noprofile", "--norc"],
            Self::Fish => &["--no-config"],
        }
    }

    /// The line of an rc file that loads the integration, with these arguments for `ai init`.
    pub fn load(self, args: &str) -> String {
        match self {
            Self::Zsh | Self::Bash => format!("eval \"$(ai init {} {args})\"", self.name()),
            Self::Fish => format!("ai init fish {args} | source"),
        }
    }

    /// `posix` for zsh and bash, `fish` for fish.
    pub fn text<'a>(self, posix: &'a str, fish: &'a str) -> &'a str {
        if self == Self::Fish { fish } else { posix }
    }
}

impl Sandbox {
    /// A script in a shell, with nothing loaded before it.
    pub fn bare(&self, shell: Shell, script: &str) -> Run {
        self.run(shell.name()).args(shell.plain()).args(["-c", script])
    }

    /// A script in a shell that has loaded the integration.
    pub fn shell(&self, shell: Shell, script: &str) -> Run {
        self.bare(shell, &format!("{}\n{script}", shell.load("")))
    }
}

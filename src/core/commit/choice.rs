//! What a person can say to a question of `ai commit`.

/// What to do with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Commit,
    /// Commit, then push.
    Push,
    Edit,
    /// Ask the tool again, with what the person says about it.
    Again(String),
    Cancel,
}

/// The question that [`Choice::parse`] reads the answer to.
pub const MENU: &str = "Commit? [C]ommit, commit and [p]ush, [e]dit, [a]gain (and what to change), [q]uit:";

impl Choice {
    /// Reads what was typed; an empty line is a commit and nothing more. `None` for what is no answer.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        match word.to_lowercase().as_str() {
            "a" | "again" => Some(Self::Again(rest.trim().into())),
            _ if !rest.is_empty() => None,
            "" | "c" | "commit" | "y" | "yes" => Some(Self::Commit),
            "p" | "push" => Some(Self::Push),
            "e" | "edit" => Some(Self::Edit),
            "q" | "quit" | "n" | "no" | "cancel" => Some(Self::Cancel),
            _ => None,
        }
    }
}

/// What to stage where nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Changes to files that git knows.
    Tracked,
    /// New files, too.
    All,
    /// Parts, chosen with git's own `add --patch`.
    Patch,
}

/// The question that [`Stage::parse`] reads the answer to.
pub const STAGES: &str = "Stage something for this commit? [t]racked files, [a]ll of it, [p]arts of it, [Q]uit:";

impl Stage {
    /// Reads what was typed. An empty line, and what is no answer, stage nothing.
    pub fn parse(typed: &str) -> Option<Self> {
        match typed.trim().to_lowercase().as_str() {
            "t" | "tracked" => Some(Self::Tracked),
            "a" | "all" => Some(Self::All),
            "p" | "parts" | "patch" => Some(Self::Patch),
            _ => None,
        }
    }

    /// The words behind `git add`.
    pub fn words(self) -> [&'static str; 3] {
        match self {
            Self::Tracked => ["--update", "--", ":/"],
            Self::All => ["--all", "--", ":/"],
            Self::Patch => ["--patch", "--", ":/"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // J-06
    #[test]
    fn an_empty_line_commits_and_does_not_push() {
        let check = |typed: &str, expected| assert_eq!(Choice::parse(typed), expected, "{typed:?}");
        for typed in ["", "\n", "c", "C\n", "yes", " commit \n"] {
            check(typed, Some(Choice::Commit));
        }
        check("p", Some(Choice::Push));
        check("e\n", Some(Choice::Edit));
        check("a", Some(Choice::Again(String::new())));
        check("Again  shorter, please\n", Some(Choice::Again("shorter, please".into())));
        for typed in ["q", "no", "cancel"] {
            check(typed, Some(Choice::Cancel));
        }
        for typed in ["x", "commit it", "p q", "да"] {
            check(typed, None);
        }
    }

    // J-02
    #[test]
    fn nothing_is_staged_unless_it_is_said() {
        for typed in ["", "\n", "q", "y", "yes", "."] {
            assert_eq!(Stage::parse(typed), None, "{typed:?}");
        }
        assert_eq!(
            (Stage::parse("t\n"), Stage::parse("all"), Stage::parse("P")),
            (Some(Stage::Tracked), Some(Stage::All), Some(Stage::Patch))
        );
    }
}

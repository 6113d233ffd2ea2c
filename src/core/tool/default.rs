//! The default tool: which it is, and the names that stand for one.

use std::fmt;

use crate::core::text::table::{self, Side};

/// Where the default came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenBy {
    /// `AI_TOOL`, which `ai-mode` sets in its shell.
    Shell,
    /// `ai use`.
    Store,
    BuiltIn,
}

impl fmt::Display for ChosenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shell => "in this shell",
            Self::Store => "in all shells",
            Self::BuiltIn => "built-in",
        })
    }
}

/// What is there before anybody chose.
const FIRST: &str = "claude";

/// One-letter names, as people knew them before.
const SHORT: [(&str, &str); 3] = [("c", "claude"), ("g", "gemini"), ("z", "glm")];

/// The words beside the tools that the shells get, and what each is for.
pub const WORDS: [(&str, &str); 5] = [
    ("gexec", "run any command in the tool image and workspace"),
    ("aic", "commit what is staged, with a message from the default tool"),
    ("cic", "commit what is staged, with a message from claude"),
    ("ai-mode", "show or set the default tool of this shell"),
    ("ai-run", "run the tool that `ai route` picks: the default one, if nothing is said"),
];

/// Words that are gone, and what does their work now.
pub const RETIRED: [(&str, &str); 5] = [
    ("ai-session-manager", "containers live for one run and end by themselves; `ai ps` shows those that run, `ai gc` removes what is left"),
    ("ai-start", "containers start with the tool: run claude, gemini, codex or glm"),
    ("ai-stop", "containers end with the tool; `ai stop` ends one from outside"),
    ("ai-list", "`ai ps` lists what runs, `ai tools` what can be run"),
    ("ai-orchestrator", "run the tools by their names; `ai-mode` and `ai use` set the default, `ai doctor` shows what is wrong"),
];

/// Returns the full name for what somebody typed, if it is one of `tools`.
pub fn full_name<'a>(typed: &str, tools: &'a [String]) -> Option<&'a String> {
    let name = SHORT.iter().find(|(short, _)| *short == typed).map_or(typed, |(_, name)| name);
    tools.iter().find(|tool| *tool == name)
}

/// Returns the default tool, from what the shell and the store say; what is no tool is passed over.
pub fn default_tool(of_shell: Option<&str>, of_store: Option<&str>, tools: &[String]) -> (String, ChosenBy) {
    let known = |name: Option<&str>| name.and_then(|name| full_name(name.trim(), tools)).cloned();
    known(of_shell)
        .map(|name| (name, ChosenBy::Shell))
        .or_else(|| known(of_store).map(|name| (name, ChosenBy::Store)))
        .unwrap_or_else(|| (FIRST.into(), ChosenBy::BuiltIn))
}

/// Returns what `ai use` and `ai-mode` show.
pub fn overview(default: &str, origin: ChosenBy, tools: &[(String, String)]) -> Vec<String> {
    let mut lines = vec![format!("The default tool is {default} ({origin})."), String::new(), "Tools:".into()];
    let mark = |name: &String| if name == default { '*' } else { ' ' };
    let rows: Vec<_> = tools.iter().map(|(name, about)| [format!("{} {name}", mark(name)), about.clone()]).collect();
    lines.extend(table::lines([Side::Left; 2], &rows));
    lines.extend(["", "Set it:", "  ai-mode TOOL          in this shell; c, g and z are claude, gemini and glm"].map(str::to_owned));
    lines.extend(["  ai use TOOL           in all shells", "", "Words:"].map(str::to_owned));
    lines.extend(table::lines([Side::Left; 2], &WORDS.map(|(name, about)| [format!("  {name}"), about.to_owned()])));
    lines.extend(["", "More: ai help, ai tools, ai --help"].map(str::to_owned));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Vec<String> {
        ["claude", "gemini", "codex", "glm"].map(str::to_owned).to_vec()
    }

    // L-02
    #[test]
    fn short_names_stand_for_tools() {
        let tools = tools();
        for (typed, name) in [("c", "claude"), ("g", "gemini"), ("z", "glm"), ("codex", "codex")] {
            assert_eq!(full_name(typed, &tools).map(String::as_str), Some(name));
        }
        assert_eq!(full_name("invalid", &tools), None);
    }

    #[test]
    fn the_shell_decides_before_the_store() {
        let check = |shell, store, name: &str, origin| {
            assert_eq!(default_tool(shell, store, &tools()), (name.to_owned(), origin), "{shell:?} {store:?}");
        };
        check(Some("glm"), Some("gemini"), "glm", ChosenBy::Shell);
        check(Some(""), Some("gemini\n"), "gemini", ChosenBy::Store);
        check(Some("nonsense"), None, "claude", ChosenBy::BuiltIn);
        check(None, None, "claude", ChosenBy::BuiltIn);
    }

    // L-01
    #[test]
    fn the_overview_names_everything() {
        let tools: Vec<_> = tools().into_iter().map(|tool| (tool, "About".to_owned())).collect();
        let text = overview("gemini", ChosenBy::Store, &tools).join("\n");
        assert!(text.lines().count() >= 10);
        for word in ["claude", "gemini", "codex", "glm", "commit", "gexec"] {
            assert!(text.contains(word), "{word}");
        }
    }
}

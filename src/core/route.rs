//! Which tool `ai run --auto` and `ai-run` run: rules in order, and the default tool where none of them matches.

use std::path::Path;

use glob::Pattern;
use serde::{Deserialize, Serialize};

use crate::core::config::Setting;
use crate::core::config::layers::is_of;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::ledger::budget::{BudgetSpan, BudgetStanding};
use crate::core::text::nearest::nearest;

/// `[[route]]`: a tool, and what must hold for it to be run. All that is said must hold; of a list one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteRule {
    pub tool: String,
    /// Roots of projects, as in `[project."PATTERN"]`.
    pub projects: Vec<String>,
    /// Words of the prompt, or several in a row; `*` stands for any part of one.
    pub words: Vec<String>,
    /// Characters of the prompt.
    pub longer_than: Option<usize>,
    pub shorter_than: Option<usize>,
    /// Whether something is piped in.
    pub stdin: Option<bool>,
    pub over_budget: Option<OverBudget>,
}

/// Which budget must be spent, or that any or none must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected true, false, \"day\", \"month\" or \"project\"")]
pub enum OverBudget {
    Any(bool),
    One(BudgetSpan),
}

/// What rules are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct RouteFacts<'a> {
    pub prompt: &'a str,
    /// The root of the project.
    pub root: Option<&'a Path>,
    pub home: Option<&'a Path>,
    /// Whether something is piped in.
    pub piped: bool,
    /// How the budgets stand that are set.
    pub budgets: &'a [BudgetStanding],
}

/// What became of one rule.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct RouteRow {
    pub tool: String,
    pub origin: String,
    pub matches: bool,
    /// Why it matches; or else what does not hold.
    pub why: Vec<String>,
}

/// The tool that is run, and how it came to that.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    pub tool: String,
    pub origin: String,
    pub rules: Vec<RouteRow>,
}

impl Route {
    /// Returns the first tool whose rule matches, else the default with where it was set.
    pub fn new(rules: &[Setting<RouteRule>], facts: &RouteFacts, default: (String, String)) -> Self {
        let row = |Setting { value, origin }: &Setting<RouteRule>| {
            let reasons = value.reasons(facts);
            let matches = reasons.iter().all(|(holds, _)| *holds);
            let why = reasons.into_iter().filter(|(holds, _)| *holds == matches).map(|(_, why)| why).collect();
            RouteRow { tool: value.tool.clone(), origin: origin.to_string(), matches, why }
        };
        let rules: Vec<RouteRow> = rules.iter().map(row).collect();
        let first = rules.iter().find(|row| row.matches);
        let (tool, origin) = first.map_or(default, |row| (row.tool.clone(), row.origin.clone()));
        Self { tool, origin, rules }
    }

    /// Returns the rule that decided, if one did.
    pub fn decided(&self) -> Option<&RouteRow> {
        self.rules.iter().find(|row| row.matches)
    }

    /// Returns a row for each rule, and one for the default: tool, what became of it, why, where it stands.
    pub fn table(&self, default: &(String, String)) -> Vec<[String; 4]> {
        let mut is_taken = false;
        let state = |matches: bool, is_taken: &mut bool| match (matches, *is_taken) {
            (true, false) => {
                *is_taken = true;
                "runs"
            }
            (true, true) => "matches, too late",
            (false, _) => "no",
        };
        let row = |row: &RouteRow| [row.tool.clone(), state(row.matches, &mut is_taken).into(), row.why.join("; "), row.origin.clone()];
        let mut rows: Vec<_> = self.rules.iter().map(row).collect();
        let state = if is_taken { "no" } else { "runs" };
        let why = if is_taken { "a rule matches" } else { "no rule matches" };
        rows.push([default.0.clone(), state.into(), why.into(), default.1.clone()]);
        rows
    }
}

impl RouteRule {
    /// Fails for a rule that nobody can mean.
    pub fn check(&self) -> std::result::Result<(), String> {
        if self.tool.is_empty() {
            return Err("the rule names no `tool`".into());
        }
        if (Self { tool: String::new(), ..self.clone() }) == Self::default() {
            return Err("the rule says nothing of when; what is run where no rule matches is the default tool: ai use TOOL".into());
        }
        if self.words.iter().any(|word| word.split_whitespace().next().is_none()) {
            return Err("an empty word is in no prompt".into());
        }
        if let Some(odd) = self.projects.iter().find(|path| !path.starts_with(['/', '~'])) {
            return Err(format!("`{odd}` is no project: its path begins with `/` or `~/`"));
        }
        if let Some((longer, shorter)) =
            self.longer_than.zip(self.shorter_than).filter(|(longer, shorter)| longer.saturating_add(1) >= *shorter)
        {
            return Err(format!("no prompt is longer than {longer} and shorter than {shorter}"));
        }
        Ok(())
    }

    /// Returns each condition: whether it holds, and why it does or not.
    fn reasons(&self, facts: &RouteFacts) -> Vec<(bool, String)> {
        let length = facts.prompt.chars().count();
        let mut reasons = Vec::new();
        if !self.projects.is_empty() {
            let found = facts.root.and_then(|root| self.projects.iter().find(|pattern| is_of(pattern, root, facts.home)));
            reasons.push(found.map_or_else(
                || (false, format!("the project is none of {}", self.projects.join(", "))),
                |pattern| (true, format!("the project is {pattern}")),
            ));
        }
        if !self.words.is_empty() {
            let prompt: Vec<String> = facts.prompt.split_whitespace().map(str::to_lowercase).collect();
            let found = self.words.iter().find(|word| is_in(word, &prompt));
            reasons.push(found.map_or_else(
                || (false, format!("the prompt has none of {}", quoted(&self.words))),
                |word| (true, format!("the prompt has `{word}`")),
            ));
        }
        if let Some(bound) = self.longer_than {
            let holds = length > bound;
            reasons.push((holds, format!("the prompt has {length} characters, {} than {bound}", if holds { "more" } else { "not more" })));
        }
        if let Some(bound) = self.shorter_than {
            let holds = length < bound;
            reasons
                .push((holds, format!("the prompt has {length} characters, {} than {bound}", if holds { "fewer" } else { "not fewer" })));
        }
        if let Some(wanted) = self.stdin {
            let what = if facts.piped { "something is piped in" } else { "nothing is piped in" };
            reasons.push((facts.piped == wanted, what.into()));
        }
        reasons.extend(self.over_budget.map(|wanted| wanted.reason(facts.budgets)));
        reasons
    }
}

impl OverBudget {
    fn reason(self, budgets: &[BudgetStanding]) -> (bool, String) {
        match self {
            Self::One(span) => budgets
                .iter()
                .find(|budget| budget.span == span)
                .map_or_else(|| (false, format!("no `{}` is set", span.key())), |budget| (budget.is_spent, budget.note.clone())),
            Self::Any(wanted) => match budgets.iter().find(|budget| budget.is_spent) {
                Some(spent) => (wanted, spent.note.clone()),
                None if budgets.is_empty() => (!wanted, "no budget is set".into()),
                None => (!wanted, "no budget is spent".into()),
            },
        }
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Returns whether words stand one behind the other in a prompt, which is in small letters. Marks around a word of the prompt do not count,
/// unless they are asked for.
fn is_in(words: &str, prompt: &[String]) -> bool {
    let pattern = |word: &str| Pattern::new(&Pattern::escape(&word.to_lowercase()).replace("[*]", "*")).ok();
    let Some(patterns) = words.split_whitespace().map(pattern).collect::<Option<Vec<_>>>() else { return false };
    let is_word = |pattern: &Pattern, word: &str| {
        pattern.matches(word) || pattern.matches(word.trim_matches(|character: char| !character.is_alphanumeric()))
    };
    prompt.windows(patterns.len()).any(|window| patterns.iter().zip(window).all(|(pattern, word)| is_word(pattern, word)))
}

/// Fails for a rule whose tool is none of `names`.
pub fn refuse_unknown(rule: &Setting<RouteRule>, names: &[String]) -> Result<()> {
    let tool = &rule.value.tool;
    if names.contains(tool) {
        return Ok(());
    }
    let failure = Failure::new(Kind::Config, format!("cannot use {}: there is no tool `{tool}`", rule.origin));
    Err(match nearest(tool, names) {
        Some(nearest) => failure.hint(format!("did you mean `tool = \"{nearest}\"`?")),
        None => failure.hint("ai tools"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::config::source::{ConfigText, Scope};
    use crate::core::config::{Config, Layer};
    use crate::core::facts::Env;

    const RULES: &str = r#"
[[route]]
tool = "glm"
over_budget = "day"

[[route]]
tool = "gemini"
longer_than = 20

[[route]]
tool = "codex"
words = ["refactor*", "unit tests", "c++"]
projects = ["~/work/**", "/srv/one"]

[[route]]
tool = "glm"
stdin = true
shorter_than = 5
"#;

    fn read(text: &str) -> Result<Config> {
        Config::new(Scope::default(), &[ConfigText::own("c.toml", text)], &Env::default(), Layer::default())
    }

    #[track_caller]
    fn check(facts: RouteFacts, tool: &str, origin: &str, why: &[&str]) {
        let rules = read(RULES).unwrap().route;
        let facts = RouteFacts { home: Some(Path::new("/home/me")), ..facts };
        let route = Route::new(&rules, &facts, ("claude".into(), "built-in".into()));
        assert_eq!((route.tool.as_str(), route.origin.as_str()), (tool, origin), "{route:?}");
        let said = route.decided().map(|row| row.why.clone()).unwrap_or_default();
        assert_eq!(said, why);
    }

    #[test]
    fn the_first_rule_of_which_all_holds_decides() {
        let (work, other) = (Some(Path::new("/home/me/work/a/b")), Some(Path::new("/home/me/play")));
        let of = |prompt, root| RouteFacts { prompt, root, ..RouteFacts::default() };
        check(of("hello", work), "claude", "built-in", &[]);
        check(of("Refactoring!", work), "codex", "c.toml:10", &["the project is ~/work/**", "the prompt has `refactor*`"]);
        check(of("Refactoring!", other), "claude", "built-in", &[]);
        check(
            of("a UNIT tests,", Some(Path::new("/srv/one"))),
            "codex",
            "c.toml:10",
            &["the project is /srv/one", "the prompt has `unit tests`"],
        );
        check(of("unit of tests", work), "claude", "built-in", &[]);
        check(of("(C++)", work), "claude", "built-in", &[]);
        check(of("in C++", work), "codex", "c.toml:10", &["the project is ~/work/**", "the prompt has `c++`"]);
        check(of("prerefactor", work), "claude", "built-in", &[]);
        check(of("twenty-one character", work), "claude", "built-in", &[]);
        check(of("двадцать один символ!", work), "gemini", "c.toml:6", &["the prompt has 21 characters, more than 20"]);
        let piped = |prompt| RouteFacts { piped: true, ..of(prompt, None) };
        check(piped("fix"), "glm", "c.toml:15", &["the prompt has 3 characters, fewer than 5", "something is piped in"]);
        check(piped("fixes"), "claude", "built-in", &[]);
        check(of("fix", None), "claude", "built-in", &[]);
    }

    #[test]
    fn a_budget_decides_once_it_is_spent() {
        let standing = |span, is_spent| BudgetStanding { span, is_spent, note: "$4.00 of $4.00 today (100 %)".into() };
        for (budgets, tool) in [
            (vec![], "claude"),
            (vec![standing(BudgetSpan::Day, false)], "claude"),
            (vec![standing(BudgetSpan::Month, true)], "claude"),
            (vec![standing(BudgetSpan::Day, true)], "glm"),
        ] {
            let route = Route::new(
                &read(RULES).unwrap().route,
                &RouteFacts { budgets: &budgets, ..RouteFacts::default() },
                ("claude".into(), String::new()),
            );
            assert_eq!(route.tool, tool, "{route:?}");
        }
        let (any, none) = (OverBudget::Any(true), OverBudget::Any(false));
        let spent = [standing(BudgetSpan::Day, false), standing(BudgetSpan::Month, true)];
        assert_eq!((any.reason(&spent).0, none.reason(&spent).0), (true, false));
        assert_eq!((any.reason(&spent[..1]).0, none.reason(&[]).0), (false, true));
    }

    #[test]
    fn a_table_says_what_became_of_each_rule() {
        let facts = RouteFacts { prompt: "fix it, and then all the rest of it", piped: true, ..RouteFacts::default() };
        let default = ("claude".to_owned(), "built-in".to_owned());
        let route = Route::new(&read(RULES).unwrap().route, &facts, default.clone());
        let states: Vec<_> = route.table(&default).into_iter().map(|[tool, state, why, _]| format!("{tool} {state}: {why}")).collect();
        assert_eq!(
            states,
            [
                "glm no: no `budget_day` is set",
                "gemini runs: the prompt has 35 characters, more than 20",
                "codex no: the project is none of ~/work/**, /srv/one; the prompt has none of `refactor*`, `unit tests`, `c++`",
                "glm no: the prompt has 35 characters, not fewer than 5",
                "claude no: a rule matches"
            ]
        );
    }

    #[test]
    fn what_nobody_can_mean_is_refused_with_its_line() {
        for (text, expected) in [
            ("\n[[route]]\nlonger_than = 1", "c.toml:2: the rule names no `tool`"),
            ("[[route]]\ntool = 'x'", "c.toml:1: the rule says nothing of when"),
            ("[[route]]\ntool = 'x'\nwords = ['a', ' ']", "c.toml:1: an empty word"),
            ("[[route]]\ntool = 'x'\nprojects = ['work']", "c.toml:1: `work` is no project"),
            ("[[route]]\ntool = 'x'\nlonger_than = 4\nshorter_than = 5", "c.toml:1: no prompt is longer than 4"),
            ("[[route]]\ntool = 'x'\nover_budget = 'year'", "expected true, false, \"day\""),
            ("[[route]]\ntool = 'x'\nlonger = 3", "line 3"),
            ("[tool.glm]\n[[tool.glm.route]]\ntool = 'x'\nstdin = true", "c.toml:1: the section `glm` has sections of its own"),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.kind == Kind::Config && failure.to_string().contains(expected), "{text}: {failure}");
        }
        let rules = read("\n[[route]]\ntool = 'codx'\nstdin = true").unwrap().route;
        let failure = refuse_unknown(&rules[0], &["codex".into()]).unwrap_err().to_string();
        assert!(failure.contains("c.toml:2: there is no tool `codx`") && failure.contains("`tool = \"codex\"`"), "{failure}");
    }

    #[test]
    fn rules_of_the_person_are_asked_before_those_of_the_system() {
        let texts = [("/etc/ai/config.toml", "glm"), ("c.toml", "codex")];
        let sources = texts.map(|(path, tool)| ConfigText::own(path, format!("[[route]]\ntool = '{tool}'\nstdin = false")));
        let rules = Config::new(Scope::default(), &sources, &Env::default(), Layer::default()).unwrap().route;
        let route = Route::new(&rules, &RouteFacts::default(), Default::default());
        assert_eq!((route.tool.as_str(), route.rules.len()), ("codex", 2));
    }
}

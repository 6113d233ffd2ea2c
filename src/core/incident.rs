//! A report for whoever helps: what no report shows, and how one reads. A person reads it before anybody else does.

use std::path::Path;

use serde::Serialize;

use crate::core::commit::secrets::{KeyScanner, is_secret_name};
use crate::core::config::Origin;
use crate::core::facts::Env;
use crate::core::plan::{Part, Plan, Variable};
use crate::core::text::visible::visible_line;

/// One part of a report.
#[derive(Debug, Serialize)]
pub struct ReportPart {
    pub name: &'static str,
    pub about: &'static str,
    pub lines: Vec<String>,
}

/// Fewest bytes of a value that is looked for everywhere: a shorter one is a part of many words.
const SHORTEST: usize = 6;

/// What no report shows: values that are known, what has the shape of a key or stands behind a name that speaks of one, and the home.
#[derive(Default)]
pub struct Hidden {
    scanner: KeyScanner,
    /// Each value, and what stands for it; the longest first.
    values: Vec<(String, String)>,
    homes: Vec<String>,
}

impl Hidden {
    /// Hides the variables whose names speak of a secret, those of `secrets`, and the person's `literals`.
    pub fn new<'a>(env: &'a Env, secrets: &[String], literals: impl Iterator<Item = (&'a str, &'a str)>, homes: &[&Path]) -> Self {
        let named = |name: &&str| is_secret_name(name) || secrets.iter().any(|secret| secret == name);
        let names = env.names().filter_map(|name| name.to_str()).filter(named);
        let known = names.filter_map(|name| Some((name, env.text(name)?))).chain(literals);
        let mut values = Vec::new();
        for (name, value) in known.filter(|(_, value)| value.len() >= SHORTEST) {
            let in_json = serde_json::Value::from(value).to_string();
            let in_json = in_json.trim_matches('"').to_owned();
            let shown = visible_line(value).into_owned();
            values.extend([value.to_owned(), in_json, shown].map(|value| (value, format!("[{name}]"))));
        }
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let homes = homes.iter().filter_map(|home| home.to_str()).filter(|home| home.len() > 1);
        Self { scanner: KeyScanner::default(), values, homes: homes.map(str::to_owned).collect() }
    }

    /// Returns a part of the lines that were found, with nothing in it that is not for others. None of them can begin another.
    pub fn part(&self, name: &'static str, about: &'static str, found: &[String]) -> ReportPart {
        let text = found.iter().map(|line| visible_line(line)).collect::<Vec<_>>().join("\n");
        ReportPart { name, about, lines: self.without(&text).lines().map(str::to_owned).collect() }
    }

    fn without(&self, text: &str) -> String {
        let text = self.values.iter().fold(text.to_owned(), |text, (value, stands)| text.replace(value, stands));
        let text = without_logins(&without_assigned(&text));
        let text = String::from_utf8_lossy(&self.scanner.redacted(text.as_bytes())).into_owned();
        self.homes.iter().fold(text, |text, home| without_home(&text, home))
    }
}

/// Returns a text without what is assigned to a name that speaks of a secret: `X_TOKEN=…`, `"password": "…"`, `--api-key=…`.
fn without_assigned(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, behind) = rest.split_at(at + 1);
        shown.push_str(before);
        rest = behind;
        let name = before[..at].trim_end_matches(['"', '\'', '\\', ' ']);
        let name = name.rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).next().unwrap_or_default();
        let value = behind.trim_start_matches(['"', '\'', '\\', ' ']);
        let opening = &behind[..behind.len() - value.len()];
        let end = match opening.chars().next_back().filter(|last| matches!(last, '"' | '\'')) {
            Some(quote) => value.find([quote, '\n']),
            None => value.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '}' | ']' | ')')),
        };
        let end = end.unwrap_or(value.len());
        if end > 0 && is_secret_name(name) {
            shown.push_str(opening);
            shown.push_str("[hidden]");
            rest = &value[end..];
        }
    }
    shown + rest
}

/// The user of most remotes of git by SSH, which says nothing.
const NO_LOGIN: &str = "git";

/// Returns a text in which no address has a login: `https://jo:x@host`, `https://TOKEN@host`.
fn without_logins(text: &str) -> String {
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '`')).unwrap_or(part.len());
        let host = part[..end].rfind('@').filter(|at| part[..*at] != *NO_LOGIN);
        shown.push_str("://");
        shown.push_str(if host.is_some() { "[hidden]" } else { "" });
        shown.push_str(&part[host.unwrap_or(0)..]);
    }
    shown
}

/// Returns a text in which a home is `~`; `/home/jo` is no part of `/home/joan`.
fn without_home(text: &str, home: &str) -> String {
    let mut parts = text.split(home);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        shown.push_str(if goes_on { home } else { "~" });
        shown.push_str(part);
    }
    shown
}

/// Takes from a plan the values of variables that come from a person: their names are enough to see what is wrong.
pub fn hide_values(plan: &mut Plan, is_own: impl Fn(&str) -> bool) {
    for part in &mut plan.parts {
        let is_persons = match &part.origin {
            Origin::Manifest(tool) => is_own(tool),
            Origin::File(..) | Origin::Env(_) | Origin::Flag(_) => true,
            Origin::Default | Origin::Host => false,
        };
        if let (true, Part::Variable(Variable::Literal(_, value))) = (is_persons, &mut part.part) {
            *value = "[hidden]".into();
        }
    }
}

/// Returns the report as text.
pub fn text(parts: &[ReportPart]) -> String {
    let mut text = "A report of `ai incident`. It was sent to nobody: read it before you give it to anybody.\n\
        Secrets and your home are hidden; names of projects, paths and what the log quotes are not.\n"
        .to_owned();
    for ReportPart { name, about, lines } in parts {
        text.push_str(&format!("\n== {name}: {about}\n\n{}\n", lines.join("\n")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden() -> Hidden {
        let env = [("LOUD", "plain value"), ("A_TOKEN", "mad\"e up"), ("VENDOR", "s3same"), ("SHORT_KEY", "on")];
        let env: Env = env.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Hidden::new(&env, &["VENDOR".into()], [("MINE", "quokka-7")].into_iter(), &[Path::new("/home/jo")])
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found: Vec<String> = text.split('|').map(str::to_owned).collect();
        assert_eq!(hidden().part("a", "b", &found).lines.join("|"), expected);
    }

    // Q-11
    #[test]
    fn what_is_known_to_be_secret_is_nowhere() {
        check(
            "plain value mad\"e up, {\"x\":\"mad\\\"e up\"} s3same quokka-7 on",
            "plain value [A_TOKEN], {\"x\":\"[A_TOKEN]\"} [VENDOR] [MINE] on",
        );
        check("/home/jo /home/jo/x:/home/joan /home/jo.old", "~ ~/x:/home/joan /home/jo.old");
    }

    // Q-11
    #[test]
    fn what_a_name_or_a_shape_gives_away_is_hidden() {
        check("GITHUB_TOKEN=abc d, api-key: \"one two\" end", "GITHUB_TOKEN=[hidden] d, api-key: \"[hidden]\" end");
        check(
            r#"{"password":"x y","keys":"z","m":"a \"secret\": \"q\" b"}"#,
            r#"{"password":"[hidden]","keys":"z","m":"a \"secret\": \"[hidden]" b"}"#,
        );
        check(" 3: [env]| 4: db_password = 'x", " 3: [env]| 4: db_password = '[hidden]");
        check("key ghp_7Hk2Lm9Qw4Rt6Yu8Io1Pa3Sd5Fg0Zx2Cv4Bn was", "key [GitHub token] was");
        check("at http://jo:pw@proxy:3128/a, ssh://git@host", "at http://[hidden]@proxy:3128/a, ssh://git@host");
        check("to https://x0made-up0x@host/p@q https://git@host git.x@host", "to https://[hidden]@host/p@q https://git@host git.x@host");
        check("monkey=1 token count: 3", "monkey=1 token count: 3");
    }

    #[test]
    fn what_acts_on_a_terminal_or_begins_a_line_is_shown() {
        check("a\x1b]0;t\x07\nhint: b|c", "a\\u{1b}]0;t\\u{7}\\nhint: b|c");
    }
}

//! What a value may be that leaves a project for the settings that all projects share.
//!
//! A project's settings are written by whatever ran in its container, so a value passes only if no value within its bound can do harm
//! elsewhere: a switch, one of some words, a number in a range, a short text.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Longest text that passes, in characters.
const TEXT: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Spelled", into = "Spelled")]
pub enum Bound {
    Bool,
    Words(Vec<String>),
    Number(RangeInclusive<i64>),
    /// One line of at most so many characters.
    Text(usize),
}

/// How a manifest spells it: `"bool"`, `"text"`, `"text 16"`, `"0..100"`, or a list of words.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Spelled {
    Kind(String),
    Words(Vec<String>),
}

impl Bound {
    /// Whether a scalar in the spelling of JSON is within it.
    pub fn admits(&self, value: &str) -> bool {
        let text = || serde_json::from_str::<String>(value).ok();
        match self {
            Bound::Bool => value == "true" || value == "false",
            Bound::Words(words) => text().is_some_and(|text| words.contains(&text)),
            Bound::Number(range) => value.parse().is_ok_and(|number| range.contains(&number)),
            Bound::Text(most) => text().is_some_and(|text| text.chars().count() <= *most && text.chars().all(is_plain)),
        }
    }
}

/// Letters of any script, digits, and what is in names: nothing that a terminal, a shell or a template would act on.
fn is_plain(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, ' ' | '.' | '-' | '_' | '+' | ':')
}

impl TryFrom<Spelled> for Bound {
    type Error = String;

    fn try_from(spelled: Spelled) -> Result<Bound, String> {
        let kind = match spelled {
            Spelled::Words(words) if words.is_empty() => return Err("a list of words is empty".into()),
            Spelled::Words(words) => return Ok(Bound::Words(words)),
            Spelled::Kind(kind) => kind,
        };
        let unknown = || format!("`{kind}` is none of `bool`, `text`, `text 16`, `0..100`, a list of words");
        if kind == "bool" {
            return Ok(Bound::Bool);
        }
        if let Some(rest) = kind.strip_prefix("text") {
            let most = if rest.is_empty() { Some(TEXT) } else { rest.trim().parse().ok() };
            return most.filter(|most| (1..=TEXT).contains(most)).map(Bound::Text).ok_or_else(unknown);
        }
        let (low, high) = kind.split_once("..").ok_or_else(unknown)?;
        match (low.parse(), high.parse()) {
            (Ok(low), Ok(high)) => Ok(Bound::Number(low..=high)),
            _ => Err(unknown()),
        }
    }
}

impl From<Bound> for Spelled {
    fn from(bound: Bound) -> Spelled {
        match bound {
            Bound::Bool => Spelled::Kind("bool".into()),
            Bound::Words(words) => Spelled::Words(words),
            Bound::Number(range) => Spelled::Kind(format!("{}..{}", range.start(), range.end())),
            Bound::Text(most) => Spelled::Kind(format!("text {most}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(spelled: &str) -> Result<Bound, serde_json::Error> {
        serde_json::from_str(spelled)
    }

    // BO-08
    #[test]
    fn only_what_is_within_its_bound_is_admitted() {
        let check = |spelled: &str, good: &[&str], bad: &[&str]| {
            let bound = bound(spelled).unwrap();
            for (value, expected) in good.iter().map(|value| (value, true)).chain(bad.iter().map(|value| (value, false))) {
                assert_eq!(bound.admits(value), expected, "{spelled} {value}");
            }
        };
        check(r#""bool""#, &["true", "false"], &["\"true\"", "1", "null", "{}", "[true]"]);
        check(r#"["dark","light"]"#, &[r#""dark""#, r#""\u0064ark""#], &[r#""Dark""#, "dark", r#"["dark"]"#, r#""dark ""#]);
        check(r#""0..10""#, &["0", "10"], &["-1", "11", "1.5", "1e1", "\"1\"", "99999999999999999999"]);
        check(
            r#""text 8""#,
            &[r#""2.1.330""#, r#""é 1""#],
            &[r#""a\nb""#, r#""123456789""#, r#""a/b""#, r#""$(x)""#, r#""\u202e""#, r#""\ud800""#],
        );
    }

    #[test]
    fn a_bound_that_bounds_nothing_is_refused() {
        for spelled in [r#""""#, r#""anything""#, r#""text 65""#, r#""text 0""#, r#""..""#, "[]", "1", r#""textual""#] {
            assert!(bound(spelled).is_err(), "{spelled}");
        }
        for spelled in [r#""bool""#, r#""text 16""#, r#""-5..5""#, r#"["a"]"#] {
            assert_eq!(serde_json::to_string(&bound(spelled).unwrap()).unwrap(), spelled);
        }
    }
}

//! What a tool answered: the message in what it printed, or why there is none.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Where the message is in the JSON that a program prints. Keys are joined by dots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerRule {
    /// Whether each line is a document. The last one that fits has the message.
    pub lines: bool,
    /// What a document must say to be the one: key → text.
    pub only: BTreeMap<String, String>,
    /// The key of the message.
    pub text: String,
    /// The key that is `true` where the text is an error.
    pub failed: Option<String>,
}

/// Why an answer is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMessage {
    #[error("it answered with nothing")]
    Empty,
    #[error("it answered with an error")]
    Failed(String),
    #[error("what it printed is not what it prints for an answer")]
    Unreadable,
}

/// Returns the message in what the program printed.
///
/// # Errors
/// Where there is none, or the program says that its text is an error.
pub fn message(rule: Option<&AnswerRule>, printed: &[u8]) -> Result<String, NoMessage> {
    let printed = String::from_utf8_lossy(printed);
    let text = match rule {
        None => printed.into_owned(),
        Some(rule) => found(rule, &printed)?,
    };
    let text = plain(&text);
    if text.is_empty() { Err(NoMessage::Empty) } else { Ok(text) }
}

fn found(rule: &AnswerRule, printed: &str) -> Result<String, NoMessage> {
    let documents: Vec<Value> = if rule.lines {
        printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    } else {
        // Some print a word or two before the document.
        let begin = printed.find('{').ok_or(NoMessage::Unreadable)?;
        serde_json::Deserializer::from_str(&printed[begin..]).into_iter().take(1).flatten().collect()
    };
    let fits = |document: &&Value| rule.only.iter().all(|(key, text)| at(document, key).and_then(Value::as_str) == Some(text));
    let document = documents.iter().rev().find(fits).ok_or(NoMessage::Unreadable)?;
    let text = at(document, &rule.text).and_then(Value::as_str);
    if rule.failed.as_ref().is_some_and(|key| at(document, key).and_then(Value::as_bool) == Some(true)) {
        return Err(NoMessage::Failed(text.unwrap_or_default().into()));
    }
    text.map(str::to_owned).ok_or(NoMessage::Unreadable)
}

fn at<'a>(document: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(document, |value, part| value.get(part))
}

/// Returns the text without what models put around one: a fence, carriage returns, blank lines at either end.
fn plain(text: &str) -> String {
    let text = text.replace('\r', "");
    let text = text.trim();
    let unfenced = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let inner = unfenced.and_then(|inner| inner.split_once('\n')).filter(|(word, inner)| {
        // One fence around all of it, with at most a language behind it.
        word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') && !inner.contains("```")
    });
    inner.map_or(text, |(_, inner)| inner.trim()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(printed: &str, expected: Result<&str, NoMessage>) {
        assert_eq!(message(None, printed.as_bytes()), expected.map(str::to_owned), "{printed:?}");
    }

    // J-01
    #[test]
    fn quotes_stay_and_what_surrounds_a_message_goes() {
        check("feat: x \"y\"\n", Ok("feat: x \"y\""));
        check("\r\nfeat: `x`\r\n\r\n# not a comment\r\n", Ok("feat: `x`\n\n# not a comment"));
        check("```\nfeat: x\n```\n", Ok("feat: x"));
        check("```text\nfeat: x\n\nbody\n```", Ok("feat: x\n\nbody"));
        check("fix: the ``` fence\n\n```\ncode\n```", Ok("fix: the ``` fence\n\n```\ncode\n```"));
        check("```\na\n```\nand\n```\nb\n```", Ok("```\na\n```\nand\n```\nb\n```"));
    }

    // J-07
    #[test]
    fn nothing_is_no_message() {
        for nothing in ["", "\n \r\n", "```\n```", "```\n\n```"] {
            check(nothing, Err(NoMessage::Empty));
        }
    }

    #[track_caller]
    fn check_json(rule: &str, printed: &str, expected: Result<&str, NoMessage>) {
        let rule: AnswerRule = toml::from_str(rule).unwrap();
        assert_eq!(message(Some(&rule), printed.as_bytes()), expected.map(str::to_owned), "{printed}");
    }

    #[test]
    fn a_document_is_read_by_its_keys() {
        let claude = "text = 'result'\nfailed = 'is_error'";
        check_json(claude, r#"{"type":"result","is_error":false,"result":"feat: \"x\"\n"}"#, Ok("feat: \"x\""));
        check_json(claude, r#"{"is_error":true,"result":"Not logged in"}"#, Err(NoMessage::Failed("Not logged in".into())));
        check_json(claude, r#"{"is_error":false,"result":""}"#, Err(NoMessage::Empty));
        check_json(claude, "warming up\n{\"result\":\"a\"}\nbye", Ok("a"));
        for odd in ["feat: x", "", "{\"result\":", "{\"result\":5}", "[]"] {
            check_json(claude, odd, Err(NoMessage::Unreadable));
        }
    }

    #[test]
    fn of_many_lines_the_last_that_fits_has_it() {
        let codex = "lines = true\ntext = 'item.text'\nonly = { type = 'item.completed', 'item.type' = 'agent_message' }";
        let line =
            |kind: &str, text: &str| format!("{{\"type\":\"item.completed\",\"item\":{{\"type\":\"{kind}\",\"text\":\"{text}\"}}}}\n");
        let printed = format!(
            "{{\"type\":\"thread.started\"}}\nnoise\n{}{}{}",
            line("agent_message", "one"),
            line("agent_message", "two"),
            line("reasoning", "three")
        );
        check_json(codex, &printed, Ok("two"));
        check_json(codex, "{\"type\":\"turn.failed\"}\n", Err(NoMessage::Unreadable));
    }
}

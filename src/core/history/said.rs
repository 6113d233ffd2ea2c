//! What was said in a conversation: the messages in the lines of a transcript. What a program tells a model beside them is passed over.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::ledger::transcript::TranscriptFormat;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    Person,
    Model,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    pub by: Speaker,
    pub text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "type", default)]
    kind: String,
    /// Claude.
    message: Option<Message>,
    #[serde(default)]
    is_meta: bool,
    #[serde(default)]
    is_sidechain: bool,
    /// Codex.
    payload: Option<Payload>,
    /// Gemini.
    content: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Value>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    role: String,
    content: Option<Value>,
}

/// Returns what a line of a transcript says; nothing if no person and no model said it.
pub fn said(format: TranscriptFormat, line: &[u8]) -> Option<Said> {
    let Line { kind, message, is_meta, is_sidechain, payload, content } = serde_json::from_slice(line).ok()?;
    let (who, content) = match format {
        TranscriptFormat::Claude if is_meta || is_sidechain => return None,
        TranscriptFormat::Claude => (kind, message?.content?),
        TranscriptFormat::Codex => {
            let payload = payload.filter(|payload| payload.kind == "message")?;
            (payload.role, payload.content?)
        }
        TranscriptFormat::Gemini => (kind, content?),
    };
    let by = match who.as_str() {
        "user" => Speaker::Person,
        "assistant" | "gemini" => Speaker::Model,
        _ => return None,
    };
    let text = text_of(&content);
    // What a program puts in a person's mouth begins with a tag.
    let is_tagged = by == Speaker::Person && text.trim_start().starts_with('<') && text.trim_end().ends_with('>');
    (!text.is_empty() && !is_tagged).then_some(Said { by, text })
}

/// Returns the text of a message, which is one or has parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> =
                parts.iter().filter_map(|part| part["text"].as_str()).filter(|text| !text.starts_with("<session_context>")).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// Longest title, in characters.
const LONGEST: usize = 72;

/// Returns the first words of a text, in one line.
pub fn title(text: &str) -> String {
    let mut title = String::new();
    for word in text.split_whitespace() {
        let room = LONGEST.saturating_sub(title.chars().count() + usize::from(!title.is_empty()));
        if room == 0 || (word.chars().count() > room && !title.is_empty()) {
            return title + "…";
        }
        if !title.is_empty() {
            title.push(' ');
        }
        title.extend(word.chars().take(room));
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: TranscriptFormat, line: &str, expected: Option<(Speaker, &str)>) {
        let expected = expected.map(|(by, text)| Said { by, text: text.into() });
        assert_eq!(said(format, line.as_bytes()), expected, "{line}");
    }

    // DA-03
    #[test]
    fn each_tool_writes_messages_in_its_own_way() {
        use Speaker::{Model, Person};
        use TranscriptFormat::{Claude, Codex, Gemini};
        check(Claude, r#"{"type":"user","message":{"role":"user","content":"fix \"it\""}}"#, Some((Person, "fix \"it\"")));
        check(
            Claude,
            r#"{"type":"assistant","message":{"content":[{"type":"text","text":"so"},{"type":"tool_use"},{"type":"text","text":"be it"}]}}"#,
            Some((Model, "so\nbe it")),
        );
        check(Claude, r#"{"type":"user","isMeta":true,"message":{"content":"Caveat"}}"#, None);
        check(Claude, r#"{"type":"user","isSidechain":true,"message":{"content":"look"}}"#, None);
        check(Claude, r#"{"type":"user","message":{"content":"<command-name>/clear</command-name>"}}"#, None);
        check(Claude, r#"{"type":"user","message":{"content":[{"type":"tool_result","content":"secret"}]}}"#, None);
        check(Claude, r#"{"type":"attachment","attachment":{"type":"x"}}"#, None);
        check(
            Codex,
            r#"{"type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}"#,
            Some((Person, "hi")),
        );
        check(Codex, r#"{"type":"response_item","payload":{"type":"message","role":"developer","content":[{"text":"You are"}]}}"#, None);
        check(
            Codex,
            r#"{"type":"response_item","payload":{"type":"message","role":"user","content":[{"text":"<environment_context>\n</environment_context>"}]}}"#,
            None,
        );
        check(Codex, r#"{"type":"event_msg","payload":{"type":"item_completed","item":{"content":[{"text":"hi"}]}}}"#, None);
        check(Gemini, r#"{"id":"1","type":"user","content":[{"text":"привет"}]}"#, Some((Person, "привет")));
        check(Gemini, r#"{"id":"2","type":"gemini","content":"hi","tokens":{}}"#, Some((Model, "hi")));
        check(Gemini, r#"{"$set":{"messages":[{"type":"user","content":"again"}]}}"#, None);
        check(Gemini, r#"{"id":"1","type":"user","content":[{"text":"torn"#, None);
    }

    #[test]
    fn a_title_is_the_first_words_in_one_line() {
        for (text, expected) in [
            ("fix  the\n\tlogin", "fix the login".to_owned()),
            ("", String::new()),
            (&"word ".repeat(30), format!("{}…", "word ".repeat(14).trim_end())),
            (&"ж".repeat(99), "ж".repeat(LONGEST)),
        ] {
            assert_eq!(title(text), expected);
        }
    }
}

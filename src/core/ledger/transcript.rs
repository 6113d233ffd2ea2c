//! The lines of a transcript that say what a question to a model used. Formats as of claude 2.1.330, codex 0.169.0, gemini 0.61.0,
//! read in what these programs wrote.

use memchr::memmem;
use serde::Deserialize;

use super::Tokens;

/// How a program writes its transcripts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TranscriptFormat {
    Claude,
    Codex,
    Gemini,
}

/// One question to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCall {
    /// The maker's name for the answer.
    pub key: String,
    /// As `2026-11-26`, in UTC; `unknown` where the line does not say.
    pub day: String,
    pub model: String,
    pub tokens: Tokens,
}

/// Reads the lines of one file in their order.
#[derive(Debug)]
pub struct TranscriptReader {
    format: TranscriptFormat,
    /// Codex names it once a turn.
    model: String,
}

#[derive(Deserialize)]
struct ClaudeLine {
    timestamp: Option<String>,
    message: ClaudeMessage,
}

#[derive(Deserialize)]
struct ClaudeMessage {
    id: String,
    model: String,
    usage: ClaudeUsage,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ClaudeUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
}

#[derive(Deserialize)]
struct CodexLine {
    timestamp: Option<String>,
    ordinal: Option<u64>,
    payload: CodexPayload,
}

#[derive(Deserialize)]
struct CodexPayload {
    model: Option<String>,
    thread_id: Option<String>,
    usage: Option<CodexUsage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CodexUsage {
    input_tokens: u64,
    cached_input_tokens: u64,
    cache_write_input_tokens: u64,
    output_tokens: u64,
}

#[derive(Deserialize)]
struct GeminiLine {
    id: String,
    timestamp: Option<String>,
    model: Option<String>,
    tokens: GeminiTokens,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GeminiTokens {
    input: u64,
    output: u64,
    cached: u64,
    thoughts: u64,
    tool: u64,
}

impl TranscriptReader {
    pub fn new(format: TranscriptFormat) -> Self {
        Self { format, model: "unknown".into() }
    }

    /// Returns the question that a line reports, if it does.
    pub fn call(&mut self, line: &[u8]) -> Option<ModelCall> {
        let has = |mark: &str| memmem::find(line, mark.as_bytes()).is_some();
        match self.format {
            TranscriptFormat::Claude if has("\"usage\":{") => claude(line),
            TranscriptFormat::Gemini if has("\"tokens\":{") => gemini(line),
            TranscriptFormat::Codex if has("\"type\":\"turn_context\"") => {
                let line: CodexLine = serde_json::from_slice(line).ok()?;
                self.model = line.payload.model?;
                None
            }
            TranscriptFormat::Codex if has("\"type\":\"token_usage_record\"") => codex(line, &self.model),
            _ => None,
        }
    }
}

/// The program itself writes lines in this model's name.
const NO_MODEL: &str = "<synthetic>";

fn claude(line: &[u8]) -> Option<ModelCall> {
    let ClaudeLine { timestamp, message } = serde_json::from_slice(line).ok()?;
    let usage = message.usage;
    let tokens = Tokens {
        input: usage.input_tokens,
        output: usage.output_tokens,
        cached: usage.cache_read_input_tokens,
        written: usage.cache_creation_input_tokens,
    };
    (message.model != NO_MODEL).then(|| ModelCall { key: message.id, day: day(timestamp), model: message.model, tokens })
}

fn codex(line: &[u8], model: &str) -> Option<ModelCall> {
    let CodexLine { timestamp, ordinal, payload } = serde_json::from_slice(line).ok()?;
    let usage = payload.usage?;
    // What was cached is a part of the input.
    let input = usage.input_tokens.saturating_sub(usage.cached_input_tokens).saturating_sub(usage.cache_write_input_tokens);
    let tokens = Tokens { input, output: usage.output_tokens, cached: usage.cached_input_tokens, written: usage.cache_write_input_tokens };
    Some(ModelCall { key: format!("{}:{}", payload.thread_id?, ordinal?), day: day(timestamp), model: model.into(), tokens })
}

fn gemini(line: &[u8]) -> Option<ModelCall> {
    let GeminiLine { id, timestamp, model, tokens } = serde_json::from_slice(line).ok()?;
    let input = tokens.input.saturating_sub(tokens.cached).saturating_add(tokens.tool);
    let tokens = Tokens { input, output: tokens.output.saturating_add(tokens.thoughts), cached: tokens.cached, written: 0 };
    Some(ModelCall { key: id, day: day(timestamp), model: model.unwrap_or_else(|| "unknown".into()), tokens })
}

fn day(timestamp: Option<String>) -> String {
    let is_day =
        |text: &str| text.bytes().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    let day = timestamp.as_deref().and_then(|text| text.get(..10)).filter(|text| is_day(text));
    day.unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: TranscriptFormat, lines: &[&str], expected: &[(&str, &str, &str, [u64; 4])]) {
        let mut reader = TranscriptReader::new(format);
        let calls: Vec<ModelCall> = lines.iter().filter_map(|line| reader.call(line.as_bytes())).collect();
        let calls: Vec<_> = calls
            .iter()
            .map(|call| {
                let Tokens { input, output, cached, written } = call.tokens;
                (call.key.as_str(), call.day.as_str(), call.model.as_str(), [input, output, cached, written])
            })
            .collect();
        assert_eq!(calls, expected);
    }

    // DA-02
    #[test]
    fn each_tool_writes_it_in_its_own_way() {
        check(
            TranscriptFormat::Claude,
            &[
                r#"{"type":"user","message":{"content":"\"usage\":{"},"timestamp":"2026-11-26T21:00:00Z"}"#,
                r#"{"type":"assistant","message":{"id":"msg_1","model":"claude-opus-5-5","usage":{"input_tokens":1000,"cache_creation_input_tokens":3000,"cache_read_input_tokens":20000,"output_tokens":500,"speed":"standard"}},"timestamp":"2026-11-26T21:20:57.835Z","uuid":"u"}"#,
                r#"{"type":"assistant","message":{"id":"x","model":"<synthetic>","usage":{"input_tokens":0,"output_tokens":0}}}"#,
                r#"{"type":"assistant","message":{"id":"torn","model":"m","usage":{"input_tok"#,
            ],
            &[("msg_1", "2026-11-26", "claude-opus-5-5", [1000, 500, 20000, 3000])],
        );
        check(
            TranscriptFormat::Codex,
            &[
                r#"{"timestamp":"2026-11-26T21:20:57Z","ordinal":9,"type":"turn_context","payload":{"turn_id":"t","model":"gpt-6.1-sol"}}"#,
                r#"{"timestamp":"2026-11-26T21:20:58Z","ordinal":15,"type":"token_usage_record","payload":{"thread_id":"T","response_id":"r","usage":{"input_tokens":21000,"cached_input_tokens":20000,"cache_write_input_tokens":0,"output_tokens":500}}}"#,
                r#"{"timestamp":"2026-11-26T21:20:58Z","ordinal":16,"type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":21000}}}}"#,
            ],
            &[("T:15", "2026-11-26", "gpt-6.1-sol", [1000, 500, 20000, 0])],
        );
        check(
            TranscriptFormat::Gemini,
            &[
                r#"{"id":"g","timestamp":"no day at all","type":"gemini","content":"hi","tokens":{"input":21000,"output":400,"cached":20000,"thoughts":100,"tool":0,"total":21500},"model":"gemini-3.8-flash"}"#,
                r#"{"$set":{"messages":[{"id":"g","tokens":{"input":1}}]}}"#,
            ],
            &[("g", "unknown", "gemini-3.8-flash", [1000, 500, 20000, 0])],
        );
    }
}

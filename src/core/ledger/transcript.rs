//! The lines of a transcript that say what a question to a model used. Formats as of claude 2.1.330, codex 0.169.0, gemini 0.61.0,
//! read in what these programs wrote.

use memchr::memmem;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Tokens;
use super::day::Time;

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
    /// The hash of the maker's name for the answer.
    pub key: u64,
    pub time: Time,
    pub model: String,
    /// The tool's name for the conversation, or its begin.
    pub conversation: String,
    pub tokens: Tokens,
}

/// Most tokens of one kind that one question has: ten times what the largest model takes.
const MOST_TOKENS: u64 = 100_000_000;
/// Longest name of a model or a conversation, in bytes.
const LONGEST_NAME: usize = 200;

impl ModelCall {
    /// Says whether a tool can have written this: what runs in a container writes its transcripts, too, and could make a budget look spent.
    fn is_plausible(&self) -> bool {
        let Tokens { input, output, cached, written, hour } = self.tokens;
        let names = [&self.model, &self.conversation];
        [input, output, cached, written, hour].iter().all(|tokens| *tokens <= MOST_TOKENS)
            && names.iter().all(|name| name.len() <= LONGEST_NAME)
    }
}

/// Reads the lines of one file in their order.
#[derive(Debug)]
pub struct TranscriptReader {
    format: TranscriptFormat,
    mark: memmem::Finder<'static>,
    /// Codex names it once a turn.
    pub model: String,
    /// Gemini names it in the file's name.
    conversation: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaudeLine {
    timestamp: Option<String>,
    session_id: Option<String>,
    /// In what a fork copies: whose it was.
    request_session_id: Option<String>,
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
    cache_creation: CacheCreation,
    speed: Option<String>,
    service_tier: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: u64,
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
    /// Begins a file of this name, or goes on in it with the model that was the last one.
    pub fn new(format: TranscriptFormat, file: &str, model: Option<&str>) -> Self {
        let mark = match format {
            TranscriptFormat::Claude => "\"usage\":{",
            TranscriptFormat::Gemini => "\"tokens\":{",
            // Both `turn_context` and `token_usage_record`.
            TranscriptFormat::Codex => "\"type\":\"t",
        };
        let conversation = file.split('.').next().and_then(|stem| stem.rsplit('-').next()).unwrap_or_default();
        Self { format, mark: memmem::Finder::new(mark), model: model.unwrap_or("unknown").into(), conversation: conversation.into() }
    }

    /// Calls `found` with each question of some lines. Most lines report none, and are passed over at the speed of the memory.
    pub fn calls(&mut self, lines: &[u8], mut found: impl FnMut(ModelCall)) {
        let mut rest = lines;
        while let Some(at) = self.mark.find(rest) {
            let begin = memchr::memrchr(b'\n', &rest[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &rest[at..]).map_or(rest.len(), |end| at + end);
            if let Some(call) = self.call(&rest[begin..end]).filter(ModelCall::is_plausible) {
                found(call);
            }
            rest = &rest[end..];
        }
    }

    fn call(&mut self, line: &[u8]) -> Option<ModelCall> {
        let has = |mark: &str| memmem::find(line, mark.as_bytes()).is_some();
        match self.format {
            TranscriptFormat::Claude => claude(line),
            TranscriptFormat::Gemini => gemini(line, &self.conversation),
            TranscriptFormat::Codex if has("\"type\":\"turn_context\"") => {
                let line: CodexLine = serde_json::from_slice(line).ok()?;
                self.model = line.payload.model?;
                None
            }
            TranscriptFormat::Codex if has("\"type\":\"token_usage_record\"") => codex(line, &self.model),
            TranscriptFormat::Codex => None,
        }
    }
}

/// The program itself writes lines in this model's name.
const NO_MODEL: &str = "<synthetic>";

fn claude(line: &[u8]) -> Option<ModelCall> {
    let ClaudeLine { timestamp, session_id, request_session_id, message } = serde_json::from_slice(line).ok()?;
    let usage = message.usage;
    let tokens = Tokens {
        input: usage.input_tokens,
        output: usage.output_tokens,
        cached: usage.cache_read_input_tokens,
        written: usage.cache_creation_input_tokens,
        hour: usage.cache_creation.ephemeral_1h_input_tokens,
    };
    let is_plain = |word: &&String| word.as_str() != "standard";
    // What is faster or slower than usual has another price, and so another name.
    let model = match [&usage.speed, &usage.service_tier].into_iter().flatten().find(is_plain) {
        Some(other) => format!("{} ({other})", message.model),
        None => message.model.clone(),
    };
    let conversation = request_session_id.or(session_id).unwrap_or_default();
    (message.model != NO_MODEL).then(|| ModelCall { key: key(&message.id), time: time(timestamp), model, conversation, tokens })
}

fn codex(line: &[u8], model: &str) -> Option<ModelCall> {
    let CodexLine { timestamp, ordinal, payload } = serde_json::from_slice(line).ok()?;
    let (usage, thread) = (payload.usage?, payload.thread_id?);
    // What was cached is a part of the input.
    let input = usage.input_tokens.saturating_sub(usage.cached_input_tokens).saturating_sub(usage.cache_write_input_tokens);
    let (output, cached, written) = (usage.output_tokens, usage.cached_input_tokens, usage.cache_write_input_tokens);
    let key = key(&format!("{thread}:{}", ordinal?));
    Some(ModelCall {
        key,
        time: time(timestamp),
        model: model.into(),
        conversation: thread,
        tokens: Tokens { input, output, cached, written, hour: 0 },
    })
}

fn gemini(line: &[u8], conversation: &str) -> Option<ModelCall> {
    let GeminiLine { id, timestamp, model, tokens } = serde_json::from_slice(line).ok()?;
    let input = tokens.input.saturating_sub(tokens.cached).saturating_add(tokens.tool);
    let tokens = Tokens { input, output: tokens.output.saturating_add(tokens.thoughts), cached: tokens.cached, written: 0, hour: 0 };
    let model = model.unwrap_or_else(|| "unknown".into());
    Some(ModelCall { key: key(&id), time: time(timestamp), model, conversation: conversation.into(), tokens })
}

fn time(timestamp: Option<String>) -> Time {
    timestamp.as_deref().map_or(Time::UNKNOWN, Time::parse)
}

/// Returns the hash that stands for a name. It is kept in files, so it is the same for ever.
fn key(name: &str) -> u64 {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: TranscriptFormat, lines: &[&str], expected: &[(&str, &str, &str, &str, [u64; 5])]) {
        let mut reader = TranscriptReader::new(format, "session-2026-11-26T21-20-abcdef01.jsonl", None);
        let mut calls = Vec::new();
        reader.calls(lines.join("\n").as_bytes(), |call| calls.push(call));
        let calls: Vec<_> = calls
            .iter()
            .map(|call| {
                let Tokens { input, output, cached, written, hour } = call.tokens;
                (call.key, call.time, call.model.as_str(), call.conversation.as_str(), [input, output, cached, written, hour])
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, at, model, conversation, tokens)| (key(name), Time::parse(at), *model, *conversation, *tokens))
            .collect();
        assert_eq!(calls, expected);
    }

    // DA-02: a transcript that lies counts for nothing.
    #[test]
    fn what_no_model_answers_is_passed_over() {
        let line = |id: &str, model: &str, output: u64| {
            let usage = format!(r#""usage":{{"output_tokens":{output}}}"#);
            format!(r#"{{"message":{{"id":"{id}","model":"{model}",{usage}}},"sessionId":"S"}}"#)
        };
        let long = "m".repeat(LONGEST_NAME + 1);
        let lines = [
            line("a", "m", MOST_TOKENS),
            line("b", "m", MOST_TOKENS + 1),
            line("c", "m", u64::MAX),
            line("d", &long, 1),
            line("e", &long[1..], 1),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        check(
            TranscriptFormat::Claude,
            &lines,
            &[("a", "", "m", "S", [0, MOST_TOKENS, 0, 0, 0]), ("e", "", &long[1..], "S", [0, 1, 0, 0, 0])],
        );
    }

    // DA-02
    #[test]
    fn each_tool_writes_it_in_its_own_way() {
        check(
            TranscriptFormat::Claude,
            &[
                r#"{"type":"user","message":{"content":"\"usage\":{"},"timestamp":"2026-11-26T21:00:00Z"}"#,
                r#"{"type":"assistant","message":{"id":"msg_1","model":"claude-opus-5-5","usage":{"input_tokens":1000,"cache_creation_input_tokens":3000,"cache_read_input_tokens":20000,"output_tokens":500,"cache_creation":{"ephemeral_5m_input_tokens":2000,"ephemeral_1h_input_tokens":1000},"speed":"standard"}},"timestamp":"2026-11-26T21:20:57.835Z","uuid":"u","sessionId":"S"}"#,
                r#"{"type":"assistant","message":{"id":"msg_2","model":"m","usage":{"output_tokens":7,"speed":"fast"}},"sessionId":"S","requestSessionId":"R"}"#,
                r#"{"type":"assistant","message":{"id":"x","model":"<synthetic>","usage":{"input_tokens":0,"output_tokens":0}}}"#,
                r#"{"type":"assistant","message":{"id":"torn","model":"m","usage":{"input_tok"#,
            ],
            &[
                ("msg_1", "2026-11-26T21:20:57Z", "claude-opus-5-5", "S", [1000, 500, 20000, 3000, 1000]),
                ("msg_2", "", "m (fast)", "R", [0, 7, 0, 0, 0]),
            ],
        );
        check(
            TranscriptFormat::Codex,
            &[
                r#"{"timestamp":"2026-11-26T21:20:57Z","ordinal":9,"type":"turn_context","payload":{"turn_id":"t","model":"gpt-6.1-sol"}}"#,
                r#"{"timestamp":"2026-11-26T21:20:58Z","ordinal":15,"type":"token_usage_record","payload":{"thread_id":"T","response_id":"r","usage":{"input_tokens":21000,"cached_input_tokens":20000,"cache_write_input_tokens":0,"output_tokens":500}}}"#,
                r#"{"timestamp":"2026-11-26T21:20:58Z","ordinal":16,"type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":21000}}}}"#,
            ],
            &[("T:15", "2026-11-26T21:20:58Z", "gpt-6.1-sol", "T", [1000, 500, 20000, 0, 0])],
        );
        check(
            TranscriptFormat::Gemini,
            &[
                r#"{"id":"g","timestamp":"no day at all","type":"gemini","content":"hi","tokens":{"input":21000,"output":400,"cached":20000,"thoughts":100,"tool":0,"total":21500},"model":"gemini-3.8-flash"}"#,
                r#"{"$set":{"messages":[{"id":"g","tokens":{"input":1}}]}}"#,
            ],
            &[("g", "", "gemini-3.8-flash", "abcdef01", [1000, 500, 20000, 0, 0])],
        );
    }
}

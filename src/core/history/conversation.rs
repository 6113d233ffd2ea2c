//! A conversation as its transcript tells of it.

use std::path::{Component, Path, PathBuf};

use memchr::memmem;
use serde::Serialize;
use serde_json::Value;

use super::said::{Speaker, said, title};
use crate::core::ledger::transcript::TranscriptFormat;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conversation {
    pub tool: String,
    pub project: String,
    /// The tool's own name for it.
    pub id: String,
    /// What the person or the tool called it, else the person's first words.
    pub title: String,
    /// What was looked for, with what stands around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Where it ran, as the tool saw it.
    pub workdir: Option<PathBuf>,
    /// When something was written last, in seconds since 1970.
    pub last: u64,
}

/// Returns a tool's name for the conversation in a file, by the file's name and its first line; nothing for one that belongs to another.
pub fn id(format: TranscriptFormat, name: &str, head: &[u8]) -> Option<String> {
    let stem = name.split('.').next()?;
    let id = match format {
        TranscriptFormat::Claude => (!stem.starts_with("agent-")).then(|| stem.to_owned()),
        TranscriptFormat::Codex => stem.len().checked_sub(36).and_then(|at| stem.get(at..)).map(str::to_owned),
        TranscriptFormat::Gemini => {
            let first: Value = serde_json::from_slice(head.split(|byte| *byte == b'\n').next()?).ok()?;
            first["sessionId"].as_str().map(str::to_owned)
        }
    };
    id.filter(|id| is_plain(id))
}

/// Whether a name can be a word of a command and nothing else: a container wrote it.
fn is_plain(id: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric();
    id.len() <= 64 && id.bytes().next().is_some_and(is_letter) && id.bytes().all(|byte| is_letter(byte) || matches!(byte, b'-' | b'_'))
}

/// Returns what a conversation is called: by its person, by its tool, or the first words of its person.
pub fn called(format: TranscriptFormat, head: &[u8], tail: &[u8]) -> Option<String> {
    let names = [("\"type\":\"custom-title\"", "customTitle"), ("\"type\":\"ai-title\"", "aiTitle"), ("\"type\":\"summary\"", "summary")];
    let named = names.iter().filter(|_| format == TranscriptFormat::Claude).find_map(|(mark, key)| {
        let last = tail.split(|byte| *byte == b'\n').rfind(|line| memmem::find(line, mark.as_bytes()).is_some())?;
        let name = title(serde_json::from_slice::<Value>(last).ok()?[key].as_str()?);
        (!name.is_empty()).then_some(name)
    });
    let first = || {
        let lines = head.split(|byte| *byte == b'\n').filter_map(|line| said(format, line));
        lines.filter(|said| said.by == Speaker::Person).map(|said| title(&said.text)).find(|title| !title.is_empty())
    };
    named.or_else(first)
}

/// Returns where on the host a conversation's directory can be, by the project's root: the first that is there is meant. What a container
/// wrote leads nowhere else by its words.
pub fn places(root: &Path, workdir: &Path) -> Vec<PathBuf> {
    if !workdir.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_))) {
        return Vec::new();
    }
    let name = root.file_name().unwrap_or_default();
    let within = |above: &Path| workdir.strip_prefix(above).ok().map(|below| root.join(below));
    let mounts = [Path::new("/workspace").join(name), PathBuf::from("/workspace"), root.to_owned()];
    mounts.iter().filter_map(|mount| within(mount)).collect()
}

/// Returns the words with which a tool goes on with a conversation.
pub fn resume_words(pattern: &[String], id: &str) -> Vec<String> {
    pattern.iter().map(|word| word.replace("{id}", id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use TranscriptFormat::{Claude, Codex, Gemini};

    #[test]
    fn each_tool_names_a_conversation_in_its_own_way() {
        let uuid = "01a21a14-9366-75d2-a7c1-7b24ad0fa678";
        assert_eq!(id(Claude, &format!("{uuid}.jsonl"), b"").as_deref(), Some(uuid));
        assert_eq!(id(Claude, "agent-1.jsonl", b""), None);
        assert_eq!(id(Codex, &format!("rollout-2026-11-26T22-58-06-{uuid}.jsonl.zst"), b"").as_deref(), Some(uuid));
        assert_eq!(id(Codex, "short.jsonl", b""), None);
        assert_eq!(id(Gemini, "session-1-f6e25735.jsonl", b"{\"sessionId\":\"f6e25735-3944\"}\n{").as_deref(), Some("f6e25735-3944"));
        assert_eq!(id(Gemini, "session-1-f6e25735.jsonl", b"{\"sess"), None);
        for hostile in ["--yolo.jsonl", "a b.jsonl", ".jsonl", "a\u{1b}.jsonl"] {
            assert_eq!(id(Claude, hostile, b""), None, "{hostile}");
        }
    }

    #[test]
    fn a_name_that_was_given_counts_more_than_the_first_words() {
        let head = b"{\"type\":\"user\",\"message\":{\"content\":\"<x>\"}}\n{\"type\":\"user\",\"message\":{\"content\":\"first words\"}}\n{\"torn";
        let tail = b"torn\"}\n{\"type\":\"ai-title\",\"aiTitle\":\"Theirs\"}\n{\"type\":\"custom-title\",\"customTitle\":\"old\"}\n{\"type\":\"custom-title\",\"customTitle\":\"Mine\"}\n";
        assert_eq!(called(Claude, head, b"").as_deref(), Some("first words"));
        assert_eq!(called(Claude, head, tail).as_deref(), Some("Mine"));
        assert_eq!(called(Claude, head, &tail[..50]).as_deref(), Some("Theirs"));
        assert_eq!(called(Gemini, b"{\"sessionId\":\"x\"}\n", tail), None);
    }

    #[test]
    fn a_directory_inside_is_looked_for_where_it_can_be_outside() {
        let check = |workdir: &str, expected: &[&str]| {
            let places = places(Path::new("/home/me/proj"), Path::new(workdir));
            assert_eq!(places, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{workdir}");
        };
        check("/workspace/proj", &["/home/me/proj", "/home/me/proj/proj"]);
        check("/workspace/sub/dir", &["/home/me/proj/sub/dir"]);
        check("/home/me/proj/sub", &["/home/me/proj/sub"]);
        check("/home/me/other", &[]);
        check("/workspace/../../etc", &[]);
    }
}

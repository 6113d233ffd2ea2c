//! What earlier programs kept as JSON. It is taken over once: of what a tool has swept away since, nothing else is left.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Tokens;
use super::cache::{Counted, LedgerCache};
use super::day::Time;
use super::question::Question;

#[derive(Deserialize)]
struct FormerCache {
    names: Vec<String>,
    files: BTreeMap<String, FormerFile>,
}

#[derive(Deserialize)]
struct FormerFile {
    questions: Vec<FormerQuestion>,
}

/// Key, seconds, places of model and conversation; tokens of input, output, cached, written, and of those for an hour.
type FormerQuestion = (u64, i64, u32, u32, u64, u64, u64, u64, u64);

/// Reads it; anything else is an empty one. No file is as it was: what is still there is counted anew.
pub fn parse(text: &[u8]) -> LedgerCache {
    serde_json::from_slice(text).ok().and_then(taken_over).unwrap_or_default()
}

fn taken_over(former: FormerCache) -> Option<LedgerCache> {
    let mut cache = LedgerCache::default();
    let count = u32::try_from(former.names.len()).ok()?;
    for (place, name) in (0..).zip(&former.names) {
        // Each is there once.
        (cache.names.place(name) == place).then_some(())?;
    }
    for (path, file) in former.files {
        let questions: Option<Vec<Question>> = file.questions.into_iter().map(|packed| question(packed, count)).collect();
        cache.files.insert(path, Counted { questions: questions?, ..Counted::default() });
    }
    Some(cache)
}

fn question((key, seconds, model, conversation, input, output, cached, written, hour): FormerQuestion, names: u32) -> Option<Question> {
    let tokens = Tokens { input, output, cached, written, hour };
    (model < names && conversation < names).then(|| Question { key, time: Time::of(seconds), model, conversation, tokens: tokens.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_an_empty_one() {
        let text = |names: &str, question: &str| {
            let stamp = r#"{"inode":1,"size":2,"modified":3,"changed":4}"#;
            let file = format!(r#"{{"stamp":{stamp},"end":5,"before_end":"","model":"m","questions":[{question}]}}"#);
            format!(r#"{{"format":"0.1.0 1","names":{names},"files":{{"a.jsonl":{file}}}}}"#)
        };
        let good = "[7,60,0,1,1,2,3,4,5]";
        let read = parse(text(r#"["m","c"]"#, good).as_bytes());
        let tokens = Tokens { input: 1, output: 2, cached: 3, written: 4, hour: 5 };
        let expected = Question { key: 7, time: Time::of(60), model: 0, conversation: 1, tokens: tokens.into() };
        assert_eq!(read.files["a.jsonl"], Counted { questions: vec![expected], ..Counted::default() });
        assert_eq!(read.names.names, ["m", "c"]);
        for (names, question) in
            [(r#"["m"]"#, good), (r#"["m","m"]"#, good), (r#"["m","c"]"#, "[7]"), (r#"["m","c"]"#, "[7,60,0,9,1,2,3,4,5]")]
        {
            assert!(parse(text(names, question).as_bytes()).files.is_empty(), "{names} {question}");
        }
        assert!(parse(b"").files.is_empty() && parse(b"null").files.is_empty());
    }
}

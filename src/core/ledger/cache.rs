//! What is known already of the transcripts of one tool in one project: only what is new is read, and what is gone still counts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::question::{Names, Question};

/// What read the transcripts; what another program read is read again, as long as it is there.
const FORMAT: &str = concat!(env!("CARGO_PKG_VERSION"), " 1");

/// By what a file is known to be as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub inode: u64,
    pub size: u64,
    /// Nanoseconds.
    pub modified: i128,
    pub changed: i128,
}

/// What is known of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub stamp: Stamp,
    /// Where its last whole line ends.
    pub end: u64,
    /// The hash of what stands before that end.
    pub before_end: String,
    /// The model that was named last.
    pub model: String,
    pub questions: Vec<Question>,
}

impl Counted {
    /// Adds a report; that of the question before it is the same one's.
    pub fn add(&mut self, question: Question) {
        if !self.questions.last_mut().is_some_and(|last| last.is_joined_by(&question)) {
            self.questions.push(question);
        }
    }

    /// Whether a file that is like this now can only have got longer.
    pub fn may_have_grown_to(&self, now: &Stamp) -> bool {
        self.stamp.inode == now.inode && self.stamp.size < now.size && self.end > 0
    }
}

/// The transcripts of one tool in one project: path below its home → what is known.
#[derive(Clone, Debug, Default)]
pub struct LedgerCache {
    pub names: Names,
    pub files: BTreeMap<String, Counted>,
}

#[derive(Serialize, Deserialize)]
struct Written<N, F> {
    format: String,
    names: N,
    files: F,
}

impl LedgerCache {
    /// Reads what [`Self::write`] wrote; anything else is an empty one. No file is as it was for another program.
    pub fn parse(text: &[u8]) -> Self {
        let Ok(mut written) = serde_json::from_slice::<Written<Vec<String>, BTreeMap<String, Counted>>>(text) else {
            return Self::default();
        };
        let mut names = Names::default();
        for name in &written.names {
            names.place(name);
        }
        let count = u32::try_from(written.names.len()).unwrap_or(u32::MAX);
        let is_named = |question: &Question| question.model < count && question.conversation < count;
        if written.format != FORMAT {
            written.files.values_mut().for_each(|file| (file.stamp, file.end) = Default::default());
        }
        if names.names.len() == written.names.len() && written.files.values().flat_map(|file| &file.questions).all(is_named) {
            Self { names, files: written.files }
        } else {
            Self::default()
        }
    }

    /// Writes it piece by piece: as one text it is larger than in memory.
    pub fn write(&self, to: impl Write) -> io::Result<()> {
        let written = Written { format: FORMAT.to_owned(), names: &self.names.names, files: &self.files };
        serde_json::to_writer(to, &written).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tokens;
    use super::super::day::Time;
    use super::*;

    fn question(key: u64, output: u64) -> Question {
        Question { key, time: Time::UNKNOWN, model: 0, conversation: 1, tokens: Tokens { output, ..Tokens::default() } }
    }

    fn cache() -> LedgerCache {
        let mut cache = LedgerCache::default();
        cache.names.place("m");
        cache.names.place("c");
        let stamp = Stamp { inode: u64::MAX, size: 7, modified: i128::from(u64::MAX), changed: -1 };
        let mut counted = Counted { stamp, end: 5, ..Counted::default() };
        for (key, output) in [(u64::MAX, 1), (u64::MAX, 3), (2, 1)] {
            counted.add(question(key, output));
        }
        cache.files.insert("a.jsonl".into(), counted);
        cache
    }

    fn text() -> String {
        let mut text = Vec::new();
        cache().write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let cache = cache();
        assert_eq!(cache.files["a.jsonl"].questions, [question(u64::MAX, 3), question(2, 1)]);
        let read = LedgerCache::parse(text().as_bytes());
        assert_eq!((&read.names.names, &read.files), (&cache.names.names, &cache.files));
    }

    #[test]
    fn what_another_program_read_counts_until_it_is_read_again() {
        let text = text().replace(FORMAT, "0.0.1 0");
        let file = &LedgerCache::parse(text.as_bytes()).files["a.jsonl"];
        assert_eq!((file.stamp, file.end, file.questions.len()), (Stamp::default(), 0, 2));
    }

    #[test]
    fn what_is_torn_or_names_nothing_is_an_empty_one() {
        let text = text();
        for wrong in [
            text[..text.len() - 9].to_owned(),
            text.replace("[\"m\",\"c\"]", "[\"m\"]"),
            text.replace("[\"m\",\"c\"]", "[\"m\",\"m\"]"),
            String::new(),
            "null".into(),
        ] {
            assert_ne!(wrong, text);
            assert!(LedgerCache::parse(wrong.as_bytes()).files.is_empty(), "{wrong}");
        }
    }

    #[test]
    fn only_the_same_file_can_have_grown() {
        let counted = &cache().files["a.jsonl"];
        let now = |inode, size| Stamp { inode, size, ..counted.stamp };
        assert!(counted.may_have_grown_to(&now(u64::MAX, 8)));
        assert!(!counted.may_have_grown_to(&now(u64::MAX, 7)) && !counted.may_have_grown_to(&now(1, 8)));
    }
}

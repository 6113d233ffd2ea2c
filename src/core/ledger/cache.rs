//! What is known already of the transcripts of one tool in one project: only what is new is read, and what is gone still counts.

use std::collections::BTreeMap;

use super::Tokens;
use super::day::Time;
use super::question::{Names, Question};

/// How the numbers below are written. What is written in another way is counted anew.
const FORM: &str = "ledger 2";
/// What read the transcripts; what another program read is read again, as long as it is there.
const READER: &str = env!("CARGO_PKG_VERSION");

/// By what a file is known to be as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    pub inode: u64,
    pub size: u64,
    /// Nanoseconds.
    pub modified: i128,
    pub changed: i128,
}

/// What is known of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

impl LedgerCache {
    /// Reads what [`Self::bytes`] wrote; anything else is an empty one. No file is as it was for another program.
    pub fn parse(bytes: &[u8]) -> Self {
        parse(&mut NumberReader(bytes)).unwrap_or_default()
    }

    /// Returns it as bytes: two words that say what wrote it, names, then each file with its questions. Numbers take a byte for seven bits,
    /// and a time is written as what has passed since the one before it: most questions are of some twenty bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut to = NumberWriter::default();
        to.text(FORM);
        to.text(READER);
        to.number(self.names.names.len() as u64);
        for name in &self.names.names {
            to.text(name);
        }
        to.number(self.files.len() as u64);
        for (path, Counted { stamp, end, before_end, model, questions }) in &self.files {
            to.text(path);
            to.number(stamp.inode);
            to.number(stamp.size);
            to.0.extend(stamp.modified.to_le_bytes());
            to.0.extend(stamp.changed.to_le_bytes());
            to.number(*end);
            to.text(before_end);
            to.text(model);
            to.number(questions.len() as u64);
            let mut before = 0;
            for Question { key, time, model, conversation, tokens } in questions {
                to.0.extend(key.to_le_bytes());
                let since = time.seconds().wrapping_sub(before);
                before = time.seconds();
                // The sign goes last, so that a step back is short, too.
                let since = ((since << 1) ^ (since >> 63)).cast_unsigned();
                let Tokens { input, output, cached, written, hour } = (*tokens).into();
                to.numbers([since, u64::from(*model), u64::from(*conversation), input, output, cached, written, hour]);
            }
        }
        to.0
    }
}

fn parse(from: &mut NumberReader) -> Option<LedgerCache> {
    if from.text()? != FORM {
        return None;
    }
    let is_ours = from.text()? == READER;
    let mut cache = LedgerCache::default();
    let count = from.number()?;
    for place in 0..count {
        // Each is there once.
        (u64::from(cache.names.place(from.text()?)) == place).then_some(())?;
    }
    for _ in 0..from.number()? {
        let path = from.text()?.to_owned();
        let (inode, size) = (from.number()?, from.number()?);
        let stamp = Stamp { inode, size, modified: i128::from_le_bytes(from.bytes()?), changed: i128::from_le_bytes(from.bytes()?) };
        let (end, before_end, model) = (from.number()?, from.text()?.to_owned(), from.text()?.to_owned());
        let questions = questions(from, count)?;
        // No file is as it was for another program.
        let (stamp, end) = if is_ours { (stamp, end) } else { Default::default() };
        cache.files.insert(path, Counted { stamp, end, before_end, model, questions });
    }
    from.0.is_empty().then_some(cache)
}

fn questions(from: &mut NumberReader, names: u64) -> Option<Vec<Question>> {
    let count = usize::try_from(from.number()?).ok()?;
    // As many as can be there; what a torn file says is not believed.
    let mut questions = Vec::with_capacity(count.min(from.0.len() / SHORTEST));
    let mut before: i64 = 0;
    for _ in 0..count {
        let key = u64::from_le_bytes(from.bytes()?);
        let since = from.number()?;
        before = before.wrapping_add((since >> 1).cast_signed() ^ -(since & 1).cast_signed());
        let mut name = || from.number().filter(|place| *place < names).and_then(|place| u32::try_from(place).ok());
        let (model, conversation) = (name()?, name()?);
        let mut number = || from.number();
        let tokens = Tokens { input: number()?, output: number()?, cached: number()?, written: number()?, hour: number()? };
        questions.push(Question { key, time: Time::of(before), model, conversation, tokens: tokens.into() });
    }
    Some(questions)
}

/// Fewest bytes of a question.
const SHORTEST: usize = 16;
/// Most bytes of a number.
const LONGEST: usize = 10;

/// Bytes that are being written: numbers of seven bits a byte, and texts behind their length.
#[derive(Default)]
struct NumberWriter(Vec<u8>);

impl NumberWriter {
    fn number(&mut self, number: u64) {
        self.numbers([number]);
    }

    fn numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        let (mut bytes, mut end) = ([[0; LONGEST]; N], 0);
        let bytes = bytes.as_flattened_mut();
        for mut number in numbers {
            while number >= 0x80 {
                bytes[end] = number.to_le_bytes()[0] | 0x80;
                (end, number) = (end + 1, number >> 7);
            }
            bytes[end] = number.to_le_bytes()[0];
            end += 1;
        }
        self.0.extend_from_slice(&bytes[..end]);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }
}

/// Bytes that are yet to be read.
struct NumberReader<'a>(&'a [u8]);

impl<'a> NumberReader<'a> {
    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        while shift < 64 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
        None
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(key: u64, seconds: i64, output: u64) -> Question {
        Question { key, time: Time::of(seconds), model: 0, conversation: 1, tokens: Tokens { output, ..Tokens::default() }.into() }
    }

    fn cache() -> LedgerCache {
        let mut cache = LedgerCache::default();
        cache.names.place("m");
        cache.names.place("c");
        let stamp = Stamp { inode: u64::MAX, size: 7, modified: i128::from(u64::MAX), changed: -1 };
        let mut counted = Counted { stamp, end: 5, model: "m".into(), ..Counted::default() };
        for (key, seconds, output) in
            [(u64::MAX, 1, 1), (u64::MAX, 1, 300), (2, i64::MIN, u64::MAX), (3, i64::MAX, 0), (4, 5, 127), (5, 4, 128)]
        {
            counted.add(question(key, seconds, output));
        }
        cache.files.insert("a.jsonl".into(), counted);
        cache.files.insert("b.jsonl".into(), Counted::default());
        cache
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let cache = cache();
        assert_eq!(cache.files["a.jsonl"].questions[..2], [question(u64::MAX, 1, 300), question(2, i64::MIN, u64::from(u32::MAX))]);
        let read = LedgerCache::parse(&cache.bytes());
        assert_eq!((&read.names.names, &read.files), (&cache.names.names, &cache.files));
    }

    #[test]
    fn what_another_program_read_counts_until_it_is_read_again() {
        let mut bytes = cache().bytes();
        bytes[FORM.len() + 2] ^= 1;
        let file = &LedgerCache::parse(&bytes).files["a.jsonl"];
        assert_eq!((file.stamp, file.end, file.questions.len()), (Stamp::default(), 0, 5));
    }

    #[test]
    fn what_is_torn_or_names_nothing_is_an_empty_one() {
        let bytes = cache().bytes();
        for length in 0..bytes.len() {
            assert!(LedgerCache::parse(&bytes[..length]).files.is_empty(), "{length}");
        }
        let changed = |from: &[u8], to: &[u8]| {
            let at = memchr::memmem::find(&bytes, from).unwrap();
            [&bytes[..at], to, &bytes[at + from.len()..]].concat()
        };
        let names = b"\x02\x01m\x01c";
        let wrong = [
            changed(names, b"\x01\x01m"),
            changed(names, b"\x02\x01m\x01m"),
            changed(FORM.as_bytes(), b"ledger 9"),
            [&bytes[..], b"x"].concat(),
        ];
        for bytes in wrong.iter().map(Vec::as_slice).chain([&b"null"[..], &[0xff; 64]]) {
            assert!(LedgerCache::parse(bytes).files.is_empty(), "{bytes:?}");
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

//! The whole lines of a stream, many at a time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::core::ledger::transcript::{ModelCall, TranscriptFormat, TranscriptReader};
use crate::core::text::digest::sha256;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Longest line that is understood, in bytes; longer ones are passed over.
const LONGEST: usize = 32 << 20;
/// Bytes before a place that stand for all before it.
const BEFORE: u64 = 1024;

pub struct Lines {
    reader: TranscriptReader,
}

impl Lines {
    pub fn new(format: TranscriptFormat, file: &str, model: Option<&str>) -> Self {
        Self { reader: TranscriptReader::new(format, file, model) }
    }

    pub fn model(&self) -> &str {
        &self.reader.model
    }

    /// Reads to the end, and returns where the last whole line ends.
    pub fn read(&mut self, mut file: impl Read, found: &mut impl FnMut(ModelCall)) -> u64 {
        let (mut buffer, mut filled, mut is_lost) = (vec![0; CHUNK], 0, false);
        let (mut seen, mut end) = (0, 0);
        loop {
            if filled == buffer.len() {
                buffer.resize(buffer.len() * 2, 0);
            }
            let Ok(count @ 1..) = file.read(&mut buffer[filled..]) else { break };
            seen += count as u64;
            let last = memchr::memrchr(b'\n', &buffer[filled..filled + count]);
            filled += count;
            let Some(last) = last.map(|at| filled - count + at + 1) else {
                if filled > LONGEST {
                    (filled, is_lost) = (0, true);
                }
                continue;
            };
            // The rest of a line whose begin is lost means nothing.
            let begin = if std::mem::take(&mut is_lost) { memchr::memchr(b'\n', &buffer[..last]).map_or(last, |at| at + 1) } else { 0 };
            self.reader.calls(&buffer[begin..last], &mut *found);
            buffer.copy_within(last..filled, 0);
            filled -= last;
            end = seen - filled as u64;
        }
        // The last line of one that was killed has no end.
        if !is_lost {
            self.reader.calls(&buffer[..filled], &mut *found);
        }
        end
    }
}

/// Returns the hash of what stands before a place.
pub fn before(file: &mut File, end: u64) -> Option<String> {
    let begin = end.saturating_sub(BEFORE);
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut bytes = Vec::new();
    file.take(end - begin).read_to_end(&mut bytes).ok()?;
    Some(sha256(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str) -> String {
        format!("{{\"message\":{{\"id\":\"{id}\",\"model\":\"{id}\",\"usage\":{{\"output_tokens\":1}}}}}}")
    }

    /// A stream that gives few bytes at once.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str], end: usize) {
        for step in [1, 7, 64, CHUNK] {
            if text.len() / step > 1 << 21 {
                continue;
            }
            let mut found = Vec::new();
            let read =
                Lines::new(TranscriptFormat::Claude, "a.jsonl", None).read(Slow(text.as_bytes(), step), &mut |call| found.push(call.model));
            assert_eq!(
                (found.as_slice(), read),
                (expected.iter().map(|&id| id.to_owned()).collect::<Vec<_>>().as_slice(), end as u64),
                "{step}"
            );
        }
    }

    #[test]
    fn lines_are_found_however_they_arrive() {
        let two = format!("{}\n{}\n", line("a"), line("b"));
        check(&two, &["a", "b"], two.len());
        check(&format!("{two}{}", line("c")), &["a", "b", "c"], two.len());
        check(&format!("{two}{}", &line("c")[..30]), &["a", "b"], two.len());
        check("", &[], 0);
        check("\n\n", &[], 2);
    }

    #[test]
    fn an_endless_line_is_passed_over_and_the_next_is_not() {
        let text = format!("{}\n{}{}\n{}\n", line("a"), "x".repeat(2 * LONGEST), line("lost"), line("b"));
        check(&text, &["a", "b"], text.len());
    }
}

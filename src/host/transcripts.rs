//! The transcripts of a tool in a project, read as what containers wrote: no link is followed, nothing is waited for, no line is endless.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, Stat};

use crate::core::ledger::TranscriptRules;
use crate::host::fs::{self, Absent};

/// Directories below that of the transcripts.
const DEEPEST: usize = 8;
/// Names of one directory that are looked at.
const NAMES: usize = 100_000;
/// Size in bytes above which a file must be on the disk: a hole costs its maker nothing, and whoever reads it an hour.
const HOLLOW: u64 = 64 << 20;
/// How many times smaller than its size a file may be on a disk that packs, and in a file that a tool packed.
const PACKED: u64 = 64;
/// Bytes that are read at once: what fits into a processor's own memory.
const CHUNK: usize = 256 << 10;
/// Longest line that is understood, in bytes; longer ones are passed over.
const LONGEST: usize = 32 << 20;

/// One transcript, open.
#[derive(Debug)]
pub struct Transcript {
    pub name: String,
    /// Below the tool's home.
    pub path: PathBuf,
    pub file: File,
    pub stat: Stat,
}

impl Transcript {
    fn open(directory: &OwnedFd, name: &OsStr, path: PathBuf) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(directory, name, flags, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let is_hollow = size > HOLLOW && u64::try_from(stat.st_blocks).unwrap_or(0) * 512 < size / PACKED;
        let is_plain = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && !is_hollow;
        is_plain.then(|| Self { name: name.to_string_lossy().into_owned(), path, file: File::from(file), stat })
    }

    /// Returns its size as it was opened; what is written behind this end while we read is for the next time.
    pub fn size(&self) -> u64 {
        u64::try_from(self.stat.st_size).unwrap_or(0)
    }

    /// Whether the tool packed it.
    pub fn is_packed(&self) -> bool {
        self.name.ends_with(".zst")
    }

    /// Returns its text from a place on; one that the tool packed has none but its begin, and ends where nobody packs so well.
    pub fn text(&mut self, from: u64) -> io::Result<Box<dyn Read + '_>> {
        let size = self.size();
        if self.is_packed() {
            let stream = ruzstd::decoding::StreamingDecoder::new((&mut self.file).take(size)).map_err(io::Error::other)?;
            return Ok(Box::new(stream.take(size.saturating_mul(PACKED).saturating_add(HOLLOW))));
        }
        self.file.seek(SeekFrom::Start(from))?;
        Ok(Box::new((&mut self.file).take(size.saturating_sub(from))))
    }
}

/// Opens a transcript again, by its path below a tool's home.
pub fn open(home: &Path, path: &Path) -> Option<Transcript> {
    let directory = fs::enter(home, path.parent()?, Absent::Leave).ok()??;
    Transcript::open(&directory, path.file_name()?, path.to_owned())
}

/// Calls `visit` with each transcript below a tool's home, in no order.
pub fn visit(home: &Path, rules: &TranscriptRules, visit: &mut impl FnMut(Transcript)) {
    for at in std::iter::once(&rules.at).chain(&rules.also) {
        // What is no directory there is not the tool's.
        if let Ok(Some(directory)) = fs::enter(home, Path::new(at), Absent::Leave) {
            in_directory(&directory, Path::new(at), 0, visit);
        }
    }
}

fn in_directory(directory: &OwnedFd, path: &Path, depth: usize, visit: &mut impl FnMut(Transcript)) {
    let Ok(names) = fs::some_names(directory, path, NAMES) else { return };
    for name in names {
        let bytes = name.as_encoded_bytes();
        if bytes.ends_with(b".jsonl") || bytes.ends_with(b".jsonl.zst") {
            Transcript::open(directory, &name, path.join(&name)).map(&mut *visit);
        } else if depth < DEEPEST
            && let Ok(Some(below)) = fs::step(directory, &name)
        {
            in_directory(&below, &path.join(&name), depth + 1, visit);
        }
    }
}

/// Calls `found` with whole lines, many at a time, and at last with one that has no end; returns where the last whole line ends.
pub fn lines(mut file: impl Read, mut found: impl FnMut(&[u8]) -> ControlFlow<()>) -> u64 {
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
        if found(&buffer[begin..last]).is_break() {
            return end;
        }
        buffer.copy_within(last..filled, 0);
        filled -= last;
        end = seen - filled as u64;
    }
    // The last line of one that was killed has no end.
    if !is_lost && filled > 0 {
        let _ = found(&buffer[..filled]);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that gives few bytes at once.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[track_caller]
    fn check(text: &str, steps: &[usize], expected: &[&str], end: usize) {
        for step in steps {
            let mut found = String::new();
            let read = lines(Slow(text.as_bytes(), *step), |lines| {
                found.push_str(std::str::from_utf8(lines).unwrap());
                ControlFlow::Continue(())
            });
            assert_eq!((found.lines().collect::<Vec<_>>(), read), (expected.to_vec(), end as u64), "{step}");
        }
    }

    #[test]
    fn lines_are_found_however_they_arrive() {
        let steps = [1, 2, 3, 7, CHUNK];
        check("one\ntwo\n", &steps, &["one", "two"], 8);
        check("one\ntwo\nthree", &steps, &["one", "two", "three"], 8);
        check("", &steps, &[], 0);
        check("\n\n", &steps, &["", ""], 2);
    }

    #[test]
    fn an_endless_line_is_passed_over_and_the_next_is_not() {
        let text = format!("one\n{}\ntwo\n", "x".repeat(2 * LONGEST + 5));
        check(&text, &[CHUNK, CHUNK - 1], &["one", "two"], text.len());
    }

    #[test]
    fn whoever_has_seen_enough_sees_no_more() {
        let mut count = 0;
        let end = lines(Slow(b"one\ntwo\nthree\n", 4), |_| {
            count += 1;
            if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((count, end), (2, 4));
    }
}

//! The transcripts of the store, read as what containers wrote: no link is followed, nothing is waited for, no line is endless.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags};

use crate::core::ledger::transcript::TranscriptReader;
use crate::core::ledger::{Ledger, TranscriptRules};
use crate::core::store::Store;
use crate::host::fs::{self, Absent};

/// Directories below that of the transcripts.
const DEEPEST: usize = 8;
/// Names of one directory that are looked at.
const NAMES: usize = 100_000;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Longest line that is understood, in bytes; longer ones are passed over.
const LONGEST: usize = 32 << 20;

/// Size in bytes above which a file must be on the disk: a hole costs its maker nothing, and whoever reads it an hour.
const HOLLOW: u64 = 64 << 20;
/// How many times smaller than its size a file may be on a disk that packs.
const PACKED: u64 = 64;

/// What was passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Transcripts that the tool packed.
    pub packed: usize,
}

/// Reads the transcripts of a tool in a project into a ledger.
pub fn read(store: &Store, tool: &str, project: &str, rules: &TranscriptRules, ledger: &mut Ledger, unread: &mut Unread) {
    let home = store.home(tool, project);
    // What is no directory there is not the tool's.
    let Ok(Some(directory)) = fs::enter(&home, Path::new(&rules.at), Absent::Leave) else { return };
    let mut visit = Visit { tool, project, rules, ledger, unread };
    visit.directory(&directory, 0);
}

struct Visit<'a> {
    tool: &'a str,
    project: &'a str,
    rules: &'a TranscriptRules,
    ledger: &'a mut Ledger,
    unread: &'a mut Unread,
}

impl Visit<'_> {
    fn directory(&mut self, directory: &OwnedFd, depth: usize) {
        let Ok(mut names) = fs::some_names(directory, Path::new(self.project), NAMES) else { return };
        // The original of a fork or a resume is older, and so is its name in most cases.
        names.sort_unstable();
        for name in names {
            let bytes = name.as_encoded_bytes();
            if bytes.ends_with(b".jsonl") {
                self.file(directory, &name);
            } else if bytes.ends_with(b".jsonl.zst") {
                self.unread.packed += 1;
            } else if depth < DEEPEST
                && let Ok(Some(below)) = fs::step(directory, &name)
            {
                self.directory(&below, depth + 1);
            }
        }
    }

    fn file(&mut self, directory: &OwnedFd, name: &OsStr) {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(directory, name, flags, Mode::empty()) else { return };
        let Ok(stat) = rustix::fs::fstat(&file) else { return };
        let (size, on_disk) = (u64::try_from(stat.st_size).unwrap_or(0), u64::try_from(stat.st_blocks).unwrap_or(0) * 512);
        let is_hollow = size > HOLLOW && on_disk < size / PACKED;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && !is_hollow {
            // What is written behind this end while we read is for the next time.
            self.lines(File::from(file).take(size));
        }
    }

    fn lines(&mut self, mut file: impl Read) {
        let mut reader = TranscriptReader::new(self.rules.format);
        let (mut rest, mut chunk, mut is_lost) = (Vec::new(), vec![0; CHUNK], false);
        while let Ok(count @ 1..) = file.read(&mut chunk) {
            let mut text = &chunk[..count];
            while let Some(end) = memchr::memchr(b'\n', text) {
                rest.extend_from_slice(&text[..end]);
                if !std::mem::take(&mut is_lost) {
                    self.line(&mut reader, &rest);
                }
                rest.clear();
                text = &text[end + 1..];
            }
            rest.extend_from_slice(text);
            if rest.len() > LONGEST {
                rest.clear();
                is_lost = true;
            }
        }
        // The last line of one that was killed has no end.
        if !is_lost {
            self.line(&mut reader, &rest);
        }
    }

    fn line(&mut self, reader: &mut TranscriptReader, line: &[u8]) {
        if let Some(call) = reader.call(line) {
            self.ledger.add(self.tool, self.project, call);
        }
    }
}

//! The transcripts of the store, read as what containers wrote: no link is followed, nothing is waited for, no line is endless.
//! What was counted is kept beside the log, so that only what is new is read.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, Stat};

use crate::core::failure::Result;
use crate::core::ledger::cache::{Counted, LedgerCache, Stamp};
use crate::core::ledger::price::Prices;
use crate::core::ledger::question::{Names, Question};
use crate::core::ledger::{Ledger, TranscriptRules};
use crate::core::store::Store;
use crate::core::tool::Tool;
use crate::host::Host;
use crate::host::fs::{self, Absent, files, own};
use crate::host::ledger::lines::Lines;
use crate::host::store::project;

mod lines;

/// Directories below that of the transcripts.
const DEEPEST: usize = 8;
/// Names of one directory that are looked at.
const NAMES: usize = 100_000;
/// Size in bytes above which a file must be on the disk: a hole costs its maker nothing, and whoever reads it an hour.
const HOLLOW: u64 = 64 << 20;
/// How many times smaller than its size a file may be on a disk that packs, and in a file that a tool packed.
const PACKED: u64 = 64;

/// Returns the prices of models, those of the person's own file over the program's.
pub fn prices(store: &Store) -> Result<Prices> {
    let path = store.prices();
    let own = files::read_text(&path)?;
    Prices::new(own.as_deref().map(|text| (text, path.to_string_lossy())).as_ref().map(|(text, path)| (*text, path.as_ref())))
}

/// Returns all questions, and remembers what was counted where the store can be written.
pub fn read(host: &Host) -> Ledger {
    let mut ledger = Ledger::default();
    let is_ours = host.of_somebody_else().is_none();
    let mut partitions = project::partitions(&host.store, project::Sizes::Unknown);
    partitions.sort_by(|a, b| (&a.tool, &a.project).cmp(&(&b.tool, &b.project)));
    for partition in &partitions {
        // A manifest that is gone or broken says nothing of its transcripts.
        let tool = Tool::load(&partition.tool, |name| host.manifest(name)).ok().flatten();
        if let Some(rules) = tool.and_then(|tool| tool.manifest.transcripts) {
            let path = host.store.counted(&partition.tool, &partition.project);
            let cache = read_partition(&host.store, &partition.tool, &partition.project, &rules, &path, is_ours);
            let questions = cache.files.into_values().flat_map(|file| file.questions).collect();
            ledger.add(&partition.tool, &partition.project, cache.names, questions);
        }
    }
    ledger
}

fn read_partition(store: &Store, tool: &str, project: &str, rules: &TranscriptRules, path: &Path, is_ours: bool) -> LedgerCache {
    let known = own::read(path).map(|text| LedgerCache::parse(&text)).unwrap_or_default();
    let mut visit = Visit { rules, names: known.names, known: known.files, counted: BTreeMap::new(), is_new: false };
    let home = store.home(tool, project);
    for at in std::iter::once(&rules.at).chain(&rules.also) {
        // What is no directory there is not the tool's.
        if let Ok(Some(directory)) = fs::enter(&home, Path::new(at), Absent::Leave) {
            visit.directory(&directory, Path::new(at), 0);
        }
    }
    let is_new = visit.is_new || !visit.known.is_empty();
    let cache = LedgerCache { names: visit.names, files: visit.counted };
    if is_new && is_ours {
        // What cannot be kept is counted again.
        let _ = path.parent().map_or(Ok(()), files::private_dir).and_then(|()| files::write_unsynced(path, &cache.text()));
    }
    cache
}

struct Visit<'a> {
    rules: &'a TranscriptRules,
    names: Names,
    /// What was counted before, and has not been met yet.
    known: BTreeMap<String, Counted>,
    counted: BTreeMap<String, Counted>,
    /// Whether anything was read.
    is_new: bool,
}

impl Visit<'_> {
    fn directory(&mut self, directory: &OwnedFd, path: &Path, depth: usize) {
        let Ok(names) = fs::some_names(directory, path, NAMES) else { return };
        for name in names {
            let bytes = name.as_encoded_bytes();
            if bytes.ends_with(b".jsonl") || bytes.ends_with(b".jsonl.zst") {
                self.file(directory, &name, path.join(&name));
            } else if depth < DEEPEST
                && let Ok(Some(below)) = fs::step(directory, &name)
            {
                self.directory(&below, &path.join(&name), depth + 1);
            }
        }
    }

    fn file(&mut self, directory: &OwnedFd, name: &OsStr, path: PathBuf) {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let Ok(file) = rustix::fs::openat(directory, name, flags, Mode::empty()) else { return };
        let Ok(stat) = rustix::fs::fstat(&file) else { return };
        let stamp = stamp(&stat);
        let is_hollow = stamp.size > HOLLOW && u64::try_from(stat.st_blocks).unwrap_or(0) * 512 < stamp.size / PACKED;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || is_hollow {
            return;
        }
        let place = path.to_string_lossy().into_owned();
        let known = self.known.remove(&place);
        if let Some(known) = known.as_ref().filter(|known| known.stamp == stamp) {
            self.counted.insert(place, known.clone());
            return;
        }
        self.is_new = true;
        let grown = known.filter(|known| known.may_have_grown_to(&stamp));
        let counted = self.count(File::from(file), &name.to_string_lossy(), stamp, grown);
        self.counted.insert(place, counted);
    }

    /// Reads a file from where it was read to before, if it is still the same up to there.
    fn count(&mut self, mut file: File, name: &str, stamp: Stamp, grown: Option<Counted>) -> Counted {
        let grown = grown.filter(|grown| lines::before(&mut file, grown.end).is_some_and(|before| before == grown.before_end));
        let mut counted = Counted { stamp, ..grown.unwrap_or_default() };
        let model = Some(counted.model.as_str()).filter(|model| !model.is_empty());
        let mut lines = Lines::new(self.rules.format, name, model);
        let names = &mut self.names;
        let (questions, end) = (&mut Vec::new(), counted.end);
        let mut add = |call| questions.push(Question::new(&call, names));
        // What is written behind this end while we read is for the next time.
        let read = if name.ends_with(".zst") {
            let most = stamp.size.saturating_mul(PACKED).saturating_add(HOLLOW);
            ruzstd::decoding::StreamingDecoder::new(file.by_ref().take(stamp.size)).map(|file| lines.read(file.take(most), &mut add)).ok();
            0
        } else if file.seek(SeekFrom::Start(end)).is_ok() {
            lines.read(file.by_ref().take(stamp.size.saturating_sub(end)), &mut add)
        } else {
            0
        };
        for question in questions.drain(..) {
            counted.add(question);
        }
        counted.end = end + read;
        counted.before_end = lines::before(&mut file, counted.end).unwrap_or_default();
        lines.model().clone_into(&mut counted.model);
        counted
    }
}

fn stamp(stat: &Stat) -> Stamp {
    let nanoseconds = |seconds: i64, rest: u64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Stamp {
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
    }
}

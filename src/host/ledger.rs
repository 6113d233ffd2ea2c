//! What the transcripts of the store say of questions to models. What was counted is kept beside the log: only what is new is read, and
//! what a tool swept away still counts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use rustix::fs::Stat;

use crate::core::failure::Result;
use crate::core::ledger::cache::{Counted, LedgerCache, Stamp};
use crate::core::ledger::former;
use crate::core::ledger::price::Prices;
use crate::core::ledger::question::{Names, Question};
use crate::core::ledger::transcript::TranscriptReader;
use crate::core::ledger::{Ledger, TranscriptRules};
use crate::core::store::Store;
use crate::core::text::digest::sha256;
use crate::core::tool::Tool;
use crate::host::Host;
use crate::host::fs::{files, own};
use crate::host::store::project;
use crate::host::transcripts::{self, Transcript};

/// Bytes before a place that stand for all before it.
const BEFORE: u64 = 1024;

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
            // Where earlier programs kept it.
            let former = path.with_file_name(format!("{}.json", partition.project));
            let home = host.store.home(&partition.tool, &partition.project);
            let cache = read_partition(&home, &rules, (&path, &former), is_ours);
            let files = cache.files.into_values().map(|file| file.questions).collect();
            ledger.add(&partition.tool, &partition.project, cache.names, files);
        }
    }
    ledger
}

fn read_partition(home: &Path, rules: &TranscriptRules, (path, former): (&Path, &Path), is_ours: bool) -> LedgerCache {
    let kept = own::read(path).ok().map(|bytes| LedgerCache::parse(&bytes));
    // Taken over once: it is removed when what is in it has been kept in the new form.
    let taken_over = if kept.is_none() { own::read(former).ok().map(|text| former::parse(&text)) } else { None };
    let is_taken_over = taken_over.is_some();
    let (mut counted, mut is_new) = (BTreeMap::new(), is_taken_over);
    let LedgerCache { mut names, files: mut known } = kept.or(taken_over).unwrap_or_default();
    transcripts::visit(home, rules, &mut |transcript| {
        let place = transcript.path.to_string_lossy().into_owned();
        let stamp = stamp(&transcript.stat);
        let before = known.remove(&place);
        is_new |= before.as_ref().is_none_or(|before| before.stamp != stamp);
        let now = match before {
            Some(before) if before.stamp == stamp => before,
            before => count(transcript, rules, stamp, before, &mut names),
        };
        counted.insert(place, now);
    });
    // What a tool swept away was asked all the same.
    counted.extend(known);
    let cache = LedgerCache { names, files: counted };
    if is_new && is_ours {
        // What cannot be kept is counted again.
        let write = if is_taken_over { files::write_private } else { files::write_unsynced };
        let written = path.parent().map_or(Ok(()), files::private_dir).and_then(|()| write(path, &cache.bytes()));
        let _ = written.and_then(|()| if is_taken_over { own::remove(former) } else { Ok(()) });
    }
    cache
}

/// Reads a file from where it was read to before, if it is still the same up to there.
fn count(mut transcript: Transcript, rules: &TranscriptRules, stamp: Stamp, known: Option<Counted>, names: &mut Names) -> Counted {
    let grown = known.filter(|known| known.may_have_grown_to(&stamp));
    let grown = grown.filter(|known| before(&mut transcript.file, known.end).is_some_and(|before| before == known.before_end));
    let mut counted = Counted { stamp, ..grown.unwrap_or_default() };
    let model = Some(counted.model.as_str()).filter(|model| !model.is_empty());
    let mut reader = TranscriptReader::new(rules.format, &transcript.name, model);
    let end = if transcript.is_packed() { 0 } else { counted.end };
    let add = |lines: &[u8]| {
        reader.calls(lines, |call| counted.add(Question::new(&call, names)));
        ControlFlow::Continue(())
    };
    let read = transcript.text(end).map_or(0, |text| transcripts::lines(text, add));
    counted.end = if transcript.is_packed() { 0 } else { end + read };
    counted.before_end = before(&mut transcript.file, counted.end).unwrap_or_default();
    counted.model = reader.model;
    // Thousands of files are kept at once.
    counted.questions.shrink_to_fit();
    counted
}

/// Returns the hash of what stands before a place.
fn before(file: &mut File, end: u64) -> Option<String> {
    let begin = end.saturating_sub(BEFORE);
    file.seek(SeekFrom::Start(begin)).ok()?;
    let mut bytes = Vec::new();
    file.take(end - begin).read_to_end(&mut bytes).ok()?;
    Some(sha256(&bytes))
}

fn stamp(stat: &Stat) -> Stamp {
    Stamp {
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
        changed: i128::from(stat.st_ctime) * 1_000_000_000 + i128::from(stat.st_ctime_nsec),
    }
}

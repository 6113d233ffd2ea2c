//! The conversations of all tools, found and searched in their transcripts. There is no index: nothing is out of date.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{iter, thread};

use crate::core::history::conversation::{Conversation, called, id};
use crate::core::history::import::directory;
use crate::core::history::said::{Said, said};
use crate::core::history::search::Needle;
use crate::core::ledger::TranscriptRules;
use crate::core::tool::Tool;
use crate::host::Host;
use crate::host::fs::look::Look;
use crate::host::store::project;
use crate::host::transcripts::{self, Transcript};

/// Bytes at the begin of a file in which its first words are looked for, and at its end where it may have a name.
const HEAD: u64 = 256 << 10;
const TAIL: u64 = 16 << 10;
/// Most threads that search.
const THREADS: usize = 4;

/// Which conversations are wanted.
#[derive(Debug, Default)]
pub struct HistorySearch {
    /// Of one project only.
    pub project: Option<String>,
    pub tool: Option<String>,
    pub needle: Option<Needle>,
    /// Whose names begin like this.
    pub id: Option<String>,
    pub most: usize,
}

/// A transcript that was seen.
struct SeenTranscript {
    place: usize,
    path: PathBuf,
    modified: i64,
}

/// Where the transcripts of a tool in a project are.
struct TranscriptPlace {
    tool: String,
    project: String,
    home: PathBuf,
    rules: TranscriptRules,
}

/// Returns conversations, the last one first.
pub fn list(host: &Host, wanted: &HistorySearch) -> Vec<Conversation> {
    let places = places(host, wanted);
    let mut all = Vec::new();
    for (place, TranscriptPlace { home, rules, .. }) in places.iter().enumerate() {
        transcripts::visit(home, rules, &mut |transcript| {
            all.push(SeenTranscript { place, path: transcript.path, modified: transcript.stat.st_mtime });
        });
    }
    all.sort_by(|one, other| other.modified.cmp(&one.modified).then_with(|| one.path.cmp(&other.path)));
    let found = match &wanted.needle {
        Some(needle) => search(&places, &all, needle),
        None => all.iter().map(|_| Some(None)).collect(),
    };
    let mut known = BTreeSet::new();
    let mut list = Vec::new();
    for (seen, found) in iter::zip(&all, found).filter_map(|(seen, found)| Some((seen, found?))) {
        if list.len() >= wanted.most {
            break;
        }
        if let Some(conversation) = conversation(&places[seen.place], seen, found)
            && wanted.id.as_ref().is_none_or(|id| conversation.id.starts_with(id.as_str()))
            && known.insert((seen.place, conversation.id.clone()))
        {
            list.push(conversation);
        }
    }
    list
}

fn places(host: &Host, wanted: &HistorySearch) -> Vec<TranscriptPlace> {
    let is_wanted = |what: &Option<String>, name: &str| what.as_ref().is_none_or(|what| what == name);
    let mut partitions = project::partitions(&host.store, project::Sizes::Unknown);
    partitions.retain(|partition| is_wanted(&wanted.project, &partition.project) && is_wanted(&wanted.tool, &partition.tool));
    let place = |partition: crate::core::project::Partition| {
        let rules = Tool::load(&partition.tool, |name| host.manifest(name)).ok().flatten()?.manifest.transcripts?;
        let home = host.store.home(&partition.tool, &partition.project);
        Some(TranscriptPlace { tool: partition.tool, project: partition.project, home, rules })
    };
    partitions.into_iter().filter_map(place).collect()
}

/// Returns for each transcript what was found in it.
fn search(places: &[TranscriptPlace], all: &[SeenTranscript], needle: &Needle) -> Vec<Option<Option<String>>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut hits = Vec::new();
        while let Some((at, seen)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, all.get(at)?))) {
            let TranscriptPlace { home, rules, .. } = &places[seen.place];
            hits.extend(transcripts::open(home, &seen.path).and_then(|transcript| in_one(transcript, rules, needle)).map(|hit| (at, hit)));
        }
        hits
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let hits: Vec<(usize, String)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    let mut found: Vec<_> = all.iter().map(|_| None).collect();
    for (at, hit) in hits {
        found[at] = Some(Some(hit));
    }
    found
}

fn in_one(mut transcript: Transcript, rules: &TranscriptRules, needle: &Needle) -> Option<String> {
    let mut hit = None;
    transcripts::lines(transcript.text(0).ok()?, |lines| {
        hit = needle.find(rules.format, lines);
        if hit.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    hit
}

fn conversation(place: &TranscriptPlace, seen: &SeenTranscript, found: Option<String>) -> Option<Conversation> {
    let mut transcript = transcripts::open(&place.home, &seen.path)?;
    let (head, tail) = ends(&mut transcript)?;
    let format = place.rules.format;
    Some(Conversation {
        tool: place.tool.clone(),
        project: place.project.clone(),
        id: id(format, &transcript.name, &head)?,
        title: called(format, &head, &tail)?,
        found,
        workdir: directory(&head),
        last: u64::try_from(seen.modified).unwrap_or(0),
    })
}

/// Returns the first and the last bytes of a transcript.
fn ends(transcript: &mut Transcript) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    transcript.text(0).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    let from = transcript.size().saturating_sub(TAIL);
    if !transcript.is_packed() {
        transcript.text(from).ok()?.read_to_end(&mut tail).ok()?;
    }
    Some((head, tail))
}

/// Returns what was said in a conversation, in the order in which it was written down: a tool may have begun a new file for its rest.
pub fn messages(host: &Host, wanted: &Conversation) -> Vec<Said> {
    let of_it = HistorySearch { project: Some(wanted.project.clone()), tool: Some(wanted.tool.clone()), ..HistorySearch::default() };
    let mut messages = Vec::new();
    for place in places(host, &of_it) {
        let mut files = Vec::new();
        transcripts::visit(&place.home, &place.rules, &mut |transcript| files.push((transcript.stat.st_mtime, transcript.path)));
        files.sort();
        for (_, path) in files {
            let Some(mut transcript) = transcripts::open(&place.home, &path) else { continue };
            let is_of_it =
                ends(&mut transcript).is_some_and(|(head, _)| id(place.rules.format, &transcript.name, &head).as_ref() == Some(&wanted.id));
            let Some(text) = is_of_it.then(|| transcript.text(0).ok()).flatten() else { continue };
            transcripts::lines(text, |lines| {
                messages.extend(lines.split(|byte| *byte == b'\n').filter_map(|line| said(place.rules.format, line)));
                ControlFlow::Continue(())
            });
        }
    }
    messages
}

/// Returns the root of a project, as its state says.
pub fn root(host: &Host, project: &str) -> Option<PathBuf> {
    project::partitions(&host.store, project::Sizes::Unknown).into_iter().find(|partition| partition.project == project)?.root
}

/// Returns the first directory that is there and in the project: a link in it may lead elsewhere.
pub fn existing(root: &Path, directories: &[PathBuf]) -> Option<PathBuf> {
    let root = root.resolved().ok()?;
    let mut real = directories.iter().filter_map(|directory| directory.resolved().ok());
    real.find(|directory| directory.starts_with(&root) && directory.leads_to_directory())
}

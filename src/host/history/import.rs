//! The sessions that the host's own tools had in a project: found where the tools keep them, and copied into the project's history. The
//! host's files are only read. No link below the tool's directory is followed, nothing is waited for, and all of it has a bound.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::core::config::value::Mapping;
use crate::core::history::import::{Respelling, claude_beginning, claude_name, directory, gemini_names, gemini_old_name, place};
use crate::core::ledger::TranscriptRules;
use crate::core::ledger::transcript::TranscriptFormat;
use crate::core::workspace::Workspace;
use crate::host::fs::look::Look;
use crate::host::fs::tree::{self, EntryKind, TreeEntry};
use crate::host::fs::{self, Absent, own};

/// Bytes of a transcript's beginning that are searched for its directory.
const HEAD: u64 = 1 << 20;
/// Most bytes of a marker that names a directory.
const MARKER: usize = 1 << 14;
/// How gemini calls it.
const MARKED_BY: &str = ".project_root";
/// Names of a directory of the tool's home that are looked at.
const NAMES: usize = 10_000;
/// Most sessions that are taken over at once, and most bytes of them.
const MOST: usize = 1000;
const MOST_BYTES: u64 = 2 << 30;

/// Where to look, and for what.
pub struct HostSearch<'a> {
    /// The tool's own directory on the host.
    pub tool: &'a Path,
    pub rules: &'a TranscriptRules,
    pub workspace: &'a Workspace,
    pub mapping: Mapping,
    /// Where the person is: a repository of its own below the root is another project, unless they stand in it.
    pub cwd: &'a Path,
    /// Where the project was before it was moved.
    pub before: &'a [PathBuf],
    /// The tool's home for this project.
    pub home: &'a Path,
}

/// A session of the host's own, not copied yet.
#[derive(Clone, Debug)]
pub struct HostSession {
    /// The name of its transcript.
    pub id: String,
    /// Where it ran, on the host.
    pub directory: PathBuf,
    pub bytes: u64,
    /// When it was last used, in seconds since 1970.
    pub modified: i64,
    /// What belongs to it, the transcript last: with that it is whole.
    pub files: Vec<HostFile>,
    pub respelling: Respelling,
}

/// A file of the copy.
#[derive(Clone, Debug)]
pub struct HostFile {
    pub origin: HostOrigin,
    /// Below the tool's home.
    pub target: PathBuf,
    /// When it was last changed, in seconds since 1970.
    pub modified: i64,
}

/// Where a file of the copy comes from.
#[derive(Clone, Debug)]
pub enum HostOrigin {
    /// A file below a directory of the host's tool.
    File(PathBuf, PathBuf),
    /// What the tool itself would write.
    Text(String),
}

/// What was found.
#[derive(Debug, Default)]
pub struct FoundSessions {
    /// The last used first.
    pub sessions: Vec<HostSession>,
    /// Transcripts that the tool packed.
    pub packed: usize,
}

impl FoundSessions {
    /// Takes those away that are more than is taken over at once, and returns them.
    pub fn split_surplus(&mut self) -> Vec<HostSession> {
        let mut bytes: u64 = 0;
        let fits = |session: &&HostSession| {
            bytes = bytes.saturating_add(session.bytes);
            bytes <= MOST_BYTES
        };
        let count = self.sessions.iter().take(MOST).take_while(fits).count();
        self.sessions.split_off(count)
    }
}

impl HostSearch<'_> {
    /// Returns the sessions of this project that the host's tool keeps.
    pub fn find(&self) -> FoundSessions {
        let mut found = FoundSessions::default();
        // The person may keep the tool's directory elsewhere and link to it.
        let Ok(at) = self.tool.join(&self.rules.at).resolved() else { return found };
        match self.rules.format {
            TranscriptFormat::Claude => self.of_claude(&at, &mut found),
            TranscriptFormat::Codex => self.of_codex(&at, &mut found),
            TranscriptFormat::Gemini => self.of_gemini(&at, &mut found),
        }
        found.sessions.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.id.cmp(&b.id)));
        found
    }

    fn roots(&self) -> Vec<PathBuf> {
        std::iter::once(self.workspace.root.clone()).chain(self.before.iter().cloned()).collect()
    }

    /// Returns what `directory` is inside, and how a copy of its sessions names it; nothing where it is not of this project.
    fn inside(&self, directory: &Path) -> Option<(PathBuf, Respelling)> {
        let roots = self.roots();
        let (root, below) = place(directory, &roots)?;
        let mut between = directory.ancestors().take_while(|above| *above != root);
        if between.any(|above| above.join(".git").is_there() && !self.cwd.starts_with(above)) {
            return None;
        }
        let target = self.workspace.target_of(self.mapping, &below);
        Some((target.join(below).as_path().to_owned(), Respelling::new(root, &target)?))
    }

    /// A directory for each that sessions ran in, with a file for each session and what belongs to it beside that.
    fn of_claude(&self, at: &Path, found: &mut FoundSessions) {
        let beginnings: Vec<String> = self.roots().iter().filter_map(|root| claude_beginning(root)).collect();
        for entry in own::entries(at).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| beginnings.iter().any(|beginning| name.starts_with(beginning))) else { continue };
            let from = at.join(name);
            let entries = plain(&from);
            for main in entries.iter().filter(|entry| entry.below.components().count() == 1 && has_end(entry, ".jsonl")) {
                let Some(ran) = head(&from, &main.below).and_then(|head| directory(&head)) else { continue };
                let Some((workdir, respelling)) = self.inside(&ran) else { continue };
                let Some(to) = claude_name(&workdir).map(|name| Path::new(&self.rules.at).join(name)) else { continue };
                let id = stem(&main.below);
                let mut belonging: Vec<&TreeEntry> = entries.iter().filter(|entry| entry.below.starts_with(&id)).collect();
                // What the tool noted of the project, where nothing is noted inside.
                if !is_filled(self.home, &to.join("memory")) {
                    belonging.extend(entries.iter().filter(|entry| entry.below.starts_with("memory")));
                }
                belonging.push(main);
                found.sessions.push(session(id, ran, respelling, &from, &to, belonging));
            }
        }
    }

    /// A file for each session of all projects, by day.
    fn of_codex(&self, at: &Path, found: &mut FoundSessions) {
        for entry in plain(at) {
            found.packed += usize::from(has_end(&entry, ".jsonl.zst"));
            if !has_end(&entry, ".jsonl") {
                continue;
            }
            let Some(ran) = head(at, &entry.below).and_then(|head| directory(&head)) else { continue };
            let Some((_, respelling)) = self.inside(&ran) else { continue };
            let to = Path::new(&self.rules.at);
            found.sessions.push(session(stem(&entry.below), ran, respelling, at, to, vec![&entry]));
        }
    }

    /// A directory for each that sessions ran in, by its name, with a marker that says which it is.
    fn of_gemini(&self, at: &Path, found: &mut FoundSessions) {
        let old: Vec<_> = self.roots().into_iter().map(|root| (gemini_old_name(&root), root)).collect();
        let mut homes = self.gemini_homes();
        for entry in own::entries(at).into_iter().flatten().flatten() {
            let from = at.join(entry.file_name());
            let named = || old.iter().find(|(name, _)| entry.file_name() == name.as_str()).map(|(_, root)| root.clone());
            let Some(ran) = marked(&from, Path::new("")).or_else(named) else { continue };
            let Some((workdir, respelling)) = self.inside(&ran) else { continue };
            let chats: Vec<_> = plain(&from).into_iter().filter(|entry| entry.below.starts_with("chats") && is_chat(entry)).collect();
            if chats.is_empty() {
                continue;
            }
            let known = homes.iter().find(|(_, of)| *of == workdir).map(|(name, _)| name.clone());
            let free = || gemini_names(&workdir).take(100).find(|name| !homes.iter().any(|(taken, _)| taken == name));
            let Some(name) = known.or_else(free) else { continue };
            let to = Path::new(&self.rules.at).join(&name);
            let text = HostOrigin::Text(workdir.to_string_lossy().into_owned());
            for entry in &chats {
                let mut session = session(stem(&entry.below), ran.clone(), respelling.clone(), &from, &to, vec![entry]);
                session.files.insert(0, HostFile { origin: text.clone(), target: to.join(MARKED_BY), modified: entry.modified });
                found.sessions.push(session);
            }
            homes.push((name, workdir));
        }
    }

    /// Returns the directories of the tool's home, each with the directory that it is of.
    fn gemini_homes(&self) -> Vec<(String, PathBuf)> {
        let at = Path::new(&self.rules.at);
        let Ok(Some(directory)) = fs::enter(self.home, at, Absent::Leave) else { return Vec::new() };
        let names = fs::some_names(&directory, at, NAMES).unwrap_or_default();
        let names = names.into_iter().filter_map(|name| name.into_string().ok());
        names.filter_map(|name| marked(self.home, &at.join(&name)).map(|of| (name, of))).collect()
    }
}

fn session(id: String, ran: PathBuf, respelling: Respelling, from: &Path, to: &Path, entries: Vec<&TreeEntry>) -> HostSession {
    let file = |entry: &&TreeEntry| HostFile {
        origin: HostOrigin::File(from.to_owned(), entry.below.clone()),
        target: to.join(&entry.below),
        modified: entry.modified,
    };
    HostSession {
        id,
        directory: ran,
        bytes: entries.iter().map(|entry| entry.bytes).sum(),
        modified: entries.last().map_or(0, |main| main.modified),
        files: entries.iter().map(file).collect(),
        respelling,
    }
}

/// Returns the plain files below a directory of the host's tool that are no larger than a session may be.
fn plain(directory: &Path) -> Vec<TreeEntry> {
    let entries = tree::walk(directory).unwrap_or_default();
    entries.into_iter().filter(|entry| entry.kind == EntryKind::File && entry.bytes <= MOST_BYTES).collect()
}

fn has_end(entry: &TreeEntry, end: &str) -> bool {
    entry.below.as_os_str().as_encoded_bytes().ends_with(end.as_bytes())
}

fn is_chat(entry: &TreeEntry) -> bool {
    has_end(entry, ".jsonl") || has_end(entry, ".json")
}

/// Returns the name of a transcript without its end.
fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn head(root: &Path, below: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let file = tree::open(root, below).ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()))?;
    file.take(HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Returns the directory that gemini's marker in a directory names.
fn marked(root: &Path, below: &Path) -> Option<PathBuf> {
    let text = head(root, &below.join(MARKED_BY)).filter(|text| text.len() <= MARKER)?;
    Some(PathBuf::from(String::from_utf8(text).ok()?.trim())).filter(|path| path.is_absolute())
}

/// Whether anything is in a directory of the tool's home.
fn is_filled(home: &Path, below: &Path) -> bool {
    let directory = fs::enter(home, below, Absent::Leave).ok().flatten();
    directory.is_some_and(|directory| !fs::some_names(&directory, below, 1).unwrap_or_default().is_empty())
}

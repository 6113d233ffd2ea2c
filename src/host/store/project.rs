//! The projects' partitions of state on disk.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::Deserialize;
use toml_edit::DocumentMut;

use crate::core::project::{Partition, TreeIdentity};
use crate::core::store::Store;
use crate::host::fs::files::write_private;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::fs::tree;

/// `project.toml` of a partition.
#[derive(Deserialize)]
struct ProjectFile {
    root: Option<PathBuf>,
    /// What [`TreeIdentity::text`] says; absent in the record of an older program.
    tree: Option<String>,
}

impl ProjectFile {
    fn read(directory: &Path) -> Option<Self> {
        toml::from_str(&own::read_text(directory.join(RECORD)).ok()?).ok()
    }

    fn tree(&self) -> Option<TreeIdentity> {
        TreeIdentity::parse(self.tree.as_deref()?)
    }
}

const RECORD: &str = "project.toml";

/// Returns which directory is at a path now.
pub fn identity(root: &Path) -> Option<TreeIdentity> {
    let found = root.look().ok().filter(Metadata::is_dir)?;
    let born = found.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born = born.and_then(|born| i64::try_from(born.as_nanos()).ok());
    Some(TreeIdentity { device: found.dev(), inode: found.ino(), born })
}

/// Whether a record, which says what [`TreeIdentity::text`] said, is of another directory than the one at `root`.
pub fn is_of_another(record: &str, root: &Path) -> bool {
    TreeIdentity::parse(record).zip(identity(root)).is_some_and(|(then, now)| then.is_other(&now))
}

/// How the state of a project stands to the directory that is there.
#[derive(Debug, PartialEq, Eq)]
pub enum TreeStanding {
    /// It is of this directory, or of none that was recorded.
    Own,
    /// It is of another directory, which was here before.
    Another,
    /// There is none yet, and that of this id is of this very directory, from when it was elsewhere.
    Moved(String),
}

/// Returns how the state of `project` stands to the directory at `root`.
pub fn standing(store: &Store, project: &str, root: &Path) -> TreeStanding {
    let Some(now) = identity(root) else { return TreeStanding::Own };
    let record = |project: &str| ProjectFile::read(&store.own(project)).and_then(|record| record.tree());
    if let Some(then) = record(project) {
        return if then.is_other(&now) { TreeStanding::Another } else { TreeStanding::Own };
    }
    if store.own(project).is_there() {
        return TreeStanding::Own;
    }
    let before = names(&store.root().join("global_state/projects")).into_iter();
    before
        .filter(|id| id != project)
        .find(|id| record(id).is_some_and(|then| then.is_same(&now)))
        .map_or(TreeStanding::Own, TreeStanding::Moved)
}

/// Gives what all tools keep of `old` the name of `new`, of which nothing is kept.
pub fn rename(store: &Store, old: &str, new: &str) -> io::Result<()> {
    for tool in names(&store.root().join("global_state")) {
        move_aside(&store.project(&tool, old), &store.project(&tool, new))?;
    }
    move_aside(&store.cache(old), &store.cache(new))?;
    move_aside(&store.control(old), &store.control(new))?;
    // Last: it holds the record that says whose all of it is.
    move_aside(&store.own(old), &store.own(new))
}

fn move_aside(from: &Path, to: &Path) -> io::Result<()> {
    match own::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns an id for what was kept of a directory that is not there any more.
pub fn free_id(store: &Store, project: &str) -> String {
    let mut ids = (1_u32..).map(|number| format!("{project}.{number}"));
    ids.find(|id| !store.own(id).is_there()).unwrap_or_default()
}

/// Returns what projects that are gone had to themselves inside: whoever installed it can do so again.
pub fn overlays_of_gone(store: &Store) -> Vec<PathBuf> {
    let is_gone = |project: &String| {
        let Some(record) = ProjectFile::read(&store.own(project)) else { return false };
        let now = record.root.as_deref().and_then(identity);
        record.root.is_some() && now.is_none_or(|now| record.tree().is_some_and(|then| then.is_other(&now)))
    };
    let projects = names(&store.root().join("global_state/projects")).into_iter().filter(is_gone);
    projects.map(|project| store.overlays(&project)).filter(|overlays| overlays.is_there()).collect()
}

/// Whether sizes and times of last use are found out, which costs a walk through all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizes {
    Weighed,
    Unknown,
}

/// Returns the partitions of all tools, sorted by project and tool.
pub fn partitions(store: &Store, sizes: Sizes) -> Vec<Partition> {
    let mut partitions = Vec::new();
    for tool in names(&store.root().join("global_state")) {
        for project in names(&store.tool(&tool).join("projects")) {
            let directory = store.project(&tool, &project);
            let record = ProjectFile::read(&directory);
            // What all tools share knows it best: a tool may not have run since.
            let tree = ProjectFile::read(&store.own(&project)).or_else(|| ProjectFile::read(&directory)).and_then(|record| record.tree());
            let root = record.and_then(|record| record.root);
            let there = root.as_deref().and_then(identity);
            let exists = there.is_some_and(|there| !tree.is_some_and(|tree| tree.is_other(&there)));
            let (bytes, last_use) = if sizes == Sizes::Weighed { weigh(&directory) } else { (0, 0) };
            partitions.push(Partition { tool: tool.clone(), project, root, exists, bytes, last_use });
        }
    }
    partitions.sort_unstable_by(|a, b| a.project.cmp(&b.project).then_with(|| a.tool.cmp(&b.tool)));
    partitions
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = own::entries(directory) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// Records which host directory a partition belongs to.
pub fn record(partition: &Path, root: &Path) -> io::Result<()> {
    let mut text = DocumentMut::new();
    text.insert("root", toml_edit::value(root.to_string_lossy().into_owned()));
    if let Some(tree) = identity(root) {
        text.insert("tree", toml_edit::value(tree.text()));
    }
    write_private(&partition.join(RECORD), text.to_string().as_bytes())
}

/// Bytes of all files, and when the newest was written.
fn weigh(directory: &Path) -> (u64, u64) {
    let files = tree::walk(directory).unwrap_or_default().into_iter().filter(|entry| entry.kind == tree::EntryKind::File);
    files.fold((0, 0), |(bytes, newest), file| (bytes + file.bytes, newest.max(u64::try_from(file.modified).unwrap_or(0))))
}

/// Whether a partition holds nothing but directories, links and what a sync puts there (`settings`, by path), as
/// before a tool's first answer.
pub fn is_blank(store: &Store, tool: &str, project: &str, settings: &[String]) -> bool {
    let is_own =
        |entry: &tree::TreeEntry| entry.kind == tree::EntryKind::File && !settings.iter().any(|path| entry.below.starts_with(path));
    tree::walk(&store.home(tool, project)).map_or(true, |entries| !entries.iter().any(is_own))
}

/// Makes what all tools keep of `old` that of `new`, whose own is blank.
pub fn adopt(store: &Store, old: &str, new: &str, root: &Path) -> io::Result<()> {
    let tools = names(&store.root().join("global_state"));
    let places = |id: &str| -> Vec<PathBuf> {
        let partitions = tools.iter().map(|tool| store.project(tool, id));
        partitions.chain([store.cache(id), store.control(id), store.own(id)]).collect()
    };
    for (from, to) in places(old).into_iter().zip(places(new)) {
        if from.is_there() && to.is_there() {
            own::remove_tree(&to)?;
        }
    }
    rename(store, old, new)?;
    for partition in tools.iter().map(|tool| store.project(tool, new)).chain([store.own(new)]).filter(|place| place.is_there()) {
        record(&partition, root)?;
    }
    own::sync_directory(store.root().join("global_state/projects"))
}

//! The projects' partitions of state on disk.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml_edit::DocumentMut;

use crate::core::project::Partition;
use crate::core::store::Store;
use crate::host::fs::files::write_private;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::fs::tree;

/// `project.toml` of a partition.
#[derive(Deserialize)]
struct ProjectFile {
    root: Option<PathBuf>,
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
            let root = root(&directory);
            let exists = root.as_deref().is_some_and(Look::leads_to_directory);
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

fn root(directory: &Path) -> Option<PathBuf> {
    let text = own::read_text(directory.join("project.toml")).ok()?;
    let record: ProjectFile = toml::from_str(&text).ok()?;
    record.root
}

/// Records which host directory a partition belongs to.
pub fn record(partition: &Path, root: &Path) -> io::Result<()> {
    let mut text = DocumentMut::new();
    text.insert("root", toml_edit::value(root.to_string_lossy().into_owned()));
    write_private(&partition.join("project.toml"), text.to_string().as_bytes())
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

/// Makes the partition `old` that of `new`, whose own is blank.
pub fn adopt(store: &Store, tool: &str, old: &str, new: &str, root: &Path) -> io::Result<()> {
    let (from, to) = (store.project(tool, old), store.project(tool, new));
    if to.is_there() {
        own::remove_tree(&to)?;
    }
    own::rename(&from, &to)?;
    record(&to, root)?;
    own::sync_directory(to.parent().unwrap_or(Path::new("/")))
}

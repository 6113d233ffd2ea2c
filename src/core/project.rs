//! Projects that have state: which are still where they were, and which were moved.

use std::path::PathBuf;

use serde::Serialize;

/// The state of one project in one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Partition {
    pub tool: String,
    /// `<name>-<8 hex>`, from the root's path: two repositories of one name have two.
    pub project: String,
    /// The host directory that it belongs to; `None` where that is not recorded.
    pub root: Option<PathBuf>,
    pub exists: bool,
    pub bytes: u64,
    /// Seconds since 1970.
    pub last_use: u64,
}

/// Returns the ids of projects whose directory is gone, each once, the last used first.
pub fn moved(partitions: &[Partition]) -> Vec<&Partition> {
    let mut gone: Vec<&Partition> = partitions.iter().filter(|partition| partition.root.is_some() && !partition.exists).collect();
    gone.sort_unstable_by(|a, b| b.last_use.cmp(&a.last_use).then_with(|| a.project.cmp(&b.project)));
    let mut seen = Vec::new();
    gone.retain(|partition| {
        let new = !seen.contains(&partition.project);
        seen.push(partition.project.clone());
        new
    });
    gone
}

/// Among those gone, the ones that were called as this project is: likely what it was before it was moved.
pub fn likely<'a>(partitions: &'a [Partition], project: &str) -> Vec<&'a Partition> {
    let name = |id: &str| id.rsplit_once('-').map_or_else(|| id.to_owned(), |(name, _)| name.to_owned());
    moved(partitions).into_iter().filter(|partition| partition.project != project && name(&partition.project) == name(project)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(tool: &str, project: &str, exists: bool, last_use: u64) -> Partition {
        Partition { tool: tool.into(), project: project.into(), root: Some("/p".into()), exists, bytes: 0, last_use }
    }

    #[test]
    fn a_project_is_moved_if_its_directory_is_gone() {
        let all = [
            partition("claude", "app-1", false, 5),
            partition("codex", "app-1", false, 4),
            partition("claude", "lib-2", true, 9),
            partition("claude", "x-3", false, 7),
            Partition { root: None, ..partition("claude", "y-4", false, 8) },
        ];
        let ids = |found: Vec<&Partition>| found.iter().map(|partition| partition.project.clone()).collect::<Vec<_>>();
        assert_eq!(ids(moved(&all)), ["x-3", "app-1"]);
        assert_eq!(ids(likely(&all, "app-9")), ["app-1"]);
        assert!(likely(&all, "lib-9").is_empty());
    }
}

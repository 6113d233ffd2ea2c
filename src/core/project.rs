//! Projects that have state: which are still where they were, and which were moved.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::core::container::slug;
use crate::core::text::digest::sha256;

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

/// What tells one directory from another at the same path: one that was made anew, or is somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeIdentity {
    pub device: u64,
    pub inode: u64,
    /// When the directory was made, in nanoseconds since 1970; `None` where the file system does not keep it.
    pub born: Option<i64>,
}

impl TreeIdentity {
    /// Whether these are two directories. A device may have another number after a restart, and an inode's number is given out again,
    /// so the moment of birth decides where it is known; two numbers on one device are two directories.
    pub fn is_other(&self, now: &Self) -> bool {
        match (self.born, now.born) {
            (Some(then), Some(now)) => then != now,
            _ => self.device == now.device && self.inode != now.inode,
        }
    }

    /// Whether this is surely the same directory, wherever it is now.
    pub fn is_same(&self, now: &Self) -> bool {
        self.born.is_some() && *self == *now
    }

    /// Returns the text that a record keeps: `device:inode:born`, the last empty where it is not known.
    pub fn text(&self) -> String {
        let born = self.born.map_or_else(String::new, |born| born.to_string());
        format!("{}:{}:{born}", self.device, self.inode)
    }

    /// Returns what such a text says; nothing where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (device, rest) = text.split_once(':')?;
        let (inode, born) = rest.split_once(':')?;
        let born = if born.is_empty() { None } else { Some(born.parse().ok()?) };
        Some(Self { device: device.parse().ok()?, inode: inode.parse().ok()?, born })
    }
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

/// Returns the name of a project's partition of state.
pub fn project_id(root: &Path) -> String {
    let name = name_of(root);
    let hash = sha256(root.as_os_str().as_bytes());
    format!("{}-{}", slug(name), &hash[..8])
}

/// Returns the last part of the path of a root.
pub fn name_of(root: &Path) -> &str {
    root.file_name().and_then(OsStr::to_str).unwrap_or("project")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(tool: &str, project: &str, exists: bool, last_use: u64) -> Partition {
        Partition { tool: tool.into(), project: project.into(), root: Some("/p".into()), exists, bytes: 0, last_use }
    }

    // BO-18
    #[test]
    fn a_directory_that_was_made_anew_is_another() {
        let tree = |device, inode, born| TreeIdentity { device, inode, born };
        for (then, now, other) in [
            (tree(1, 2, Some(3)), tree(1, 2, Some(3)), false),
            // Its number was given out again.
            (tree(1, 2, Some(3)), tree(1, 2, Some(4)), true),
            // The device has another number after a restart.
            (tree(1, 2, Some(3)), tree(9, 2, Some(3)), false),
            (tree(1, 2, None), tree(1, 2, None), false),
            (tree(1, 2, None), tree(1, 3, Some(4)), true),
            (tree(1, 2, None), tree(9, 7, None), false),
        ] {
            assert_eq!(then.is_other(&now), other, "{then:?} {now:?}");
            assert_eq!(TreeIdentity::parse(&then.text()), Some(then));
            assert_eq!(then.is_same(&now), then == now && then.born.is_some());
        }
        assert_eq!(["", "1:2", "1:x:", "1:2:x", "1:2:3:4"].map(TreeIdentity::parse), [None; 5]);
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

//! The project seen from both sides: its root on the host, where that is mounted, and the working directory inside.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::core::config::Settings;
use crate::core::config::value::Mapping;
use crate::core::container::{ContainerPath, TREES};
use crate::core::facts::{Consent, Facts, Repo, RepoKind, SubmoduleProof};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::mount::Access;
use crate::core::project::{name_of, project_id};
use crate::core::text::digest::sha256;

mod refusal;

pub use refusal::is_system;
use refusal::refusal;

/// A directory of the person's projects that was judged here: it may be mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub path: PathBuf,
}

impl Judged {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

/// A host directory that must be reachable in the container beside the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    pub source: Judged,
    pub target: ContainerPath,
    pub access: Access,
    pub reason: &'static str,
}

/// A file that tells git inside where a linked worktree is. Git tidies away what it knows of those that it does not find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// Below the project's directory of such files.
    pub name: String,
    /// Where git looks for it.
    pub target: ContainerPath,
    /// The `.git` file of the worktree, inside.
    pub content: ContainerPath,
}

/// A directory beyond the project that it does not get, as long as the person has not agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    pub path: PathBuf,
    pub what: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub root: PathBuf,
    pub target: ContainerPath,
    pub workdir: ContainerPath,
    /// What of the repository lies elsewhere.
    pub extras: Vec<Extra>,
    pub trees: Vec<TreeFile>,
    pub wants: Vec<Want>,
    /// Last component of the root, `project` if there is none.
    pub name: String,
    /// `<slug>-<8 hex of sha256(root)>`: names the project's partition of state.
    pub project: String,
    /// What a person should know about how the root was chosen, and what is missing.
    pub notes: Vec<String>,
}

impl Workspace {
    pub fn judged(&self) -> Judged {
        Judged::new(&self.root)
    }

    /// Returns the directory of this mapping's tree files: another one puts the same worktree elsewhere.
    pub fn trees_name(&self) -> String {
        sha256(self.target.as_os_str().as_bytes())[..8].to_owned()
    }

    /// Returns where the root is mounted for a person who stands in the directory `below` it.
    pub fn target_of(&self, mapping: Mapping, below: &Path) -> ContainerPath {
        target(mapping, &self.root, below, &self.name)
    }

    /// Returns the project here for a container that does not get it: its names, and a working directory.
    pub fn unmounted(facts: &Facts, workdir: ContainerPath) -> Self {
        let here = facts.repo.as_ref().map(|repo| repo.root.as_path()).or(facts.cwd.as_deref()).unwrap_or(Path::new("/"));
        let name = name_of(here).to_owned();
        Self {
            root: here.to_owned(),
            target: workdir.clone(),
            workdir,
            extras: Vec::new(),
            trees: Vec::new(),
            wants: Vec::new(),
            project: project_id(here),
            name,
            notes: Vec::new(),
        }
    }

    pub fn new(facts: &Facts, settings: &Settings) -> Result<Self> {
        let gone = || {
            Failure::new(Kind::Config, "cannot find the project: the working directory was deleted, or its path is too long")
                .hint("cd to a directory that exists")
        };
        let cwd = facts.cwd.as_deref().ok_or_else(gone)?;
        let mut wants = Vec::new();
        let (root, mut notes) = root(facts, cwd, &mut wants)?;
        let judge = MountJudge { facts, root, force: settings.force_workspace.value };
        judge.accept(root)?;
        text(cwd)?;
        let below = cwd.strip_prefix(root).unwrap_or(Path::new(""));
        let name = name_of(root).to_owned();
        let target = target(settings.workspace.value, root, below, &name);
        let workdir = target.join(below);
        let (mut extras, mut trees) = (Vec::new(), Vec::new());
        if let Some(repo) = facts.repo.as_ref().filter(|repo| is_mounted(repo, root)) {
            extras = judge.extras(repo, &target, &mut wants)?;
            let common = extras.iter().find(|extra| extra.access == Access::ReadWrite).map(|extra| extra.target.clone());
            trees = tree_files(repo, root, &target, &common.unwrap_or_else(|| target.join(".git")));
        }
        notes.extend(wants.iter().map(note));
        let project = project_id(root);
        let mut workspace = Self { root: root.to_owned(), target, workdir, extras, trees, wants, name, project, notes };
        let directory = workspace.trees_name();
        for tree in &mut workspace.trees {
            tree.name = format!("{directory}/{}", tree.name);
        }
        Ok(workspace)
    }
}

/// Whether the repository comes with what is mounted at `root`.
fn is_mounted(repo: &Repo, root: &Path) -> bool {
    repo.root == root || matches!(&repo.kind, RepoKind::Submodule { superproject, .. } if superproject == root)
}

fn note(want: &Want) -> String {
    format!("{}: `{}`; without it, git may not work inside; hint: ai project allow", want.what, want.path.display())
}

fn text(path: &Path) -> Result<()> {
    let why = "engines take paths as UTF-8 and would replace other bytes";
    path.to_str().map(drop).ok_or_else(|| {
        Failure::new(Kind::Config, format!("cannot mount `{}`: its name is not UTF-8; {why}", path.display())).hint("rename the directory")
    })
}

/// Decides what may be mounted, by the same rules for every source.
struct MountJudge<'a> {
    facts: &'a Facts,
    root: &'a Path,
    force: bool,
}

impl MountJudge<'_> {
    fn accept(&self, path: &Path) -> Result<()> {
        match refusal(path, self.facts).filter(|_| !self.force) {
            None => text(path),
            Some(why) => Err(Failure::new(Kind::Config, format!("cannot mount `{}`: {why}", path.display()))
                .hint("cd to a project, or set AI_FORCE_WORKSPACE=1 for this one run (`ai run --force-workspace`)")),
        }
    }

    /// Returns what of the repository lies outside of the root. What lies inside comes with it, and gets no mount of its own.
    fn extras(&self, repo: &Repo, target: &ContainerPath, wants: &mut Vec<Want>) -> Result<Vec<Extra>> {
        let mut extras: Vec<Extra> = Vec::new();
        let extra = |path: &Path, spelled: &Path, access, reason| -> Result<Extra> {
            self.accept(path)?;
            Ok(Extra { source: Judged::new(path), target: absolute(target, spelled), access, reason })
        };
        match &repo.kind {
            RepoKind::Worktree(common) => {
                let reason = "the repository that this linked worktree belongs to";
                extras.push(extra(&common.path, &common.spelled, Access::ReadWrite, reason)?);
            }
            RepoKind::Elsewhere(directory) if self.agreed(&directory.path) => {
                let reason = "the repository that `.git` leads to, as you agreed";
                extras.push(extra(&directory.path, &directory.spelled, Access::ReadWrite, reason)?);
            }
            RepoKind::Elsewhere(directory) => {
                wants.push(Want { path: directory.path.clone(), what: "`.git` leads to a directory outside of the project" });
            }
            _ => {}
        }
        for objects in &repo.alternates {
            let is_there = |extra: &Extra| objects.path.starts_with(&extra.source.path);
            if objects.path.starts_with(self.root) || extras.iter().any(is_there) {
                continue;
            }
            if self.agreed(&objects.path) {
                let reason = "the repository borrows objects from there, as you agreed";
                extras.push(extra(&objects.path, &objects.spelled, Access::ReadOnly, reason)?);
            } else if refusal(&objects.path, self.facts).is_none() {
                wants.push(Want { path: objects.path.clone(), what: "the repository borrows objects from another one" });
            }
        }
        Ok(extras)
    }

    fn agreed(&self, path: &Path) -> bool {
        agreed(self.facts, self.root, path)
    }
}

fn agreed(facts: &Facts, root: &Path, path: &Path) -> bool {
    facts.consents.iter().any(|Consent { root: of, path: to, .. }| of == root && to == path)
}

/// Returns the directory to mount, and what to say where it is not the obvious one.
fn root<'a>(facts: &'a Facts, cwd: &'a Path, wants: &mut Vec<Want>) -> Result<(&'a Path, Vec<String>)> {
    let Some(repo) = &facts.repo else { return Ok((cwd, Vec::new())) };
    let mut notes = Vec::new();
    let root = match &repo.kind {
        RepoKind::Plain | RepoKind::Worktree(_) | RepoKind::Elsewhere(_) => repo.root.as_path(),
        RepoKind::Beyond(why) => {
            notes.push(format!("{why}: it will not work inside"));
            repo.root.as_path()
        }
        RepoKind::Submodule { superproject, proven, .. } if *proven == SubmoduleProof::Given || agreed(facts, &repo.root, superproject) => {
            superproject.as_path()
        }
        RepoKind::Submodule { superproject, .. } => {
            wants.push(Want {
                path: superproject.clone(),
                what: "`.git` names a module of the repository above, which does not know this one",
            });
            repo.root.as_path()
        }
        RepoKind::Bare => {
            return Err(Failure::new(
                Kind::Config,
                format!("cannot mount `{}`: it is git's own directory, not a work tree", cwd.display()),
            )
            .hint("cd to the work tree, or make one with `git worktree add`"));
        }
    };
    if root != cwd && refusal(root, facts).is_some() {
        wants.clear();
        let note = format!("`{}` is a repository but no project; only the working directory is mounted", root.display());
        return Ok((cwd, vec![note]));
    }
    Ok((root, notes))
}

/// Returns where the root is mounted. The tools know a project by its path, so no two directories of it may have the same one: what lies
/// below a directory that is named like the root itself is mounted as by [`Mapping::Named`].
fn target(mapping: Mapping, root: &Path, below: &Path, name: &str) -> ContainerPath {
    let workspace = ContainerPath::new("/workspace");
    match mapping {
        Mapping::Adaptive if below.components().next().is_none_or(|first| first.as_os_str() == name) => workspace.join(name),
        Mapping::Named => workspace.join(name),
        Mapping::Adaptive | Mapping::Flat => workspace,
        Mapping::Mirror => ContainerPath::new(root),
    }
}

/// Returns the files for git's list of worktrees: where each is inside, or, if it is not mounted, a place that is there.
fn tree_files(repo: &Repo, root: &Path, target: &ContainerPath, common: &ContainerPath) -> Vec<TreeFile> {
    let file = |tree: &crate::core::facts::LinkedWorktree| TreeFile {
        name: tree.name.clone(),
        target: common.join("worktrees").join(&tree.name).join("gitdir"),
        content: match tree.file.strip_prefix(root) {
            Ok(below) => target.join(below),
            Err(_) => ContainerPath::new(TREES).join(&tree.name).join(".git"),
        },
    };
    match repo.kind {
        RepoKind::Plain | RepoKind::Worktree(_) | RepoKind::Elsewhere(_) if repo.root == root => repo.trees.iter().map(file).collect(),
        _ => Vec::new(),
    }
}

/// `path` as seen from `base`, without asking any file system.
fn absolute(base: &ContainerPath, path: &Path) -> ContainerPath {
    let mut absolute = PathBuf::from("/");
    for part in base.join(path).as_path().components() {
        match part {
            Component::Normal(part) => absolute.push(part),
            Component::ParentDir => {
                absolute.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    ContainerPath::new(absolute)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn below() -> impl Strategy<Value = PathBuf> {
        let name = prop_oneof![Just("foo"), Just("bar"), Just("workspace")];
        proptest::collection::vec(name, 0..4).prop_map(|parts| parts.into_iter().collect())
    }

    proptest! {
        // SE-14
        #[test]
        fn no_two_directories_of_a_project_have_one_path(
            directories in proptest::collection::btree_set(below(), 1..12),
            mapping in prop_oneof![Just(Mapping::Adaptive), Just(Mapping::Named), Just(Mapping::Flat), Just(Mapping::Mirror)],
        ) {
            let mut seen = BTreeMap::new();
            for below in directories {
                let workdir = target(mapping, Path::new("/p/foo"), &below, "foo").join(&below);
                let other = seen.insert(workdir.clone(), below.clone());
                prop_assert_eq!(other, None, "{:?} is {:?}, too", below, workdir);
            }
        }
    }
}

//! The project seen from both sides: its root on the host, where that is mounted, and the working directory inside.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::core::config::Policy;
use crate::core::container::ContainerPath;
use crate::core::container::slug;
use crate::core::facts::{Facts, Repo, RepoKind};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::digest::sha256;

/// A host directory that must be reachable in the container beside the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    pub source: PathBuf,
    pub target: ContainerPath,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub root: PathBuf,
    pub target: ContainerPath,
    pub workdir: ContainerPath,
    /// The shared `.git` directory of a linked worktree.
    pub common: Option<Extra>,
    /// Where git notes the place of this linked worktree, which is another one inside.
    pub own: Option<ContainerPath>,
    /// Object directories that the repository borrows from.
    pub alternates: Vec<Extra>,
    /// Administrative directories of worktrees that are not mounted: git in the container must not tidy them away.
    pub siblings: Vec<Extra>,
    /// Last component of the root, `project` if there is none.
    pub name: String,
    /// `<slug>-<8 hex of sha256(root)>`: names the project's partition of state.
    pub project: String,
    /// What a person should know about how the root was chosen.
    pub note: Option<String>,
}

impl Workspace {
    /// The file, beside the project's settings of git, that says where the linked worktree is inside.
    pub fn place_file(&self) -> String {
        format!("gitdir{}", self.target.as_os_str().to_string_lossy().replace('/', "-"))
    }

    pub fn new(facts: &Facts, policy: Policy, force: bool) -> Result<Self> {
        let gone = || {
            Failure::new(Kind::Config, "cannot find the project: the working directory was deleted, or its path is too long")
                .hint("cd to a directory that exists")
        };
        let cwd = facts.cwd.as_deref().ok_or_else(gone)?;
        let (root, note) = root(facts, cwd)?;
        if !force && let Some(why) = refusal(root, facts) {
            return Err(Failure::new(Kind::Config, format!("cannot mount `{}`: {why}", root.display()))
                .hint("cd to a project, or set AI_FORCE_WORKSPACE=1 for this one run (`ai run --force-workspace`)"));
        }
        let text = |path: &Path| {
            let why = "engines take paths as UTF-8 and would replace other bytes";
            path.to_str().map(drop).ok_or_else(|| {
                Failure::new(Kind::Config, format!("cannot mount `{}`: its name is not UTF-8; {why}", path.display()))
                    .hint("rename the directory")
            })
        };
        text(cwd)?;
        let below = cwd.strip_prefix(root).unwrap_or(Path::new(""));
        let name = root.file_name().and_then(OsStr::to_str).unwrap_or("project").to_owned();
        let target = target(policy, root, below, &name);
        let workdir = target.join(below);
        let (common, own) = match facts.repo.as_ref().filter(|repo| repo.root == root).map(|repo| &repo.kind) {
            Some(RepoKind::Worktree { common, spelled, name }) => {
                text(common)?;
                let common = Extra { source: common.clone(), target: absolute(&target, spelled) };
                let own = common.target.join("worktrees").join(name).join("gitdir");
                (Some(common), Some(own))
            }
            _ => (None, None),
        };
        let alternates = alternates(facts, root, &target);
        let siblings = siblings(facts, root, &target);
        Ok(Self { project: project_id(root, &name), root: root.to_owned(), target, workdir, common, own, alternates, siblings, name, note })
    }
}

/// The directory to mount, and a note where it is not the obvious one.
fn root<'a>(facts: &'a Facts, cwd: &'a Path) -> Result<(&'a Path, Option<String>)> {
    let Some(repo) = &facts.repo else { return Ok((cwd, None)) };
    let root = match &repo.kind {
        RepoKind::Plain | RepoKind::Worktree { .. } => repo.root.as_path(),
        RepoKind::Submodule { superproject, .. } => superproject.as_path(),
        RepoKind::Bare => {
            return Err(Failure::new(
                Kind::Config,
                format!("cannot mount `{}`: it is git's own directory, not a work tree", cwd.display()),
            )
            .hint("cd to the work tree, or make one with `git worktree add`"));
        }
    };
    if root != cwd && refusal(root, facts).is_some() {
        let note = format!("`{}` is a repository but no project; only the working directory is mounted", root.display());
        return Ok((cwd, Some(note)));
    }
    Ok((root, None))
}

fn target(policy: Policy, root: &Path, below: &Path, name: &str) -> ContainerPath {
    let workspace = ContainerPath::new("/workspace");
    match policy {
        Policy::Adaptive if below.as_os_str().is_empty() => workspace.join(name),
        Policy::Named => workspace.join(name),
        Policy::Adaptive | Policy::Flat => workspace,
        Policy::Mirror => ContainerPath::new(root),
    }
}

/// Where the object directories outside of the root have to be for git to find them. Those inside come with the root.
fn alternates(facts: &Facts, root: &Path, target: &ContainerPath) -> Vec<Extra> {
    let is_mounted =
        |repo: &&Repo| repo.root == root || matches!(&repo.kind, RepoKind::Submodule { superproject, .. } if superproject == root);
    let Some(repo) = facts.repo.as_ref().filter(is_mounted) else { return Vec::new() };
    let outside = repo.alternates.iter().filter(|alternate| !alternate.path.starts_with(root));
    let safe = outside.filter(|alternate| refusal(&alternate.path, facts).is_none() && alternate.path.to_str().is_some());
    safe.map(|alternate| Extra { source: alternate.path.clone(), target: absolute(target, &alternate.spelled) }).collect()
}

fn siblings(facts: &Facts, root: &Path, target: &ContainerPath) -> Vec<Extra> {
    let repo = facts.repo.as_ref().filter(|repo| repo.root == root);
    let named = repo.into_iter().flat_map(|repo| &repo.siblings).filter(|sibling| sibling.path.to_str().is_some());
    named.map(|sibling| Extra { source: sibling.path.clone(), target: absolute(target, &sibling.spelled) }).collect()
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

fn project_id(root: &Path, name: &str) -> String {
    let hash = sha256(root.as_os_str().as_bytes());
    format!("{}-{}", slug(name), &hash[..8])
}

/// Directories whose contents no tool should see as a whole: mounting them, or what is above them, is a mistake.
const SYSTEM: [&str; 26] = [
    "/Applications",
    "/Library",
    "/System",
    "/Users",
    "/Volumes",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/private",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/var",
    "/workspace",
];

/// Directories that are the system's down to their last file.
const SYSTEM_WHOLE: [&str; 14] = [
    "/System",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
    "/usr/share",
];

/// Directories in the home that hold keys.
const KEYS: [&str; 6] = [".ssh", ".gnupg", ".aws", ".kube", ".docker", ".password-store"];

/// Whether a directory is the system's, or is above all that is.
pub fn is_system(root: &Path) -> bool {
    let is = |system: &str| root == Path::new(system);
    root.parent().is_none() || SYSTEM.iter().any(|system| is(system)) || SYSTEM_WHOLE.iter().any(|system| root.starts_with(system))
}

/// Why `root` must not be mounted, if it must not.
fn refusal(root: &Path, facts: &Facts) -> Option<String> {
    if root.parent().is_none() {
        return Some("it is the whole file system".into());
    }
    if is_system(root) {
        return Some("it is a system directory".into());
    }
    if root.starts_with(&facts.store) {
        return Some("it is inside the store of `ai`".into());
    }
    if let Some(home) = &facts.home {
        if root == home {
            return Some("it is your home directory".into());
        }
        if let Some(keys) = KEYS.iter().find(|keys| root.starts_with(home.join(keys))) {
            return Some(format!("it holds keys (`~/{keys}`)"));
        }
        if home.starts_with(root) {
            return Some("your home directory is below it".into());
        }
    }
    facts.store.starts_with(root).then(|| "the store of `ai` is below it".into())
}

//! What becomes of each file of an old directory. Decides only; nothing in an old directory is ever changed by it.
//!
//! Every file ends up somewhere: at its place in the store, or in the archive, from where a person can fetch it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where files go that no tool reads any more, and those that lost to better ones; relative to the store.
pub const ARCHIVE: &str = "global_state/migrated";

/// Which old directory a file is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OldLayout {
    /// `~/.docker-gemini-config`
    Gemini,
    /// Files of the first layout in what is the store now.
    Store,
    /// `.gemini-state` or `.ai-state` (the name) in the project of this id. A repository can have planted them.
    Project(String, String),
}

impl OldLayout {
    /// Its directory in the archive.
    fn archive(&self) -> PathBuf {
        match self {
            Self::Gemini => "docker-gemini-config".into(),
            Self::Store => "docker-ai-config".into(),
            Self::Project(id, name) => Path::new("projects").join(id).join(name.trim_start_matches('.')),
        }
    }
}

/// What lies at the top of the store if an older program put it there. Anything else there belongs to the new layout.
pub const OLD_NAMES: [&str; 24] = [
    "oauth_creds.json",
    "google_accounts.json",
    "mcp-oauth-tokens.json",
    "installation_id",
    "settings.json",
    "trustedFolders.json",
    "user_id",
    "GEMINI.md",
    "commands",
    "extensions",
    "state",
    "tmp",
    "history",
    "gh_config",
    "ssh_config",
    "ssh_known_hosts",
    "claude_config",
    "claude_state",
    ".claude",
    ".claude.json",
    ".gemini",
    "gemini_config",
    ".codex",
    "codex_config",
];

/// How two files for one place are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// By what they say about their end.
    Login,
    /// What the store has stays.
    Settings,
}

/// A file of an old directory, or what the store has at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub origin: OldLayout,
    pub from: PathBuf,
    /// Below the old directory.
    pub below: PathBuf,
    pub worth: FileWorth,
    pub sha256: String,
    pub mode: u32,
    /// Seconds since 1970; decides only between settings of two old directories.
    pub modified: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileWorth {
    Good,
    /// A login, and when it ends.
    Login(Option<u64>),
    /// Why it is no source.
    Bad(String),
    /// A link, FIFO or device, which is never followed or opened.
    Special,
}

/// What is done with one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MigrationStep {
    pub from: PathBuf,
    #[serde(skip)]
    pub below: PathBuf,
    /// Relative to the store; absent if nothing is written.
    pub to: Option<PathBuf>,
    pub action: Action,
    pub why: String,
    #[serde(skip)]
    pub sha256: String,
    pub mode: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Copy,
    /// Kept in the archive.
    Archive,
    /// The store has the same bytes there.
    Same,
    Skip,
}

const LOGINS: [(&str, &[&str]); 3] = [
    ("gemini", &["oauth_creds.json", "google_accounts.json", "mcp-oauth-tokens.json", "installation_id"]),
    ("claude", &[".credentials.json"]),
    ("codex", &["auth.json"]),
];
const SETTINGS: [(&str, &[&str]); 3] = [
    ("gemini", &["settings.json", "GEMINI.md", "commands", "skills"]),
    ("claude", &["settings.json", ".claude.json", "CLAUDE.md", "commands", "agents", "skills", "output-styles"]),
    ("codex", &["config.toml", "AGENTS.md", "prompts"]),
];

/// Returns the files that hold tokens, and so are logins to compare.
pub fn is_token_file(below: &Path) -> bool {
    below.file_name().is_some_and(|name| LOGINS.iter().any(|(_, files)| name == files[0]))
}

/// Returns where a file belongs, relative to the store; `None` for the archive.
fn place(origin: &OldLayout, below: &Path) -> Option<(PathBuf, Role)> {
    let below = below.strip_prefix("global_state").unwrap_or(below);
    let first = below.iter().next()?.to_str()?;
    let global = Path::new("global_state");
    let (tool, rest) = match first {
        ".claude.json" => ("claude", below.to_owned()),
        ".claude" | "claude" | "claude_config" => ("claude", below.iter().skip(1).collect()),
        ".codex" | "codex" | "codex_config" => ("codex", below.iter().skip(1).collect()),
        ".gemini" | "gemini" | "gemini_config" => ("gemini", below.iter().skip(1).collect()),
        _ => ("gemini", below.to_owned()),
    };
    let head = rest.iter().next()?.to_str()?;
    let has = |table: &[(&str, &[&str])]| table.iter().any(|(name, files)| *name == tool && files.contains(&head));
    if let OldLayout::Project(id, name) = origin {
        // A login from inside a repository could be anybody's; it goes to the archive, and a person may import it.
        let of_tool = name == ".gemini-state" || first != head;
        let home = global.join(tool).join("projects").join(id).join("home");
        return (of_tool && !has(&LOGINS)).then(|| (home.join(&rest), Role::Settings));
    }
    match first {
        "gh_config" => return Some((global.join("gh").join(below.iter().skip(1).collect::<PathBuf>()), Role::Settings)),
        "ssh_known_hosts" => return Some((global.join("ssh/known_hosts"), Role::Settings)),
        _ => {}
    }
    if has(&LOGINS) {
        return Some((global.join(tool).join("shared/login").join(rest), Role::Login));
    }
    has(&SETTINGS).then(|| (global.join(tool).join("hub").join(rest), Role::Settings))
}

/// Returns the steps for `files`, in their order. `there` knows what the store has at a place; `done` has the hashes of what an
/// earlier migration took over.
pub fn plan(files: &[File], there: impl Fn(&Path) -> Option<File>, done: &BTreeMap<PathBuf, String>) -> Vec<MigrationStep> {
    let new: Vec<&File> = files.iter().filter(|file| done.get(&file.from) != Some(&file.sha256)).collect();
    let mut places: BTreeMap<PathBuf, Vec<&File>> = BTreeMap::new();
    for file in &new {
        if let Some((place, _)) = place(&file.origin, &file.below) {
            places.entry(place).or_default().push(file);
        }
    }
    new.iter()
        .map(|file| match place(&file.origin, &file.below) {
            _ if file.worth == FileWorth::Special => step(file, None, Action::Skip, "no regular file"),
            None => archive(
                file,
                if matches!(file.origin, OldLayout::Project(..)) { "from inside a project" } else { "no tool reads it any more" },
            ),
            Some((to, role)) => {
                let ours = there(&to);
                match ours.as_ref() {
                    Some(ours) if ours.sha256 == file.sha256 => step(file, Some(to), Action::Same, "the store has it already"),
                    _ => contest(file, to.clone(), role, ours.as_ref(), &places[&to]),
                }
            }
        })
        .collect()
}

/// Whether `file` gets the place `to`, for which `others` want to go too and where `ours` is now.
fn contest(file: &File, to: PathBuf, role: Role, ours: Option<&File>, others: &[&File]) -> MigrationStep {
    if let FileWorth::Bad(why) = &file.worth {
        return archive(file, &format!("not taken over: {why}"));
    }
    let good = |file: &File| matches!(file.worth, FileWorth::Good | FileWorth::Login(_));
    let ours = ours.filter(|ours| good(ours));
    let end = |file: &File| if let FileWorth::Login(end) = file.worth { end } else { None };
    let better = |one: &File, other: &File| (end(one), one.modified, &other.from) > (end(other), other.modified, &one.from);
    match ours {
        Some(_) if role == Role::Settings => return archive(file, "the store's own stays"),
        Some(ours) if end(ours) >= end(file) => return archive(file, "the store's login ends later"),
        _ => {}
    }
    match others.iter().find(|other| good(other) && other.from != file.from && better(other, file)) {
        Some(other) if other.sha256 == file.sha256 => step(file, Some(to), Action::Same, "another old directory has the same"),
        Some(other) => archive(file, &format!("`{}` is newer", other.from.display())),
        None => step(file, Some(to), Action::Copy, if ours.is_some() { "ends later than the store's" } else { "the store has none" }),
    }
}

fn archive(file: &File, why: &str) -> MigrationStep {
    let to = Path::new(ARCHIVE).join(file.origin.archive()).join(&file.below);
    step(file, Some(to), Action::Archive, why)
}

fn step(file: &File, to: Option<PathBuf>, action: Action, why: &str) -> MigrationStep {
    let (from, below) = (file.from.clone(), file.below.clone());
    // Never wider than the owner's own; what could be executed still can.
    MigrationStep { from, below, to, action, why: why.into(), sha256: file.sha256.clone(), mode: 0o600 | (file.mode & 0o100) }
}

#[cfg(test)]
mod tests;

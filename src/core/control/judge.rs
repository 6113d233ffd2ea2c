//! One change of a control file → what is done about it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::core::control::ControlPath;
use crate::core::control::destinations::moved;
use crate::core::control::gitconfig::{self, GitSetting, NoGitConfig, parse};
use crate::core::control::kinds::{ControlKind, Reads, Tier};
use crate::core::control::plain::{Around, is_plain};

/// What stands at a path, as far as a judgement needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    Absent,
    File { bytes: &'a [u8], executable: bool },
    Link,
    Directory,
    Strange,
}

/// Where a `.git` file leads, or what settings name as the work tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// To a directory that is watched too, or to nothing that the host has.
    Inside,
    Outside,
}

/// A path whose content is not what it was.
#[derive(Clone, Copy, Debug)]
pub struct ControlChange<'a> {
    pub path: &'a ControlPath,
    pub kind: ControlKind,
    pub before: Standing<'a>,
    pub after: Standing<'a>,
    pub leads: Leads,
    /// Whether the directory of git's that the file is in is still there.
    pub git_directory: GitDirectory,
    /// What the person allowed in this project: names of settings, or `*` for the whole file.
    pub allowed: &'a BTreeSet<String>,
}

/// Whether a path is in a directory of git's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitDirectory {
    /// It is in the work tree.
    None,
    There,
    /// It is gone with all that was in it, which runs nothing.
    Gone,
}

/// What is done about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It runs nothing.
    Fine,
    /// It is made as it was: its content, or nothing.
    Back,
    /// The settings that run nothing stay, the others are made as they were; their names.
    Rewrite { bytes: Vec<u8>, names: Vec<String> },
    /// It stays and is shown.
    Report,
    /// It runs nothing and stays, and git talks to another place by it; the names of the settings.
    Moved(Vec<String>),
    /// It stays and is counted.
    Count,
}

/// Decides about one change.
pub fn judge(change: &ControlChange) -> Judgement {
    if change.git_directory == GitDirectory::Gone {
        return Judgement::Fine;
    }
    match change.kind.tier {
        Tier::Builds => Judgement::Count,
        Tier::Opens if change.kind.reads == Reads::Todo => todo(change),
        Tier::Opens => Judgement::Report,
        Tier::Runs if change.allowed.contains("*") => Judgement::Report,
        Tier::Runs => runs(change),
    }
}

fn runs(change: &ControlChange) -> Judgement {
    match (change.kind.reads, change.before, change.after) {
        (Reads::Settings, before, Standing::File { bytes, .. }) => settings(change, before, bytes),
        (Reads::Pointer, before, after) => pointer(change, before, after),
        (Reads::Kind, _, Standing::Absent | Standing::File { .. } | Standing::Directory) => Judgement::Fine,
        // What is gone from the work tree runs nothing; a hook that is gone may have been a guard.
        (Reads::Versions, before, after) => versions(before, after),
        (Reads::Whole | Reads::Script, _, Standing::Absent) if change.git_directory == GitDirectory::None => Judgement::Report,
        _ => Judgement::Back,
    }
}

/// Judges git's settings by key.
fn settings(change: &ControlChange, before: Standing, after: &[u8]) -> Judgement {
    let old = match before {
        Standing::File { bytes, .. } => bytes,
        Standing::Absent => &[],
        _ => return Judgement::Back,
    };
    let (Ok(old_settings), Ok(new_settings)) = (parse(old), parse(after)) else { return Judgement::Back };
    let old_ones = Sorted::new(&old_settings, change, &[]);
    let known = old_ones.remotes();
    let new_ones = Sorted::new(&new_settings, change, &known);
    let moved = moved(&old_settings, &new_settings).into_iter().filter(|name| !change.allowed.contains(name));
    if old_ones.running == new_ones.running {
        let moved: Vec<String> = moved.collect();
        return if moved.is_empty() { Judgement::Fine } else { Judgement::Moved(moved) };
    }
    let mut names = differing(&old_ones.running, &new_ones.running);
    // Who plants what runs is not believed about where to push, either.
    let others: Vec<String> = moved.filter(|name| !names.contains(name)).collect();
    names.extend(others);
    // A harmless value that a dangerous one took the place of comes back as well.
    let is_touched = |setting: &&&GitSetting| names.contains(&setting.name());
    let plain: Vec<&GitSetting> = new_ones.plain.iter().filter(|setting| !is_touched(setting)).copied().collect();
    let back: Vec<&GitSetting> = old_ones.plain.iter().filter(is_touched).chain(&old_ones.running).copied().collect();
    if plain.iter().copied().eq(old_ones.plain.iter().filter(|setting| !is_touched(setting)).copied()) && before != Standing::Absent {
        return Judgement::Rewrite { bytes: old.to_vec(), names };
    }
    Judgement::Rewrite { bytes: put_together(&plain, &back), names }
}

/// Writes settings that run nothing and settings that do, each from its own source. Nothing of either file but the settings that
/// were meant comes over, so that no spelling can smuggle in another.
fn put_together(plain: &[&GitSetting], running: &[&GitSetting]) -> Vec<u8> {
    let mut bytes = gitconfig::render(plain);
    gitconfig::append(&mut bytes, running);
    bytes
}

/// Makes the file that a person accepted: what runs is from `accepted`, the rest from what is there now.
pub fn accept_settings(path: &ControlPath, now: &[u8], accepted: &[u8]) -> Result<Vec<u8>, NoGitConfig> {
    let (now, accepted) = (parse(now)?, parse(accepted)?);
    let nothing = BTreeSet::new();
    let change = of_settings(path, &nothing);
    Ok(put_together(&Sorted::new(&now, &change, &[]).plain, &Sorted::new(&accepted, &change, &[]).running))
}

/// Makes one file of two that followed each other: what runs is from both, and from the later where both set it.
pub fn join_settings(path: &ControlPath, earlier: &[u8], later: &[u8]) -> Result<Vec<u8>, NoGitConfig> {
    let (earlier, later) = (parse(earlier)?, parse(later)?);
    let nothing = BTreeSet::new();
    let change = of_settings(path, &nothing);
    let (old, new) = (Sorted::new(&earlier, &change, &[]), Sorted::new(&later, &change, &[]));
    let is_set_again = |setting: &GitSetting| new.running.iter().any(|other| other.name() == setting.name());
    let running: Vec<&GitSetting> =
        old.running.into_iter().filter(|setting| !is_set_again(setting)).chain(new.running.iter().copied()).collect();
    Ok(put_together(&new.plain, &running))
}

fn of_settings<'a>(path: &'a ControlPath, allowed: &'a BTreeSet<String>) -> ControlChange<'a> {
    ControlChange {
        path,
        kind: ControlKind { tier: Tier::Runs, reads: Reads::Settings },
        before: Standing::Absent,
        after: Standing::Absent,
        leads: Leads::Inside,
        git_directory: GitDirectory::There,
        allowed,
    }
}

/// Returns whether settings run something at a prompt, and not only when a person talks to another repository.
pub fn runs_at_prompt(names: &[String]) -> bool {
    names.is_empty() || names.iter().any(|name| !["remote.", "branch.", "submodule.", "url."].iter().any(|far| name.starts_with(far)))
}

/// The settings of a file, in two lots.
struct Sorted<'a> {
    plain: Vec<&'a GitSetting>,
    running: Vec<&'a GitSetting>,
}

impl<'a> Sorted<'a> {
    /// `remotes` are those that the file before had, whose places are the person's.
    fn new(settings: &'a [GitSetting], change: &ControlChange, remotes: &[&[u8]]) -> Self {
        // Where a link stands on the way to its work tree, git writes elsewhere.
        let module = module(&change.path.below).filter(|_| change.leads == Leads::Inside);
        let mut around = Around { remotes: remotes.to_vec(), module };
        let far = settings.iter().filter(|setting| setting.section == "remote" && setting.key == "url" && is_plain(setting, &around));
        let far: Vec<&[u8]> = far.filter_map(|setting| setting.subsection.as_deref()).collect();
        around.remotes.extend(far);
        let is_plain = |setting: &&GitSetting| is_plain(setting, &around) || change.allowed.contains(&setting.name());
        let (plain, running) = settings.iter().partition(is_plain);
        Self { plain, running }
    }

    fn remotes(&self) -> Vec<&'a [u8]> {
        let all = self.plain.iter().chain(&self.running).filter(|setting| setting.section == "remote" && setting.key == "url");
        all.filter_map(|setting| setting.subsection.as_deref()).collect()
    }
}

/// Returns the directory of a submodule's settings.
fn module(file: &Path) -> Option<&Path> {
    let directory = file.parent()?;
    let parts: Vec<_> = directory.components().map(std::path::Component::as_os_str).collect();
    let is_module = parts.windows(2).any(|pair| pair[0] == ".git" && pair[1] == "modules");
    is_module.then_some(directory)
}

fn differing(old: &[&GitSetting], new: &[&GitSetting]) -> Vec<String> {
    let changed = new.iter().filter(|setting| !old.contains(setting)).chain(old.iter().filter(|setting| !new.contains(setting)));
    let names: BTreeSet<String> = changed.map(|setting| setting.name()).collect();
    // The same settings in another order: the last one counts.
    if names.is_empty() { vec!["the order of settings".into()] } else { names.into_iter().collect() }
}

/// Judges what says where a directory of git's is.
fn pointer(change: &ControlChange, before: Standing, after: Standing) -> Judgement {
    let is_git_entry = change.path.below.file_name().is_some_and(|name| name.eq_ignore_ascii_case(".git"));
    match (before, after) {
        // Git's own, in the administrative directory of a worktree.
        (Standing::Absent, Standing::File { bytes, .. }) if !is_git_entry => {
            let is_worktree = change.path.below.parent().and_then(Path::parent).is_some_and(|above| above.ends_with("worktrees"));
            if is_worktree && bytes.trim_ascii_end() == b"../.." { Judgement::Fine } else { Judgement::Back }
        }
        (Standing::Absent, Standing::File { .. }) if change.leads == Leads::Inside => Judgement::Fine,
        // A repository that is new, whose content is judged by itself, or one that is gone.
        (Standing::Absent, Standing::Directory) => Judgement::Fine,
        (Standing::Directory, Standing::Absent) => Judgement::Fine,
        (_, Standing::Absent) if is_git_entry && change.path.below.components().count() > 1 => Judgement::Fine,
        _ => Judgement::Back,
    }
}

/// Lets other versions pass, but none that is a path or computed.
fn versions(before: Standing, after: Standing) -> Judgement {
    let paths = |standing: Standing| -> BTreeSet<Vec<u8>> {
        let Standing::File { bytes, .. } = standing else { return BTreeSet::new() };
        let is_path = |line: &&[u8]| ["path", "{{"].iter().any(|word| line.windows(word.len()).any(|part| part == word.as_bytes()));
        bytes.split(|byte| *byte == b'\n').filter(is_path).map(<[u8]>::to_vec).collect()
    };
    match after {
        Standing::Absent => Judgement::Report,
        Standing::File { .. } if paths(after).is_subset(&paths(before)) => Judgement::Report,
        _ => Judgement::Back,
    }
}

/// Reports programs that a rebase would start when it goes on.
fn todo(change: &ControlChange) -> Judgement {
    let programs = |standing: Standing| -> BTreeSet<Vec<u8>> {
        let Standing::File { bytes, .. } = standing else { return BTreeSet::new() };
        let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
        lines.filter(|line| line.starts_with(b"x") || line.starts_with(b"exec")).map(<[u8]>::to_vec).collect()
    };
    match change.after {
        Standing::Absent => Judgement::Fine,
        Standing::File { .. } if programs(change.after).is_subset(&programs(change.before)) => Judgement::Fine,
        _ => Judgement::Report,
    }
}

#[cfg(test)]
mod tests;

//! What is kept of control files in the store: how they were, what was changed, what the person allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::control::kinds::{ControlKind, Reads, Tier};
use crate::core::control::{ControlPath, Trace, Watched};
use crate::core::lease::SessionId;

/// Contents that are kept in case somebody misses them.
pub const MOST_KEPT: usize = 400;

/// A directory that a run may write, told apart from another one in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorDir {
    pub path: PathBuf,
    pub device: u64,
    pub inode: u64,
}

/// How the control files of a project were when the first of its running sessions began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlRecord {
    pub anchors: Vec<AnchorDir>,
    /// Sessions that have not been compared yet. The last one takes the record with it.
    pub sessions: BTreeSet<SessionId>,
    /// Seconds since 1970 when it was taken.
    pub since: u64,
    /// Directories in which a person stands.
    pub seeds: BTreeSet<ControlPath>,
    /// Whether direnv was installed.
    pub with_direnv: bool,
    /// Directories of the project that were on PATH.
    #[serde(default)]
    pub programs: BTreeSet<ControlPath>,
    /// Names that count in a directory in which no directory is.
    #[serde(default)]
    pub leaves: BTreeSet<String>,
    pub watched: BTreeMap<ControlPath, Watched>,
    /// Directories of git's.
    pub git_directories: BTreeSet<ControlPath>,
    /// What settings name in the project.
    pub named: BTreeMap<ControlPath, Tag>,
    /// What was put back while the sessions ran, and is not told yet.
    #[serde(default)]
    pub mended: Vec<PendingChange>,
    /// `.git` files and settings that led out of the project.
    #[serde(default)]
    pub led_outside: BTreeSet<ControlPath>,
    /// Whether the project has more than was looked at.
    pub is_cut: bool,
}

impl ControlRecord {
    /// Returns the contents that must be kept.
    pub fn contents(&self) -> impl Iterator<Item = &str> {
        self.watched.values().filter_map(|watched| match &watched.trace {
            Trace::File { hash, .. } => Some(hash.as_str()),
            _ => None,
        })
    }
}

/// A tier and what counts, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub tier: Tier,
    pub reads: Reads,
}

impl From<ControlKind> for Tag {
    fn from(kind: ControlKind) -> Self {
        Self { tier: kind.tier, reads: kind.reads }
    }
}

impl From<Tag> for ControlKind {
    fn from(tag: Tag) -> Self {
        Self { tier: tag.tier, reads: tag.reads }
    }
}

/// Changes of one file that are kept of one run while it lasts.
const MOST_OF_ONE: usize = 4;
/// Files, and settings of one, that are told.
const MOST_TOLD: usize = 500;

/// Adds a change to those that will be told: each file once, with all settings of it that were put back.
pub fn mend(told: &mut Vec<PendingChange>, change: PendingChange) {
    let has_room = told.len() < MOST_TOLD;
    let known = told.iter_mut().find(|known| known.path == change.path && known.handled == change.handled);
    match known {
        Some(known) => {
            let new: Vec<String> = change.names.iter().filter(|name| !known.names.contains(name)).take(MOST_TOLD).cloned().collect();
            if known.names.len() < MOST_TOLD {
                known.names.extend(new);
            }
            known.after = change.after;
        }
        None if has_room => told.push(change),
        None => {}
    }
}

/// What was done about a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handled {
    /// Made as it was.
    PutBack,
    /// Taken away: there was nothing before.
    SetAside,
    /// Settings that run nothing stayed.
    Rewritten,
    Reported,
    Counted,
    /// It should have been put back, and could not be.
    Failed,
}

/// A change that waits for the person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    pub path: ControlPath,
    pub tier: Tier,
    pub reads: Reads,
    pub handled: Handled,
    /// Settings by name, where they are what changed.
    #[serde(default)]
    pub names: Vec<String>,
    pub before: Option<Trace>,
    pub after: Option<Trace>,
    pub session: String,
    pub tool: String,
    /// Seconds since 1970.
    pub when: u64,
}

/// Everything that waits for the person's word in one project, oldest first, and what has it already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlLedger {
    #[serde(default)]
    pub anchors: Vec<AnchorDir>,
    #[serde(default)]
    pub pending: Vec<PendingChange>,
    /// Allowed for the project: names of settings by file, `*` for a whole file.
    #[serde(default)]
    pub allowed: BTreeMap<ControlPath, BTreeSet<String>>,
}

impl ControlLedger {
    /// Adds a change. A later one of the same file takes the place of the earlier, whose beginning it keeps, unless what a tool
    /// wrote would be lost with it.
    pub fn add(&mut self, change: PendingChange) {
        let same = self.pending.iter_mut().find(|old| {
            old.path == change.path && old.handled == change.handled && matches!(change.handled, Handled::Reported | Handled::Counted)
        });
        match same {
            Some(old) => *old = PendingChange { before: old.before.clone(), ..change },
            None => self.pending.push(change),
        }
        while self.pending.len() > MOST_KEPT {
            self.let_one_go();
        }
    }

    /// Lets a change go of the run that has most of them, so that no run pushes out what another one did; first what was dealt with.
    fn let_one_go(&mut self) {
        let mut of_runs: BTreeMap<&str, usize> = BTreeMap::new();
        for change in &self.pending {
            *of_runs.entry(&change.session).or_default() += 1;
        }
        let most = of_runs.values().max().copied();
        let is_of_most = |change: &PendingChange| of_runs.get(change.session.as_str()).copied() == most;
        let is_done = |change: &PendingChange| !matches!(change.handled, Handled::Reported | Handled::Failed);
        let done = self.pending.iter().position(|change| is_of_most(change) && is_done(change));
        if let Some(at) = done.or_else(|| self.pending.iter().position(is_of_most)) {
            self.pending.remove(at);
        }
    }

    /// Adds a change that was put back while its run lasts, and may come again at once: what of one file in one run is more than a few
    /// is not kept.
    pub fn add_bounded(&mut self, change: PendingChange) {
        let same = |old: &&PendingChange| (&old.path, &old.session, old.handled) == (&change.path, &change.session, change.handled);
        let is_known = self.pending.iter().filter(same).any(|old| old.after == change.after);
        if !is_known && self.pending.iter().filter(same).count() < MOST_OF_ONE {
            self.add(change);
        }
    }

    /// Returns the contents that must be kept.
    pub fn contents(&self) -> impl Iterator<Item = &str> {
        let traces = self.pending.iter().flat_map(|change| [&change.before, &change.after]);
        traces.filter_map(|trace| match trace {
            Some(Trace::File { hash, .. }) => Some(hash.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, names: &[&str], hash: &str) -> PendingChange {
        PendingChange {
            path: ControlPath::new(0, path),
            tier: Tier::Runs,
            reads: Reads::Whole,
            handled: Handled::Rewritten,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            before: None,
            after: Some(Trace::File { hash: hash.into(), executable: true }),
            session: "0123456789ab".into(),
            tool: "claude".into(),
            when: 0,
        }
    }

    // BO-12
    #[test]
    fn what_is_put_back_again_and_again_pushes_nothing_out() {
        let mut ledger = ControlLedger::default();
        ledger.add(change("other", &[], "kept"));
        for number in 0..1000 {
            ledger.add_bounded(change("hook", &[], &number.to_string()));
            ledger.add_bounded(change("same", &[], "one"));
        }
        let count = |path: &str| ledger.pending.iter().filter(|change| change.path == ControlPath::new(0, path)).count();
        assert_eq!([count("other"), count("hook"), count("same")], [1, 4, 1]);
    }

    // BO-12
    #[test]
    fn a_run_pushes_out_neither_what_another_did_nor_what_stays_as_it_left_it() {
        let mut ledger = ControlLedger::default();
        ledger.add(PendingChange { session: "another".into(), ..change("other", &[], "kept") });
        ledger.add(PendingChange { handled: Handled::Reported, ..change(".vscode/tasks.json", &[], "kept") });
        (0..1000).for_each(|number| ledger.add(change(&format!("hook{number}"), &[], "junk")));
        let has = |path: &str| ledger.pending.iter().any(|change| change.path == ControlPath::new(0, path));
        assert_eq!(
            (ledger.pending.len(), ["other", ".vscode/tasks.json", "hook0", "hook999"].map(has)),
            (MOST_KEPT, [true, true, false, true])
        );
    }

    #[test]
    fn a_file_is_told_once_with_all_that_was_put_back_of_it() {
        let mut told = Vec::new();
        for (names, hash) in [(&["a"][..], "1"), (&["a", "b"], "2")] {
            mend(&mut told, change("config", names, hash));
        }
        mend(&mut told, change("hook", &[], "3"));
        assert_eq!(told, [change("config", &["a", "b"], "2"), change("hook", &[], "3")]);
        (0..2000).for_each(|number| mend(&mut told, change(&format!("hook{number}"), &[], "4")));
        assert_eq!(told.len(), 500);
    }
}

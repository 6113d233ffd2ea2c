//! Faults that strace injects into chosen calls of one sync (Z-043, Z-044, Z-045, Z-046, F-08).

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use super::world::{State, World, lost, outcome, torn, untidy};
use super::{Counts, every, print_table, strace};
use crate::require::has_strace;

/// Every call with which a sync can change something, and `openat`, with which it looks.
const CALLS: [&str; 11] =
    ["openat", "write", "pwrite64", "fsync", "renameat", "renameat2", "linkat", "unlinkat", "mkdirat", "fchmod", "flock"];
/// Where a failure must be told: the sync did not do what it was asked to.
const MUST_BE_TOLD: [&str; 4] = ["fsync", "renameat", "renameat2", "mkdirat"];
const FAULTS: [&str; 5] = ["signal=SIGKILL", "error=ENOSPC", "error=EIO", "error=EINTR", "error=EROFS"];

/// One sync whose every call can fail.
struct Trial<'a> {
    world: &'a World,
    direction: &'a str,
    host_sync: &'a str,
    before: State,
    after: State,
}

#[test]
fn z_043_a_sync_that_dies_or_fails_at_any_call_loses_nothing_and_is_finished_by_the_next() {
    if !has_strace() {
        return;
    }
    let rows = std::thread::scope(|scope| {
        let both = scope.spawn(|| table("out", "both"));
        let mut rows = table("in", "import");
        rows.extend(both.join().unwrap());
        rows
    });
    print_table("direction, fault", &rows);
}

#[test]
fn z_044_a_recovery_that_dies_is_recovered() {
    if !has_strace() {
        return;
    }
    let world = World::diverged();
    let trial = Trial::new(&world, "in", "import");
    let mut rows = Vec::new();
    // These die before and after the commit.
    for (call, nth) in [("renameat2", 1), ("renameat2", 3), ("unlinkat", 30), ("fsync", 60), ("fsync", 90)] {
        world.restore(&trial.before);
        trial.inject("sync", call, "signal=SIGKILL", nth);
        let interrupted = world.state();
        let pending = interrupted.contains_key("store/sync/journal/commit.json");
        let mut counts = Counts::default();
        for (call, count) in trial.count("repair", &interrupted) {
            for nth in (1..=count).step_by(every(12)) {
                world.restore(&interrupted);
                // The second one begins with what the first one left, and may have no such call any more.
                for nth in [nth, nth + 1] {
                    counts.deaths += usize::from(died(trial.inject("repair", &call, "signal=SIGKILL", nth)));
                }
                counts += trial.judge(&call, "repair", nth);
            }
        }
        rows.push((format!("dead at {call} {nth}{}", if pending { ", committed" } else { "" }), counts));
    }
    assert!(rows.iter().any(|(name, _)| name.contains("committed")), "no journal was ever left");
    print_table("recovery of a sync", &rows);
}

fn table(direction: &str, host_sync: &str) -> Vec<(String, Counts)> {
    let world = World::diverged();
    let trial = Trial::new(&world, direction, host_sync);
    let mut rows = BTreeMap::new();
    for (call, count) in trial.count("sync", &trial.before) {
        let step = if call == "openat" { every(61) } else { every(13) };
        for (offset, fault) in FAULTS.iter().enumerate() {
            let row: &mut Counts = rows.entry(format!("{direction}, {fault}")).or_default();
            // Each fault begins elsewhere, so that together they try more points.
            for nth in (1 + offset % step.min(count)..=count).step_by(step) {
                world.restore(&trial.before);
                let status = trial.inject("sync", &call, fault, nth);
                *row += trial.judge(&call, fault, nth);
                row.deaths += usize::from(died(status));
                let told = !status.success();
                let must = MUST_BE_TOLD.contains(&call.as_str()) && !fault.contains("EINTR");
                assert!(told || !must, "{call} {nth} {fault}: the failure was not told");
                assert!(!told || !fault.contains("EINTR"), "{call} {nth}: an interrupted call is no failure");
            }
        }
    }
    rows.into_iter().collect()
}

impl<'a> Trial<'a> {
    fn new(world: &'a World, direction: &'a str, host_sync: &'a str) -> Trial<'a> {
        let before = world.state();
        assert!(world.ai("sync", direction, host_sync).status.success());
        let after = world.state();
        assert_eq!(untidy(&after), [""; 0]);
        assert_eq!(lost(&before, &after), [""; 0]);
        assert_ne!(outcome(&before), outcome(&after), "a sync that changes nothing tests nothing");
        Trial { world, direction, host_sync, before, after }
    }

    /// How often an undisturbed act makes each call.
    fn count(&self, act: &str, from: &State) -> Vec<(String, usize)> {
        self.world.restore(from);
        let log = self.world.path("trace");
        let output =
            strace().arg("-e").arg(format!("trace={}", CALLS.join(","))).arg("-o").arg(&log).args(self.words(act)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(log).unwrap();
        let is = |line: &str, call: &str| line.split('(').next().is_some_and(|words| words.split(' ').next_back() == Some(call));
        let count = |call: &str| text.lines().filter(|line| is(line, call)).count();
        CALLS.iter().map(|call| ((*call).to_owned(), count(call))).filter(|(_, count)| *count > 0).collect()
    }

    /// Runs an act with a fault in the nth call; how it ended.
    fn inject(&self, act: &str, call: &str, fault: &str, nth: usize) -> ExitStatus {
        let mut strace = strace();
        strace.args(["-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &format!("inject={call}:{fault}:when={nth}")]);
        strace.args(self.words(act)).output().unwrap().status
    }

    /// What is left, and whether the next sync makes the same of it as if nothing had happened.
    fn judge(&self, call: &str, fault: &str, nth: usize) -> Counts {
        let now = self.world.state();
        let (torn, lost_now) = (torn(&self.before, &now, &self.after), lost(&self.before, &now));
        for problem in torn.iter().chain(&lost_now) {
            eprintln!("{call} {nth} {fault}: {problem}");
        }
        let mut strayed = 0;
        if fault == "signal=SIGKILL" && nth.is_multiple_of(5) {
            self.world.ai("repair", self.direction, self.host_sync);
            let once = self.world.state();
            self.world.ai("repair", self.direction, self.host_sync);
            strayed += usize::from(unsigned(once) != unsigned(self.world.state()));
        }
        let output = self.world.ai("sync", self.direction, self.host_sync);
        let then = self.world.state();
        let differs = !output.status.success() || outcome(&then) != outcome(&self.after) || !untidy(&then).is_empty();
        if differs {
            eprintln!("{call} {nth} {fault}: {} {:?}", String::from_utf8_lossy(&output.stderr), untidy(&then));
            for (path, bytes) in outcome(&then) {
                if outcome(&self.after).get(&path) != Some(&bytes) {
                    eprintln!("  {path}: {}", String::from_utf8_lossy(&bytes));
                }
            }
        }
        strayed += usize::from(differs);
        Counts { faults: 1, deaths: 0, torn: torn.len(), lost: lost_now.len() + lost(&self.before, &then).len(), strayed }
    }

    fn words(&self, act: &str) -> Vec<String> {
        let job = self.world.job(act, self.direction, self.host_sync, "home");
        ["--", env!("CARGO_BIN_EXE_ai"), "__sync"].into_iter().map(str::to_owned).chain([spell(&job)]).collect()
    }
}

/// Whether it was killed: strace dies of what its program died of.
fn died(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

/// A state without the pid that the last holder of the lock left in it.
fn unsigned(mut state: State) -> State {
    state.remove("store/sync/lock");
    state
}

fn spell(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

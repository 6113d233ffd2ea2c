//! The order of flushes and renames (Z-046).

use super::strace;
use super::world::World;
use crate::require::has_strace;

/// No fault shows a missing flush, for only a machine that loses its power forgets what was not flushed.
#[test]
fn z_046_everything_is_flushed_before_it_gets_its_name_and_the_name_after() {
    if !has_strace() {
        return;
    }
    let world = World::diverged();
    let log = world.path("trace");
    let job = world.job("sync", "in", "import", "home");
    let mut strace = strace();
    strace.args(["-y", "-e", "trace=fsync,renameat,renameat2", "-o"]).arg(&log);
    strace.args(["--", env!("CARGO_BIN_EXE_ai"), "__sync"]).arg(job);
    assert!(strace.output().unwrap().status.success());
    let trace = std::fs::read_to_string(log).unwrap();
    let calls: Vec<&str> = trace.lines().collect();
    let mut renames = 0;
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.contains("rename")) {
        let directory = call.split(['<', '>']).nth(1).unwrap();
        let temporary = call.split('"').nth(1).unwrap();
        let flushed = |calls: &[&str], path: &str| calls.iter().any(|call| call.contains("fsync(") && call.contains(&format!("<{path}>")));
        let since = calls[..at].iter().rposition(|earlier| earlier.contains("rename")).map_or(0, |last| last + 1);
        assert!(flushed(&calls[since..at], &format!("{directory}/{temporary}")), "{call}");
        // What a journal will name is there together, before the journal is.
        let is_next = |later: &&str| later.contains("rename") && !(directory.ends_with("/sync/objects") && later.contains(directory));
        let until = calls[at + 1..].iter().position(|later| is_next(&later)).map_or(calls.len(), |next| at + 1 + next);
        assert!(flushed(&calls[at + 1..until], directory), "{call}");
        renames += 1;
    }
    assert!(renames > 20, "{renames} renames");
}

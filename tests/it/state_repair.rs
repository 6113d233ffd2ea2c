//! Sessions whose owner died, and who finishes them.

use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{Bed, Image};
use crate::process::{finish, wait_for};
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn leases(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.store().join("sessions")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn of_all_who_find_a_dead_session_one_finishes_and_tells() {
    let sandbox = Sandbox::new();
    let mut owner = sandbox.run("sleep").args(["1000"]).spawn();
    let session = sandbox.ai(["sync", "in", "--owner", &owner.id().to_string(), "claude"]).prints();
    kill(&mut owner);
    let me = std::process::id().to_string();
    let finders: Vec<Child> = (0..6).map(|_| sandbox.ai(["sync", "in", "--owner", &me, "claude"]).spawn()).collect();
    let said: Vec<String> = finders.into_iter().map(finish).map(|outcome| outcome.err()).collect();
    let told: Vec<&str> = said.iter().flat_map(|err| err.lines()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("finished session {} of claude in ", session.trim())), "{told:?}");
    assert_eq!(leases(&sandbox).len(), 6, "those that live");
}

// E-04
#[test]
fn a_live_session_is_not_touched_and_a_lost_lease_is_cleared_away() {
    let sandbox = Sandbox::new();
    let session = sandbox.ai(["sync", "in", "--owner", &std::process::id().to_string(), "claude"]).prints();
    sandbox.write("home/.docker-ai-config/sessions/0123456789ab", "");
    sandbox.ai(["sync", "repair"]).prints();
    assert_eq!(leases(&sandbox), [session.trim()]);
    sandbox.ai(["sync", "out", session.trim()]).prints();
    assert_eq!(leases(&sandbox), [""; 0]);
}

// SE-16: gemini would wait for it, 12 s long.
#[test]
fn a_lock_that_a_killed_run_left_goes_where_no_other_session_has_the_home() {
    let sandbox = Sandbox::new();
    let other = sandbox.ai(["sync", "in", "--owner", &std::process::id().to_string(), "gemini"]).prints();
    let projects = sandbox.store().join("global_state/gemini/projects");
    let lock = fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home/projects.json.lock");
    fs::create_dir(&lock).unwrap();
    sandbox.ai(["run", "gemini"]).prints();
    assert!(lock.exists(), "somebody may hold it");
    sandbox.ai(["sync", "out", other.trim()]).prints();
    sandbox.ai(["run", "gemini"]).prints();
    assert!(!lock.exists());
    // What holds something is no lock.
    let inner = lock.join("inner");
    fs::create_dir_all(&inner).unwrap();
    sandbox.ai(["run", "gemini"]).prints();
    assert!(inner.exists());
}

// E-04, F-03, Z-062
#[test]
fn kill_9_of_everything_leaves_a_whole_token_and_the_next_start_removes_exactly_that_container() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let old = "{\"token\":\"old\"}\n";
    bed.write("home/.docker-ai-config/global_state/claude/shared/login/.credentials.json", old);
    let mut other = bed.ai(["run", "gemini", "sh", "-c", "sleep 1000"]).spawn();
    let refresh = "cd \"$CLAUDE_SECURESTORAGE_CONFIG_DIR\"; echo '{\"theme\":\"light\"}' >\"$CLAUDE_CONFIG_DIR/settings.json\"; \
        while :; do echo '{\"token\":\"new\"}' >t; mv t .credentials.json; done";
    let mut dying = bed.ai(["run", "claude", "sh", "-c", refresh]).spawn();
    let both = wait_for("two containers", || Some(bed.containers()).filter(|names| names.len() == 2));
    let hub = bed.store().join("global_state/claude/hub/settings.json");
    let token = bed.store().join("global_state/claude/shared/login/.credentials.json");
    wait_for("new token", || fs::read_to_string(&token).ok().filter(|token| token != old));
    kill(&mut dying);
    let name = both.iter().find(|name| name.starts_with("ai-claude-")).unwrap();
    bed.docker(&["kill", name]);
    assert_eq!(fs::read_to_string(&token).unwrap(), "{\"token\":\"new\"}\n");
    let outcome = bed.ai(["run", "claude", "true"]).outcome();
    assert_eq!(outcome.code, 0);
    assert!(outcome.err().contains(" of claude in "), "{}", outcome.err());
    assert!(fs::read_to_string(&hub).unwrap().contains("light"), "what the dead run had set");
    let left = wait_for("one container", || Some(bed.containers()).filter(|names| names.len() == 1));
    assert!(left[0].starts_with("ai-gemini-"));
    bed.docker(&["kill", &left[0]]);
    other.wait().unwrap();
    bed.nothing_left();
}

// Z-063
#[test]
fn a_container_that_was_paused_goes_on_as_if_nothing_had_been() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let script = "echo 1 >>\"$CLAUDE_CONFIG_DIR/history.jsonl\"; sleep 3; echo 2 >>\"$CLAUDE_CONFIG_DIR/history.jsonl\"";
    let run = bed.ai(["run", "claude", "sh", "-c", script]).spawn();
    let projects = bed.store().join("global_state/claude/projects");
    let begun = || fs::read_dir(&projects).into_iter().flatten().any(|project| project.unwrap().path().join("home/history.jsonl").exists());
    wait_for("history", || begun().then_some(()));
    let name = bed.containers().pop().unwrap();
    bed.docker(&["pause", &name]);
    // Others come and go meanwhile, and look for the dead.
    bed.ai(["run", "claude", "true"]).prints();
    bed.ai(["sync", "repair"]).prints();
    bed.docker(&["unpause", &name]);
    let outcome = finish(run);
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    bed.nothing_left();
}

// Z-062
#[test]
fn a_container_that_is_killed_has_its_settings_taken_over() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let script = "echo '{\"theme\":\"light\"}' >\"$CLAUDE_CONFIG_DIR/settings.json\"; touch \"$CLAUDE_CONFIG_DIR/done\"; sleep 1000";
    let run = bed.ai(["run", "claude", "sh", "-c", script]).spawn();
    let name = wait_for("container", || bed.containers().pop());
    let projects = bed.store().join("global_state/claude/projects");
    let written = || fs::read_dir(&projects).unwrap().any(|project| project.unwrap().path().join("home/done").exists());
    wait_for("settings", || written().then_some(()));
    bed.docker(&["kill", &name]);
    assert_eq!(finish(run).code, 137);
    assert!(fs::read_to_string(bed.store().join("global_state/claude/hub/settings.json")).unwrap().contains("light"));
    bed.nothing_left();
}

// F-07, Z-049
#[test]
fn a_stopped_process_that_holds_the_lock_costs_ten_seconds_and_is_named() {
    let sandbox = Sandbox::new();
    let Some(flock) = need("flock", find_program("flock")) else { return };
    sandbox.link("flock", flock);
    let lock = sandbox.write("home/.docker-ai-config/sync/lock", "");
    let script = "echo $$ >\"$1\"; exec sleep 1000";
    let holder = sandbox.run("flock").args([lock.to_str().unwrap(), "sh", "-c", script, "sh", lock.to_str().unwrap()]).spawn();
    let pid: i32 = wait_for("holder", || fs::read_to_string(&lock).unwrap().trim().parse().ok());
    kill_process(Pid::from_raw(pid).unwrap(), Signal::STOP).unwrap();
    let began = Instant::now();
    let (run, undo) = (sandbox.ai(["run", "claude", "x"]).spawn(), sandbox.ai(["sync", "undo", "claude"]).spawn());
    finish(undo).refused(75, &[&format!("cannot lock the store: process {pid} holds it"), "hint: try again when it has ended"]);
    let outcome = finish(run);
    assert!((10..60).contains(&began.elapsed().as_secs()));
    assert_eq!(outcome.code, 0);
    assert!(outcome.err().contains(&format!("settings of claude are not synced this time: cannot lock the store: process {pid} holds it")));
    // A dead holder is none: the lock is free at once.
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    finish(holder).fails_with(137);
    let began = Instant::now();
    sandbox.ai(["run", "claude", "y"]).prints();
    assert!(began.elapsed() < Duration::from_secs(9));
}

//! A store that cannot be written: the run works, says once that it keeps nothing, and leaves nothing behind.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use crate::bed::{Bed, Image};
use crate::process::{Outcome, Run};
use crate::require::need;
use crate::sandbox::{Sandbox, find_program, tree};

const READ_ONLY: &str = "mount --bind \"$HOME\" \"$HOME\"; mount -o remount,ro,bind \"$HOME\"";
/// A disk without a free block.
const FULL: &str = "mount -t tmpfs -o size=64k tmpfs \"$HOME\"; head -c 100000 /dev/zero >\"$HOME/filler\" 2>/dev/null || true";

/// A command that sees mounts of its own, which this shell text makes.
#[track_caller]
fn remounted(sandbox: &Sandbox, mounts: &str, words: &[&str]) -> Option<Run> {
    let unshare = find_program("unshare").filter(|_| rustix::process::getuid().is_root());
    sandbox.link("unshare", need("root", unshare)?);
    sandbox.link("mount", need("root", find_program("mount"))?);
    sandbox.link("head", find_program("head").unwrap());
    let script = format!("{mounts}\nexec \"$@\"");
    Some(sandbox.run("unshare").args(["--mount", "sh", "-euc", &script, "sh"]).args(words))
}

/// Asserts that the run succeeded with one line of talk, which says all of `said`, and that no temporary state is left.
#[track_caller]
fn worked_for_once(sandbox: &Sandbox, outcome: &Outcome, said: &[&str]) {
    let err = outcome.err();
    assert_eq!((outcome.code, err.lines().count()), (0, 1), "{err}");
    for text in ["ai: warning: cannot write the store `", "without login and keeps no settings or history"].iter().chain(said) {
        assert!(err.contains(text), "no `{text}` in: {err}");
    }
    assert_eq!(tree(&sandbox.root().join("tmp")).len(), 0);
}

// F-10, Z-047
#[test]
fn a_read_only_home_lets_the_run_work_and_keeps_nothing() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let words = ["ai", "run", "claude", "sh", "-c", "echo mine >\"$CLAUDE_CONFIG_DIR/x\"; cat \"$CLAUDE_CONFIG_DIR/x\""];
    // First without a store, then with one.
    for _ in 0..2 {
        let home = tree(&bed.home());
        let Some(run) = remounted(&bed, READ_ONLY, &words) else { return };
        let outcome = run.outcome();
        worked_for_once(&bed, &outcome, &["Read-only file system", "hint: make its file system writable"]);
        assert_eq!(outcome.out(), "mine\n");
        assert_eq!(tree(&bed.home()), home);
        bed.ai(["run", "claude", "true"]).prints();
    }
    bed.nothing_left();
}

// F-10
#[test]
fn closing_a_run_that_kept_nothing_does_not_claim_success() {
    let sandbox = Sandbox::new();
    let script = "session=$(ai sync in claude) && ls \"$TMPDIR\" && ai sync out \"$session\" 2>&1; echo \"code $?\"";
    let Some(run) = remounted(&sandbox, READ_ONLY, &["sh", "-c", script]) else { return };
    let outcome = run.outcome();
    worked_for_once(&sandbox, &outcome, &[]);
    assert!(outcome.out().starts_with("ai-0\n") && outcome.out().ends_with("\ncode 1\n"), "{}", outcome.out());
}

// F-08, Z-045, Z-047
#[test]
fn a_full_disk_lets_the_run_work_and_keeps_nothing() {
    let sandbox = Sandbox::new();
    let Some(run) = remounted(&sandbox, FULL, &["ai", "run", "claude", "x"]) else { return };
    worked_for_once(&sandbox, &run.outcome(), &["No space left on device", "hint: free some space"]);
    assert_eq!(sandbox.the_run().argv.last().unwrap(), "x");
}

// F-08, Z-045
#[test]
fn a_disk_that_fills_up_during_the_run_loses_nothing_and_is_told() {
    let mut sandbox = Sandbox::new();
    let state = "cd $HOME/.docker-ai-config/global_state/claude";
    let tool = "echo '{\"autoScrollEnabled\":false}' >\"$(echo projects/*/home)/settings.json\"; head -c 9000000 /dev/zero >$HOME/filler 2>/dev/null; true";
    sandbox.set("FAKE_ENGINE_DO", format!("{state}; {tool}"));
    let files = "cat projects/*/home/settings.json; echo ==; cat hub/settings.json; echo ==; ls ../../sessions";
    let again = "rm $HOME/filler; (cd \"$here\"; FAKE_ENGINE_DO= ai run claude x); cat hub/settings.json";
    let script = format!("here=$PWD; ai run claude x; echo $?; {state}; echo ==; {files}; echo ==; {again}");
    let mounts = "mount -t tmpfs -o size=4m tmpfs \"$HOME\"; FAKE_ENGINE_DO= ai run claude x";
    let Some(run) = remounted(&sandbox, mounts, &["sh", "-c", &script]) else { return };
    let outcome = run.outcome();
    assert!(outcome.err().contains("settings of claude are not synced this time: cannot write `"), "{}", outcome.err());
    let out = outcome.out();
    let parts: Vec<&str> = out.split("==\n").collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("0\n", "{\"autoScrollEnabled\":false}\n", ""), "{out}");
    assert_eq!(parts[2], "", "nothing half: {out}");
    assert!(parts[4].replace(' ', "").contains("\"autoScrollEnabled\":false"), "taken over by the next run: {out}");
}

// Z-047
#[test]
fn a_store_that_is_closed_to_its_owner_says_the_exact_fix() {
    let mut sandbox = Sandbox::new();
    fs::create_dir(sandbox.store()).unwrap();
    if !sandbox.as_user(1000, 1000) {
        return;
    }
    let store = sandbox.store();
    fs::set_permissions(&store, Permissions::from_mode(0o500)).unwrap();
    let outcome = sandbox.ai(["run", "claude", "x"]).outcome();
    worked_for_once(
        &sandbox,
        &outcome,
        &["Permission denied", &format!("hint: open it to yourself: chmod -R u+rwX {}\n", store.display())],
    );
    chown(&store, Some(0), Some(0)).unwrap();
    fs::set_permissions(&store, Permissions::from_mode(0o755)).unwrap();
    let outcome = sandbox.ai(["run", "claude", "x"]).outcome();
    worked_for_once(&sandbox, &outcome, &[&format!("hint: give it back to you: sudo chown -R \"$USER\" {}\n", store.display())]);
    assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
    // What is above the store is nobody's to take: it may be the whole system.
    let shut = sandbox.root().join("shut");
    fs::create_dir(&shut).unwrap();
    for name in ["AI_HOME", "HOME"] {
        let said = sandbox.ai(["run", "claude", "x"]).env(name, shut.join("x")).outcome().err();
        assert!(said.contains("hint: export AI_HOME=") && !said.contains("chown"), "{name}: {said}");
    }
}

// F-10, E-04
#[test]
fn temporary_state_of_a_dead_run_is_removed_by_a_later_repair_and_nobody_else_s_is() {
    let sandbox = Sandbox::new();
    let Some(run) = remounted(&sandbox, READ_ONLY, &["ai", "sync", "in", "claude", "--owner"]) else { return };
    let mut owner = sandbox.run("sleep").args(["1000"]).spawn();
    let outcome = run.args([owner.id().to_string()]).outcome();
    let session = outcome.out().trim().to_owned();
    let temporary = sandbox.root().join("tmp/ai-0").join(&session);
    assert!(temporary.join("sessions").join(&session).is_file());
    sandbox.ai(["sync", "repair"]).prints();
    assert!(temporary.is_dir(), "its owner lives");
    let planted = sandbox.root().join("tmp/ai-0/0123456789ab");
    let lease = fs::read_to_string(temporary.join("sessions").join(&session)).unwrap().replace(&session, "0123456789ab");
    sandbox.write("tmp/ai-0/0123456789ab/sessions/0123456789ab", &lease);
    chown(&planted, Some(1000), Some(1000)).unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    let outcome = sandbox.ai(["sync", "repair"]).outcome();
    let err = outcome.err();
    assert_eq!((outcome.code, err.lines().count()), (0, 1), "{err}");
    assert!(err.contains(&format!("removed the temporary state of session {session} of claude")), "{err}");
    assert!(!temporary.exists() && planted.is_dir());
    // What an older program left had another name.
    sandbox.write("tmp/ai-0-0123456789ab/sessions/0123456789ab", &lease);
    let _ = sandbox.ai(["gc"]).outcome();
    assert!(!sandbox.root().join("tmp/ai-0-0123456789ab").exists() && planted.is_dir());
    // A directory that is somebody else's is none of ours, whatever is in it.
    let other = lease.replace("0123456789ab", "fedcba987654");
    sandbox.write("tmp/ai-0/fedcba987654/sessions/fedcba987654", other);
    chown(sandbox.root().join("tmp/ai-0"), Some(1000), Some(1000)).unwrap();
    for words in [&["gc"][..], &["sync", "repair"], &["sync", "out", "fedcba987654"]] {
        let _ = sandbox.ai(words).outcome();
    }
    assert!(sandbox.root().join("tmp/ai-0/fedcba987654/sessions/fedcba987654").is_file());
    let run = remounted(&sandbox, READ_ONLY, &["ai", "sync", "in", "claude"]).unwrap().outcome();
    assert!(
        run.code == 1
            && run.err().contains("tmp/ai-0/")
            && run.err().contains("it is somebody else's")
            && run.err().contains("hint: export TMPDIR="),
        "{}",
        run.err()
    );
}

// Z-064
#[test]
fn a_store_without_locks_is_told_and_the_run_goes_on() {
    let sandbox = Sandbox::new();
    let Some(strace) = need("strace", find_program("strace")) else { return };
    sandbox.link("strace", strace);
    let words = ["-f", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK", "ai", "run", "claude", "x"];
    let outcome = sandbox.run("strace").args(words).outcome();
    assert_eq!(outcome.code, 0);
    assert!(outcome.err().contains("settings of claude are not synced this time: cannot lock `"), "{}", outcome.err());
    sandbox.the_run();
}

#[test]
fn nothing_to_do_is_said() {
    let sandbox = Sandbox::new();
    for (line, note) in [(&["stop", "--all"][..], "no session is running"), (&["project"], "no project has state yet")] {
        let outcome = sandbox.ai(line).outcome();
        assert_eq!((outcome.code, outcome.out(), outcome.err()), (0, String::new(), format!("ai: {note}\n")));
    }
}

#[test]
fn a_broken_configuration_keeps_nobody_from_ending_sessions() {
    let sandbox = Sandbox::new();
    let owner = std::process::id().to_string();
    let session = sandbox.ai(["sync", "in", "--owner", &owner, "--", "claude"]).prints();
    sandbox.config("nonsense = 1\n");
    for line in [&["ps"][..], &["stop", "--all"], &["gc"], &["sync", "repair"], &["sync", "out", "--", session.trim()]] {
        let outcome = sandbox.ai(line).outcome();
        let warnings = outcome.err().matches("config.toml`: it is no valid configuration; this command goes on without it").count();
        assert_eq!((outcome.code, warnings), (0, 1), "{line:?}: {}", outcome.err());
    }
    sandbox.ai(["sync", "out", "--", session.trim()]).outcome().refused(1, &["there is no such session"]);
}

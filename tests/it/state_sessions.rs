//! Many runs, one after another and at once: none fails, none sees another's state, none is left.

use std::fs;
use std::process::Child;

use crate::bed::{Bed, Image};
use crate::process::{finish, wait_for};

/// Whether a file is not there or is JSON as a whole.
fn is_whole(path: &std::path::Path) -> bool {
    fs::read(path).map_or(true, |bytes| serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok())
}

// E-01
#[test]
fn runs_one_after_another_leave_no_container() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let mut done = 0;
    for count in [1, 3, 5, 10, 20] {
        while done < count {
            bed.ai(["run", "claude", "true"]).prints();
            done += 1;
        }
        bed.nothing_left();
    }
}

// E-02
#[test]
fn twenty_at_once_all_answer_and_none_is_left() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let runs: Vec<Child> = (0..20).map(|_| bed.ai(["run", "claude", "--version"]).spawn()).collect();
    for outcome in runs.into_iter().map(finish) {
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
        assert_eq!(outcome.out(), "0.0.0 (claude of the bed)\n");
    }
    bed.nothing_left();
}

// E-03
#[test]
fn long_sessions_in_many_projects_see_only_their_own() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let script = "echo \"$1\" >\"$CLAUDE_CONFIG_DIR/mine\"; until [ -e ../go ] || [ -e go ]; do sleep 0.1; done; cat \"$CLAUDE_CONFIG_DIR/mine\"; ls";
    let project = |n: usize| bed.root().join(format!("work/p{n}"));
    let start = |n: usize| {
        fs::create_dir(project(n)).unwrap();
        bed.ai(["run", "claude", "sh", "-c", script, "sh", &n.to_string()]).cwd(project(n)).spawn()
    };
    let runs: Vec<Child> = (0..10).map(start).collect();
    let homes = bed.store().join("global_state/claude/projects");
    let count =
        || fs::read_dir(&homes).into_iter().flatten().filter(|home| home.as_ref().unwrap().path().join("home/mine").exists()).count();
    wait_for("ten sessions", || (count() == 10).then_some(()));
    let leases = fs::read_dir(bed.store().join("sessions")).unwrap().map(|lease| fs::read(lease.unwrap().path()).unwrap());
    let containers: Vec<serde_json::Value> = leases.map(|lease| serde_json::from_slice(&lease).unwrap()).collect();
    let names: Vec<&str> = containers.iter().map(|lease| lease["container"].as_str().unwrap()).collect();
    let alive = || {
        let all = bed.docker(&["ps", "--all", "--format", "{{.Names}}"]);
        names.iter().filter(|name| all.lines().any(|line| line == **name)).count()
    };
    assert_eq!((names.len(), alive()), (10, 10));
    for n in 0..10 {
        fs::write(project(n).join("go"), "").unwrap();
    }
    for (n, run) in runs.into_iter().enumerate() {
        let outcome = finish(run);
        assert_eq!((outcome.code, outcome.out(), outcome.err()), (0, format!("{n}\ngo\n"), String::new()));
    }
    assert_eq!(alive(), 0);
    bed.nothing_left();
}

// F-06
#[test]
fn twenty_sessions_that_write_settings_all_the_time_never_show_half_a_file() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let script = "cd \"$CLAUDE_CONFIG_DIR\"; for i in $(seq 50); do \
        echo \"{\\\"theme\\\":\\\"$1-$i\\\",\\\"k$1\\\":$i}\" >\".s$1\"; mv \".s$1\" settings.json; \
        echo \"{\\\"s\\\":$1,\\\"n\\\":$i}\" >>history.jsonl; done";
    let mut runs: Vec<Child> = (0..20).map(|n| bed.ai(["run", "claude", "sh", "-c", script, "sh", &n.to_string()]).spawn()).collect();
    let state = bed.store().join("global_state/claude");
    let mut looks = 0;
    while runs.iter_mut().any(|run| run.try_wait().unwrap().is_none()) {
        let homes = fs::read_dir(state.join("projects")).into_iter().flatten().map(|project| project.unwrap().path().join("home"));
        for directory in homes.chain([state.join("hub")]) {
            assert!(is_whole(&directory.join("settings.json")) && is_whole(&directory.join(".claude.json")));
            looks += 1;
        }
    }
    for outcome in runs.into_iter().map(finish) {
        assert_eq!(outcome.code, 0, "{}", outcome.err());
        assert!(!outcome.err().contains("warning"), "{}", outcome.err());
    }
    assert!(looks > 50, "{looks}");
    let home = fs::read_dir(state.join("projects")).unwrap().next().unwrap().unwrap().path().join("home");
    assert_eq!(fs::read_to_string(home.join("history.jsonl")).unwrap().lines().count(), 20 * 50);
    bed.nothing_left();
}

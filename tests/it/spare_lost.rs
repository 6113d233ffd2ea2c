//! A container that waits and is not taken: whatever is not equal is a run as any other, one run takes it, and what dies leaves nothing.

use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{Bed, Image};
use crate::process::{finish, wait_for};
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};
use crate::spare::{WHERE, clear, make, ready, run, settle, waiting, wanting};

// E-04, Z-080: whatever changed while it waited, and whatever died, the next run works.
#[test]
fn whatever_is_not_equal_is_a_run_as_any_other() {
    let Some(mut bed) = wanting(Bed::new(Image::Busybox)) else { return };
    // What waited is gone after it, and is not waited for.
    let cold = |bed: &Bed, what: &str| {
        let waited = waiting(bed);
        let outcome = run(bed, &format!("{WHERE}; [ ! -e old ]"));
        assert_eq!((outcome.code, outcome.out().as_str()), (0, "cold\n"), "{what}: {}", outcome.err());
        wait_for(what, || waited.as_ref().is_none_or(|waited| !bed.containers().contains(waited)).then_some(()));
        settle(bed);
    };
    make(&bed, &[]);
    bed.config("pids = 64\n");
    cold(&bed, "a limit in the configuration");
    bed.config("");

    make(&bed, &[]);
    let passwd = bed.store().join("global_state/user/passwd");
    fs::copy(&passwd, bed.root().join("passwd")).unwrap();
    fs::rename(bed.root().join("passwd"), &passwd).unwrap();
    cold(&bed, "another list of users");

    bed.ai(["gc"]).succeeds();
    make(&bed, &[]);
    let gate = waiting(&bed).unwrap();
    bed.docker(&["kill", &gate]);
    cold(&bed, "a gate that died");

    bed.ai(["gc"]).succeeds();
    make(&bed, &[]);
    let gate = waiting(&bed).unwrap();
    bed.docker(&["pause", &gate]);
    cold(&bed, "a gate that does not answer");

    bed.ai(["gc"]).succeeds();
    make(&bed, &["--seconds", "1"]);
    wait_for("the end of its time", || bed.containers().is_empty().then_some(()));
    cold(&bed, "one whose time was over");

    if need("root", rustix::process::getuid().is_root().then_some(())).is_some() {
        let program = |name: &str| find_program(name).unwrap().display().to_string();
        fs::create_dir(bed.project().join("below")).unwrap();
        bed.ai(["gc"]).succeeds();
        make(&bed, &[]);
        let waited = waiting(&bed).unwrap();
        let line = format!("{} -t tmpfs t below && exec ai exec --shell '{WHERE}'", program("mount"));
        bed.link("unshare", program("unshare"));
        let outcome = bed.run("unshare").args(["--mount", "--", "sh", "-c", &line]).outcome();
        assert_eq!(outcome.out(), "cold\n", "something else mounted in the project: {}", outcome.err());
        settle(&bed);
        assert!(!bed.containers().contains(&waited));

        let rule = "[[rule]]\nname = 'all'\ntools = ['exec']\n";
        let policy = bed.write("policy.toml", rule);
        bed.sandbox.with_etc(&format!("mkdir -p /etc/ai && cat '{}' >/etc/ai/policy.toml", policy.display()));
        bed.ai(["gc"]).succeeds();
        make(&bed, &[]);
        assert_eq!(run(&bed, WHERE).out(), "waited\n", "a rule of the system that changes nothing");
        ready(&bed, &[]);
        fs::write(&policy, format!("{rule}[rule.fixed]\nhardened = true\n")).unwrap();
        cold(&bed, "a rule of the system");
        fs::write(&policy, rule).unwrap();
    }

    bed.ai(["gc"]).succeeds();
    make(&bed, &[]);
    bed.ai(["image", "pin"]).succeeds();
    assert!(waiting(&bed).is_some(), "the same image again");
    bed.ai(["image", "pin", "--off"]).succeeds();
    wait_for("the end of what waited", || waiting(&bed).is_none().then_some(()));
    bed.ai(["image", "pin"]).succeeds();

    make(&bed, &[]);
    bed.write("work/proj/old", "");
    fs::rename(bed.project(), bed.root().join("elsewhere")).unwrap();
    fs::create_dir(bed.project()).unwrap();
    cold(&bed, "another project at the same place");
    clear(&bed);
}

// E-04: kill -9 of who makes it, of who takes it; several who want it.
#[test]
fn one_run_takes_it_and_what_dies_leaves_nothing() {
    let Some(bed) = wanting(Bed::new(Image::Busybox)) else { return };
    make(&bed, &[]);
    // None ends before all have begun, so none is waited for by the end of another.
    let line = format!("{WHERE}; touch begun-$(cat /proc/sys/kernel/random/uuid); until [ -e go ]; do sleep 0.2; done");
    let children: Vec<Child> = (0..20).map(|_| bed.ai(["exec", "--shell", &line]).spawn()).collect();
    let begun =
        || fs::read_dir(bed.project()).unwrap().filter(|entry| entry.as_ref().unwrap().path().display().to_string().contains("begun-"));
    wait_for("twenty runs", || (begun().count() == 20).then_some(()));
    fs::write(bed.project().join("go"), "").unwrap();
    let said: Vec<String> = children.into_iter().map(finish).map(|outcome| outcome.succeeds().out()).collect();
    let count = |word: &str| said.iter().filter(|said| *said == word).count();
    assert_eq!((count("waited\n"), count("cold\n")), (1, 19), "{said:?}");
    clear(&bed);

    make(&bed, &[]);
    let child = bed.ai(["exec", "--shell", "touch begun; sleep 600"]).spawn();
    wait_for("the run", || bed.project().join("begun").exists().then_some(()));
    let clients = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let client = clients.split_whitespace().next().unwrap().parse().unwrap();
    for pid in [Pid::from_child(&child).as_raw_pid(), client] {
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }
    assert_ne!(finish(child).code, 0);
    assert_eq!(run(&bed, WHERE).out(), "cold\n");
    clear(&bed);
    make(&bed, &[]);
    fs::remove_file(bed.project().join("begun")).unwrap();
    let child = bed.ai(["exec", "--shell", "touch begun; sleep 600"]).spawn();
    wait_for("the run", || bed.project().join("begun").exists().then_some(()));
    bed.docker(&["kill", &waiting(&bed).unwrap()]);
    assert_eq!(finish(child).code, 137, "its process 1 was killed");
    clear(&bed);

    // The engine's client kills who called it, before the container is made and after.
    let docker = find_program("docker").unwrap();
    for (word, before) in [("create", ""), ("start", "DOCKER \"$@\"; ")] {
        let script = format!("#!/bin/sh\n[ \"$1\" = {word} ] && {{ {before}kill -9 $PPID; exit; }}\nexec DOCKER \"$@\"\n");
        bed.program("docker", &script.replace("DOCKER", docker.to_str().unwrap()));
        assert_ne!(bed.ai(["spare", "exec"]).outcome().code, 0);
        bed.program("docker", &format!("#!/bin/sh\nexec {} \"$@\"\n", docker.display()));
        assert_eq!(run(&bed, WHERE).out(), "cold\n", "killed at {word}");
        settle(&bed);
        clear(&bed);
    }
}

// E-04: none is made where nobody asked, and none where the machine has better things to do; a person who asks is told.
#[test]
fn none_waits_where_none_should_and_why_is_said() {
    let mut sandbox = Sandbox::new();
    for program in ["unshare", "mount"] {
        sandbox.link(program, find_program(program).unwrap());
    }
    let said = |sandbox: &Sandbox, script: &str| {
        let line = format!("{script} && ai resolve --explain exec -- true && exec ai spare exec");
        let root = if script == "true" { vec!["sh", "-c"] } else { vec!["unshare", "--mount", "--", "sh", "-c"] };
        let outcome = sandbox.run(root[0]).args(&root[1..]).args([&line]).outcome().succeeds();
        (outcome.out(), outcome.err())
    };
    let (explained, made) = said(&sandbox, "true");
    assert!(!explained.contains("container waits") && made.contains("AI_SPARE=1"), "{explained}{made}");
    sandbox.set("AI_SPARE", "1");
    let store = "mkdir -p ~/.docker-ai-config && mount -t tmpfs -o size=1m t ~/.docker-ai-config";
    let mut cases = Vec::new();
    if need("root", rustix::process::getuid().is_root().then_some(())).is_some() {
        cases.push((store, "", "less than 1 GiB is free"));
    }
    let nothing_more = "only Docker on this machine";
    cases.extend([
        ("true", "", nothing_more),
        ("true", "Charging", nothing_more),
        ("true", "Discharging", "the machine saves its battery"),
    ]);
    for (script, battery, why) in &cases {
        for (name, text) in [("type", "Battery"), ("status", battery), ("capacity", "9")] {
            sandbox.write(format!("sys/class/power_supply/BAT0/{name}"), text);
        }
        let (explained, made) = said(&sandbox, script);
        assert!(explained.contains(&format!("no container waits for the next: {why}")), "{why}: {explained}");
        assert!(made.contains(&format!("no container waits for the next run of exec: {why}")), "{why}: {made}");
    }
    sandbox.set("CI", "true");
    let (explained, made) = said(&sandbox, "true");
    assert!(explained.contains("for the next: CI is set") && made.contains("of exec: CI is set"), "{explained}{made}");
}

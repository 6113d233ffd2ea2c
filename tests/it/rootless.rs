//! Engines without root, for the user whose engines they are: what the container's user makes is that user's.

use std::fs;

use serde_json::Value;

use crate::bed::{Bed, owner};
use crate::engines::model;
use crate::sandbox::tree;

/// Everything that a run has to keep, on one engine. `inside` is who the tool is there, `network` its device.
#[track_caller]
fn check(bed: &Bed, inside: u32, network: &str) {
    let user = owner(bed.home());
    assert_ne!(user.0, 0);
    let script = format!("id -u; pwd; grep -c ' {network}:' /proc/net/dev; mkdir -p a/b; echo x >a/b/made");
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", &script]).prints(), format!("{inside}\n/workspace/proj\n1\n"));
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", "exit 42"]).outcome().code, 42);
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", "kill -TERM $$"]).outcome().code, 143);
    assert_eq!(bed.ai(["exec", "--shell", "cat a/b/made; exec touch by-exec"]).prints(), "x\n");

    let login =
        "cd \"$CLAUDE_SECURESTORAGE_CONFIG_DIR\"; cat t 2>/dev/null; umask 077; echo made-up >new; mv new t; mkdir .lock; rmdir .lock";
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", login]).prints(), "");
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", login]).prints(), "made-up\n");
    let login = bed.store().join("global_state/claude/shared/login/t");
    assert_eq!(fs::read_to_string(&login).unwrap(), "made-up\n");

    for path in tree(&bed.project().to_owned()).into_keys().chain(tree(&bed.home()).into_keys()) {
        assert_eq!(owner(&path), user, "{path:?}");
    }
    assert_eq!(bed.ai(["ps", "--json"]).prints(), "[]\n");
    bed.nothing_left();
}

/// Tools that refuse root are told that this is a sandbox, and only where the user is root.
const SANDBOX: &str = "echo ${IS_SANDBOX-unset}";

// C-14, D-02
#[test]
fn docker_without_root_runs_the_tool_as_root_who_is_the_user() {
    let Some(bed) = Bed::rootless("docker") else { return };
    check(&bed, 0, "eth0");
    assert_eq!(bed.ai(["exec", "--shell", SANDBOX]).prints(), "1\n");
    for network in ["bridge", "host"] {
        let url = format!("http://host.docker.internal:{}/api/tags", model());
        assert_eq!(bed.ai(["exec", "--network", network, "--", "wget", "-q", "-O", "-", &url]).prints(), "llama3\n");
    }
}

// C-14, D-02
#[test]
fn podman_without_root_runs_the_tool_as_the_user() {
    let Some(mut bed) = Bed::rootless("podman") else { return };
    check(&bed, owner(bed.home()).0, "tap0");
    assert_eq!(bed.ai(["exec", "--shell", SANDBOX]).prints(), "unset\n");
    for network in ["none", "host"] {
        bed.set("AI_NETWORK", network);
        assert_eq!(bed.ai(["exec", "--", "echo", network]).prints(), format!("{network}\n"));
    }
}

/// What `ai doctor` says of an engine, and which of its limits that is about.
#[track_caller]
fn unlimited(bed: &Bed, doctor: &[&str]) -> (Value, String) {
    let report: Value = serde_json::from_slice(&bed.ai(doctor).outcome().stdout).unwrap();
    let causes: Vec<&str> = report["findings"].as_array().unwrap().iter().map(|finding| finding["cause"].as_str().unwrap()).collect();
    assert!(causes.iter().any(|cause| cause.contains("native, rootless")), "{causes:#?}");
    let unlimited = causes.iter().find(|cause| cause.contains("it cannot limit")).map(|cause| (*cause).to_owned());
    (report, unlimited.unwrap_or_default())
}

/// A limit that does not exist is not asked for, and one that the user wants is not passed over in silence.
#[track_caller]
fn check_limits(bed: &Bed, unlimited: &str) {
    let outcome = bed.ai(["run", "--memory", "64m", "claude", "true"]).outcome();
    assert_eq!((outcome.code, outcome.err().contains("--memory has no effect")), (0, unlimited.contains("memory")), "{}", outcome.err());
    let outcome = bed.ai(["run", "claude", "true"]).outcome();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
}

// M-06: what does not hold on such an engine is what it says of itself.
#[test]
fn what_docker_without_root_cannot_limit_is_named() {
    let Some(bed) = Bed::rootless("docker") else { return };
    let (report, unlimited) = unlimited(&bed, &["doctor", "--prove", "--json"]);
    let outcomes = report["proof"]["outcomes"].as_array().unwrap();
    let verdict = |name: &str| outcomes.iter().find(|outcome| outcome["name"] == name).unwrap()["verdict"].as_str().unwrap().to_owned();
    for (limit, word) in [("limit-memory", "memory"), ("limit-cpus", "processors"), ("limit-pids", "processes")] {
        assert_eq!(verdict(limit) == "fails", unlimited.contains(word), "{limit}: {report:#}");
    }
    let others = outcomes.iter().filter(|outcome| !outcome["name"].as_str().unwrap().starts_with("limit-"));
    let failed: Vec<_> = others.filter(|outcome| outcome["verdict"] == "fails").collect();
    assert!(failed.is_empty() && verdict("file-owner") == "holds" && verdict("user") == "holds", "{failed:#?}");
    check_limits(&bed, &unlimited);
}

// M-06
#[test]
fn what_podman_without_root_cannot_limit_is_named() {
    let Some(bed) = Bed::rootless("podman") else { return };
    let (_, unlimited) = unlimited(&bed, &["doctor", "--json"]);
    check_limits(&bed, &unlimited);
}

// SE-01
#[test]
fn private_directories_can_be_written_on_engines_without_root() {
    for engine in ["docker", "podman"] {
        let Some(bed) = Bed::rootless(engine) else { return };
        let line = "cd ~/.claude && for name in debug session-env cache; do touch $name/x && mkdir $name/y || exit; done; echo written";
        assert_eq!(bed.ai(["run", "claude", "sh", "-c", line]).prints(), "written\n", "{engine}");
    }
}

// SE-01
#[test]
fn private_directories_can_be_written_on_podman_with_root() {
    let Some(bed) = Bed::podman() else { return };
    let line = "cd ~/.claude && stat -c %a debug && touch debug/x && echo written";
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", line]).prints(), "1777\nwritten\n");
}

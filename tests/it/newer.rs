//! The notice of a newer version: asked for by a process that nobody waits for, said at a terminal at most once a day.

use std::fs;

use serde_json::{Value, json};

use crate::process::wait_for;
use crate::sandbox::Sandbox;
use crate::terminal::on_terminal;

/// A store whose last question is two days old, and an engine that answers `npm view` with this.
fn old(answer: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.write(
        "home/.docker-ai-config/images.json",
        json!({ "ai-tools:1": { "claude": "1.0.0" }, "ai-tool-aid:1": { "aid": "0.86.2" } }).to_string(),
    );
    sandbox.write("home/.docker-ai-config/newest.json", json!({ "asked": 1, "said": 0 }).to_string());
    sandbox.set("FAKE_ENGINE_DO", format!("case \" $* \" in *' view '*) {answer} ;; *' index versions '*) echo 'aid (8.8.8)' ;; esac"));
    sandbox.manifest("aid", "command = ['aid']\n[install]\npip = 'aid==0.86.2'\n");
    sandbox
}

fn known(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&fs::read_to_string(sandbox.store().join("newest.json")).unwrap()).unwrap()
}

fn shown(sandbox: &Sandbox) -> String {
    on_terminal(sandbox.ai(["run", "claude"])).exp_eof().unwrap()
}

/// Whether the registry was asked.
fn asks(sandbox: &Sandbox) -> bool {
    sandbox.calls().iter().any(|call| call.argv.iter().any(|word| word == "view"))
}

// N-01, N-02
#[test]
fn a_newer_version_is_said_after_a_later_run() {
    let sandbox = old("echo '{\"version\":\"9.9.9\"}'");
    let first = shown(&sandbox);
    assert!(!first.contains("9.9.9"), "{first}");
    wait_for("the answer", || (known(&sandbox)["newest"]["claude"] == "9.9.9").then_some(()));
    assert_eq!(known(&sandbox)["newest"]["aid"], "8.8.8", "what pip has installed is asked for, too");
    let second = shown(&sandbox);
    assert!(second.contains("claude 9.9.9 is there, this was 1.0.0: ai image update claude"), "{second}");
    assert!(!shown(&sandbox).contains("9.9.9"), "once a day is enough");
    assert_eq!(sandbox.calls().iter().filter(|call| call.argv.iter().any(|word| word == "view")).count(), 1);
    // What failed says nothing but in the status, and is not asked again at once.
    let fails = old("echo no >&2; exit 1");
    shown(&fails);
    wait_for("the failure", || known(&fails)["failed"].is_string().then_some(()));
    assert!(!shown(&fails).contains("newest"));
}

// N-06
#[test]
fn nobody_asks_where_it_is_off_or_nobody_looks() {
    for (name, value) in [("AI_UPDATE_NOTICE", "0"), ("CI", "true")] {
        let mut sandbox = old("echo '{\"version\":\"9.9.9\"}'");
        sandbox.set(name, value);
        shown(&sandbox);
        assert!(known(&sandbox)["asked"] == 1 && !asks(&sandbox), "{name}");
    }
    let sandbox = old("echo '{\"version\":\"9.9.9\"}'");
    sandbox.ai(["run", "claude"]).succeeds();
    assert!(known(&sandbox)["asked"] == 1 && !asks(&sandbox));
    // Nor does the first run of all.
    let new = Sandbox::new();
    shown(&new);
    assert!(known(&new)["asked"].as_u64().unwrap() > 1 && !asks(&new));
}

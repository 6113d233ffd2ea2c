//! Hints are for pasting: whatever names are in them, they do what they say.

use std::os::unix::fs::lchown;

use crate::sandbox::Sandbox;

/// Names that run something where they are not quoted.
const NAMES: [&str; 6] = ["r; touch PWN", "$(touch PWN)", "`touch PWN`", "a\ntouch PWN\n", "it's; touch PWN #", "&& touch PWN || x\u{1b}"];

/// Every hint in what was said.
fn hints(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.split_once("hint: ").map(|(_, hint)| hint)).collect()
}

/// A machine on which everything that a hint may name has this name.
fn named(name: &str) -> Sandbox {
    let sandbox = Sandbox::with_project(name);
    sandbox.git_init();
    // Somebody else's, where the tests may give it away.
    let _ = lchown(sandbox.project(), Some(4242), Some(4242));
    sandbox.write(format!("home/.docker-ai-config/secrets/{name}"), "key");
    sandbox.write(format!("home/.docker-ai-config/global_state/claude/projects/{name}/project.toml"), "root = '/nowhere'\n");
    let file = toml::Value::String(format!("secrets/{name}"));
    sandbox.manifest("shy", &format!("about = 'x'\ncommand = ['x']\n[secret.KEY]\nfile = {file}\n"));
    let lease = serde_json::json!({
        "session": "0123456789ab", "tool": "claude", "project": name, "root": name, "container": name, "image": name, "since": 0, "keep": true,
        "owner": { "pid": 999_999_999, "started": null, "boot": null }, "endpoint": "tcp://127.0.0.1:1",
    });
    sandbox.write("home/.docker-ai-config/sessions/0123456789ab", lease.to_string());
    sandbox
}

// BO-19
#[test]
fn a_hint_that_is_pasted_runs_nothing_that_a_name_says() {
    let lines: [&[&str]; 8] = [
        &["sync", "out", "--code", "3", "--", "0123456789ab"],
        &["run", "claude"],
        &["run", "shy"],
        &["project", "list"],
        &["creds", "status"],
        &["doctor"],
        &["doctor", "shell", "bash"],
        &["gc"],
    ];
    let mut quoted = 0;
    for name in NAMES {
        let sandbox = named(name);
        for line in lines {
            let outcome = sandbox.ai(line).outcome();
            let said = outcome.out() + &outcome.err();
            for hint in hints(&said) {
                quoted += usize::from(hint.contains("PWN"));
                let _ = sandbox.run("bash").args(["-c", hint]).cwd(sandbox.root()).outcome();
                assert!(!sandbox.root().join("PWN").exists(), "{line:?} with {name:?}: pasting `{hint}` ran it");
            }
        }
    }
    assert!(quoted >= NAMES.len(), "hints with names: {quoted}");
}

//! `ai incident`: a report for whoever helps, with everything in it but what is nobody's business, whatever is broken.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const PARTS: [&str; 8] = ["sessions", "versions", "findings", "settings", "plan", "variables", "store", "log"];
/// What is planted; the last one is no secret, and shows that a look at a report would find the others.
const PLANTED: [&str; 8] = [
    "quokka-of-env",
    "quokka-of-config",
    "quokka-of-file",
    "quokka-of-words",
    "quokka-of-log",
    "quokka-of-address",
    "ghp_7Hk2Lm9Qw4Rt6Yu8Io1Pa3Sd5Fg0Zx2Cv4Bn",
    "quokka-for-all",
];

/// Which of what was planted is in a text.
fn found(text: &str) -> Vec<&str> {
    PLANTED.into_iter().filter(|planted| text.contains(planted)).collect()
}

//
#[test]
fn a_report_has_what_helps_and_no_secret() {
    let mut sandbox = Sandbox::new();
    sandbox.config("[env.set]\nMINE = \"quokka-of-config\"\n");
    sandbox.write("home/.docker-ai-config/secrets/key", "quokka-of-file");
    sandbox.set("AI_RECORD_RUNS", "1");
    sandbox.set("ACME_TOKEN", "quokka-of-env");
    sandbox.ai(["run", "claude", "--", "-p", "quokka-of-words"]).succeeds();
    for said in ["quokka-for-all", "quokka-of-env", "x_password=quokka-of-log", "http://jo:quokka-of-address@host", PLANTED[6]] {
        assert_ne!(sandbox.ai(["stop", said]).outcome().code, 0);
    }
    // All of it is there to be found.
    let mut kept = String::new();
    for (_, (_, bytes)) in crate::sandbox::tree(&sandbox.store()) {
        kept.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert_eq!(found(&kept), PLANTED);

    let said = sandbox.ai(["incident"]).succeeds();
    assert!(said.err().contains("nothing was sent"), "{}", said.err());
    let name = said.out().lines().next().unwrap().to_owned();
    let file = sandbox.project().join(&name);
    let report = fs::read_to_string(&file).unwrap();
    assert_eq!((fs::metadata(&file).unwrap().mode() & 0o777, name.starts_with("ai-incident-2")), (0o600, true), "{name}");
    assert_eq!(found(&report), ["quokka-for-all"], "{report}");
    assert!(!report.contains(sandbox.home().to_str().unwrap()), "{report}");
    for what in [
        &format!("ai {}", env!("CARGO_PKG_VERSION")) as &str,
        "git version",
        "-e 'MINE=[hidden]'",
        "~/.docker-ai-config/config.toml:2",
        "cannot stop `[ACME_TOKEN]`",
        "x_password=[hidden]",
        "http://[hidden]@host",
        "\"event\":\"run\"",
        "0 faults in their chain",
        " config.toml\n",
    ] {
        assert!(report.contains(what), "no `{what}` in {report}");
    }
    for part in PARTS {
        assert!(report.contains(&format!("\n== {part}: ")) && said.out().contains(&format!("\n  {part} ")), "{part}");
    }

    let of_codex = sandbox.root().join("tmp/report");
    let told: Value = serde_json::from_str(&sandbox.ai(["incident", "codex", "--json", "--output"]).args([&of_codex]).prints()).unwrap();
    assert_eq!((told["sent"].as_bool(), told["file"].as_str()), (Some(false), of_codex.to_str()));
    assert_eq!(found(&told.to_string()), ["quokka-for-all"]);
    assert!(fs::read_to_string(of_codex).unwrap().contains("manifest of codex"));
    sandbox
        .ai(["incident", "--output", "/nowhere/x"])
        .outcome()
        .refused(1, &["cannot write `/nowhere/x`", "hint: ai incident --output FILE"]);
    let mine = sandbox.write("mine.txt", "mine");
    let words = ["incident", "--stop", "--output", mine.to_str().unwrap()];
    sandbox.ai(words).outcome().refused(1, &["it is there already", "hint: ai incident --output FILE"]);
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    let leads = sandbox.root().join("leads");
    std::os::unix::fs::symlink("/nowhere", &leads).unwrap();
    sandbox.ai(["incident", "--output"]).args([&leads]).outcome().refused(1, &["it is there already"]);
}

//
#[test]
fn a_report_is_made_where_everything_is_broken() {
    let mut sandbox = Sandbox::new();
    sandbox.ai(["run", "claude"]).succeeds();
    sandbox.without("docker");
    sandbox.config("[env.set]\nACME_TOKEN = \"quokka-of-config\n");
    sandbox.manifest("shy", "command = 1\n");
    fs::remove_dir_all(sandbox.store().join("log")).unwrap();
    sandbox.write("home/.docker-ai-config/log", "a file");
    sandbox.write("home/.docker-ai-config/sessions/0123456789ab", "no lease");
    fs::write(sandbox.store().join("layout"), "9").unwrap();
    sandbox.set("SSH_AUTH_SOCK", "/nonexistent");
    let report = sandbox.ai(["incident", "--output", "-"]).prints();
    assert_eq!(found(&report), Vec::<&str>::new(), "{report}");
    for what in ["`docker` is not installed", "TOML parse error at line 2", "[hidden]", "shy.toml", "\nno docker\n", "newer"] {
        assert!(report.contains(what), "no `{what}` in {report}");
    }
    for part in PARTS {
        assert!(report.contains(&format!("\n== {part}: ")), "{part}");
    }
    // Sessions that cannot be ended are a failure, of which the report is there all the same.
    let outcome = sandbox.ai(["incident", "--stop", "--output", "-"]).outcome();
    assert!(outcome.code == 69 && outcome.out().contains("\n== log: "), "{}", outcome.err());
}

//
#[test]
fn sessions_are_looked_at_and_then_ended() {
    let sandbox = Sandbox::new();
    let plan = sandbox.ai(["resolve", "--format", "argv0", "claude"]).outcome().out();
    let label = |name: &str| plan.split('\0').find_map(|word| word.strip_prefix(&format!("{name}="))).unwrap().to_owned();
    let labels = json!({ "ai.session": "0123456789ab", "ai.tool": "claude", "ai.project": "p-01234567", "ai.owner": label("ai.owner"), "ai.store": label("ai.store") });
    let container = json!([{ "Name": "/ai-quokka", "State": { "Running": true, "StartedAt": "2026-11-27T10:00:00Z" }, "Config": { "Labels": labels } }]);
    let runs = sandbox.write("engine/runs", container.to_string());
    let runs = runs.display();
    sandbox.program("docker", &format!("#!/bin/sh\ncase $1 in\nps) echo x ;;\ncontainer) cat '{runs}' ;;\nstop) rm '{runs}' ;;\nesac\n"));
    let outcome = sandbox.ai(["incident", "--stop"]).succeeds();
    assert!(outcome.err().contains("stopped ai-quokka"), "{}", outcome.err());
    let report = fs::read_to_string(sandbox.project().join(outcome.out().lines().next().unwrap())).unwrap();
    assert!(report.contains("ai-quokka  claude") && !sandbox.root().join("engine/runs").exists(), "{report}");
}

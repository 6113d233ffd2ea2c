//! What we say when something is wrong, and what the log keeps of it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// Command lines that fail, each for a reason of its own, with what makes them.
const FAILURES: [(&[&str], &str); 18] = [
    (&["run", "clod"], ""),
    (&["resolve", "claude"], "config: nonsense = 1\n"),
    (&["resolve", "claude"], "config: pids = 0\n"),
    (&["resolve", "--image", "a b", "claude"], ""),
    (&["resolve", "claude"], "config: network = 3\n"),
    (&["resolve", "broken"], "manifest: command = [\n"),
    (&["resolve", "--workspace", "square", "claude"], ""),
    (&["resolve", "claude"], "cwd: home"),
    (&["resolve", "glm"], ""),
    (&["run", "claude"], "no engine"),
    (&["run", "claude", "--native"], ""),
    (&["sync", "out", "--", "000000000000"], ""),
    (&["stop", "nobody"], ""),
    (&["use", "clod"], ""),
    (&["creds", "restore", "claude", "20200101"], ""),
    (&["install", "tcsh"], ""),
    (&["help", "nonsense"], ""),
    (&["env", "glm", "--", "true"], ""),
];

fn recorded(name: &str) -> snapbox::Data {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snap").join(name);
    snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw()
}

// L-05: what, why, and the next command; the texts are recorded.
#[test]
fn every_error_says_what_and_why_and_what_next() {
    let (mut said, mut wrong) = (String::new(), Vec::new());
    for (line, given) in FAILURES {
        let sandbox = Sandbox::new();
        let mut run = sandbox.ai(line);
        match given.split_once(": ").unwrap_or((given, "")) {
            ("config", text) => sandbox.config(text),
            ("manifest", text) => sandbox.manifest("broken", text),
            ("cwd", _) => run = run.cwd(sandbox.home()),
            ("no engine", _) => sandbox.without("docker"),
            _ => {}
        }
        let outcome = run.outcome();
        let text = outcome.err().replace(sandbox.root().to_str().unwrap(), "[ROOT]");
        said += &format!(
            "$ ai {}{}\n{text}[exit {}]\n\n",
            line.join(" "),
            if given.is_empty() { String::new() } else { format!("   # {}", given.trim_end()) },
            outcome.code
        );
        // clap words what is wrong with the line itself.
        let says_what = text.starts_with("ai: cannot ") || (outcome.code == 2 && text.starts_with("ai: "));
        let says_next = text.contains("hint: ") || text.contains("For more information");
        if outcome.code == 0 || !outcome.out().is_empty() || !says_what || !says_next {
            wrong.push(format!("{line:?}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    snapbox::assert_data_eq!(said, recorded("errors.txt"));
}

fn log(sandbox: &Sandbox) -> Vec<Value> {
    let text = fs::read_to_string(sandbox.store().join("log/events.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The levels and events of the log after a run that works, a warning, and a command that fails.
fn levels(level: &str) -> Vec<String> {
    let mut sandbox = Sandbox::new();
    sandbox.set("AI_LOG", level);
    sandbox.ai(["run", "claude"]).prints();
    // The log is there from now on, whatever its level: a command that fails does not make one.
    let before = log(&sandbox).len();
    sandbox.write("home/.docker-ai-config/log/events.jsonl", fs::read(sandbox.store().join("log/events.jsonl")).unwrap_or_default());
    sandbox.ai(["run", "claude"]).prints();
    sandbox.set("FAKE_ENGINE_DO", "kill -9 $$");
    sandbox.ai(["run", "claude"]).fails_with(137);
    assert_ne!(sandbox.ai(["stop", "nobody"]).outcome().code, 0);
    let lines = log(&sandbox).into_iter().skip(before);
    lines.map(|line| format!("{} {}", line["level"].as_str().unwrap(), line["event"].as_str().unwrap())).collect()
}

// L-06
#[test]
fn the_log_has_the_levels_that_are_wanted() {
    let all = levels("debug");
    let count = |lines: &[String], line: &str| lines.iter().filter(|entry| *entry == line).count();
    assert_eq!((count(&all, "info run"), count(&all, "warn run"), count(&all, "error message")), (1, 1, 1), "{all:?}");
    assert!(count(&all, "debug command") >= 3, "{all:?}");
    for (level, least) in [("info", 1), ("warn", 2), ("error", 3), ("off", 4)] {
        let order = ["debug", "info", "warn", "error"];
        let expected: Vec<&String> =
            all.iter().filter(|line| order.iter().position(|level| line.starts_with(level)).unwrap() >= least).collect();
        assert_eq!(levels(level).iter().collect::<Vec<_>>(), expected, "{level}");
    }
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude"]).env("AI_LOG", "loud").outcome().refused(78, &["cannot use AI_LOG", "`loud`", "hint: unset AI_LOG"]);
}

// L-06
#[test]
fn the_log_keeps_five_old_files() {
    let sandbox = Sandbox::new();
    let file = |number: usize| -> PathBuf {
        sandbox.store().join(if number == 0 { "log/events.jsonl".into() } else { format!("log/events.jsonl.{number}") })
    };
    for round in 0..8 {
        sandbox.ai(["run", "claude"]).prints();
        let line = format!("{{\"round\": {round}, \"filler\": \"{}\"}}\n", "x".repeat(1 << 20));
        let text = fs::read_to_string(file(0)).unwrap();
        fs::write(file(0), text + &line).unwrap();
    }
    sandbox.ai(["run", "claude"]).prints();
    let rounds: Vec<Option<u64>> = (1..=6)
        .map(|number| {
            let text = fs::read_to_string(file(number)).ok()?;
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).find_map(|line| line["round"].as_u64())
        })
        .collect();
    assert_eq!(rounds, [Some(7), Some(6), Some(5), Some(4), Some(3), None]);
    let events: Vec<Value> = log(&sandbox).into_iter().map(|mut line| line["event"].take()).collect();
    assert_eq!(events, ["opened", "run"]);
}

// What a person is told to do next is something that they can do.
#[test]
fn a_hint_leads_to_what_helps() {
    let sandbox = Sandbox::new();
    for word in ["al", "aloe"] {
        let err = sandbox.ai([word]).outcome().err();
        assert!(err.contains("unrecognized subcommand") && !err.contains("__"), "{word}: {err}");
    }
    // What stands in the way of the lock is still there in a moment.
    sandbox.write("home/.docker-ai-config/sync", "");
    let err = sandbox.ai(["config", "init"]).outcome().err();
    assert!(err.contains("hint: ai doctor") && !err.contains("in a moment"), "{err}");
}

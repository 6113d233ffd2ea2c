//! `ai audit` and `ai metrics`: the log of runs is a chain, and its sums go on.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::guard_life::wait_for;
use crate::process::finish;
use crate::sandbox::Sandbox;

const HOME: &str = "home/.docker-ai-config/global_state/claude/projects/p-01234567/home/projects/a";

fn log(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.store().join("log/events.jsonl")).unwrap()
}

fn write(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.store().join("log/events.jsonl"), text).unwrap();
}

/// Three runs, the second of which fails, side by side with a command that says why it cannot do anything.
fn three_runs() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.ai(["run", "claude"]).prints();
    sandbox.set("FAKE_ENGINE_DO", "exit 3");
    sandbox.ai(["run", "claude"]).fails_with(3);
    assert_ne!(sandbox.ai(["stop", "nobody"]).outcome().code, 0);
    sandbox.set("FAKE_ENGINE_DO", "exit 0");
    sandbox.ai(["run", "gemini"]).prints();
    sandbox
}

// R-T01
#[test]
fn each_run_is_one_event_for_log_shippers() {
    let sandbox = three_runs();
    let lines: Vec<Value> = log(&sandbox).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let runs: Vec<&Value> = lines.iter().filter(|line| line["event"] == "run").collect();
    assert_eq!(runs.iter().map(|run| run["exit"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 3, 0]);
    for run in &runs {
        let number = |name: &str| run[name].as_u64().unwrap();
        assert_eq!(number("end") - number("start"), number("duration"));
        let stamp = run["@timestamp"].as_str().unwrap();
        assert!(stamp.len() == 20 && stamp.ends_with('Z') && stamp.as_bytes()[10] == b'T', "{stamp}");
        assert!(run["trace.id"] == run["session"] && run["project"].as_str().unwrap().contains('-'), "{run}");
    }
    let shown = sandbox.ai(["audit", "show"]).prints();
    assert_eq!(shown.lines().count(), 4, "{shown}");
    assert!(shown.lines().nth(3).unwrap().contains("gemini"), "{shown}");
    assert_eq!(sandbox.ai(["audit", "show", "--json"]).prints().lines().count(), 3);
    assert!(sandbox.ai(["audit", "show", "--since", "2999-01-01"]).succeeds().err().contains("no run is in the log"));
    sandbox.ai(["audit", "show", "--since", "soon"]).outcome().refused(2, &["no day such as"]);
}

// Q-12
#[test]
fn what_was_done_to_the_log_is_found_also_after_further_runs() {
    let verify = |sandbox: &Sandbox| sandbox.ai(["audit", "verify"]).outcome();
    let verify_fails = |sandbox: &Sandbox| assert_eq!(verify(sandbox).code, 1);
    let whole = three_runs();
    let text = log(&whole);
    assert!(verify(&whole).succeeds().out().starts_with("4 lines in 1 file\nthe last one is "));
    let end = fs::read_to_string(whole.store().join("log/events.end")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let edited = text.replacen("\"exit\":3", "\"exit\":0", 1);
    for (what, text) in [
        ("an edit", edited),
        ("a deletion", joined(&[lines[0], lines[2], lines[3]])),
        ("the begin", joined(&lines[1..])),
        ("the end", joined(&lines[..3])),
        ("all", String::new()),
        ("an exchange", joined(&[lines[0], lines[2], lines[1], lines[3]])),
        ("a line of another's", format!("{text}{{\"event\":\"run\",\"tool\":\"claude\",\"exit\":0}}\n")),
        ("junk", format!("{text}junk\n")),
    ] {
        write(&whole, &text);
        let outcome = verify(&whole);
        assert_eq!(outcome.code, 1, "{what}");
        assert!(
            outcome.err().contains("the log is not as it was written: ") && outcome.err().contains("hint: look at"),
            "{what}: {outcome:?}"
        );
        whole.ai(["run", "claude"]).prints();
        assert_eq!(verify(&whole).code, 1, "{what}: a further run hid it");
        let found: Value = serde_json::from_str(&whole.ai(["audit", "verify", "--json"]).outcome().out()).unwrap();
        assert!(!found["faults"].as_array().unwrap().is_empty(), "{what}: {found}");
        fs::write(whole.store().join("log/events.end"), &end).unwrap();
    }
    write(&whole, &joined(&lines));
    verify(&whole).succeeds();
    // Nor does it help to remove what is kept of the end.
    write(&whole, &joined(&lines[..3]));
    fs::remove_file(whole.store().join("log/events.end")).unwrap();
    verify_fails(&whole);
    whole.ai(["run", "claude"]).prints();
    verify_fails(&whole);
    // A crash in the middle of a line is none.
    write(&whole, &(joined(&lines[..3]) + &lines[3][..20]));
    fs::write(whole.store().join("log/events.end"), end.replace("written", "begun")).unwrap();
    whole.ai(["run", "claude"]).prints();
    assert!(verify(&whole).succeeds().out().contains("1 line torn by a crash"));
}

// Q-12: a line that is being written right now is nobody's edit.
#[test]
fn who_looks_at_the_log_waits_for_who_writes_a_line() {
    let sandbox = three_runs();
    let directory = sandbox.store().join("log");
    let (end, before) = (fs::read_to_string(directory.join("events.end")).unwrap(), log(&sandbox));
    sandbox.ai(["run", "claude"]).prints();
    let written = fs::read_to_string(directory.join("events.end")).unwrap();
    // As it is between the two writes of a line whose announcement was read before it.
    let lock = fs::File::open(&directory).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    fs::write(directory.join("events.end"), &end).unwrap();
    assert!(log(&sandbox).len() > before.len());
    let reader = sandbox.ai(["audit", "verify"]).spawn();
    let files = format!("/proc/{}/fd", reader.id());
    let has_directory = |file: fs::DirEntry| fs::read_link(file.path()).is_ok_and(|path| path == directory);
    wait_for(|| fs::read_dir(&files).is_ok_and(|mut files| files.any(|file| file.is_ok_and(has_directory))));
    fs::write(directory.join("events.end"), &written).unwrap();
    drop(lock);
    let outcome = finish(reader);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
}

// Q-12: what cannot be read is not as it was written either.
#[test]
fn what_stands_in_the_place_of_the_log_is_a_fault() {
    let sandbox = Sandbox::new();
    let log = sandbox.store().join("log/events.jsonl");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    for make in ["mkfifo", "mkdir", "ln -s /dev/zero", "truncate -s 3G"] {
        let act = |act: &str| std::process::Command::new("sh").args(["-c", &format!("{act} \"$0\"")]).arg(&log).status().unwrap().success();
        assert!(act(make), "{make}");
        let outcome = sandbox.ai(["audit", "verify"]).outcome();
        assert!(outcome.code == 1 && outcome.out().contains("events.jsonl: it is no file that can be read"), "{make}: {outcome:?}");
        sandbox.ai(["metrics"]).succeeds();
        assert!(act("rm -r"));
    }
}

// R-T01: ten at once.
#[test]
fn runs_at_once_make_one_chain() {
    let sandbox = Sandbox::new();
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| sandbox.ai(["run", "claude"]).prints());
        }
    });
    assert!(sandbox.ai(["audit", "verify"]).prints().starts_with("10 lines in 1 file"));
}

// R-T02
#[test]
fn counters_go_on_when_files_are_put_away_and_conversations_swept() {
    let sandbox = three_runs();
    let usage = r#"{"timestamp":"2026-11-26T10:00:00Z","sessionId":"c","message":{"id":"1","model":"claude-opus-5-5","usage":{"output_tokens":50000}}}"#;
    let path = sandbox.write(format!("{HOME}/a.jsonl"), format!("{usage}\n"));
    let expected = [
        r#"ai_requests_total{tool="claude",project="p-01234567",model="claude-opus-5-5"} 1"#,
        r#"ai_tokens_total{tool="claude",project="p-01234567",model="claude-opus-5-5",kind="output"} 50000"#,
        r#"ai_runs_total{tool="claude",ending="failure"} 1"#,
        r#"ai_runs_total{tool="gemini",ending="success"} 1"#,
    ];
    let has = |text: &str| expected.iter().all(|line| text.lines().any(|other| other == *line));
    let text = sandbox.ai(["metrics"]).prints();
    assert!(has(&text) && text.ends_with("# EOF\n") && text.contains("ai_cost_usd_total{"), "{text}");
    fs::remove_file(path).unwrap();
    let large = format!("{}{{\"filler\":\"{}\"}}\n", log(&sandbox), "x".repeat(1 << 20));
    write(&sandbox, &large);
    sandbox.ai(["run", "codex"]).prints();
    let after = sandbox.ai(["metrics", "--format", "prometheus"]).prints();
    assert!(has(&after) && after.contains(r#"ai_runs_total{tool="codex",ending="success"} 1"#), "{after}");
    fs::create_dir(sandbox.project().join("collector")).unwrap();
    sandbox.ai(["metrics", "--textfile", "collector"]).succeeds();
    let file = sandbox.project().join("collector/ai.prom");
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    sandbox
        .ai(["metrics", "--textfile", "nowhere"])
        .outcome()
        .refused(1, &["cannot write `nowhere/ai.prom`", "collector.textfile.directory"]);
}

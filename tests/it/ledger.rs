//! `ai stats`: what the real tools wrote against what the server was asked, and what a hostile transcript does.

use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::bed::{Bed, Image};
use crate::mock::Mock;
use crate::sandbox::Sandbox;

fn stats(sandbox: &Sandbox, by: &str) -> Value {
    serde_json::from_str(&sandbox.ai(["stats", by, "--json"]).prints()).unwrap()
}

/// Questions and output by model, as the server saw them; the small models that a tool asks for itself are in no transcript.
fn asked(mock: &Mock) -> Vec<(String, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for question in mock.asked() {
        let model = question["model"].as_str().unwrap().to_owned();
        if !model.contains("lite") {
            *counts.entry(model).or_insert(0) += 1;
        }
    }
    counts.into_iter().collect()
}

// DA-02: the server's own count is the truth, for resumes, forks and another tool's profile.
#[test]
fn the_ledger_is_what_the_server_was_asked() {
    let Some(mut bed) = Bed::new(Image::Tools) else { return };
    let Some(mock) = Mock::serve(&mut bed.sandbox) else { return };
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return;
    }
    bed.git_init();
    for words in [
        &["claude", "-p", "one"][..],
        &["claude", "-c", "-p", "two"],
        &["claude", "-c", "--fork-session", "-p", "three"],
        &["glm", "-p", "four"],
        &["codex", "exec", "--skip-git-repo-check", "one"],
        &["codex", "exec", "resume", "--last", "two"],
        &["gemini", "-p", "one"],
        &["gemini", "-r", "latest", "-p", "two"],
    ] {
        let outcome = bed.ai(["run", words[0], "--"]).args(&words[1..]).outcome();
        assert_eq!(outcome.code, 0, "{words:?}: {outcome:?}");
    }
    let rows = stats(&bed, "--model");
    let mut counted: Vec<(String, u64)> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap().to_owned(), row["requests"].as_u64().unwrap()))
        .collect();
    counted.sort();
    assert_eq!(counted, asked(&mock));
    let total = &rows["total"];
    let all: u64 = counted.iter().map(|(_, requests)| requests).sum();
    assert_eq!(total["requests"], all);
    assert_eq!(
        (total["output"].as_u64(), total["cached"].as_u64(), total["input"].as_u64()),
        (Some(all * 500), Some(all * 20_000), Some(all * 1000))
    );
    let tools: Vec<String> =
        stats(&bed, "--tool")["rows"].as_array().unwrap().iter().map(|row| format!("{} {}", row["name"], row["requests"])).collect();
    assert_eq!(tools, ["\"claude\" 3", "\"codex\" 2", "\"gemini\" 2", "\"glm\" 1"]);
    assert_eq!(stats(&bed, "--project")["rows"].as_array().unwrap().len(), 1);
    // What claude says of itself: 0.036 for each of its questions.
    let cost: Value = serde_json::from_str(&bed.ai(["cost", "--json"]).prints()).unwrap();
    assert_eq!(cost["total"]["unpriced_requests"], 0, "{cost}");
    let claude = stats(&bed, "--tool");
    let claude = claude["rows"].as_array().unwrap().iter().find(|row| row["name"] == "claude").unwrap().clone();
    assert!((claude["priced_usd"].as_f64().unwrap() - 3.0 * 0.036).abs() < 1e-9, "{claude}");
}

// DA-02, BO-02: links, pipes, torn and endless lines, names that a terminal would obey.
#[test]
fn a_hostile_transcript_is_passed_over() {
    let sandbox = Sandbox::new();
    let home = "home/.docker-ai-config/global_state/claude/projects/p-01234567/home/projects";
    let line = |id: &str, output: u64| {
        format!(
            "{{\"timestamp\":\"2026-11-26T00:00:00Z\",\"message\":{{\"id\":\"{id}\",\"model\":\"m\\u001b[2J\",\"usage\":{{\"output_tokens\":{output}}}}}}}"
        )
    };
    sandbox.write(format!("{home}/a/good.jsonl"), format!("{}\nnonsense\n{}\n{}", line("1", 5), line("2", 7), &line("3", 9)[..60]));
    sandbox.write(format!("{home}/a/fork.jsonl"), format!("{}\n{}", line("1", 5), line("4", 1)));
    sandbox.write(format!("{home}/a/huge.jsonl"), format!("{}\n{}\n", "x".repeat(40 << 20), line("5", 2)));
    // A terabyte that is not there.
    let hollow = sandbox.write(format!("{home}/a/hollow.jsonl"), format!("{}\n", line("7", 100)));
    std::fs::File::options().write(true).open(hollow).unwrap().set_len(1 << 40).unwrap();
    let outside = sandbox.write("outside.jsonl", line("6", 100));
    symlink(&outside, sandbox.root().join(home).join("a/link.jsonl")).unwrap();
    symlink(sandbox.root(), sandbox.root().join(home).join("b")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        sandbox.root().join(home).join("pipe.jsonl"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let total = &stats(&sandbox, "--day")["total"];
    assert_eq!((total["requests"].as_u64(), total["output"].as_u64()), (Some(4), Some(15)));
    let shown = sandbox.ai(["stats", "--model"]).succeeds().out();
    assert!(shown.contains("m\\u{1b}[2J") && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(Sandbox::new().ai(["stats"]).prints().lines().count(), 2);
    assert!(!Sandbox::new().store().exists());
}

//! `ai stats` and `ai cost`: what was counted before, prices, budgets, pictures.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::Sandbox;

const HOME: &str = "home/.docker-ai-config/global_state/claude/projects/p-01234567/home/projects/a";

/// A question of an hour that is now, whose answer had so many tokens.
fn line(id: &str, model: &str, output: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let of_day = now % 86_400;
    let date = std::process::Command::new("date").args(["-u", "-d", &format!("@{now}"), "+%F"]).output().unwrap();
    let date = String::from_utf8(date.stdout).unwrap();
    let time = format!("{}T{:02}:{:02}:{:02}Z", date.trim(), of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!(
        "{{\"timestamp\":\"{time}\",\"sessionId\":\"conversation-{id}\",\"message\":{{\"id\":\"{id}\",\"model\":\"{model}\",\"usage\":{{\"output_tokens\":{output}}}}}}}\n"
    )
}

fn total(sandbox: &Sandbox) -> (u64, u64) {
    let stats: Value = serde_json::from_str(&sandbox.ai(["stats", "--json"]).prints()).unwrap();
    (stats["total"]["requests"].as_u64().unwrap(), stats["total"]["output"].as_u64().unwrap())
}

fn kept(sandbox: &Sandbox) -> PathBuf {
    sandbox.store().join("log/ledger/claude/p-01234567")
}

/// Changes what stands in a file without moving anything.
fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from) && from.len() == to.len(), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// A line that no question is in, longer than what is looked at before the place where reading ended.
fn chatter() -> String {
    format!("{{\"type\":\"user\",\"message\":\"{}\"}}\n", "x".repeat(2000))
}

// DA-02
#[test]
fn only_what_is_new_is_read() {
    let sandbox = Sandbox::new();
    let path = sandbox.write(format!("{HOME}/one.jsonl"), line("1", "m", 5) + &chatter());
    sandbox.write(format!("{HOME}/two.jsonl"), line("2", "m", 6));
    assert_eq!(total(&sandbox), (2, 11));
    let grow = |text: &str| {
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    // A file that grew is read from where it ended, also in the middle of a line: what was changed far before that is not seen.
    let (begin, end) = (line("3", "m", 7), line("4", "m", 8));
    let (torn, rest) = end.split_at(30);
    edit(&path, "\"output_tokens\":5", "\"output_tokens\":9");
    grow(&(begin + torn));
    assert_eq!(total(&sandbox), (3, 18));
    grow(rest);
    assert_eq!(total(&sandbox), (4, 26));
    // One whose begin is another is another.
    let other = line("9", "m", 1) + &line("3", "m", 7) + &line("4", "m", 8) + &line("5", "m", 9);
    fs::write(&path, other).unwrap();
    assert_eq!(total(&sandbox), (5, 31));
    // What cannot be read of what was kept is counted anew.
    let bytes = fs::read(kept(&sandbox)).unwrap();
    for broken in [&bytes[..bytes.len() / 2], &bytes[..bytes.len() - 1], b"{\"format\":\"0.1.0 1\",\"names\":[],\"files\":{}}", b""] {
        fs::write(kept(&sandbox), broken).unwrap();
        assert_eq!(total(&sandbox), (5, 31), "{broken:?}");
        assert_ne!(fs::read(kept(&sandbox)).unwrap(), broken, "it is kept anew");
    }
}

// DA-02: earlier programs kept it as JSON; what a tool has swept away since is nowhere else.
#[test]
fn what_an_earlier_program_counted_is_taken_over() {
    let sandbox = Sandbox::new();
    sandbox.write(format!("{HOME}/two.jsonl"), line("2", "m", 6));
    let stamp = "{\"inode\":1,\"size\":2,\"modified\":3,\"changed\":4}";
    let file = |question: &str| format!("{{\"stamp\":{stamp},\"end\":9,\"before_end\":\"x\",\"model\":\"m\",\"questions\":[{question}]}}");
    let files = [("gone.jsonl", "[77,1764200000,0,1,0,5,0,0,0]"), ("projects/a/two.jsonl", "[78,1764200000,0,1,0,100,0,0,0]")];
    let files = files.map(|(path, question)| format!("\"{path}\":{}", file(question))).join(",");
    let former = "home/.docker-ai-config/log/ledger/claude/p-01234567.json";
    let former = sandbox.write(former, format!("{{\"format\":\"0.1.0 1\",\"names\":[\"m\",\"c\"],\"files\":{{{files}}}}}"));
    for _ in 0..2 {
        assert_eq!(total(&sandbox), (2, 11), "what is gone counts, and what is there is counted anew");
        assert!(!former.exists() && kept(&sandbox).is_file());
    }
}

// DA-02, R-T02: tools sweep old conversations away; what they cost was paid.
#[test]
fn what_a_tool_sweeps_away_still_counts() {
    let sandbox = Sandbox::new();
    let path = sandbox.write(format!("{HOME}/one.jsonl"), line("1", "m", 5));
    assert_eq!(total(&sandbox), (1, 5));
    let archived = sandbox.write(format!("{HOME}/old/one.jsonl"), fs::read(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let two = sandbox.write(format!("{HOME}/two.jsonl"), line("2", "m", 6) + &chatter());
    assert_eq!(total(&sandbox), (2, 11), "what was moved counts once");
    fs::remove_file(archived).unwrap();
    assert_eq!(total(&sandbox), (2, 11));
    // Another program has read it: what is gone counts, what is there is read again, from its begin.
    let mut bytes = fs::read(kept(&sandbox)).unwrap();
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let at = bytes.windows(version.len()).position(|bytes| bytes == version).unwrap();
    bytes[at] ^= 1;
    fs::write(kept(&sandbox), bytes).unwrap();
    edit(&two, "\"output_tokens\":6", "\"output_tokens\":9");
    fs::write(&two, fs::read_to_string(&two).unwrap() + &line("3", "m", 1)).unwrap();
    assert_eq!(total(&sandbox), (3, 5 + 9 + 1));
}

// DA-02: what codex moves away and packs.
#[test]
fn archived_and_packed_transcripts_count() {
    const PACKED: &str = "28b52ffd046855030022461311907d1218a4d19ce6955f0add3c33161525a668b0f79690e1772b108273f530905ffab1e285b3a5d9831f71c4cdb68a7799c9e6c8e5bbea3e3666a16be4ffd8bd3f3db872e42ed10aeffdeb3a0900700b050cbd0053fa29d61c758c357990aac23c037ac1cc032c677df9";
    let bytes: Vec<u8> = (0..PACKED.len()).step_by(2).map(|at| u8::from_str_radix(&PACKED[at..at + 2], 16).unwrap()).collect();
    let sandbox = Sandbox::new();
    sandbox.write(format!("{HOME}/old.jsonl.zst"), &bytes);
    sandbox.write(format!("{HOME}/torn.jsonl.zst"), &bytes[..bytes.len() / 2]);
    sandbox.write(format!("{HOME}/none.jsonl.zst"), "no such thing");
    let home = "home/.docker-ai-config/global_state/codex/projects/p-01234567/home";
    let record = r#"{"type":"token_usage_record","ordinal":1,"payload":{"thread_id":"T","usage":{"output_tokens":17}}}"#;
    sandbox.write(format!("{home}/archived_sessions/rollout-1.jsonl"), record);
    sandbox.write(format!("{home}/sessions/2026/11/26/rollout-1.jsonl"), record);
    assert_eq!(total(&sandbox), (3, 11 + 13 + 17));
    assert_eq!(total(&sandbox), (3, 11 + 13 + 17));
}

#[test]
fn what_has_no_price_is_said_and_not_guessed() {
    let sandbox = Sandbox::new();
    sandbox.write(format!("{HOME}/a.jsonl"), line("1", "claude-opus-5-5", 500_000) + &line("2", "mine", 1_000_000));
    let outcome = sandbox.ai(["stats", "--model"]).succeeds();
    assert!(outcome.out().contains("$10.00 + ?") && outcome.out().contains("no price"), "{}", outcome.out());
    assert!(outcome.err().contains("no price for mine; hint: put one into"), "{}", outcome.err());
    sandbox.write("home/.docker-ai-config/prices.toml", "[models]\nmine = [{ input = 1, output = 3 }]\n");
    let outcome = sandbox.ai(["stats", "--model"]).succeeds();
    assert!(outcome.out().contains("$13.00") && !outcome.err().contains("no price"), "{outcome:?}");
    sandbox.write("home/.docker-ai-config/prices.toml", "[models]\nmine = 3\n");
    sandbox.ai(["stats"]).outcome().refused(78, &["prices.toml", "2 |"]);
}

#[test]
fn one_conversation_has_its_own_cost() {
    let sandbox = Sandbox::new();
    sandbox.write(format!("{HOME}/a.jsonl"), line("10", "claude-opus-5-5", 1000) + &line("2", "claude-opus-5-5", 50_000));
    let outcome = sandbox.ai(["cost", "conversation-2"]).succeeds();
    assert!(outcome.out().starts_with("conversation-2\n") && outcome.out().contains("$1.00"), "{}", outcome.out());
    sandbox.ai(["cost", "conversation-"]).outcome().refused(2, &["2 conversations begin so", "ai cost conversation-2"]);
    sandbox.ai(["cost", "nobody"]).outcome().refused(1, &["no conversation has this name"]);
    sandbox.ai(["cost"]).outcome().refused(1, &["no tool asked a model in this project"]);
}

#[test]
fn a_budget_is_spoken_of_before_and_after_and_refuses_on_request() {
    let mut sandbox = Sandbox::new();
    let run = |sandbox: &Sandbox| sandbox.ai(["run", "claude", "--", "-p", "hi"]).outcome();
    sandbox.write(format!("{HOME}/a.jsonl"), line("1", "claude-opus-5-5", 425_000));
    sandbox.set("AI_BUDGET_DAY", "10");
    let outcome = run(&sandbox).succeeds();
    assert_eq!(outcome.err().matches("$8.50 of $10.00 today (85 %)").count(), 2, "{}", outcome.err());
    sandbox.set("AI_BUDGET_DENY", "1");
    run(&sandbox).succeeds();
    sandbox.set("AI_BUDGET_DAY", "8.5");
    run(&sandbox).refused(77, &["the budget is spent: $8.50 of $8.50 today (100 %)", "AI_BUDGET_DENY=0"]);
    assert_eq!(fs::read_dir(sandbox.store().join("sessions")).map_or(0, Iterator::count), 0);
    sandbox.ai(["exec", "--", "true"]).succeeds();
    sandbox.set("AI_BUDGET_DAY", "0");
    run(&sandbox).refused(78, &["AI_BUDGET_DAY", "`0` is no amount of dollars"]);
}

#[test]
fn a_picture_is_drawn_of_the_rows() {
    let sandbox = Sandbox::new();
    sandbox.write(format!("{HOME}/a.jsonl"), line("1", "claude-opus-5-5", 100_000) + &line("2", "claude-sonnet-5-5", 100_000));
    let plot = sandbox.ai(["stats", "--model", "--plot"]).prints();
    let bars: Vec<usize> = plot.lines().map(|line| line.matches('█').count()).collect();
    assert!(bars[0] == 2 * bars[1] && bars[1] > 5 && plot.contains("$2.00"), "{plot}");
    sandbox.ai(["stats", "--svg", "x.svg"]).succeeds();
    let svg = fs::read_to_string(sandbox.project().join("x.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg == sandbox.ai(["stats", "--svg", "-"]).prints(), "{svg}");
    sandbox.ai(["stats", "--svg", "no/such/place.svg"]).outcome().refused(1, &["cannot write `no/such/place.svg`"]);
}

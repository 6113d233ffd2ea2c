//! Keys and logins that stay outside, with the real tools: they answer, and nothing of it is in the container, in its memory neither.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bed::{Bed, Image};
use crate::commit::{identify, stage};
use crate::guard_keys::{REAL, SENTINEL, heard};
use crate::guard_life::{helper, wait_for};
use crate::guarded::guarded;
use crate::mock::Mock;
use crate::process::finish;
use crate::sandbox::find_program;

/// The words that ask each tool.
fn words(tool: &str, prompt: &str) -> Vec<String> {
    let before: &[&str] = if tool == "codex" { &["exec", "--skip-git-repo-check"] } else { &["-p"] };
    before.iter().copied().chain([prompt]).map(str::to_owned).collect()
}

/// Holds a run of a tool in the middle of its question, and looks everywhere in its container, memory included, for words that must not
/// be there. What stands in their place is found in each kind of place, so the search is not blind.
fn nowhere(bed: &Bed, tool: &str, path: &str, secrets: &[&str]) {
    let asked = || heard(bed).iter().filter(|entry| entry["path"].as_str().is_some_and(|known| known.starts_with(path))).count();
    let before = asked();
    let run = bed.ai([vec!["run".into(), tool.into(), "--".into()], words(tool, "HOLD: 60000 never answered")].concat()).spawn();
    wait_for(|| asked() > before);
    let name = &bed.containers()[0];
    let look = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/look-inside")).unwrap();
    let exec = ["exec", "-i", "--user", "1000:1000", name, "perl", "-", SENTINEL];
    let directories = ["/", "/home", "/tmp", "/run", "/ai", "/workspace", "/etc", "/var"];
    let inside = bed.run("docker").args(exec).args(secrets).args(directories).stdin(look).outcome();
    let places = inside.out();
    let (engine, outside) = (bed.docker(&["inspect", name]), places.lines().filter(|place| !place.starts_with("read ")));
    assert!(secrets.iter().all(|secret| !engine.contains(secret)) && engine.contains(SENTINEL), "{tool}: {engine}");
    assert!(outside.clone().all(|place| place.starts_with("0 ")), "{tool}: {places}");
    let program = match tool {
        "glm" => "claude",
        "gemini" => "node",
        _ => tool,
    };
    for control in [&*format!("0 memory {program}"), "0 environment ", "0 file /workspace/proj/planted", "read "] {
        assert!(places.lines().any(|place| place.starts_with(control)), "{tool}: no {control}: {places}");
    }
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    assert!(!finish(run).out().contains("never answered"));
}

/// A bed whose vendors are played, with the person's project.
fn vendors() -> Option<(Bed, Mock)> {
    let mut bed = guarded(Image::Tools)?;
    let mock = Mock::vendors(&mut bed.sandbox)?;
    bed.set("AI_KEYS", "outside");
    bed.write("work/proj/planted", SENTINEL);
    bed.set("PLANTED", SENTINEL);
    bed.set("AI_ENV", "PLANTED");
    bed.as_user(1000).then_some((bed, mock))
}

// GU-01: the real programs answer, and no container of theirs has the key.
#[test]
fn no_tool_has_its_key_inside() {
    let Some((mut bed, _mock)) = vendors() else { return };
    for key in ["ANTHROPIC_API_KEY", "ZAI_API_KEY", "CODEX_API_KEY", "GEMINI_API_KEY"] {
        bed.set(key, REAL);
    }
    for (tool, host, path, field) in [
        ("claude", "api.anthropic.com", "/v1/messages", "x-api-key"),
        ("glm", "api.z.ai", "/api/anthropic/v1/messages", "authorization"),
        ("codex", "api.openai.com", "/v1/responses", "authorization"),
        ("gemini", "generativelanguage.googleapis.com", "/v1beta/models/", "x-goog-api-key"),
    ] {
        let before = heard(&bed).len();
        let outcome = bed.ai([vec!["run".into(), tool.into(), "--".into()], words(tool, "are you there")].concat()).outcome();
        assert!(outcome.code == 0 && outcome.out().contains("are you there"), "{tool}\n{}\n{}", outcome.out(), outcome.err());
        // A first run ends without a word about what nobody needs.
        assert!(!outcome.err().lines().any(|line| line.starts_with("ai: ")), "{tool}: {}", outcome.err());
        let all = heard(&bed);
        assert!(all[before..].iter().all(|entry| entry["host"] == host && !entry.to_string().contains(SENTINEL)), "{tool}: {all:?}");
        assert!(all[before..].iter().any(|entry| entry["headers"][field].as_str().is_some_and(|value| value.contains(REAL))), "{tool}");
        // glm is the same program.
        if tool != "glm" {
            nowhere(&bed, tool, path, &[REAL]);
        }
    }
    // What writes a commit's message has it no more than they.
    identify(&bed);
    bed.git_init();
    stage(&bed, "a file", "a line of the change\n");
    for tool in ["claude", "gemini"] {
        assert_eq!(bed.ai(["commit", "--tool", tool, "\nSAY: \"feat: x\""]).prints(), "feat: x\n", "{tool}");
    }
    let log = fs::read_to_string(bed.store().join("log/events.jsonl")).unwrap();
    assert!(log.contains("\"keyed\":{\"POST /v1/messages\":") && !log.contains(REAL), "{log}");
    // What stands for the key is all that does not go along.
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let dropped: Vec<String> =
        events.flat_map(|event| event["dropped"].as_object().cloned().unwrap_or_default()).map(|(name, _)| name).collect();
    assert!(dropped.iter().all(|name| name == "authorization"), "{dropped:?}");
    wait_for(|| helper(&bed).is_none());
    bed.nothing_left();
}

/// Twelve sessions of a tool on its login, which has ended: one renews it, where no project is, for all who wait; none has it inside.
/// `renewal` is how the command of that one ends.
fn crowd(tool: &str, path: &str, tokens: [&str; 2], renewal: &str) {
    let Some((mut bed, mock)) = vendors() else { return };
    let (docker, calls) = (find_program("docker").unwrap(), bed.root().join("tmp/calls"));
    bed.program("docker", &format!("#!/bin/sh\necho \"$*\" >>'{}'\nexec '{}' \"$@\"\n", calls.display(), docker.display()));
    for key in ["ANTHROPIC_API_KEY", "CODEX_API_KEY", "GEMINI_API_KEY"] {
        bed.unset(key);
    }
    let (file, document) = mock.ended_login(tool);
    let shared = format!("home/.docker-ai-config/global_state/{tool}/shared/login");
    bed.write(&format!("{shared}/{file}"), &document);
    // What holds its directory, as a container may that has it, holds nobody up.
    let directory = fs::File::open(bed.root().join(&shared)).unwrap();
    rustix::fs::flock(&directory, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let ask =
        |number: i32| bed.ai([vec!["run".into(), tool.into(), "--".into()], words(tool, &format!("session {number}."))].concat()).spawn();
    let runs: Vec<_> = (0..12).map(ask).collect();
    for (number, run) in runs.into_iter().enumerate() {
        let outcome = finish(run);
        assert!(outcome.code == 0 && outcome.out().contains(&format!("session {number}.")), "{}\n{}", outcome.out(), outcome.err());
        assert!(!outcome.err().contains("your key"), "{}", outcome.err());
    }
    let stats = mock.stats();
    assert_eq!((&stats["refreshes"], &stats["refusals"]), (&1.into(), &0.into()), "{stats}");
    // Whatever locks the tool itself has.
    let calls = fs::read_to_string(calls).unwrap();
    let count = |end: &str| calls.lines().filter(|line| line.ends_with(end)).count();
    let asked: usize = (0..12).map(|number| count(&format!(" session {number}."))).sum();
    assert_eq!((count(renewal), asked), (1, 12), "{calls}");
    let login: Value = serde_json::from_slice(&fs::read(bed.root().join(&shared).join(&file)).unwrap()).unwrap();
    nowhere(&bed, tool, path, &tokens.map(|token| login.pointer(token).and_then(Value::as_str).unwrap()));
    wait_for(|| helper(&bed).is_none());
    bed.nothing_left();
}

// GU-01
#[test]
fn twelve_sessions_of_claude_share_a_login_that_none_of_them_has() {
    crowd("claude", "/v1/messages", ["/claudeAiOauth/accessToken", "/claudeAiOauth/refreshToken"], " claude auth status");
}

// GU-01
#[test]
fn twelve_sessions_of_codex_share_a_login_that_none_of_them_has() {
    crowd("codex", "/backend-api/codex/responses", ["/tokens/access_token", "/tokens/refresh_token"], " true");
}

// GU-01
#[test]
fn twelve_sessions_of_gemini_share_a_login_that_none_of_them_has() {
    crowd("gemini", "/v1internal:streamGenerateContent", ["/access_token", "/refresh_token"], " gemini --list-sessions");
}

// GU-01: what cannot be renewed is said, with what helps, and no tool tries for minutes.
#[test]
fn a_login_that_has_ended_is_said_to_have_ended() {
    let Some((mut bed, mock)) = vendors() else { return };
    bed.unset("ANTHROPIC_API_KEY");
    let (file, document) = mock.ended_login("claude");
    let mut document: Value = serde_json::from_str(&document).unwrap();
    document["claudeAiOauth"]["refreshToken"] = "made-up, and nobody's".into();
    bed.write(&format!("home/.docker-ai-config/global_state/claude/shared/login/{file}"), document.to_string());
    let outcome = bed.ai(["run", "claude", "--", "-p", "hello"]).outcome();
    assert_ne!(outcome.code, 0);
    assert!(outcome.err().contains("the login of claude has ended, or could not be renewed; hint: ai login claude"), "{}", outcome.err());
    assert!(heard(&bed).iter().all(|entry| entry["path"] != "/v1/messages"), "{:?}", heard(&bed));
    bed.nothing_left();
}

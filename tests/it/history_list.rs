//! `ai history` and `ai resume`: conversations of all tools, in transcripts as containers wrote them.

use std::ffi::OsString;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::terminal::on_terminal;

const UUID: &str = "01a21a14-9366-75d2-a7c1-7b24ad0fa678";

/// A project in which each tool had a conversation; the last one is gemini's, in a directory of the project.
fn sandbox() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    for tool in ["claude", "codex", "gemini"] {
        sandbox.ai(["run", tool, "--", "--version"]).succeeds();
    }
    let projects: Value = serde_json::from_str(&sandbox.ai(["project", "list", "--json"]).prints()).unwrap();
    let project = projects[0]["project"].as_str().unwrap().to_owned();
    let home = |tool: &str| format!("home/.docker-ai-config/global_state/{tool}/projects/{project}/home");
    let said = |text: &str| json!({ "type": "user", "cwd": "/workspace/proj", "message": { "content": text } });
    sandbox.write(
        format!("{}/projects/-workspace-proj/aaaaaaaa-0000.jsonl", home("claude")),
        format!(
            "{}\n{}\n{{\"torn",
            said("fix the \"login\" page"),
            json!({ "type": "assistant", "message": { "content": "Вход закрыт" } })
        ),
    );
    sandbox.write(format!("{}/projects/-workspace-proj/x/subagents/agent-1.jsonl", home("claude")), said("look into it").to_string());
    sandbox.write(format!("{}/projects/-workspace-proj/--yolo.jsonl", home("claude")), said("hostile name").to_string());
    let codex =
        json!({ "type": "response_item", "payload": { "type": "message", "role": "user", "content": [{ "text": "why is it slow" }] } });
    sandbox.write(format!("{}/sessions/2026/11/26/rollout-2026-11-26T22-58-06-{UUID}.jsonl", home("codex")), codex.to_string());
    let gemini = format!(
        "{{\"sessionId\":\"f6e25735-3944\"}}\n{}\n",
        json!({ "type": "user", "cwd": "/workspace/sub", "content": [{ "text": "draw a bird" }] })
    );
    sandbox.write(format!("{}/tmp/sub/chats/session-1-f6e25735.jsonl", home("gemini")), gemini);
    std::fs::create_dir(sandbox.project().join("sub")).unwrap();
    (sandbox, home("gemini"))
}

fn list(sandbox: &Sandbox, words: &[&str]) -> Vec<Value> {
    serde_json::from_str(&sandbox.ai(["history", "--json"]).args(words).prints()).unwrap()
}

fn ids(rows: &[Value]) -> Vec<&str> {
    let mut ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

// DA-03: quotes, Cyrillic, a torn last line.
#[test]
fn the_conversations_of_all_tools_are_listed_and_searched() {
    let (sandbox, _) = sandbox();
    let all = list(&sandbox, &[]);
    assert_eq!(ids(&all), [UUID, "aaaaaaaa-0000", "f6e25735-3944"], "{all:?}");
    assert!(all.iter().any(|row| row["title"] == "fix the \"login\" page"), "{all:?}");
    for (words, expected) in [
        (&["the \"LOGIN\""][..], &["aaaaaaaa-0000"][..]),
        (&["вход"], &["aaaaaaaa-0000"]),
        (&["slow", "why"], &[UUID]),
        (&["--tool", "gemini"], &["f6e25735-3944"]),
        (&["payload"], &[]),
        (&["--limit", "0"], &[]),
    ] {
        assert_eq!(ids(&list(&sandbox, words)), expected, "{words:?}");
    }
    let shown = sandbox.ai(["history", "bird"]).prints();
    assert!(shown.contains("gemini") && shown.contains("draw a bird") && shown.contains("f6e25735-3944"), "{shown}");
    sandbox.ai(["history", "never-said"]).outcome().refused(1, &["nobody said that in this project", "--all"]);
    let elsewhere = sandbox.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    assert_eq!(sandbox.ai(["history", "--all"]).cwd(&elsewhere).prints().lines().count(), 3);
    assert_eq!(sandbox.ai(["history"]).cwd(&elsewhere).succeeds().out(), "");
}

// DA-03
#[test]
fn a_conversation_goes_on_in_its_tool_and_directory() {
    let (sandbox, gemini) = sandbox();
    let last = |sandbox: &Sandbox| sandbox.calls().into_iter().rfind(|call| call.argv[0] == "run").unwrap().argv;
    for (words, expected, workdir) in [
        (&["login"][..], &["claude", "--resume", "aaaaaaaa-0000"][..], "/workspace/proj"),
        (&[&UUID[..8]], &["codex", "resume", UUID], "/workspace/proj"),
        (&["f6e25735-3944"], &["gemini", "-r", "f6e25735-3944"], "/workspace/sub"),
    ] {
        sandbox.ai(["resume"]).args(words).succeeds();
        let argv = last(&sandbox);
        let words: Vec<OsString> = expected[1..].iter().map(OsString::from).collect();
        assert!(argv.ends_with(&words) && argv.iter().any(|word| word == expected[0]), "{argv:?}");
        let at = argv.iter().position(|word| word == "-w").unwrap();
        assert_eq!(argv[at + 1], workdir);
    }
    sandbox.ai(["resume"]).outcome().refused(2, &["3 conversations fit, and nobody can be asked", "ai resume"]);
    for words in [["resume", "x"], ["history", "x"]] {
        sandbox.ai(words).args(["--tool", "clude"]).outcome().refused(2, &["no tool `clude`", "did you mean `claude`?"]);
    }
    sandbox.ai(["resume", "never-said"]).outcome().refused(1, &["there is no such conversation"]);
    let printed = sandbox.ai(["resume", "--print", "bird"]).prints();
    assert_eq!(printed, format!("cd {}/sub && ai run gemini -- -r f6e25735-3944\n", sandbox.project().display()));
    // What a container wrote leads nowhere else: by words, or by a link that it made.
    for workdir in ["/workspace/../../../elsewhere", "/workspace/link"] {
        std::fs::create_dir_all(sandbox.root().join("elsewhere")).unwrap();
        let _ = symlink(sandbox.root().join("elsewhere"), sandbox.project().join("link"));
        let text = json!({ "type": "user", "cwd": workdir, "content": [{ "text": "draw a trap" }] });
        sandbox.write(format!("{gemini}/tmp/sub/chats/session-2-00000000.jsonl"), format!("{{\"sessionId\":\"00000000\"}}\n{text}\n"));
        let printed = sandbox.ai(["resume", "--print", "trap"]).prints();
        assert!(printed.starts_with(&format!("cd {} && ", sandbox.project().display())), "{workdir}: {printed}");
    }
}

#[test]
fn a_person_chooses_by_number_or_with_fzf() {
    let (sandbox, _) = sandbox();
    let mut terminal = on_terminal(sandbox.ai(["resume", "--print"]));
    terminal.exp_string("which one?").unwrap();
    terminal.send_line("9").unwrap();
    terminal.exp_string("nothing was chosen").unwrap();
    let mut terminal = on_terminal(sandbox.ai(["resume", "--print", "--tool", "codex"]));
    terminal.exp_string("which one?").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_string("ai run codex -- resume").unwrap();
    sandbox.program("fzf", "#!/bin/sh\ngrep slow\n");
    let mut terminal = on_terminal(sandbox.ai(["resume", "--print"]));
    terminal.exp_string("ai run codex -- resume").unwrap();
}

#[test]
fn what_was_said_in_one_conversation_is_shown() {
    let (sandbox, _) = sandbox();
    let shown = sandbox.ai(["history", "show", "aaaaaaaa"]).prints();
    assert_eq!(shown, "you:\n    fix the \"login\" page\n\nclaude:\n    Вход закрыт\n\n");
    let last: Value = serde_json::from_str(&sandbox.ai(["history", "show", "aaaaaaaa", "--last", "1", "--json"]).prints()).unwrap();
    assert_eq!(last, json!([{ "by": "model", "text": "Вход закрыт" }]));
    assert!(sandbox.ai(["history", "show", &UUID[..8]]).prints().contains("why is it slow"));
    assert!(sandbox.ai(["history", "show", "f6e25735"]).prints().contains("draw a bird"));
    sandbox.ai(["history", "show", "bbbb"]).outcome().refused(1, &["there is no such conversation"]);
    sandbox.ai(["history", "show", ""]).outcome().refused(2, &["more than one begins so"]);
}

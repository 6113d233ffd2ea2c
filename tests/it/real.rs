//! The real tools, in a real container, called by the functions of real shells; only the models are played.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::bed::{Bed, Image, owner};
use crate::mock::Mock;
use crate::process::{finish, wait_for};
use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// A sandbox with the real tools and a server that answers them, used by somebody without root, as by most people.
fn tools() -> Option<(Bed, Mock)> {
    let (mut bed, mock) = tools_of_tester()?;
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return None;
    }
    Some((bed, mock))
}

/// The same, used by whoever runs the tests.
fn tools_of_tester() -> Option<(Bed, Mock)> {
    let mut bed = Bed::new(Image::Tools)?;
    let mock = Mock::serve(&mut bed.sandbox)?;
    Some((bed, mock))
}

/// The transcripts that a tool of the claude family has left in the store.
fn transcripts(sandbox: &Sandbox, tool: &str) -> Vec<PathBuf> {
    let projects = sandbox.store().join("global_state").join(tool).join("projects");
    tree(&projects)
        .into_keys()
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl") && !path.ends_with("history.jsonl"))
        .collect()
}

// I-01, C-10
#[test]
fn each_tool_says_its_own_version() {
    let Some((bed, _mock)) = tools() else { return };
    let version = |line: &str| bed.shell(Shell::Bash, line).prints();
    let claude = version("claude --version");
    assert!(claude.ends_with("(Claude Code)\n"), "{claude}");
    assert_eq!(version("glm --version"), claude);
    assert!(version("codex --version").starts_with("codex-cli "));
    let gemini = version("AI_HARDENED=1 gemini --version");
    assert!(gemini.trim().split('.').count() == 3, "{gemini}");
    assert_eq!(version("AI_HARDENED=1 claude --version"), claude);
    assert!(version("claude --help").contains("Usage: claude"));
    assert!(version("gemini --help").contains("gemini"));
    bed.nothing_left();
}

// I-01, D-03: the answer is all that is captured, and the command ran in the project as whoever called.
#[test]
fn claude_works_through_every_shell() {
    let Some((bed, _mock)) = tools() else { return };
    for shell in Shell::all() {
        let made = format!("by-{}", shell.name());
        let prompt = format!("claude -p --dangerously-skip-permissions 'RUN: touch {made} && pwd'");
        let script = shell.text("answer=\"$(PROMPT)\"; printf '%s\\n' \"$answer\"", "set answer (PROMPT); printf '%s\\n' $answer");
        let answer = bed.shell(shell, &script.replace("PROMPT", &prompt)).prints();
        assert_eq!(
            answer,
            format!("mock-anthropic heard: RUN: touch {made} && pwd\nmock-anthropic ran it: /workspace/proj\n"),
            "{shell:?}"
        );
        assert_eq!(owner(bed.project().join(made)), owner(bed.project()), "{shell:?}");
    }
    assert_eq!(transcripts(&bed, "claude").len(), 3);
    bed.nothing_left();
}

// D-01, P9: with a pipe that nobody writes into, claude would wait for three seconds and say so.
#[test]
fn claude_does_not_wait_for_input_at_a_terminal() {
    let Some((bed, _mock)) = tools() else { return };
    let mut terminal = on_terminal(bed.shell(Shell::Zsh, "claude -p 'are you there'; echo code=$?"));
    let said = terminal.exp_string("code=0").unwrap();
    assert!(said.contains("mock-anthropic heard: are you there") && !said.contains("stdin"), "{said}");
}

// C-14, D-02
#[test]
fn claude_works_for_a_user_without_root() {
    let Some((bed, _mock)) = tools() else { return };
    let answer = bed.shell(Shell::Zsh, "echo 'RUN: touch made; id -u' | claude -p --dangerously-skip-permissions").prints();
    let (uid, gid) = owner(bed.project());
    assert!(answer.ends_with(&format!("mock-anthropic ran it: {uid}\n")), "{answer}");
    for path in [bed.project().join("made")].into_iter().chain(tree(&bed.home()).into_keys()) {
        assert_eq!(owner(&path), (uid, gid), "{path:?}");
    }
    bed.nothing_left();
}

// C-14
#[test]
fn claude_works_for_root() {
    let Some((bed, _mock)) = tools_of_tester() else { return };
    let answer = bed.shell(Shell::Bash, "claude -p --dangerously-skip-permissions 'RUN: id -u'").prints();
    assert!(answer.ends_with(&format!("mock-anthropic ran it: {}\n", owner(bed.project()).0)), "{answer}");
    bed.nothing_left();
}

// SE-01: what a hook says at the start reaches the model, and what it puts into the environment reaches the shell.
#[test]
fn hooks_at_the_start_work_for_a_user_without_root() {
    let Some((bed, _mock)) = tools() else { return };
    let hook = "echo CONTEXT-FROM-HOOK; echo 'export FROM_HOOK=set' >>\"$CLAUDE_ENV_FILE\"";
    let settings = serde_json::json!({"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": hook}]}]}});
    bed.write(bed.project().join(".claude/settings.json"), settings.to_string());
    let ask = |prompt: &str| bed.shell(Shell::Bash, &format!("claude -p --dangerously-skip-permissions '{prompt}'")).prints();
    assert_eq!(ask("FIND: CONTEXT-FROM-HOOK"), "mock-anthropic found CONTEXT-FROM-HOOK\n");
    assert_eq!(ask("FIND: NEVER-SAID"), "mock-anthropic did not find NEVER-SAID\n");
    let answer = ask("RUN: echo \"[$FROM_HOOK]\"; ls ~/.claude/shell-snapshots");
    assert!(answer.contains("ran it: [set]\n") && answer.contains("snapshot-bash-"), "{answer}");
    bed.nothing_left();
}

// SE-01: a store that an older program made has closed directories there.
#[test]
fn private_directories_that_were_made_closed_are_opened() {
    let Some((bed, _mock)) = tools() else { return };
    let ask = || bed.shell(Shell::Bash, "ai exec true; claude -p 'are you there'").outcome();
    assert_eq!(ask().code, 0);
    let homes = bed.store().join("global_state/claude/projects");
    let home = fs::read_dir(&homes).unwrap().next().unwrap().unwrap().path().join("home");
    fs::set_permissions(home.join("session-env"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(ask().code, 0);
    assert_eq!(home.join("session-env").metadata().unwrap().permissions().mode() & 0o7777, 0o1777);
    assert_eq!(home.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
}

// I-01, R-T09: they start, answer, see the same files and leave their own, side by side.
#[test]
fn the_three_tools_work_at_once() {
    let Some((bed, _mock)) = tools() else { return };
    bed.write(bed.project().join("seen"), "seen by all\n");
    let runs = [
        ("claude", Shell::Zsh, "claude -p --dangerously-skip-permissions 'RUN: touch claude; pwd; cat seen'", "mock-anthropic ran it:"),
        ("gemini", Shell::Bash, "gemini --yolo -p 'RUN: touch gemini; pwd; cat seen'", "mock-gemini ran it:"),
        ("codex", Shell::Fish, "codex exec --skip-git-repo-check 'RUN: touch codex; pwd; cat seen'", "mock-openai ran it:"),
    ];
    let children = runs.map(|(_, shell, line, _)| bed.shell(shell, line).spawn());
    for (child, (tool, _, _, ran)) in children.into_iter().zip(runs) {
        let outcome = finish(child);
        assert!(
            outcome.code == 0 && [ran, "/workspace/proj", "seen by all"].iter().all(|word| outcome.out().contains(word)),
            "{outcome:?}"
        );
        // SE-01: codex' helper programs are links in a private directory.
        assert!(!outcome.err().contains("PATH aliases"), "{outcome:?}");
        assert_eq!(owner(bed.project().join(tool)), owner(bed.project()));
    }
    bed.nothing_left();
}

// I-02
#[test]
fn a_subscription_is_enough() {
    let Some((mut bed, mock)) = tools() else { return };
    let (file, login) = mock.login("claude");
    bed.write(format!("home/.docker-ai-config/global_state/claude/shared/login/{file}"), login);
    bed.sandbox.unset("ANTHROPIC_API_KEY");
    assert_eq!(bed.shell(Shell::Bash, "claude -p hello").prints(), "mock-anthropic heard: hello\n");
    bed.nothing_left();
}

// I-05, I-03, I-04
#[test]
fn claude_and_glm_keep_apart() {
    let Some((bed, _mock)) = tools() else { return };
    let both = "claude -p 'for claude' & glm -p 'for glm'; wait";
    // claude warns of a model that it does not know.
    let answers = bed.shell(Shell::Bash, both).outcome().out();
    assert!(answers.contains("mock-anthropic heard: for claude\n") && answers.contains("mock-anthropic heard: for glm\n"), "{answers}");
    for (tool, other) in [("claude", "glm"), ("glm", "claude")] {
        let own = transcripts(&bed, tool);
        assert_eq!(own.len(), 1, "{own:?}");
        let text = fs::read_to_string(&own[0]).unwrap();
        assert!(text.contains(&format!("for {tool}")) && !text.contains(&format!("for {other}")), "{text}");
    }
    bed.nothing_left();
}

// SE-16: a resume in which nothing is said leaves a second file with the session's name and no word of a person. Gemini's own sweep takes
// both for broken, and deletes them at its next start.
#[test]
fn a_session_of_gemini_survives_that_it_is_resumed() {
    let Some((bed, _mock)) = tools() else { return };
    let gemini = |words: &str| bed.shell(Shell::Bash, &format!("gemini {words}")).outcome();
    assert_eq!(gemini("-p KEPT-WORD").code, 0);
    let chats = || -> Vec<PathBuf> {
        let files = tree(&bed.store().join("global_state/gemini/projects")).into_keys();
        files.filter(|path| path.parent().unwrap().ends_with("chats") && path.extension().is_some_and(|kind| kind == "jsonl")).collect()
    };
    let live = chats().pop().unwrap();
    let (_, id) = live.to_str().unwrap().rsplit_once('-').unwrap();
    let head = fs::read_to_string(&live).unwrap().lines().next().unwrap().to_owned();
    let planted = format!("session-2026-01-02T03-04-{id}");
    bed.write(live.with_file_name(planted), head + "\n");
    assert_eq!(gemini("--list-sessions").code, 0);
    assert!(chats().contains(&live), "{:?}", chats());
    let third = gemini("-r latest -p 'FIND: KEPT-WORD'");
    assert!(third.code == 0 && third.out().contains("mock-gemini found KEPT-WORD"), "{third:?}");
    let settings = |tool: &str, file: &str| -> serde_json::Value {
        let projects = fs::read_dir(bed.store().join("global_state").join(tool).join("projects")).unwrap();
        serde_json::from_slice(&fs::read(projects.map(|entry| entry.unwrap().path()).next().unwrap().join("home").join(file)).unwrap())
            .unwrap()
    };
    assert_eq!(settings("gemini", "settings.json")["general"]["sessionRetention"]["enabled"], false);
    // Claude's cleanup of what is a month old.
    bed.shell(Shell::Bash, "claude --version").prints();
    assert_eq!(settings("claude", "settings.json")["cleanupPeriodDays"], 36500);
}

// SE-16, E-06: in the middle of a question, by its own end and not by force, which would be 137.
#[test]
fn every_tool_ends_when_it_is_asked_to() {
    let Some((bed, mock)) = tools() else { return };
    let words = [
        &["claude", "-p", "HOLD: 60000"][..],
        &["codex", "exec", "--skip-git-repo-check", "HOLD: 60000"],
        &["gemini", "-p", "HOLD: 60000"],
    ];
    let children: Vec<_> = words.iter().map(|words| bed.ai(["run", words[0], "--"].iter().chain(&words[1..])).spawn()).collect();
    let asks = |word: &str| mock.asked().iter().any(|question| question["model"].as_str().unwrap().contains(word));
    wait_for("all of them to ask", || ["claude", "gpt", "gemini"].into_iter().all(asks).then_some(()));
    bed.ai(["stop", "--mine"]).succeeds();
    for (child, words) in children.into_iter().zip(words) {
        let outcome = finish(child);
        assert_ne!(outcome.code, 137, "{words:?}: {outcome:?}");
    }
    bed.nothing_left();
}

// SE-08: a mark, comments and line ends that the tool itself reads.
#[test]
fn settings_with_what_only_their_tool_reads_hold_inside() {
    let Some((bed, mock)) = tools() else { return };
    let claude = bed.write("home/.claude/settings.json", "\u{feff}{\r\n  \"model\": \"claude-of-the-host\"\r\n}\r\n");
    let gemini =
        bed.write("home/.gemini/settings.json", "{\n  // a word\n  \"model\": {\"name\": \"gemini-of-the-host\"} /* one more */\n}\n");
    let before = [&claude, &gemini].map(|path| fs::read(path).unwrap());
    let outcome = bed.shell(Shell::Bash, "claude -p hi && gemini -p hi").outcome();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let asked: Vec<String> = mock.asked().iter().map(|question| question["model"].as_str().unwrap().to_owned()).collect();
    for model in ["claude-of-the-host", "gemini-of-the-host"] {
        assert!(asked.iter().any(|asked| asked == model), "{asked:?}");
    }
    assert_eq!([&claude, &gemini].map(|path| fs::read(path).unwrap()), before);
}

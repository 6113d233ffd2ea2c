//! `ai commit` with the real tools in real containers: what goes out, and what is left.

use serde_json::Value;

use crate::bed::{Bed, Image};
use crate::commit::{git, identify, stage};
use crate::mock::Mock;
use crate::sandbox::tree;
use crate::shells::Shell;

/// The real tools for somebody without root, a server that answers them, and a staged change.
fn staged() -> Option<(Bed, Mock)> {
    let mut bed = Bed::new(Image::Tools)?;
    let mock = Mock::serve(&mut bed.sandbox)?;
    // No project is mounted, and so no file of it: the way that a company's proxy goes.
    let authority = bed.write("ca.pem", std::fs::read(bed.project().join(".ca.pem")).unwrap());
    std::fs::remove_file(bed.project().join(".ca.pem")).unwrap();
    bed.sandbox.set("AI_CA", authority);
    bed.config(&format!(
        "[tool.codex]\nproxy = '{0}'\n[tool.gemini]\nproxy = '{0}'\n[tool.glm.env]\nANTHROPIC_BASE_URL = '{0}'\n",
        mock.url
    ));
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return None;
    }
    identify(&bed);
    bed.git_init();
    stage(&bed, "a file", "a line of the change\n");
    Some((bed, mock))
}

// J-01, J-05, I-01: each tool gets no tools, no project and little else, and its answer comes out byte for byte.
#[test]
fn each_tool_writes_a_message_and_sees_nothing_but_the_prompt() {
    let Some((bed, mock)) = staged() else { return };
    let message = "feat: say \"hello\" & `x`\n\n# why\nПотому что";
    let hint = format!("\nSAY: {}", serde_json::to_string(message).unwrap());
    for tool in ["claude", "gemini", "codex", "glm"] {
        let before = mock.asked().len();
        let outcome = bed.ai(["commit", "--tool", tool, &hint]).outcome();
        assert_eq!((outcome.code, outcome.out()), (0, format!("{message}\n")), "{tool}: {outcome:?}");
        assert_eq!(outcome.err(), "", "{tool}");
        let asked = &mock.asked()[before..];
        assert_eq!((asked.len(), asked[0]["tools"].as_u64()), (1, Some(0)), "{tool}: {asked:?}");
        assert!(asked[0]["bytes"].as_u64().unwrap() < 80_000, "{tool}: {asked:?}");
        bed.nothing_left();
    }
    assert_eq!(mock.stats()["outside"], serde_json::json!({}), "no other host was asked");
    let left: Vec<_> = tree(&bed.store()).into_keys().filter(|path| path.to_str().unwrap().contains("/projects/")).collect();
    assert!(left.is_empty(), "no history of it: {left:?}");
}

// J-05: what a project brings for the tools is not read.
#[test]
fn the_projects_own_instructions_do_not_reach_the_model() {
    let Some((bed, _mock)) = staged() else { return };
    for file in ["CLAUDE.md", "GEMINI.md", "AGENTS.md"] {
        bed.write(bed.project().join(file), "SECRET-WORD-OF-THE-PROJECT\n");
    }
    for tool in ["claude", "gemini", "codex"] {
        let outcome = bed.ai(["commit", "--tool", tool, "FIND: SECRET-WORD-OF-THE-PROJECT"]).outcome();
        assert!(outcome.out().contains("did not find SECRET-WORD-OF-THE-PROJECT"), "{tool}: {outcome:?}");
    }
}

// J-01, J-06, I-02: the whole way, by a subscription, through each shell.
#[test]
fn aic_and_cic_commit_through_every_shell() {
    let Some((mut bed, mock)) = staged() else { return };
    let (file, login) = mock.login("claude");
    bed.write(format!("home/.docker-ai-config/global_state/claude/shared/login/{file}"), login);
    bed.sandbox.unset("ANTHROPIC_API_KEY");
    for (number, shell) in Shell::all().into_iter().enumerate() {
        stage(&bed, "a file", format!("{number}\n"));
        let word = ["aic", "cic"][number % 2];
        let script = shell.text("WORD 'SAY: \"feat: N\"'; echo code=$?", "WORD 'SAY: \"feat: N\"'; echo code=$status");
        let script = script.replace("WORD", word).replace('N', &number.to_string());
        let mut terminal = crate::terminal::on_terminal(bed.shell(shell, &script));
        terminal.exp_string("[q]uit:").unwrap();
        terminal.send_line("").unwrap();
        let said = terminal.exp_eof().unwrap();
        assert!(said.contains("code=0"), "{shell:?}: {said}");
        assert_eq!(git(&bed, &["log", "-1", "--format=%B|%an"]), format!("feat: {number}\n|Jo\n"));
        bed.nothing_left();
    }
}

// J-07: a server that is not there ends in time, with the tool's own word, and no container is left.
#[test]
fn a_dead_network_ends_in_time() {
    let Some((mut bed, mock)) = staged() else { return };
    drop(mock);
    bed.sandbox.set("AI_COMMIT_DEADLINE", "5");
    for tool in ["claude", "gemini", "codex"] {
        let outcome = bed.ai(["commit", "--tool", tool]).outcome();
        assert!(matches!(outcome.code, 1 | 69) && outcome.out().is_empty(), "{tool}: {outcome:?}");
        assert!(outcome.err().starts_with("ai: cannot get a message from "), "{tool}: {outcome:?}");
        bed.nothing_left();
    }
}

// J-07: an API that refuses is a failure with its own words.
#[test]
fn an_error_of_the_server_is_no_message() {
    let Some((mut bed, mock)) = staged() else { return };
    bed.sandbox.set("ANTHROPIC_BASE_URL", format!("{}/nowhere", mock.url));
    let outcome = bed.ai(["commit", "--tool", "claude"]).outcome();
    outcome.refused(1, &["cannot get a message from claude", "hint: "]);
    let value: Value = mock.stats();
    assert!(value["paths"].get("/nowhere/v1/messages").is_some(), "{value}");
    bed.nothing_left();
}

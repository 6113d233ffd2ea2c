//! `ai doctor` about a person's set-up: everything that a run here would lack, every time it is asked, before any run.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// The image, as a build would remember it.
fn image_has(sandbox: &Sandbox, programs: &[&str]) {
    sandbox.write("home/.docker-ai-config/images.json", json!({"ai-tools:1": {"Programs": programs}}).to_string());
}

/// Level, cause and hint of what is found about a tool's settings.
fn found(sandbox: &Sandbox, tool: &str) -> Vec<[String; 3]> {
    let report: Value = serde_json::from_slice(&sandbox.ai(["doctor", "--json"]).outcome().stdout).unwrap();
    let about = |finding: &&Value| finding["title"] == format!("{tool} settings");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |finding: &Value| ["level", "cause", "hint"].map(|key| text(&finding[key]));
    report["findings"].as_array().unwrap().iter().filter(about).map(row).collect()
}

// SE-02, SE-03: a person asks what differs inside, and is told all of it, as often as they ask.
#[test]
fn doctor_names_all_that_a_run_would_lack_without_a_run() {
    let sandbox = Sandbox::new();
    image_has(&sandbox, &["sh", "node"]);
    let settings = json!({
        "statusLine": {"type": "command", "command": "\"$HOME/my bin/line\""},
        "hooks": {
            "PostToolUse": [{"hooks": [{"type": "command", "command": "prettier --write ."}]}],
            "PreToolUse": [{"hooks": [{"type": "command", "command": "/srv/team/guard.sh"}, {"type": "command", "command": "~/.claude/hooks/uv.py"}]}],
        },
    });
    sandbox.write("home/.claude/settings.json", settings.to_string());
    sandbox.script("home/.claude/hooks/uv.py", "#!/usr/bin/env -S uv run --script\n");
    sandbox.write(
        "home/.claude.json",
        json!({"mcpServers": {"a": {"command": "uvx", "args": ["x"]}, "b": {"url": "http://localhost:9/mcp"}}}).to_string(),
    );
    for path in ["my bin/line", "bin/tell", "servers/c.js"] {
        sandbox.write(format!("home/{path}"), "");
    }
    sandbox.write("home/.codex/config.toml", "notify = ['~/bin/tell']\n");
    sandbox.write(
        "home/.gemini/settings.json",
        json!({"mcpServers": {"c": {"command": "node", "args": [sandbox.home().join("servers/c.js")]}}}).to_string(),
    );
    for _ in 0..2 {
        let claude = found(&sandbox, "claude");
        for (level, cause, hint) in [
            ("warning", "status line: `{home}/my bin/line` is not in the container", "AI_MOUNTS=''\\''{home}/my bin/line'\\'''"),
            ("warning", "PostToolUse hook: the program `prettier` is not in the container", "image = { apt = [...] }"),
            (
                "error",
                "PreToolUse hook: `/srv/team/guard.sh`, which is not on your machine either, is not in the container, and guards:",
                "take it out of the settings",
            ),
            ("error", "PreToolUse hook: `uv`, which `{home}/.claude/hooks/uv.py` is run by, is not in the container", "image ="),
            ("warning", "MCP server: the program `uvx` is not in the container", "image ="),
            ("warning", "MCP server: `http://localhost:9/mcp`, which is your machine's own loopback,", "http://host.docker.internal:9/mcp"),
        ] {
            let [cause, hint] = [cause, hint].map(|text| text.replace("{home}", sandbox.home().to_str().unwrap()));
            let row = claude.iter().find(|row| row[1].starts_with(&cause)).unwrap_or_else(|| panic!("{cause}: {claude:#?}"));
            assert!(row[0] == level && row[2].contains(&hint), "{row:#?} {hint}");
        }
        assert_eq!(claude.len(), 6, "{claude:#?}");
        assert!(found(&sandbox, "codex")[0][1].contains("bin/tell` is not in the container"));
        assert!(found(&sandbox, "gemini")[0][1].contains("servers/c.js` is not"));
        assert_eq!(found(&sandbox, "glm"), Vec::<[String; 3]>::new(), "a profile has none of these settings");
    }
    assert_eq!(fs::read_dir(sandbox.store()).unwrap().count(), 1, "who only looks writes nothing");
    let text = sandbox.ai(["doctor"]).outcome();
    assert!(text.code == 2 && text.out().contains("error    claude settings: PreToolUse hook"), "{}", text.out());
}

// SE-02
#[test]
fn what_is_found_goes_away_when_it_is_let_in_or_agreed_to() {
    let mut sandbox = Sandbox::new();
    image_has(&sandbox, &["sh"]);
    let guard = sandbox.script("home/bin/guard.sh", "#!/bin/sh\n");
    sandbox.write("home/.claude/settings.json", json!({"hooks": {"PreToolUse": [{"hooks": [{"command": guard}]}]}}).to_string());
    assert_eq!(found(&sandbox, "claude")[0][0], "error");
    sandbox.set("AI_ALLOW_MISSING_GUARDS", "1");
    assert_eq!(found(&sandbox, "claude")[0][0], "warning");
    sandbox.set("AI_MOUNTS", "~/bin");
    let row = &found(&sandbox, "claude")[0];
    assert!(row[0] == "ok" && row[1].contains("are in the container"), "{row:?}");
    image_has(&sandbox, &["bash"]);
    assert!(found(&sandbox, "claude")[0][1].starts_with("PreToolUse hook: `sh`, which"));
}

// SE-04: a guard whose script cannot start is as good as none.
#[test]
fn a_guard_whose_script_needs_what_the_image_lacks_stops_the_run() {
    let sandbox = Sandbox::new();
    image_has(&sandbox, &["sh"]);
    sandbox.script("home/.claude/hooks/guard", "#!/usr/bin/env -S uv run\n");
    sandbox.write(
        "home/.claude/settings.json",
        json!({"hooks": {"PreToolUse": [{"hooks": [{"command": "~/.claude/hooks/guard"}]}]}}).to_string(),
    );
    sandbox.ai(["run", "claude", "x"]).outcome().refused(77, &["its PreToolUse hook guards", "`uv`, which", "image = { apt"]);
    image_has(&sandbox, &["sh", "uv"]);
    assert_eq!(sandbox.ai(["run", "claude", "x"]).outcome().code, 0);
}

// SE-02, SE-03: plugins bring hooks and servers; those that are off count for nothing.
#[test]
fn what_plugins_name_is_looked_at_too() {
    let sandbox = Sandbox::new();
    image_has(&sandbox, &["sh", "node"]);
    let cache = |name: &str| format!("home/.claude/plugins/cache/shop/{name}/1");
    let at = |name: &str| sandbox.root().join(cache(name));
    for name in ["on", "off"] {
        let hook = |command: &str| json!([{"hooks": [{"type": "command", "command": command}]}]);
        let hooks = json!({"hooks": {"PreToolUse": hook("\"${CLAUDE_PLUGIN_ROOT}\"/guard"), "Stop": hook("afplay done.mp3")}});
        sandbox.write(format!("{}/hooks/hooks.json", cache(name)), hooks.to_string());
        sandbox.write(format!("{}/.mcp.json", cache(name)), json!({"x": {"command": "bunx", "args": ["y"]}}).to_string());
        sandbox.write(format!("{}/guard", cache(name)), [0xcf, 0xfa, 0xed, 0xfe, 0, 0]);
    }
    let installed = json!({"version": 2, "plugins": {"on@shop": [{"installPath": at("on")}], "off@shop": [{"installPath": at("off")}]}});
    sandbox.write("home/.claude/plugins/installed_plugins.json", installed.to_string());
    sandbox.write("home/.claude/settings.json", json!({"enabledPlugins": {"on@shop": true, "off@shop": false}}).to_string());
    let extension = json!({"name": "e", "mcpServers": {"s": {"command": "deno", "args": ["${extensionPath}/s.ts"]}}});
    sandbox.write("home/.gemini/extensions/e/gemini-extension.json", extension.to_string());
    let causes = |tool: &str| found(&sandbox, tool).into_iter().map(|[_, cause, _]| cause).collect::<Vec<_>>();
    let claude = causes("claude");
    for cause in
        ["Stop hook of on@shop: the program `afplay` is", "MCP server of on@shop: the program `bunx` is", "PreToolUse hook of on@shop: `"]
    {
        assert!(claude.iter().any(|found| found.starts_with(cause)), "{cause}: {claude:#?}");
    }
    assert!(claude.len() == 3 && !claude.iter().any(|cause| cause.contains("off@shop")), "{claude:#?}");
    assert_eq!(causes("gemini"), ["MCP server of e: the program `deno` is not in the container"]);
    let stops = sandbox.ai(["run", "claude", "x"]).outcome();
    stops.refused(77, &["its PreToolUse hook of on@shop guards", "a program of another system or processor", "built for Linux"]);
    sandbox.write(format!("{}/guard", cache("on")), "#!/bin/sh\n");
    assert_eq!(sandbox.ai(["run", "claude", "x"]).outcome().code, 0);
}

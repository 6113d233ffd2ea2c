//! Settings and state through the real program: what is made, what flows, what stays, what is shown.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::bed::{Bed, Image};
use crate::sandbox::{Sandbox, tools_with_login, tree};

/// The home of a tool in the project of this sandbox.
fn home(sandbox: &Sandbox, tool: &str) -> PathBuf {
    let projects = sandbox.store().join("global_state").join(tool).join("projects");
    fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home")
}

/// A run of claude on the real engine that is this shell text.
fn claude(bed: &Bed, script: &str) -> String {
    bed.ai(["run", "claude", "sh", "-c", script]).prints()
}

// F-01
#[test]
fn a_first_run_makes_everything_private_and_says_nothing() {
    for tool in tools_with_login() {
        let sandbox = Sandbox::new();
        sandbox.ai(["run", tool, "x"]).prints();
        for (path, (mode, _)) in tree(&sandbox.store()) {
            // What names the user to programs in the container is for all to read, behind a door that is closed.
            let public = path.ends_with("user/passwd") || path.ends_with("user/group");
            // Where a scratch file system is mounted over: its mode is taken over, and the person must be able to write there.
            let is_scratch = path.components().any(|part| part.as_os_str() == "home") && mode & 0o7777 == 0o1777;
            let expected = if path.is_symlink() {
                0o777
            } else if is_scratch && path.is_dir() {
                0o1777
            } else if path.is_dir() {
                0o700
            } else if public {
                0o644
            } else {
                0o600
            };
            assert_eq!(mode & 0o7777, expected, "{}", path.display());
        }
    }
}

// F-02
#[test]
fn a_token_that_a_tool_renews_is_there_in_every_other_project() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let login =
        r#"{"claudeAiOauth":{"accessToken":"made-up","refreshToken":"renewed","expiresAt":4102444800000,"scopes":["user:inference"]}}"#;
    claude(&bed, &format!("umask 077; echo '{login}' >\"$CLAUDE_SECURESTORAGE_CONFIG_DIR/.credentials.json\""));
    let other = bed.root().join("work/other");
    fs::create_dir(&other).unwrap();
    let read = "cat \"$CLAUDE_SECURESTORAGE_CONFIG_DIR/.credentials.json\"";
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", read]).cwd(other).prints(), format!("{login}\n"));
    bed.nothing_left();
}

// F-13, F-14
#[test]
fn what_a_tool_writes_is_on_the_host_at_once_and_what_is_of_one_run_is_not() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let kept = ["history.jsonl", "projects/-workspace-proj/a.jsonl", "commands/c.md", "agents/a.md", "marker"];
    let dropped = ["debug/log", "statsig/x", "shell-snapshots/s", "sessions/1.json"];
    let write = |path: &&str| format!("mkdir -p \"$(dirname {path})\"; echo {path} >{path}; ");
    let script: String = kept.iter().chain(&dropped).map(write).collect();
    claude(&bed, &format!("cd \"$CLAUDE_CONFIG_DIR\"; echo t >/tmp/t; {script}"));
    let home = home(&bed, "claude");
    for path in kept {
        assert_eq!(fs::read_to_string(home.join(path)).unwrap(), format!("{path}\n"));
        assert_eq!(claude(&bed, &format!("cat \"$CLAUDE_CONFIG_DIR/{path}\"")), format!("{path}\n"));
    }
    for path in dropped {
        assert!(!home.join(path).exists(), "{path}");
    }
    bed.nothing_left();
}

// F-09
#[test]
fn what_is_declared_is_the_same_in_all_places_and_nothing_else_travels() {
    let sandbox = Sandbox::new();
    let declared = ["settings.json", "CLAUDE.md", "commands/deep/c.md", "agents/a.md", "skills/s/SKILL.md"];
    let others = [".credentials.json", "history.jsonl", "projects/p/t.jsonl", "debug/d", "statsig/s", "ide/1.lock", "plugins/p.json"];
    for path in declared.iter().chain(&others) {
        sandbox.write(format!("home/.claude/{path}"), if path.ends_with("settings.json") { "{\"a\":1}" } else { path });
    }
    sandbox.write("home/.claude.json", r#"{"theme":"dark","userID":"x","projects":{"/p":{"hasTrustDialogAccepted":true}}}"#);
    let host = tree(&sandbox.home().join(".claude"));
    sandbox.ai(["run", "claude", "x"]).prints();
    let (hub, home) = (sandbox.store().join("global_state/claude/hub"), home(&sandbox, "claude"));
    for path in &declared[1..] {
        let content = |root: &PathBuf| fs::read(root.join(path)).unwrap();
        assert_eq!((content(&hub), content(&home)), (path.as_bytes().to_vec(), path.as_bytes().to_vec()));
    }
    assert!(fs::read_to_string(home.join("settings.json")).unwrap().contains("\"a\""));
    for root in [&hub, &home] {
        for path in others {
            assert!(!root.join(path).exists(), "{path} in {}", root.display());
        }
        let state = fs::read_to_string(root.join(".claude.json")).unwrap();
        assert!(state.contains("dark") && !state.contains("userID") && !state.contains("projects"), "{state}");
    }
    assert_eq!(tree(&sandbox.home().join(".claude")), host, "the host is only read");
}

// F-11
#[test]
fn a_broken_file_is_named_with_its_tool_and_stops_nobody() {
    for content in ["", "{\"theme\":", "{}{}", "\u{feff}nonsense"] {
        let sandbox = Sandbox::new();
        sandbox.write("home/.claude/settings.json", content);
        let outcome = sandbox.ai(["run", "claude", "x"]).outcome();
        assert_eq!(outcome.code, 0);
        assert!(
            outcome.err().contains("broken") && outcome.err().contains("ai: claude: ignored `.claude/settings.json` (host): it is "),
            "{}",
            outcome.err()
        );
        sandbox.the_run();
        assert_eq!(fs::read_to_string(sandbox.home().join(".claude/settings.json")).unwrap(), content);
    }
}

// F-12
#[test]
fn status_shows_direction_time_hash_and_validity_of_each_file() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.claude/settings.json", "{\"theme\":\"light\"}");
    sandbox.ai(["run", "claude", "x"]).prints();
    sandbox.write("home/.claude/settings.json", "{\"theme\":\"dark\"}");
    fs::write(home(&sandbox, "claude").join("settings.json"), "{\"theme\":\"light\",\"verbose\":true}").unwrap();
    sandbox.write("home/.claude.json", "{");
    let hub = fs::File::open(sandbox.store().join("global_state/claude/hub/settings.json")).unwrap();
    hub.set_modified(SystemTime::now() - Duration::from_secs(2 * 3600 + 5)).unwrap();
    let before = tree(&sandbox.home());
    let rows: Vec<serde_json::Value> = serde_json::from_str(&sandbox.ai(["sync", "status", "claude", "--json"]).prints()).unwrap();
    let row = |place: &str, path: &str| {
        let is = |row: &&serde_json::Value| row["site"]["place"] == place && row["site"]["path"] == path;
        rows.iter().find(is).unwrap_or_else(|| panic!("{place} {path} in {rows:#?}"))
    };
    let host = row("host", ".claude/settings.json");
    assert_eq!((host["health"].as_str(), host["hash"].as_str().unwrap().len()), (Some("valid"), 64));
    assert!(host["modified"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(row("hub", "settings.json")["from"], serde_json::json!(["host", "project"]));
    assert_eq!(row("project", "settings.json")["from"], serde_json::json!(["hub"]));
    assert_eq!(row("host", ".claude.json")["health"], "torn");
    let text = sandbox.ai(["sync", "status", "claude"]).prints();
    let line = text.lines().find(|line| line.starts_with("`settings.json` (hub)")).unwrap();
    assert!(line.contains(" valid ") && line.contains(" 2h00m ago ") && line.ends_with("<- host <- project"), "{line}");
    let diff = sandbox.ai(["sync", "diff", "claude", "--json"]).outcome().out();
    let diff: Vec<serde_json::Value> = serde_json::from_str(&diff).unwrap();
    assert!(diff.iter().any(|diff| diff["site"]["place"] == "project" && diff["after"].as_str().unwrap().contains("dark")));
    let dry = sandbox.ai(["sync", "in", "claude", "--dry-run"]).outcome();
    assert!(dry.out().contains("--- `settings.json` (hub)\n") && dry.code == 0);
    assert_eq!(tree(&sandbox.home()), before, "whoever looks changes nothing");
}

// F-12
#[test]
fn a_sync_out_can_be_tried_dry() {
    let sandbox = Sandbox::new();
    let session = sandbox.ai(["sync", "in", "--owner", &std::process::id().to_string(), "claude"]).prints();
    fs::write(home(&sandbox, "claude").join("settings.json"), "{\"theme\":\"dark\"}").unwrap();
    let before = tree(&sandbox.home());
    let dry = sandbox.ai(["sync", "out", "--dry-run", session.trim()]).prints();
    assert!(dry.starts_with("--- `settings.json` (hub)\n") && dry.contains("dark"), "{dry}");
    assert_eq!(tree(&sandbox.home()), before);
    sandbox.ai(["sync", "out", session.trim()]).prints();
    assert!(fs::read_to_string(sandbox.store().join("global_state/claude/hub/settings.json")).unwrap().contains("dark"));
    let log = sandbox.ai(["sync", "log", "claude"]).prints();
    assert!(log.lines().next().unwrap().contains(" out ") && log.contains("`settings.json` (hub)"), "{log}");
    let undo = sandbox.ai(["sync", "undo", "claude"]).outcome();
    assert!(undo.err().contains("put back `settings.json` (hub)"), "{}", undo.err());
    assert!(!sandbox.store().join("global_state/claude/hub/settings.json").exists(), "it was not there before");
}

// F-15
#[test]
fn explain_shows_where_the_tool_s_configuration_is_on_both_sides() {
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude", "x"]).prints();
    let text = sandbox.ai(["resolve", "--explain", "claude"]).prints();
    let home = home(&sandbox, "claude");
    let line = text.lines().find(|line| line.contains(home.to_str().unwrap()) && line.contains("target=/home/ai/.claude"));
    assert!(line.is_some(), "{text}");
}

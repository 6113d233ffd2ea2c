//! The same vector in every spelling, and the reason for each word.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::engine::words_of;
use crate::sandbox::Sandbox;
use crate::shells::Shell;

const SESSION: &str = "0123456789ab";

/// What `ai resolve` prints for these words in this format.
fn resolve(sandbox: &Sandbox, options: &[&str], words: &[OsString]) -> Vec<u8> {
    let outcome = sandbox.ai(["resolve", "--session", SESSION]).args(options).args(["--", "claude"]).args(words).outcome();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    outcome.stdout
}

/// Has `shell` evaluate the plan for `words`, with a program in the engine's place that prints what it was called with.
fn evaluated(sandbox: &Sandbox, shell: Shell, words: &[OsString]) -> Vec<OsString> {
    let plan = sandbox.root().join("plan");
    std::fs::write(&plan, resolve(sandbox, &["--shell", shell.name()], words)).unwrap();
    let script = shell.text("eval \"$(cat \"$PLAN\")\"", "cat $PLAN | read --null plan; eval $plan");
    let outcome = sandbox.bare(shell, script).env("PLAN", plan).outcome();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{shell:?}");
    words_of(&outcome.stdout)
}

fn printing() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.program("docker", "#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\n");
    sandbox
}

// C-15
#[test]
fn every_shell_reads_back_the_same_vector() {
    let sandbox = printing();
    let words: Vec<OsString> =
        ["", "a b", "it's", "\\", "\\'", "\n", "$x", "*", "~", "=ls", "{a,b}", "!!", "\u{7f}", "ü"].iter().map(Into::into).collect();
    let exact = words_of(&resolve(&sandbox, &["--format", "argv0"], &words));
    assert_eq!(exact[exact.len() - words.len()..], words);
    for shell in Shell::all() {
        assert_eq!(evaluated(&sandbox, shell, &words), exact, "{shell:?}");
    }
}

// C-15, C-02: the quoting law, on words of any bytes that an argument can have.
#[test]
fn any_words_survive_every_shell() {
    let special = prop::sample::select(b"'\"\\\n\r\t $`*?[]{}()<>|&;!#~=^%,".to_vec());
    let byte = prop_oneof![special, 1..=255_u8];
    let words = prop::collection::vec(prop::collection::vec(byte, 0..12), 1..40);
    for shell in Shell::all() {
        let sandbox = printing();
        let law = |words: Vec<Vec<u8>>| {
            let words: Vec<OsString> = words.into_iter().map(OsString::from_vec).collect();
            let exact = words_of(&resolve(&sandbox, &["--format", "argv0"], &words));
            prop_assert_eq!(&exact[exact.len() - words.len()..], words.as_slice());
            prop_assert_eq!(evaluated(&sandbox, shell, &words), exact);
            Ok(())
        };
        let config = Config { cases: 24, max_shrink_iters: 64, failure_persistence: None, ..Config::default() };
        TestRunner::new(config).run(&words, law).unwrap();
    }
}

// C-15
#[test]
fn lines_and_json_hold_the_same_words() {
    let sandbox = Sandbox::new();
    let words: Vec<OsString> = vec!["a b".into(), "ü".into()];
    let exact = words_of(&resolve(&sandbox, &["--format", "argv0"], &words));
    let lines = resolve(&sandbox, &["--format", "lines"], &words);
    assert!(lines.split(|byte| *byte == b'\n').map(OsStr::from_bytes).eq(exact.iter().map(OsString::as_os_str).chain([OsStr::new("")])));
    let json: Value = serde_json::from_slice(&resolve(&sandbox, &["--format", "json"], &words)).unwrap();
    let argv: Vec<OsString> = json["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().into()).collect();
    assert_eq!(argv, exact);
    conforms(&json, &serde_json::from_str(include_str!("../../docs/plan.schema.json")).unwrap(), "the plan");
    for (key, value) in [("tool", "claude"), ("session", SESSION), ("workdir", "/workspace/proj"), ("image", "ai-tools:1")] {
        assert_eq!(json[key], value, "{key}");
    }
}

/// Checks what the schema says by `type`, `properties`, `required` and `items`; no other key may be there.
fn conforms(value: &Value, schema: &Value, at: &str) {
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&kind) || (kind == "number" && types.contains(&"integer")), "{at} is {kind}, not {types:?}");
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(required).is_some(), "{at} has no {required}");
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        assert!(schema["properties"].get(key).is_some(), "{at} has {key}, which the schema does not know");
        conforms(value, &schema["properties"][key], key);
    }
    for item in value.as_array().into_iter().flatten() {
        conforms(item, &schema["items"], at);
    }
}

// C-15, P1
#[test]
fn json_refuses_what_it_cannot_say() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.ai(["resolve", "--format", "json", "claude"]).args([OsStr::from_bytes(b"\xff")]).outcome();
    outcome.refused(2, &["it is not UTF-8", "hint: use --format argv0"]);
}

// C-16
#[test]
fn every_word_has_a_reason_and_an_origin() {
    let mut sandbox = Sandbox::new();
    sandbox.config("# mine\npids = 77\n[tool.claude]\nmemory = '600m'\n");
    sandbox.set("AI_NETWORK", "none");
    let explained = String::from_utf8(resolve(&sandbox, &["--cpus", "0.5", "--explain"], &["a b".into()])).unwrap();
    let config = sandbox.store().join("config.toml").display().to_string();
    for (words, origin) in [
        ("--pids-limit 77", format!("({config}:2)")),
        ("--memory 629145600", format!("({config}:4)")),
        ("--network none", "($AI_NETWORK)".into()),
        ("--cpus 0.5", "(--cpus)".into()),
        ("--rm", "(default)".into()),
        ("'a b'", "(command line)".into()),
        ("-e 'CLAUDE_CONFIG_DIR=/home/ai/.claude'", "(manifest of claude)".into()),
    ] {
        let line = explained.lines().find(|line| line.starts_with(words)).unwrap_or_else(|| panic!("{words} in {explained}"));
        assert!(line.ends_with(&origin), "{line}");
    }
    let argv = words_of(&resolve(&sandbox, &["--cpus", "0.5", "--format", "argv0"], &["a b".into()]));
    for flag in argv.iter().filter(|word| word.as_bytes().starts_with(b"-")) {
        let flag = flag.to_str().unwrap();
        assert!(explained.lines().any(|line| line.split(' ').next() == Some(flag)), "{flag} in {explained}");
    }
    assert!(explained.lines().all(|line| line.ends_with(')') && line.contains("  ")), "{explained}");
}

/// Compares a plan on recorded facts with the file of this name below `tests/snap`, one word on each line.
#[track_caller]
fn snapshot(name: &str, options: &[&str], words: &[&str]) {
    let mut sandbox = Sandbox::new();
    sandbox.set("ZAI_API_KEY", "made-up");
    // What differs between machines: who runs the tests, and how large the engine is.
    sandbox.config("memory = '1g'\ncpus = 0.5\n");
    sandbox.ai(["run"]).args(words).prints();
    let lines = sandbox.ai(["resolve", "--session", SESSION, "--format", "lines"]).args(options).args(["--"]).args(words).prints();
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let hash = lines.lines().find_map(|line| line.strip_prefix("ai.project=proj-")).unwrap().to_owned();
    let store = lines.lines().find_map(|line| line.strip_prefix("ai.store=")).unwrap().to_owned();
    let known = [
        (sandbox.root().display().to_string(), "/sandbox"),
        (hash, "0a1b2c3d"),
        (format!("--user\n{uid}:{gid}\n"), "--user\nUID:GID\n"),
        (format!("ai.owner={uid}\n"), "ai.owner=UID\n"),
        (format!("ai.store={store}\n"), "ai.store=STORE\n"),
        ("-e\nIS_SANDBOX=1\n".into(), ""),
    ];
    let text = known.iter().fold(lines, |text, (found, name)| text.replace(found.as_str(), name));
    let path = format!("{}/tests/snap/{name}.argv", env!("CARGO_MANIFEST_DIR"));
    snapbox::assert_data_eq!(text, snapbox::Data::read_from(path.as_ref(), Some(snapbox::data::DataFormat::Text)).raw());
}

// C-01, C-03
#[test]
fn the_vector_of_each_tool_is_the_recorded_one() {
    snapshot("claude", &[], &["claude", "fix it"]);
    snapshot("claude-terminal", &["--tty=both"], &["claude"]);
    snapshot("claude-print", &["--tty=both"], &["claude", "-p", "fix it"]);
    snapshot("claude-hardened", &["--hardened", "--network", "none"], &["claude"]);
    snapshot("gemini", &[], &["gemini", "fix it"]);
    snapshot("codex", &[], &["codex", "exec", "fix it"]);
    snapshot("glm", &[], &["glm", "fix it"]);
    snapshot("exec", &[], &["exec", "ls", "-la"]);
}

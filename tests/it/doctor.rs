//! `ai doctor`: findings with hints, an exit code that is the worst of them, and what it may repair.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::Value;

use crate::bed::{Bed, Image};
use crate::sandbox::Sandbox;

fn report(run: crate::process::Run) -> (i32, Value) {
    let outcome = run.outcome();
    (outcome.code, serde_json::from_slice(&outcome.stdout).unwrap())
}

fn find<'a>(report: &'a Value, title: &str, cause: &str) -> Option<&'a Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["title"] == title && finding["cause"].as_str().unwrap().contains(cause))
}

// M-06
#[test]
fn the_exit_code_is_the_worst_finding() {
    let mut sandbox = Sandbox::new();
    sandbox.without("docker");
    let (code, missing) = report(sandbox.ai(["doctor", "--json"]));
    assert_eq!((code, missing["worst"].as_str()), (2, Some("error")));
    assert_eq!(find(&missing, "engine", "`docker` is not installed").unwrap()["level"], "error");
    sandbox.set("SSH_AUTH_SOCK", "/nonexistent");
    let (_, broken) = report(sandbox.ai(["doctor", "--json"]));
    assert_eq!(find(&broken, "ssh agent", "no socket").unwrap()["level"], "warning");
}

// M-03: once is enough, and the image is looked for where the engine has it from.
#[test]
fn each_trouble_is_named_once() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("DOCKER_HOST");
    sandbox.set("DOCKER_CONTEXT", "lab");
    let (_, lost) = report(sandbox.ai(["doctor", "--json"]));
    let errors = |report: &Value| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["level"] == "error").map(|finding| finding["hint"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(errors(&lost), ["docker context ls; then docker context use NAME, or unset DOCKER_CONTEXT"]);
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    bed.set("AI_IMAGE", "no-such:1");
    assert_eq!(errors(&report(bed.ai(["doctor", "--json"])).1), ["docker pull no-such:1"]);
}

// M-06
#[test]
fn what_is_open_in_the_store_is_closed_on_request() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    bed.ai(["run", "claude", "true"]).prints();
    let secret = bed.write("home/.docker-ai-config/secrets/key", "made-up");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(bed.store(), fs::Permissions::from_mode(0o755)).unwrap();
    let (code, open) = report(bed.ai(["doctor", "--json"]));
    assert!(code == 1 && find(&open, "store", "open to others").unwrap()["hint"] == "ai doctor --fix", "{open:#}");
    let (_, fixed) = report(bed.ai(["doctor", "--fix", "--json"]));
    assert!(find(&fixed, "store", "open to others").is_none() && find(&fixed, "store", "closed").is_some(), "{fixed:#}");
    assert_eq!((fs::metadata(&secret).unwrap().mode() & 0o777, fs::metadata(bed.store()).unwrap().mode() & 0o777), (0o600, 0o700));
    let (_, again) = report(bed.ai(["doctor", "--json"]));
    assert!(find(&again, "store", "open to others").is_none());
}

// M-05, M-06
#[test]
fn an_engine_that_is_old_or_small_is_named() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let (_, report) = report(bed.ai(["doctor", "--json"]));
    assert!(find(&report, "engine", "processors").is_some() && find(&report, "image", "ai-bed/busybox").is_some(), "{report:#}");
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["level"] != "error"), "{report:#}");
}

// H-09
#[test]
fn a_remote_without_credentials_is_named_without_its_secrets() {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    sandbox.run("git").args(["remote", "add", "origin", "https://jo:made-up@git.example/p"]).prints();
    let (_, report) = report(sandbox.ai(["doctor", "--json"]));
    let finding = find(&report, "git", "https://git.example/p").unwrap();
    assert!(finding["hint"].as_str().unwrap().contains("gh_token") && !report.to_string().contains("made-up"), "{report:#}");
}

#[test]
fn what_was_proven_is_kept_for_plans_to_read() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return;
    }
    let (_, report) = report(bed.ai(["doctor", "--prove", "--json"]));
    let outcomes = report["proof"]["outcomes"].as_array().unwrap();
    assert!(outcomes.len() >= 30, "{report:#}");
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome["verdict"] == "fails").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for name in
        ["file-owner", "lock-mkdir", "rename-by-host", "tmpfs-over-directory", "terminal-resize", "signal", "limit-memory", "nothing-left"]
    {
        assert!(outcomes.iter().any(|outcome| outcome["name"] == name && outcome["verdict"] == "holds"), "{name}");
    }
    let kept = fs::read_dir(bed.store().join("engines")).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let kept: Value = serde_json::from_slice(&fs::read(&kept[0]).unwrap()).unwrap();
    assert_eq!(kept["proof"], report["proof"]);
    bed.ai(["run", "claude", "true"]).prints();
    assert!(find(&self::report(bed.ai(["doctor", "--json"])).1, "proof", "hold with").is_some());
}

#[test]
fn only_what_was_asked_is_well() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("FAKE_ENGINE_DO");
    sandbox.set("DOCKER_HOST", "unix:///nope");
    let (code, found) = report(sandbox.ai(["doctor", "--json"]));
    assert_eq!((code, find(&found, "engine", "at unix:///nope").unwrap()["level"].as_str()), (2, Some("note")));
    assert!(find(&found, "sessions", "").is_none(), "{found:#}");
    sandbox.program("docker", "#!/bin/sh\necho 'failed to connect to the docker API' >&2; exit 1\n");
    for word in ["ps", "gc", "stop"] {
        let args = if word == "stop" { vec![word, "--all"] } else { vec![word] };
        assert!(sandbox.ai(args).outcome().err().ends_with("hint: ai doctor\n"), "{word}");
    }
}

#[test]
fn a_setting_without_a_value_says_who_decides() {
    let sandbox = Sandbox::new();
    let text = sandbox.ai(["config"]).prints();
    let row = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
    assert_eq!((row("memory").as_str(), row("engine ").as_str()), ("- (the tool's manifest)", "- (the first that is installed)"));
    let json: Value = serde_json::from_str(&sandbox.ai(["config", "--json"]).prints()).unwrap();
    assert!(json["memory"]["value"].is_null() && json["memory"]["origin"] == "default", "{json:#}");
}

#[test]
fn broken_files_are_findings_and_the_rest_is_looked_at() {
    let sandbox = Sandbox::new();
    sandbox.config("networc = 'none'\n");
    sandbox.manifest("bad", "command = [\n");
    sandbox.manifest("Upper", "");
    let (code, found) = report(sandbox.ai(["doctor", "--json"]));
    assert_eq!(code, 2);
    let config = find(&found, "config", "config.toml`").unwrap();
    assert_eq!((config["level"].as_str(), config["hint"].as_str()), (Some("error"), Some("did you mean `network`?")));
    let details = config["details"][0].as_str().unwrap();
    assert!(details.contains("line 1") && details.contains("unknown field `networc`"), "{details}");
    assert_eq!(find(&found, "tools", "tools/bad.toml").unwrap()["level"], "error");
    assert_eq!(find(&found, "tools", "tools/Upper.toml` has no effect").unwrap()["level"], "warning");
    assert!(find(&found, "system", "").is_some() && find(&found, "engine", "docker at ").is_some(), "{found:#}");
    sandbox.config("[tool.claud]\nkeep = true\n");
    let (_, found) = report(sandbox.ai(["doctor", "--json"]));
    assert_eq!(found["findings"].as_array().unwrap().iter().filter(|finding| finding["title"] == "config").count(), 1, "{found:#}");
    sandbox.config("[tool.laboratory]\nkeep = true\n");
    let (_, found) = report(sandbox.ai(["doctor", "--json"]));
    assert_eq!(find(&found, "config", "config.toml:1: `[tool.laboratory]` has no effect").unwrap()["level"], "warning");
    assert!(sandbox.ai(["config"]).outcome().err().contains("`[tool.laboratory]` has no effect"));
}

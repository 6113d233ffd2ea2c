//! `ai login`, `ai logout`, sessions that take turns, and one login for all projects on a real engine.

use std::fs;
use std::time::{Duration, Instant};

use crate::bed::{Bed, Image};
use crate::creds::{CANARY, LOGIN, ai, claude, private};
use crate::guarded::guarded;
use crate::mock::Mock;
use crate::process::Run;
use crate::process::wait_for;
use crate::require::need;
use crate::sandbox::{AI, Sandbox, find_program, tools_with_login};
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// What claude's own login leaves, as shell text of the engine.
fn leaves(sandbox: &Sandbox, text: &str) -> String {
    format!("printf '%s' '{text}' >{}", sandbox.root().join(LOGIN).display())
}

#[test]
fn a_login_is_said_to_be_one_only_when_it_is_there() {
    let mut sandbox = Sandbox::new();
    ai(&sandbox, &["login", "claude"]).refused(1, &["left no credential file", "it ended with 0", "hint: ai login claude"]);
    let tail = sandbox.the_run();
    assert_eq!(&tail.argv[tail.argv.len() - 3..], ["claude", "auth", "login"], "the tool's own");

    sandbox.set("FAKE_ENGINE_DO", leaves(&sandbox, "{}"));
    ai(&sandbox, &["login", "claude"]).refused(1, &["holds no login"]);

    sandbox.set("FAKE_ENGINE_DO", leaves(&sandbox, &claude("1", "me", 4_000_000_000)));
    let outcome = ai(&sandbox, &["login", "claude"]).succeeds();
    assert!(outcome.err().contains("logged in to claude as me"), "{}", outcome.err());
    private_login(&sandbox);

    // Cancelled: the one before is still there, and that is said.
    sandbox.set("FAKE_ENGINE_DO", "exit 1");
    ai(&sandbox, &["login", "claude"]).refused(1, &["the login that was there before", "it ended with 1"]);
}

#[track_caller]
fn private_login(sandbox: &Sandbox) {
    let backups = sandbox.store().join("global_state/claude/backups");
    assert!(backups.join("0001-good/.credentials.json").exists());
}

#[test]
fn a_logout_keeps_a_backup_and_is_checked() {
    let mut sandbox = Sandbox::new();
    let outcome = ai(&sandbox, &["logout", "claude"]).succeeds();
    assert!(outcome.err().contains("not logged in") && sandbox.calls().is_empty());
    sandbox.write(LOGIN, claude("1", "me", 4_000_000_000));
    ai(&sandbox, &["logout", "claude"]).refused(1, &["its login is still there"]);
    private_login(&sandbox);
    sandbox.set("FAKE_ENGINE_DO", format!("rm {}", sandbox.root().join(LOGIN).display()));
    assert!(ai(&sandbox, &["logout", "claude"]).succeeds().err().contains("logged out of claude"));
}

// codex and gemini replace or unlink their files by name, so the login directory is their home meanwhile.
#[test]
fn a_tool_that_unlinks_its_login_has_it_as_its_home() {
    let mut sandbox = Sandbox::new();
    let login = sandbox.store().join("global_state/codex/shared/login");
    sandbox.set("FAKE_ENGINE_DO", format!("printf '{{\"OPENAI_API_KEY\":\"{CANARY}\"}}' >{}/auth.json", login.display()));
    ai(&sandbox, &["login", "codex"]).succeeds();
    let run = sandbox.the_run();
    let argv = crate::engine::Argv(run.argv);
    // By a link, inside: containers can replace the directory, so no mount has it as its source.
    assert_eq!(argv.source_of("/home/ai/.codex"), None);
    let words: Vec<&str> = argv.tail().iter().map(|word| word.to_str().unwrap()).collect();
    let at = words.iter().position(|word| *word == "/home/ai/.codex").unwrap();
    assert!(words[at - 2].contains("ln -s \"$2\" \"$1\"") && words[at + 1] == "/ai/shared/login", "{words:?}");
    assert!(!argv.has("--tmpfs") || argv.values("--tmpfs").iter().all(|target| !target.starts_with("/home/ai/.codex")));
    assert_eq!(sandbox.plan(["codex"]).source_of("/home/ai/.codex").unwrap().rsplit('/').next(), Some("home"));
}

#[test]
fn gemini_has_no_logout_of_its_own_so_its_files_go() {
    let sandbox = Sandbox::new();
    let login = "home/.docker-ai-config/global_state/gemini/shared/login";
    sandbox.write(format!("{login}/oauth_creds.json"), format!(r#"{{"refresh_token":"{CANARY}"}}"#));
    sandbox.write(format!("{login}/google_accounts.json"), "{}");
    ai(&sandbox, &["logout", "gemini"]).succeeds();
    assert!(sandbox.calls().is_empty());
    assert_eq!(fs::read_dir(sandbox.root().join(login)).unwrap().count(), 0);
    ai(&sandbox, &["creds", "restore", "gemini", "--last-good"]).succeeds();
    assert_eq!(fs::read_dir(sandbox.root().join(login)).unwrap().count(), 2);
    private(&sandbox);
}

#[test]
fn a_profile_with_a_key_cannot_log_in() {
    let sandbox = Sandbox::new();
    ai(&sandbox, &["login", "glm"]).refused(2, &["it has no login", "ZAI_API_KEY", "secrets/zai_key"]);
    ai(&sandbox, &["creds", "restore", "glm", "--last-good"]).refused(2, &["it has no login"]);
}

// The version that `ai image status` recorded is older than the first that may share a login.
#[test]
fn sessions_of_an_old_program_run_one_at_a_time() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AI_IMAGE", "old:1");
    sandbox.write(LOGIN, claude("1", "me", 4_000_000_000));
    let versions = |version: &str| sandbox.write("home/.docker-ai-config/images.json", format!(r#"{{"old:1":{{"claude":"{version}"}}}}"#));
    versions("2.1.100");
    let owner = std::process::id().to_string();
    let open = || ai(&sandbox, &["sync", "in", "--owner", &owner, "--", "claude"]).succeeds().out().trim().to_owned();
    let first = open();
    let began = Instant::now();
    ai(&sandbox, &["run", "claude", "--", "-p", "hi"])
        .fails_with(75)
        .refused(75, &["claude 2.1.100 loses a login", "2.1.211 does not", "ai image build"]);
    assert!((Duration::from_secs(9)..Duration::from_secs(60)).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert_eq!(fs::read_dir(sandbox.store().join("sessions")).unwrap().count(), 1, "the one that was refused leaves nothing");
    ai(&sandbox, &["run", "gemini", "--", "-p", "hi"]).succeeds();
    ai(&sandbox, &["sync", "out", "--", &first]).succeeds();
    let second = open();
    versions("2.1.211");
    let third = open();
    for session in [second, third] {
        ai(&sandbox, &["sync", "out", "--", &session]).succeeds();
    }
}

// F-02, F-04, I-10
#[test]
fn a_renewed_login_is_seen_by_the_next_run_and_not_taken_back_by_one_that_ends_later() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let other = bed.root().join("work/other");
    fs::create_dir(&other).unwrap();
    let document = claude("new", "me", 4_000_000_000);
    // B is there before A renews, and ends after it.
    let waits = "touch /workspace/proj/ready; until [ -e /workspace/proj/go ]; do sleep 0.1; done; cat /ai/shared/login/.credentials.json";
    let b = bed.ai(["run", "claude", "--", "sh", "-c", waits]).spawn();
    wait_for("the first run", || bed.project().join("ready").exists().then_some(()));
    let a = format!("cd /ai/shared/login && printf '%s' '{document}' >.credentials.json.tmp && mv .credentials.json.tmp .credentials.json");
    bed.ai(["run", "claude", "--", "sh", "-c", &a]).cwd(&other).prints();
    fs::write(bed.project().join("go"), "").unwrap();
    let outcome = crate::process::finish(b);
    assert_eq!((outcome.code, outcome.out()), (0, document.clone()), "{}", outcome.err());
    assert_eq!(fs::read_to_string(bed.root().join(LOGIN)).unwrap(), document);
    assert_eq!(bed.ai(["run", "claude", "--", "cat", "/ai/shared/login/.credentials.json"]).cwd(&other).prints(), document);
    bed.nothing_left();
}

// The real program's login, with the code that a person would paste; then a session elsewhere, and the logout.
#[test]
fn claude_logs_in_once_for_every_project() {
    let Some(mut bed) = Bed::new(Image::Tools) else { return };
    let Some(mock) = Mock::serve(&mut bed.sandbox) else { return };
    for name in ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"] {
        bed.sandbox.unset(name);
    }
    let certificate = fs::read(bed.project().join(".ca.pem")).unwrap();
    bed.write("home/.docker-ai-config/global_state/claude/shared/ca.pem", certificate);
    bed.config(&format!("[tool.claude.env]\nHTTPS_PROXY = '{}'\nNODE_EXTRA_CA_CERTS = '/ai/shared/ca.pem'\n", mock.url));
    let outcome = bed.ai(["login", "claude"]).stdin("made-up-code#made-up-state\n").outcome();
    assert!(outcome.code == 0 && outcome.err().contains("logged in to claude"), "{}{}", outcome.out(), outcome.err());
    let other = bed.root().join("work/other");
    fs::create_dir(&other).unwrap();
    let answer = bed.ai(["run", "claude", "--", "-p", "say hi"]).cwd(&other).outcome();
    assert!(answer.code == 0 && answer.out().contains("heard: say hi"), "{}{}", answer.out(), answer.err());
    let outcome = bed.ai(["logout", "claude"]).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("logged out of claude"), "{}{}", outcome.out(), outcome.err());
    assert_eq!(fs::read_dir(bed.store().join("global_state/claude/backups")).unwrap().count(), 1);
    bed.nothing_left();
}

#[test]
fn the_versions_in_an_image_are_remembered() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    bed.ai(["image", "status"]).prints();
    let images: serde_json::Value = serde_json::from_slice(&fs::read(bed.store().join("images.json")).unwrap()).unwrap();
    let tools = images.as_object().unwrap().values().next().unwrap();
    for tool in tools_with_login() {
        assert!(tools[tool].as_str().unwrap().split('.').count() >= 3, "{images}");
    }
    private(&bed);
}

/// The script that does it at any size; see docs/reliability.md for what it measures.
#[track_caller]
fn concurrency(args: &[&str]) {
    let Some(image) = need("docker", std::env::var("AI_BED_TOOLS").ok()) else { return };
    let Some(python) = need("python3", find_program("python3")) else { return };
    let sandbox = Sandbox::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/concurrency");
    let mut run = Run::new(python, &sandbox.root()).args([script, "--ai", AI]).args(args).env("AI_BED_TOOLS", image);
    for name in ["PATH", "DOCKER_HOST"] {
        if let Some(value) = std::env::var_os(name) {
            run = run.env(name, value);
        }
    }
    let outcome = run.outcome();
    assert_eq!(outcome.code, 0, "{}{}", outcome.out(), outcome.err());
    assert!(!outcome.out().is_empty());
}

// Z-042, P3: the real programs, in real containers, on an expired login whose server takes each refresh token once.
#[test]
fn twelve_sessions_of_claude_renew_once() {
    concurrency(&["--only", "run", "--tool", "claude"]);
}

// Z-042, P3
#[test]
fn twelve_sessions_of_codex_renew_once() {
    concurrency(&["--only", "run", "--tool", "codex"]);
}

// Z-050: a container killed while its tool renews leaves a lock, and that is the tool's to judge.
#[test]
fn the_lock_of_a_killed_session_is_left_alone() {
    concurrency(&["--only", "locks", "--tool", "claude"]);
}

// I-01: a screen in a new project asks nobody for an account that is there, be it a login or a key.
#[test]
fn the_screen_of_gemini_asks_for_no_account_that_is_there() {
    for is_outside in [false, true] {
        for has_key in [false, true] {
            let Some(mut bed) = guarded(Image::Tools) else { return };
            let Some(mock) = Mock::vendors(&mut bed.sandbox) else { return };
            bed.set("AI_KEYS", if is_outside { "outside" } else { "inside" });
            if !has_key {
                bed.unset("GEMINI_API_KEY");
                let (file, document) = mock.login("gemini");
                bed.write(format!("home/.docker-ai-config/global_state/gemini/shared/login/{file}"), document);
            }
            let mut screen = on_terminal(bed.ai(["run", "gemini"]).env("TERM", "xterm-256color"));
            screen.exp_string(if has_key { "Authenticated with gemini-api-key" } else { "Signed in with Google" }).unwrap();
            screen.send("\x03\x03").unwrap();
            screen.flush().unwrap();
        }
    }
}

// I-01: a folder that is trusted, or an account that was chosen, holds from the program's start on: it asks for another one.
#[test]
fn gemini_starts_again_where_it_asks_for_that() {
    let Some(mut bed) = guarded(Image::Tools) else { return };
    let Some(mock) = Mock::vendors(&mut bed.sandbox) else { return };
    bed.unset("GEMINI_API_KEY");
    bed.unset("GEMINI_CLI_TRUST_WORKSPACE");
    bed.link("stty", find_program("stty").unwrap());
    let (file, document) = mock.login("gemini");
    bed.write(format!("home/.docker-ai-config/global_state/gemini/shared/login/{file}"), document);
    let mut screen = on_terminal(bed.shell(Shell::Bash, "stty rows 40 cols 140; gemini; echo code=$?"));
    screen.exp_string("trust the files in this folder").unwrap();
    screen.exp_string("Don't trust").unwrap();
    // The account is looked up meanwhile.
    std::thread::sleep(Duration::from_secs(2));
    screen.send("\r").unwrap();
    screen.flush().unwrap();
    screen.exp_string("is restarting").unwrap();
    screen.exp_string("Signed in with Google").unwrap();
    screen.exp_string("Type your message").unwrap();
    screen.send("/quit").unwrap();
    screen.flush().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    screen.send("\r").unwrap();
    screen.flush().unwrap();
    screen.exp_string("code=0").unwrap();
    bed.nothing_left();
}

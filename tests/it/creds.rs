//! Logins in the store: status, backups, restore, import. Tokens are made up, and none may ever be printed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::Outcome;
use crate::sandbox::{Sandbox, tools_with_login, tree};

/// In every token of these tests.
pub const CANARY: &str = "CANARY";

/// Claude's login: `token` names the link of the chain, `end` is in seconds since 1970.
pub fn claude(token: &str, account: &str, end: u64) -> String {
    format!(
        r#"{{"claudeAiOauth":{{"accessToken":"{CANARY}-a-{token}","refreshToken":"{CANARY}-r-{token}","expiresAt":{end}000}},"organizationUuid":"{account}"}}"#
    )
}

pub const LOGIN: &str = "home/.docker-ai-config/global_state/claude/shared/login/.credentials.json";
const HOST: &str = "home/.claude/.credentials.json";
pub const LATER: u64 = 4_000_000_000;

/// Runs `ai`, and asserts that no token came out.
#[must_use = "look at the outcome, or say how it ends: succeeds, fails_with"]
#[track_caller]
pub fn ai(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    let outcome = sandbox.ai(args).outcome();
    for text in [outcome.out(), outcome.err()] {
        assert!(!text.contains(CANARY), "{args:?} printed a token");
    }
    outcome
}

fn status(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&ai(sandbox, &["creds", "status", "--json"]).succeeds().out()).unwrap()
}

pub fn read(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.root().join(path)).unwrap()
}

pub fn backups(sandbox: &Sandbox) -> Vec<String> {
    let backups = status(sandbox)["backups"].as_array().unwrap().clone();
    backups.iter().map(|backup| backup["name"].as_str().unwrap().to_owned()).collect()
}

/// Runs claude once; `what` is what happens meanwhile, as shell text, with the login file in `$login`.
pub fn session(sandbox: &mut Sandbox, what: &str) -> Outcome {
    sandbox.set("FAKE_ENGINE_DO", format!("login={}; {what}", sandbox.root().join(LOGIN).display()));
    let outcome = ai(sandbox, &["run", "claude", "--", "-p", "hi"]).succeeds();
    sandbox.unset("FAKE_ENGINE_DO");
    outcome
}

/// A run that renews the login.
fn renew(sandbox: &mut Sandbox, token: &str) {
    let document = claude(token, "me", LATER);
    session(sandbox, &format!("umask 077; printf '%s' '{document}' >\"$login\""));
}

// G-12, G-11, G-16
#[test]
fn status_says_everything_but_the_secret() {
    let mut sandbox = Sandbox::new();
    renew(&mut sandbox, "1");
    sandbox.write(HOST, claude("1", "me", LATER));
    sandbox.write("home/.docker-gemini-config/oauth_creds.json", format!(r#"{{"refresh_token":"{CANARY}","expiry_date":1000}}"#));
    fs::set_permissions(sandbox.root().join(LOGIN), fs::Permissions::from_mode(0o644)).unwrap();
    let status = status(&sandbox);
    let row = |source: &str| status["logins"].as_array().unwrap().iter().find(|row| row["source"] == source).unwrap().clone();
    let store = row("store");
    assert_eq!(
        [&store["tool"], &store["used"], &store["validity"], &store["account"], &store["expires"], &store["mode"], &store["refresh"]],
        [&"claude".into(), &true.into(), &Value::from("good"), &"me".into(), &LATER.into(), &"0644".into(), &true.into()]
    );
    assert!(store["advice"].as_str().unwrap().contains("chmod 600 /") && store["advice"].as_str().unwrap().ends_with(".json"));
    let host = row("host");
    assert_eq!(host["duplicate_of"], store["path"]);
    assert!(host["advice"].as_str().unwrap().contains("do not use it"));
    assert_eq!((&row("old")["tool"], &row("old")["expired"]), (&"gemini".into(), &true.into()));
    let text = ai(&sandbox, &["creds", "status"]).succeeds().out();
    for said in ["* claude", "mode 0644", "gemini   store  not logged in", "0001-good", "the same as"] {
        assert!(text.contains(said), "no `{said}` in {text}");
    }
}

// F2, G-09, Z-039: what a refused refresh leaves never replaces the last good one.
#[test]
fn an_emptied_login_is_restored_from_the_last_good_one() {
    let mut sandbox = Sandbox::new();
    renew(&mut sandbox, "1");
    renew(&mut sandbox, "2");
    for bad in
        [claude("", "me", 1).replace(&format!("{CANARY}-r-"), "").replace(&format!("{CANARY}-a-"), ""), "{\"claudeAi".into(), String::new()]
    {
        session(&mut sandbox, &format!("printf '%s' '{bad}' >\"$login\""));
        assert_eq!(backups(&sandbox).iter().filter(|name| name.ends_with("good")).count(), 2, "{bad}");
        let began = Instant::now();
        ai(&sandbox, &["creds", "restore", "claude", "--last-good"]).succeeds();
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(read(&sandbox, LOGIN), claude("2", "me", LATER));
    }
    // Another account, and an earlier link of the chain.
    session(&mut sandbox, &format!("printf '%s' '{}' >\"$login\"", claude("9", "you", LATER)));
    renew(&mut sandbox, "1");
    assert_eq!(backups(&sandbox).iter().filter(|name| name.ends_with("good")).count(), 2);
}

/// G-16
#[track_caller]
pub fn private(sandbox: &Sandbox) {
    for (path, (mode, _)) in tree(&sandbox.store()) {
        let public = ["passwd", "group"].iter().any(|name| path.ends_with(name));
        // A scratch file system is mounted over an empty directory of the home, and takes its mode over.
        let is_scratch = path.components().any(|part| part.as_os_str() == "home") && path.is_dir() && mode & 0o7777 == 0o1777;
        assert!(public || is_scratch || mode & 0o077 == 0 || path.is_symlink(), "{} {mode:o}", path.display());
    }
}

// G-08
#[test]
fn a_restore_removes_what_the_backup_lacks_and_keeps_what_was_there() {
    let sandbox = Sandbox::new();
    let login = "home/.docker-ai-config/global_state/gemini/shared/login";
    sandbox.write(format!("{login}/oauth_creds.json"), format!(r#"{{"refresh_token":"{CANARY}1"}}"#));
    ai(&sandbox, &["creds", "backup", "gemini"]).succeeds();
    sandbox.write(format!("{login}/google_accounts.json"), "{}");
    sandbox.write(format!("{login}/oauth_creds.lock"), "the tool's own");
    ai(&sandbox, &["creds", "restore", "gemini", "0001-good"]).succeeds();
    let names = || -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(sandbox.root().join(login)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["oauth_creds.json", "oauth_creds.lock"]);
    ai(&sandbox, &["creds", "restore", "gemini", "0002-before"]).succeeds();
    assert_eq!(names(), ["google_accounts.json", "oauth_creds.json", "oauth_creds.lock"]);

    let before = tree(&sandbox.root().join(login));
    sandbox.write("home/.docker-ai-config/global_state/gemini/backups/0001-good/oauth_creds.json", "changed");
    ai(&sandbox, &["creds", "restore", "gemini", "0001-good"]).refused(1, &["is bad", "is not what was kept"]);
    ai(&sandbox, &["creds", "restore", "gemini", "--last-good"]).refused(1, &["no backup is whole", "hint: ai login gemini"]);
    ai(&sandbox, &["creds", "restore", "gemini", "../x"]).refused(1, &["there is no backup `../x`"]);
    assert_eq!(tree(&sandbox.root().join(login)), before);
}

// G-15
#[test]
fn a_backup_goes_to_every_place_that_is_there() {
    let mut sandbox = Sandbox::new();
    renew(&mut sandbox, "1");
    fs::create_dir(sandbox.root().join("usb")).unwrap();
    let (usb, gone) = (sandbox.root().join("usb"), sandbox.root().join("gone"));
    let outcome = ai(&sandbox, &["creds", "backup", "claude", "--to", gone.to_str().unwrap(), "--to", usb.to_str().unwrap()]).succeeds();
    assert!(outcome.err().contains("cannot copy the backup of claude"), "{}", outcome.err());
    assert_eq!(fs::read_to_string(usb.join("ai-creds/claude/0002-good/.credentials.json")).unwrap(), claude("1", "me", LATER));
    assert!(!gone.exists());
    for (path, (mode, _)) in tree(&usb) {
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
    // A place that is there and takes no copy is a failure, but no reason to leave the others out.
    let (full, other) = (sandbox.root().join("full"), sandbox.root().join("other"));
    sandbox.write("full/ai-creds", "a file");
    fs::create_dir(&other).unwrap();
    let outcome =
        ai(&sandbox, &["creds", "backup", "claude", "--to", full.to_str().unwrap(), "--to", other.to_str().unwrap()]).fails_with(1);
    assert!(outcome.err().contains("cannot copy the backup of claude"), "{}", outcome.err());
    assert!(other.join("ai-creds/claude/0002-good/.credentials.json").exists());
}

// F-05, Z-040, Z-041
#[test]
fn the_host_s_login_is_adopted_once_and_only_by_its_lineage() {
    let mut sandbox = Sandbox::new();
    ai(&sandbox, &["creds", "import", "claude"]).refused(1, &["is not there", "hint: ai login claude"]);
    sandbox.write(HOST, claude("1", "me", 2_000_000_000));
    let outcome = ai(&sandbox, &["creds", "import", "claude"]).succeeds();
    assert!(outcome.err().contains("do not use"), "{}", outcome.err());
    assert_eq!(read(&sandbox, LOGIN), read(&sandbox, HOST));
    private(&sandbox);
    let outcome = ai(&sandbox, &["creds", "import", "claude"]).succeeds();
    assert!(outcome.err().contains("has this login"), "{}", outcome.err());

    // The store's is renewed; the host's old one can never come back.
    renew(&mut sandbox, "2");
    ai(&sandbox, &["creds", "import", "claude", "--replace"]).refused(1, &["has been renewed since"]);
    // Both went on: the later one stays, the other one is kept.
    sandbox.write(HOST, claude("other", "me", 2_000_000_000));
    let outcome = ai(&sandbox, &["creds", "import", "claude"]).succeeds();
    assert!(outcome.err().contains("newer and stays; the host's is kept as"), "{}", outcome.err());
    assert_eq!(read(&sandbox, LOGIN), claude("2", "me", LATER));
    assert!(backups(&sandbox).last().unwrap().ends_with("loser"));
    // Another account.
    sandbox.write(HOST, claude("h", "you", LATER + 1));
    ai(&sandbox, &["creds", "import", "claude"]).refused(1, &["another account", "--replace"]);
    let from = sandbox.root().join(HOST);
    ai(&sandbox, &["creds", "import", "claude", "--replace", "--from", from.to_str().unwrap()]).succeeds();
    assert_eq!(read(&sandbox, LOGIN), claude("h", "you", LATER + 1));
    assert!(backups(&sandbox).iter().any(|name| name.ends_with("before")));
    // A copy under any name.
    let copy = sandbox.write("copies/creds.json", claude("c", "you", LATER + 2));
    ai(&sandbox, &["creds", "import", "claude", "--from", copy.to_str().unwrap()]).succeeds();
    assert_eq!(read(&sandbox, LOGIN), claude("c", "you", LATER + 2));
    // Nothing was ever written on the host's side.
    assert_eq!(tree(&sandbox.home().join(".claude")).len(), 1);
}

#[test]
fn a_login_in_use_is_not_replaced() {
    let mut sandbox = Sandbox::new();
    renew(&mut sandbox, "1");
    let owner = std::process::id().to_string();
    let open = ai(&sandbox, &["sync", "in", "--owner", &owner, "--", "claude"]).succeeds().out();
    sandbox.write(HOST, claude("h", "me", LATER + 1));
    ai(&sandbox, &["creds", "import", "claude"]).refused(75, &["uses it"]);
    ai(&sandbox, &["creds", "restore", "claude", "--last-good"]).refused(75, &["uses it"]);
    ai(&sandbox, &["sync", "out", "--", open.trim()]).succeeds();
    ai(&sandbox, &["creds", "import", "claude"]).succeeds();
}

// Z-052: a link that a container left where its login was.
#[test]
fn a_planted_link_is_not_followed() {
    let mut sandbox = Sandbox::new();
    let secret = sandbox.write("home/.ssh/id_ed25519", claude("ssh", "me", LATER));
    renew(&mut sandbox, "1");
    for target in ["file", "directory"] {
        let at = if target == "file" { sandbox.root().join(LOGIN) } else { sandbox.root().join(LOGIN).parent().unwrap().to_owned() };
        if at.is_dir() {
            fs::remove_dir_all(&at).unwrap();
        } else {
            fs::remove_file(&at).unwrap();
        }
        symlink(if target == "file" { secret.as_path() } else { secret.parent().unwrap() }, &at).unwrap();
        ai(&sandbox, &["creds", "status"]).refused(1, &["cannot read the login of claude"]);
        ai(&sandbox, &["creds", "backup", "claude"]).fails_with(1);
        let said = session(&mut sandbox, "").err();
        assert!(said.contains("was a link") && said.contains("the login of claude is the last good one again"), "{target}: {said}");
        assert!(!at.is_symlink() && sandbox.root().join(LOGIN).is_file(), "{target}");
        assert_eq!(fs::read_to_string(&secret).unwrap(), claude("ssh", "me", LATER));
        assert_eq!(backups(&sandbox), ["0001-good"]);
    }
}

// A backup of the store by hard links gives each file a second name.
#[test]
fn a_login_with_another_name_is_a_login() {
    let mut sandbox = Sandbox::new();
    renew(&mut sandbox, "1");
    fs::hard_link(sandbox.root().join(LOGIN), sandbox.root().join("snapshot")).unwrap();
    let status = ai(&sandbox, &["creds", "status", "claude"]).succeeds().out();
    assert!(status.starts_with("* claude") && status.contains("good"), "{status}");
    assert_eq!(session(&mut sandbox, "").err(), "");
}

// F-11
#[test]
fn a_broken_login_file_is_named_and_the_run_goes_on() {
    let sandbox = Sandbox::new();
    let login = "home/.docker-ai-config/global_state/gemini/shared/login";
    for (text, said) in [("", "holds no login"), ("{\"active\": ", "is no valid JSON")] {
        sandbox.write(format!("{login}/google_accounts.json"), text);
        let outcome = ai(&sandbox, &["run", "gemini", "--", "-p", "hi"]).succeeds();
        for word in ["google_accounts.json", "of gemini", said] {
            assert!(outcome.err().contains(word), "{text:?}: {}", outcome.err());
        }
    }
    sandbox.write(format!("{login}/google_accounts.json"), r#"{"active":"a@b.c"}"#);
    sandbox.ai(["run", "gemini", "--", "-p", "hi"]).prints();
}

// F-01
#[test]
fn a_first_run_makes_private_directories_without_a_word() {
    for tool in tools_with_login() {
        let sandbox = Sandbox::new();
        sandbox.ai(["run", tool, "--", "--version"]).prints();
        private(&sandbox);
    }
}

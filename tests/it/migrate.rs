//! The old directories: what they hold goes to its place, whole or not at all, and nothing in them is touched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::creds::{CANARY, ai, private};
use crate::process::Outcome;
use crate::require::need;
use crate::sandbox::{AI, Sandbox, find_program, tree};
use crate::terminal::on_terminal;

const OLD: &str = "home/.docker-gemini-config";
const STORE: &str = "home/.docker-ai-config";

fn login(token: &str, end: u64) -> String {
    format!(r#"{{"refresh_token":"{CANARY}-{token}","access_token":"{CANARY}","expiry_date":{end}000}}"#)
}

/// Both old layouts, with what the cases name.
fn old_layouts() -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, text) in [
        (format!("{OLD}/oauth_creds.json"), login("old", 1_000)),
        (format!("{OLD}/google_accounts.json"), r#"{"active":"a@b.c"}"#.to_owned()),
        (format!("{OLD}/settings.json"), r#"{"theme":"x"}"#.to_owned()),
        (format!("{OLD}/installation_id"), "id".to_owned()),
        (format!("{OLD}/state/a b/\u{fc}.json"), "{}".to_owned()),
        (format!("{OLD}/broken.json"), "{".to_owned()),
        (format!("{STORE}/gh_config/hosts.yml"), format!("oauth_token: {CANARY}")),
        (format!("{STORE}/global_state/claude_config/CLAUDE.md"), "be kind".to_owned()),
        (format!("{STORE}/config.toml"), String::new()),
        ("work/proj/.ai-state/claude/history.jsonl".to_owned(), "{}\n".to_owned()),
        ("work/proj/.gemini-state/oauth_creds.json".to_owned(), login("planted", 9_000_000_000)),
    ] {
        let path = sandbox.write(path, text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    symlink("/etc/passwd", sandbox.root().join(OLD).join("link")).unwrap();
    sandbox
}

fn steps(outcome: &Outcome) -> Vec<Value> {
    serde_json::from_str(&outcome.out()).unwrap()
}

/// The old directories, of which nothing may change.
fn old(sandbox: &Sandbox) -> Vec<BTreeMap<PathBuf, (u32, Vec<u8>)>> {
    let paths = [OLD, "home/.docker-ai-config/gh_config", "home/.docker-ai-config/global_state/claude_config", "work/proj"];
    paths.iter().map(|path| tree(&sandbox.root().join(path))).collect()
}

/// The store without what a migration keeps for itself.
fn rest(sandbox: &Sandbox) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let own = ["migrate", "log", "sync"].map(|name| sandbox.store().join(name));
    let rest = tree(&sandbox.store()).into_iter().filter(|(path, _)| !own.iter().any(|own| path.starts_with(own)));
    // Directories are closed to others for good.
    rest.map(|(path, (mode, content))| if path.is_dir() { (path, (0, content)) } else { (path, (mode, content)) }).collect()
}

// G-01
#[test]
fn a_dry_run_lists_every_item_and_changes_nothing() {
    let sandbox = old_layouts();
    let before = tree(&sandbox.root());
    let text = ai(&sandbox, &["creds", "migrate", "--dry-run"]).succeeds().out();
    for name in ["oauth_creds.json", "google_accounts.json", "settings.json", "installation_id", "hosts.yml", "CLAUDE.md", "link"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert_eq!(steps(&ai(&sandbox, &["creds", "migrate", "--dry-run", "--json"]).succeeds()).len(), text.lines().count());
    assert_eq!(tree(&sandbox.root()), before);
}

// G-02, G-05, G-10, G-16, Q-02
#[test]
fn everything_is_taken_over_once() {
    let sandbox = old_layouts();
    let before = old(&sandbox);
    let outcome = ai(&sandbox, &["creds", "migrate", "--json"]).succeeds();
    let steps = steps(&outcome);
    assert_eq!(steps.len(), 9);
    for step in &steps {
        let (from, to) = (step["from"].as_str().unwrap(), step["to"].as_str());
        match to {
            Some(to) => assert_eq!(fs::read(sandbox.store().join(to)).unwrap(), fs::read(from).unwrap(), "{from}"),
            None => assert!(from.ends_with("link"), "{from}"),
        }
    }
    let store = |path: &str| fs::read_to_string(sandbox.store().join("global_state").join(path)).unwrap();
    assert_eq!(store("gemini/shared/login/oauth_creds.json"), login("old", 1_000), "not the one from inside the project");
    assert_eq!(store("claude/hub/CLAUDE.md"), "be kind");
    assert!(store("gh/hosts.yml").contains(CANARY));
    assert_eq!(old(&sandbox), before);
    let is_old = |path: &Path| {
        ["gh_config", "config.toml", "global_state/claude_config"].iter().any(|name| path.starts_with(sandbox.store().join(name)))
    };
    for (path, (mode, _)) in tree(&sandbox.store()).into_iter().filter(|(path, _)| !is_old(path)) {
        assert!(mode & 0o077 == 0 || path.starts_with(sandbox.store().join("migrate/backup")), "{} {mode:o}", path.display());
    }
    let log = fs::read_to_string(sandbox.store().join("log/migrate.jsonl")).unwrap();
    assert_eq!(log.lines().count(), steps.len());
    assert!(!log.contains(CANARY));

    let after = tree(&sandbox.store().join("migrate"));
    let again = ai(&sandbox, &["creds", "migrate"]).succeeds();
    assert!(again.err().contains("nothing to do") && again.out().is_empty(), "{}", again.err());
    assert_eq!(tree(&sandbox.store().join("migrate")), after, "no new backup");
}

// G-03
#[test]
fn a_newer_login_in_the_store_stays_and_what_is_missing_is_added() {
    let sandbox = old_layouts();
    let place = format!("{STORE}/global_state/gemini/shared/login/oauth_creds.json");
    sandbox.write(&place, login("new", 2_000));
    ai(&sandbox, &["creds", "migrate"]).succeeds();
    assert_eq!(fs::read_to_string(sandbox.root().join(&place)).unwrap(), login("new", 2_000));
    let archived = sandbox.store().join("global_state/migrated/docker-gemini-config/oauth_creds.json");
    assert_eq!(fs::read_to_string(archived).unwrap(), login("old", 1_000), "nothing is lost");
    assert!(sandbox.store().join("global_state/gemini/hub/settings.json").exists());
}

// G-04: every rename, every flush and every link of the whole migration fails once; then the next run finishes.
#[test]
fn a_failure_at_any_step_leaves_all_or_nothing() {
    let Some(strace) = need("strace", find_program("strace")) else { return };
    let whole = {
        let sandbox = old_layouts();
        ai(&sandbox, &["creds", "migrate"]).succeeds();
        contents(&sandbox)
    };
    let (mut failed, mut untouched, mut resumed) = (0, 0, 0);
    for call in ["rename", "fsync", "copy_file_range"] {
        for nth in 1.. {
            let sandbox = old_layouts();
            let before = rest(&sandbox);
            sandbox.link("strace", &strace);
            let inject = format!("inject={call}:error=ENOSPC:when={nth}");
            let outcome = sandbox.run("strace").args(["-f", "-qq", "-o", "/dev/null", "-e", &inject, AI, "creds", "migrate"]).outcome();
            if outcome.code == 0 {
                assert_eq!(contents(&sandbox), whole);
                break;
            }
            failed += 1;
            assert!(!outcome.err().contains(CANARY) && outcome.err().contains("hint: "), "{}", outcome.err());
            if outcome.err().contains("finishes with the next") {
                resumed += 1;
            } else {
                untouched += 1;
                assert_eq!(rest(&sandbox), before, "{call} {nth}");
            }
            ai(&sandbox, &["creds", "migrate"]).succeeds();
            assert_eq!(contents(&sandbox), whole, "{call} {nth}");
            assert!(!sandbox.store().join("migrate/journal.json").exists() && !sandbox.store().join("migrate/stage").exists());
        }
    }
    assert!(failed > 30 && untouched > 10 && resumed > 10, "{failed} {untouched} {resumed}");
}

/// What is where in the store, whatever sandbox it is in.
fn contents(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let id = sandbox.plan(["claude"]).source_of("/home/ai/.claude").unwrap().rsplit('/').nth(1).unwrap().to_owned();
    let anywhere = |path: &Path| PathBuf::from(path.strip_prefix(sandbox.store()).unwrap().to_str().unwrap().replace(&id, "ID"));
    rest(sandbox).into_iter().map(|(path, (_, content))| (anywhere(&path), content)).collect()
}

// G-04: killed in the middle.
#[test]
fn a_killed_migration_is_finished_by_the_next() {
    let Some(strace) = need("strace", find_program("strace")) else { return };
    // Each rename is the last act of one program, until there is none left to die at.
    for nth in 1.. {
        let sandbox = old_layouts();
        sandbox.link("strace", &strace);
        let inject = format!("inject=rename,renameat,renameat2:signal=KILL:when={nth}");
        match sandbox.run("strace").args(["-f", "-qq", "-o", "/dev/null", "-e", &inject, AI, "creds", "migrate"]).outcome().code {
            0 => return assert!(nth > 9, "only {nth} renames"),
            code => assert_eq!(code, 137, "{nth}"),
        }
        ai(&sandbox, &["creds", "migrate"]).succeeds();
        assert!(ai(&sandbox, &["creds", "migrate"]).succeeds().err().contains("nothing to do"), "{nth}");
        assert!(sandbox.store().join("global_state/gemini/hub/settings.json").exists(), "{nth}");
    }
}

// G-06
#[test]
fn an_undo_gives_back_the_same_bytes() {
    let sandbox = old_layouts();
    let place = format!("{STORE}/global_state/gemini/shared/login/oauth_creds.json");
    sandbox.write(&place, login("older", 500));
    let (before, old_before) = (rest(&sandbox), old(&sandbox));
    ai(&sandbox, &["creds", "migrate"]).succeeds();
    assert_eq!(fs::read_to_string(sandbox.root().join(&place)).unwrap(), login("old", 1_000));
    ai(&sandbox, &["creds", "prune", "--legacy", "--yes"]).succeeds();
    assert!(!sandbox.root().join(OLD).exists() && sandbox.project().join(".ai-state").exists());
    ai(&sandbox, &["creds", "migrate", "--undo"]).succeeds();
    assert_eq!(old(&sandbox), old_before);
    assert_eq!(rest(&sandbox), before);
    ai(&sandbox, &["creds", "migrate", "--undo"]).refused(1, &["there was none"]);
    ai(&sandbox, &["creds", "migrate"]).succeeds();
    assert!(sandbox.store().join("global_state/claude/hub/CLAUDE.md").exists());
}

#[test]
fn an_undo_leaves_what_was_written_to_since() {
    let sandbox = old_layouts();
    ai(&sandbox, &["creds", "migrate"]).succeeds();
    let settings = sandbox.write(format!("{STORE}/global_state/gemini/hub/settings.json"), "{\"mine\":1}");
    let outcome = ai(&sandbox, &["creds", "migrate", "--undo"]).succeeds();
    assert!(outcome.err().contains("was written to since") && outcome.err().contains("all else in the store"), "{}", outcome.err());
    assert_eq!(fs::read_to_string(settings).unwrap(), "{\"mine\":1}");
}

#[test]
fn an_undo_that_was_interrupted_is_finished_by_the_next() {
    let sandbox = old_layouts();
    let before = rest(&sandbox);
    ai(&sandbox, &["creds", "migrate"]).succeeds();
    fs::remove_file(sandbox.store().join("migrate/done.json")).unwrap();
    ai(&sandbox, &["creds", "migrate", "--undo"]).succeeds();
    assert_eq!(rest(&sandbox), before);
    ai(&sandbox, &["creds", "migrate", "--undo"]).refused(1, &["there was none"]);
}

#[test]
fn a_log_that_cannot_be_written_makes_no_failure_of_a_migration() {
    let sandbox = old_layouts();
    sandbox.write(format!("{STORE}/log/migrate.jsonl/in-the-way"), "");
    assert!(ai(&sandbox, &["creds", "migrate"]).succeeds().err().contains("took over"));
}

// G-13, G-14
#[test]
fn old_directories_go_only_after_a_verified_migration_and_a_yes() {
    let sandbox = old_layouts();
    let before = old(&sandbox);
    ai(&sandbox, &["creds", "prune", "--legacy"]).refused(77, &["not everything in them was taken over", "hint: ai creds migrate"]);
    ai(&sandbox, &["creds", "migrate"]).succeeds();
    // No terminal: nobody waits, and the answer is no, whatever stdin says.
    let outcome = sandbox.ai(["creds", "prune", "--legacy"]).stdin("yes\n").outcome();
    assert!(outcome.code == 0 && outcome.err().contains("nothing was removed"), "{}", outcome.err());
    for (answer, gone) in [("", false), ("y", false), ("no", false), ("yes", true)] {
        assert_eq!(old(&sandbox), before, "{answer}");
        let mut terminal = on_terminal(sandbox.ai(["creds", "prune", "--legacy"]));
        terminal.exp_string("Type yes: ").unwrap();
        terminal.send_line(answer).unwrap();
        terminal.exp_string(if gone { "removed; " } else { "nothing was removed" }).unwrap();
        terminal.exp_eof().unwrap();
    }
    assert!(!sandbox.root().join(OLD).exists() && !sandbox.store().join("gh_config").exists());
    assert!(sandbox.store().join("config.toml").exists() && sandbox.store().join("global_state/gh/hosts.yml").exists());

    // Something new in an old directory was not taken over.
    sandbox.write(format!("{OLD}/oauth_creds.json"), login("again", 3_000));
    ai(&sandbox, &["creds", "prune", "--legacy", "--yes"]).fails_with(77);
}

#[test]
fn nothing_old_is_nothing_to_do() {
    let sandbox = Sandbox::new();
    assert!(ai(&sandbox, &["creds", "migrate"]).succeeds().err().contains("nothing to do"));
    assert!(ai(&sandbox, &["creds", "prune", "--legacy"]).succeeds().err().contains("there are no old directories"));
    private(&sandbox);
    assert!(!Path::new(&sandbox.store().join("migrate")).exists());
}

// BO-13
#[test]
fn what_was_planted_in_a_project_is_neither_taken_over_nor_advertised() {
    let sandbox = old_layouts();
    let status = ai(&sandbox, &["creds", "status"]).succeeds();
    assert!(!(status.out() + &status.err()).contains("-state"), "{}", status.out());
    let migrated = ai(&sandbox, &["creds", "migrate"]).succeeds();
    assert!(migrated.err().contains(".ai-state` is left alone"), "{}", migrated.err());
    let has_history = || tree(&sandbox.store().join("global_state")).keys().any(|path| path.ends_with("history.jsonl"));
    assert!(!has_history());
    ai(&sandbox, &["creds", "migrate", "--project", "other-12345678"]).refused(2, &["there is nothing old in it"]);
    let mounts = sandbox.plan(["claude"]).mounts();
    let id = mounts.iter().find_map(|(source, ..)| source.strip_suffix("/home")?.rsplit_once("/projects/")).unwrap().1;
    ai(&sandbox, &["creds", "migrate", "--project", id]).succeeds();
    assert!(has_history());
}

// BO-13
#[test]
fn a_link_in_a_home_leads_a_migration_nowhere() {
    let sandbox = old_layouts();
    let outside = sandbox.write("home/autostart/mine", "").parent().unwrap().to_owned();
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(sandbox.store().join("global_state/gemini")).unwrap();
    symlink(&outside, sandbox.store().join("global_state/gemini/hub")).unwrap();
    let outcome = ai(&sandbox, &["creds", "migrate"]).fails_with(1);
    assert!(outcome.err().contains("global_state/gemini/hub"), "{}", outcome.err());
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::metadata(&outside).unwrap().permissions().mode() & 0o777, 0o755);
}

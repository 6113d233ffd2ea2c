//! Projects that have state, and one that was moved.

use std::fs;

use serde_json::Value;

use crate::creds::ai;
use crate::sandbox::Sandbox;

fn list(sandbox: &Sandbox) -> Vec<Value> {
    serde_json::from_str(&ai(sandbox, &["project", "list", "--json"]).succeeds().out()).unwrap()
}

// B-12
#[test]
fn two_projects_of_one_name_are_two() {
    let sandbox = Sandbox::new();
    let other = sandbox.root().join("elsewhere/proj");
    fs::create_dir_all(&other).unwrap();
    sandbox.ai(["run", "claude", "--", "-p", "hi"]).prints();
    sandbox.ai(["run", "claude", "--", "-p", "hi"]).cwd(&other).prints();
    let list = list(&sandbox);
    let ids: Vec<&str> = list.iter().map(|row| row["project"].as_str().unwrap()).collect();
    assert_eq!(list.len(), 2);
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("proj-")), "{ids:?}");
    assert!(list.iter().all(|row| row["exists"] == true && row["tool"] == "claude"));
}

#[test]
fn a_moved_project_gets_its_state_back() {
    let sandbox = Sandbox::new();
    for tool in ["claude", "gemini"] {
        sandbox.ai(["run", tool, "--", "-p", "hi"]).prints();
    }
    let old = list(&sandbox)[0]["project"].as_str().unwrap().to_owned();
    let home = |tool: &str, id: &str| sandbox.store().join("global_state").join(tool).join("projects").join(id).join("home");
    fs::write(home("claude", &old).join("history.jsonl"), "{}\n").unwrap();
    ai(&sandbox, &["project", "adopt", &old]).refused(1, &["it is this project's already"]);

    let moved = sandbox.root().join("moved/proj");
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::create_dir_all(&moved).unwrap();
    let there = |args: &[&str]| sandbox.ai(args).cwd(&moved).outcome();
    there(&["project", "adopt", &old]).refused(1, &["is still there"]);
    fs::remove_dir(sandbox.project()).unwrap();
    // A first run in the new place, as everybody does before wondering where the history is.
    assert_eq!(there(&["run", "claude", "--", "-p", "hi"]).code, 0);
    let text = there(&["project", "list"]);
    assert!(text.out().contains("(gone)") && text.err().contains(&format!("ai project adopt {old}")), "{} {}", text.out(), text.err());
    there(&["project", "adopt", "proj-00000000"]).refused(1, &["no project has this id", &format!("did you mean `{old}`?")]);
    let adopted = there(&["project", "adopt", &old]);
    assert_eq!(adopted.code, 0, "{}", adopted.err());

    let list: Vec<Value> = serde_json::from_str(&there(&["project", "list", "--json"]).out()).unwrap();
    assert_eq!(list.len(), 2);
    let new = list[0]["project"].as_str().unwrap();
    assert!(new != old && list.iter().all(|row| row["exists"] == true && row["root"] == moved.to_str().unwrap()), "{list:?}");
    assert_eq!(fs::read_to_string(home("claude", new).join("history.jsonl")).unwrap(), "{}\n");
    assert!(list[0]["bytes"].as_u64().unwrap() > 0 && list[0]["last_use"].as_u64().unwrap() > 0);
}

#[test]
fn state_that_is_in_use_or_would_be_overwritten_is_not_adopted() {
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude", "--", "-p", "hi"]).prints();
    let old = list(&sandbox)[0]["project"].as_str().unwrap().to_owned();
    let moved = sandbox.root().join("moved");
    fs::rename(sandbox.project(), &moved).unwrap();
    let there = |args: &[&str]| sandbox.ai(args).cwd(&moved).outcome();
    let owner = std::process::id().to_string();
    let open = there(&["sync", "in", "--owner", &owner, "--", "claude"]).out();
    there(&["project", "adopt", &old]).refused(75, &["uses the state"]);
    there(&["sync", "out", "--", open.trim()]);
    let new = list_in(&sandbox, &moved).into_iter().find(|id| *id != old).unwrap();
    let home = sandbox.store().join("global_state/claude/projects").join(&new).join("home");
    fs::write(home.join("history.jsonl"), "{}\n").unwrap();
    there(&["project", "adopt", &old]).refused(1, &["has state of claude already"]);
    assert!(sandbox.store().join("global_state/claude/projects").join(&old).exists());
}

fn list_in(sandbox: &Sandbox, directory: &std::path::Path) -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_str(&sandbox.ai(["project", "list", "--json"]).cwd(directory).prints()).unwrap();
    rows.iter().map(|row| row["project"].as_str().unwrap().to_owned()).collect()
}

/// Puts another directory where the project is, as somebody who unpacks an archive there does.
fn exchanged(sandbox: &Sandbox) {
    fs::rename(sandbox.project(), sandbox.root().join("was")).unwrap();
    fs::create_dir(sandbox.project()).unwrap();
}

// BO-18
#[test]
fn another_directory_at_the_same_path_does_not_inherit() {
    let sandbox = Sandbox::new();
    for tool in ["claude", "gemini"] {
        sandbox.ai(["run", tool, "--", "-p", "hi"]).prints();
    }
    let id = list(&sandbox)[0]["project"].as_str().unwrap().to_owned();
    let global = sandbox.store().join("global_state");
    let home = |id: &str| global.join("claude/projects").join(id).join("home");
    fs::write(home(&id).join("history.jsonl"), "{}\n").unwrap();
    fs::write(global.join("projects").join(&id).join("git/config"), "[alias]\nx = !evil\n").unwrap();
    exchanged(&sandbox);
    let first = sandbox.ai(["run", "claude", "--", "-p", "hi"]).outcome();
    let hint = format!("ai project adopt {id}.1");
    assert!(first.code == 0 && first.err().lines().count() == 1 && first.err().contains(&hint), "{first:?}");
    assert!(!home(&id).join("history.jsonl").exists());
    assert!(!fs::read_to_string(global.join("projects").join(&id).join("git/config")).unwrap().contains("evil"));
    // Said once; what is there now is its own.
    assert_eq!(sandbox.ai(["run", "claude", "--", "-p", "hi"]).outcome().err(), "");
    // It may be the same project, cloned anew: then the person says so, and everything comes back.
    assert_eq!(ai(&sandbox, &["project", "adopt", &format!("{id}.1")]).code, 0);
    assert_eq!(fs::read_to_string(home(&id).join("history.jsonl")).unwrap(), "{}\n");
    assert!(fs::read_to_string(global.join("projects").join(&id).join("git/config")).unwrap().contains("evil"));
    assert_eq!(sandbox.ai(["run", "gemini", "--", "-p", "hi"]).outcome().err(), "");
    assert_eq!(list(&sandbox).len(), 2);
}

// BO-18
#[test]
fn a_session_that_runs_keeps_the_state_of_its_directory() {
    let sandbox = Sandbox::new();
    let owner = std::process::id().to_string();
    let open = sandbox.ai(["sync", "in", "--owner", &owner, "--", "claude"]).prints();
    exchanged(&sandbox);
    sandbox.ai(["run", "claude", "--", "-p", "hi"]).outcome().refused(75, &["still uses its state"]);
    assert_eq!(sandbox.ai(["sync", "out", "--", open.trim()]).outcome().code, 0);
    assert_eq!(sandbox.ai(["run", "claude", "--", "-p", "hi"]).outcome().code, 0);
}

// BO-18: a store of an older program says nothing of the directory.
#[test]
fn a_record_without_a_directory_is_of_the_one_that_is_there() {
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude", "--", "-p", "hi"]).prints();
    let id = list(&sandbox)[0]["project"].as_str().unwrap().to_owned();
    let global = sandbox.store().join("global_state");
    fs::remove_file(global.join("projects").join(&id).join("project.toml")).unwrap();
    fs::write(global.join("claude/projects").join(&id).join("project.toml"), format!("root = '{}'\n", sandbox.project().display()))
        .unwrap();
    let text = || fs::read_to_string(global.join("projects").join(&id).join("project.toml")).unwrap();
    assert_eq!(sandbox.ai(["run", "claude", "--", "-p", "hi"]).outcome().err(), "");
    assert!(text().contains("tree = "), "{}", text());
}

// BO-18
#[test]
fn a_directory_that_was_moved_is_recognised() {
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude", "--", "-p", "hi"]).prints();
    let id = list(&sandbox)[0]["project"].as_str().unwrap().to_owned();
    let there = sandbox.root().join("renamed");
    fs::rename(sandbox.project(), &there).unwrap();
    let first = sandbox.ai(["run", "claude", "--", "-p", "hi"]).cwd(&there).outcome();
    assert!(first.code == 0 && first.err().contains(&format!("ai project adopt {id}")), "{first:?}");
    assert_eq!(sandbox.ai(["project", "adopt", &id]).cwd(&there).outcome().code, 0);
    assert_eq!(sandbox.ai(["run", "claude", "--", "-p", "hi"]).cwd(&there).outcome().err(), "");
}

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

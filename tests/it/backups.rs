//! Which backups of a login stay, and which one a person gets back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::creds::{LATER, LOGIN, ai, backups, claude, private, read, session};
use crate::sandbox::{Sandbox, tree};

// G-07
#[test]
fn ten_backups_stay_each_as_whole_as_the_first() {
    let sandbox = Sandbox::new();
    for token in 1..=12 {
        let path = sandbox.write(LOGIN, claude(&token.to_string(), "me", LATER));
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        ai(&sandbox, &["creds", "backup", "claude"]).succeeds();
    }
    let names = backups(&sandbox);
    assert_eq!((names.len(), names[0].as_str(), names[9].as_str()), (10, "0003-good", "0012-good"));
    let directory = sandbox.store().join("global_state/claude/backups");
    for name in &names {
        assert_eq!(tree(&directory.join(name)).len(), 2, "a dot file and what is said about it");
    }
    private(&sandbox);
    // Nobody in a container can see them.
    assert!(sandbox.plan(["claude"]).mounts().iter().all(|(source, ..)| !directory.starts_with(source)));
}

// BO-10
#[test]
fn thirty_runs_that_each_leave_a_made_up_login_do_not_cost_the_person_s_own() {
    let mut sandbox = Sandbox::new();
    sandbox.write(LOGIN, claude("mine", "me", LATER));
    ai(&sandbox, &["creds", "backup", "claude"]).succeeds();
    let mut said = String::new();
    for run in 1..=30 {
        let made_up = claude(&format!("fake{run}"), "me", LATER);
        said = session(&mut sandbox, &format!("printf '%s' '{made_up}' >\"$login\"")).err();
    }
    assert!(said.contains("runs left many new ones today"), "{said}");
    assert_eq!(read(&sandbox, LOGIN), claude("fake30", "me", LATER));
    ai(&sandbox, &["creds", "restore", "claude", "--last-good"]).succeeds();
    assert_eq!(read(&sandbox, LOGIN), claude("mine", "me", LATER));
}

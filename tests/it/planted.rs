//! An environment that points into the project, where a container can write.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use crate::sandbox::{AI, Sandbox, tree};

/// A sandbox whose project is a repository, and a directory in it.
fn with_directory(name: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    let directory = sandbox.project().join(name);
    std::fs::create_dir_all(&directory).unwrap();
    (sandbox, directory)
}

// BO-16: a store that a container wrote would say what the host runs.
#[test]
fn a_store_in_the_project_is_refused_and_nothing_of_it_is_run() {
    let (mut sandbox, store) = with_directory("sub/store");
    let canary = sandbox.root().join("canary");
    let manifest = format!("command = [\"claude\"]\n[secret.X]\ncommand = [\"touch\", \"{}\"]\n", canary.display());
    sandbox.write("work/proj/sub/store/tools/claude.toml", manifest);
    symlink(&store, sandbox.root().join("link")).unwrap();
    for path in [store.clone(), sandbox.root().join("link")] {
        sandbox.set("AI_HOME", &path);
        for line in [
            &["run", "claude"][..],
            &["resolve", "claude"],
            &["sync", "in", "claude"],
            &["creds", "status"],
            &["gc"],
            &["env", "claude", "--", "true"],
        ] {
            let outcome = sandbox.ai(line).outcome();
            outcome.refused(78, &["cannot use AI_HOME", "in the project, where a container can write", "hint: "]);
        }
    }
    assert!(!canary.exists() && sandbox.calls().is_empty());
}

// BO-16
#[test]
fn a_store_in_the_state_of_another_is_refused() {
    let mut sandbox = Sandbox::new();
    let evil = sandbox.store().join("global_state/claude/shared/evil");
    std::fs::create_dir_all(&evil).unwrap();
    sandbox.set("AI_HOME", &evil);
    sandbox.ai(["run", "claude"]).outcome().refused(78, &["cannot use AI_HOME", "in the state of a store"]);
    assert!(sandbox.calls().is_empty());
}

// BO-16
#[test]
fn temporary_directories_and_sockets_in_the_project_are_refused() {
    let of_engines = ["DOCKER_CONFIG", "DOCKER_CERT_PATH", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "NERDCTL_TOML", "XDG_CONFIG_HOME"];
    for name in ["TMPDIR", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "DOCKER_HOST"].into_iter().chain(of_engines) {
        let (mut sandbox, directory) = with_directory("tmp");
        let socket = directory.join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        match name {
            "DOCKER_HOST" => sandbox.set(name, format!("unix://{}", socket.display())),
            "SSH_AUTH_SOCK" => sandbox.set(name, &socket),
            _ => sandbox.set(name, &directory),
        }
        let before = tree(sandbox.project());
        for line in [["run", "claude"], ["resolve", "claude"], ["exec", "true"]] {
            sandbox
                .ai(line)
                .outcome()
                .refused(78, &[&format!("cannot use {name}"), "in the project, where a container can write", "hint: "]);
        }
        assert!(sandbox.calls().is_empty() && tree(sandbox.project()) == before, "{name}");
    }
}

// BO-16, BO-17: a lease that a container wrote names a container of somebody else.
#[test]
fn a_lease_planted_in_a_temporary_directory_is_not_read() {
    let (mut sandbox, directory) = with_directory("tmp");
    let uid = rustix::process::getuid().as_raw();
    let lease = serde_json::json!({
        "session": "aaaaaaaaaaaa", "tool": "claude", "project": "p", "root": "/p", "container": "victim", "image": "", "since": 0,
        "owner": { "pid": 999_999_999, "started": null, "boot": null }, "endpoint": "tcp://127.0.0.1:1",
    });
    for state in [format!("ai-{uid}/aaaaaaaaaaaa"), format!("ai-{uid}-aaaaaaaaaaaa")] {
        sandbox.write(format!("work/proj/tmp/{state}/sessions/aaaaaaaaaaaa"), lease.to_string());
    }
    sandbox.set("TMPDIR", &directory);
    let before = tree(&directory);
    for line in [&["run", "claude"][..], &["gc"], &["sync", "repair"], &["sync", "out", "--", "aaaaaaaaaaaa"], &["ps"]] {
        let _ = sandbox.ai(line).outcome();
    }
    assert!(sandbox.calls().iter().all(|call| !call.argv.iter().any(|word| word == "victim")), "{:?}", sandbox.calls());
    assert_eq!(tree(&directory), before);
}

// BO-16
#[test]
fn our_own_program_in_the_project_is_refused() {
    let (sandbox, directory) = with_directory("target");
    std::fs::copy(AI, directory.join("ai")).unwrap();
    sandbox.link("ai", directory.join("ai"));
    sandbox.ai(["run", "claude"]).outcome().refused(78, &["cannot use the program `", "in the project, where a container can write"]);
}

// BO-16: the functions of a shell call one path for as long as it lives.
#[test]
fn a_link_in_the_project_does_not_become_the_program_of_the_shell() {
    let (mut sandbox, directory) = with_directory("bin");
    symlink(AI, directory.join("ai")).unwrap();
    let bin = sandbox.root().join("bin");
    sandbox.set("PATH", format!("{}:{}", directory.display(), bin.display()));
    let script = sandbox.ai(["init", "bash"]).prints();
    assert!(!script.contains(directory.to_str().unwrap()) && script.contains(bin.join("ai").to_str().unwrap()));
}

// BO-17: what a lease says is checked against the container's own labels, which name the session, the owner and the store.
#[test]
fn a_lease_that_names_a_container_of_somebody_else_removes_nothing_of_theirs() {
    let sandbox = Sandbox::new();
    let lease = serde_json::json!({
        "session": "0123456789ab", "tool": "claude", "project": "p", "root": "/p", "container": "victim", "image": "", "since": 0,
        "owner": { "pid": 999_999_999, "started": null, "boot": null }, "endpoint": "tcp://127.0.0.1:1",
    });
    let uid = rustix::process::getuid().as_raw();
    for line in [&["sync", "out", "--code", "137", "--", "0123456789ab"][..], &["run", "claude"], &["gc"], &["sync", "repair"]] {
        sandbox.write("home/.docker-ai-config/sessions/0123456789ab", lease.to_string());
        let _ = sandbox.ai(line).outcome();
        let removes = |word: &str| ["rm", "kill", "stop"].contains(&word);
        let touched = sandbox
            .calls()
            .into_iter()
            .find(|call| call.argv[0].to_str().is_some_and(removes) && call.argv.iter().any(|word| word == "victim"));
        assert!(touched.is_none(), "{line:?}: {touched:?}");
    }
    // Whoever is removed is found by all three, and so is somebody of this person's, of this store.
    let asked: Vec<String> = sandbox.calls().iter().map(|call| format!("{:?}", call.argv)).collect();
    let of_session: Vec<&String> = asked.iter().filter(|argv| argv.contains("label=ai.session=0123456789ab")).collect();
    assert!(!of_session.is_empty(), "{asked:?}");
    for argv in of_session {
        assert!(argv.contains(&format!("label=ai.owner={uid}")) && argv.contains("label=ai.store="), "{argv}");
    }
}

// BO-17, BO-05: a lease is small, or it is none.
#[test]
fn a_lease_without_end_is_no_lease() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.store().join("sessions")).unwrap();
    symlink("/dev/zero", sandbox.store().join("sessions/0123456789ab")).unwrap();
    let fifo = sandbox.store().join("sessions/1123456789ab");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    sandbox.write("home/.docker-ai-config/sessions/2123456789ab", vec![b' '; 4 << 20]);
    sandbox.ai(["run", "claude"]).prints();
}

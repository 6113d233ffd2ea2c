//! Who the person is inside: groups, name, umask, time zone; and whose home it is.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use crate::bed::{Bed, Image, owner};
use crate::sandbox::{Sandbox, tree};

// SE-17
#[test]
fn files_of_a_shared_group_can_be_used_and_stay_the_groups() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    if !bed.as_user(1000) {
        return;
    }
    bed.sandbox.also_in(4242);
    bed.sandbox.set("USER", "jo");
    chown(bed.project(), Some(0), Some(4242)).unwrap();
    fs::set_permissions(bed.project(), fs::Permissions::from_mode(0o2770)).unwrap();
    let line = "umask 007; exec ai exec sh -c 'echo x >made && umask && id -G && echo $USER $LOGNAME $(id -un)'";
    let told = bed.run("sh").args(["-c", line]).prints();
    assert_eq!(told, "0007\n1000 4242\njo jo jo\n");
    assert_eq!(owner(bed.project().join("made")), (1000, 4242));
    assert_eq!(bed.project().join("made").metadata().unwrap().permissions().mode() & 0o777, 0o660);
    let usual = bed.run("sh").args(["-c", "umask 022; exec ai exec sh -c umask"]).prints();
    assert_eq!(usual, "0022\n");
}

// SE-17: never the engine's.
#[test]
fn the_group_of_the_engine_stays_outside() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    let socket = std::env::var("DOCKER_HOST").unwrap_or_default();
    let engine = owner(socket.strip_prefix("unix://").unwrap_or("/var/run/docker.sock")).1;
    if !bed.as_user(1000) {
        return;
    }
    bed.sandbox.also_in(4242);
    let groups = bed.ai(["exec", "id", "-G"]).prints();
    assert!(groups.contains("4242") && !groups.split_whitespace().any(|group| group == engine.to_string()), "{groups}");
}

// SE-17
#[test]
fn the_time_zone_is_the_hosts_in_every_spelling() {
    let mut sandbox = Sandbox::new();
    let zone = |sandbox: &Sandbox| sandbox.plan(["claude"]).variables().remove("TZ").flatten();
    for (value, expected) in [
        (":Europe/Berlin", "Europe/Berlin"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("", "UTC"),
    ] {
        sandbox.set("TZ", value);
        assert_eq!(zone(&sandbox).as_deref(), Some(expected), "{value}");
    }
    sandbox.unset("TZ");
    let of_machine = zone(&sandbox);
    sandbox.set("TZ", ":/etc/localtime");
    assert_eq!(zone(&sandbox), of_machine);
    // A file that is in no database still has its rule.
    sandbox.set("TZ", sandbox.write("zone", "TZif2\n<+0330>-3:30\n"));
    assert_eq!(zone(&sandbox).as_deref(), Some("<+0330>-3:30"));
}

// SE-17
#[test]
fn who_git_shall_take_the_person_for_is_passed_on() {
    let mut sandbox = Sandbox::new();
    sandbox.set("GIT_AUTHOR_EMAIL", "made-up@x");
    let variables = sandbox.plan(["exec", "true"]).variables();
    assert_eq!(variables.get("GIT_AUTHOR_EMAIL"), Some(&None));
    assert!(!variables.contains_key("GIT_COMMITTER_EMAIL"));
}

// SE-18
#[test]
fn root_leaves_nothing_in_the_home_of_somebody_else() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("home/.docker-ai-config/log/events.jsonl", "");
    for path in tree(&sandbox.home()).into_keys().chain([sandbox.home()]) {
        chown(path, Some(4711), Some(4711)).unwrap();
    }
    let before = tree(&sandbox.home());
    let words: [&[&str]; 7] = [
        &["run", "claude", "hello"],
        &["exec", "true"],
        &["sync", "in", "--", "claude"],
        &["install", "zsh"],
        &["use", "gemini"],
        &["login", "claude"],
        &["creds", "import", "claude"],
    ];
    for words in words {
        sandbox.ai(words).outcome().refused(77, &["it belongs to somebody else", "hint: sudo -H"]);
    }
    assert_eq!(tree(&sandbox.home()), before);
    assert!(tree(&sandbox.home()).keys().all(|path| owner(path) == (4711, 4711)) && sandbox.calls().is_empty());
    // It is root's own business in a store of root's own, and looking hurts nobody.
    let store = sandbox.root().join("store");
    fs::create_dir(&store).unwrap();
    assert_eq!(sandbox.ai(["run", "claude", "hello"]).env("AI_HOME", &store).outcome().code, 0);
    for words in [&["init", "zsh"][..], &["use"], &["tools"], &["creds", "status"]] {
        assert_eq!(sandbox.ai(words).outcome().code, 0, "{words:?}");
    }
    assert_eq!(tree(&sandbox.home()), before);
}

// SE-19
#[test]
fn podman_in_the_clothes_of_docker_is_recognised() {
    let mut sandbox = Sandbox::new();
    sandbox.program("docker", "#!/bin/sh\necho 'podman version 5.4.2'\n");
    sandbox.set("DOCKER_HOST", format!("unix://{}", Path::new("/nonexistent/docker.sock").display()));
    let outcome = sandbox.ai(["run", "claude", "hello"]).outcome();
    outcome.refused(69, &["`docker` is podman on this machine", "hint: export AI_ENGINE=podman"]);
    assert!(!outcome.err().contains("usermod"), "{outcome:?}");
}

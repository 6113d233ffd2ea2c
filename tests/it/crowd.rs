//! Skills by the hundred, and odd things among them: each that can comes along, each that cannot is said, and a sync with nothing changed
//! reads each once and writes nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::require::has_strace;
use crate::sandbox::Sandbox;

/// The skills in the one project of a sandbox.
fn inside(sandbox: &Sandbox) -> PathBuf {
    let mut projects = fs::read_dir(sandbox.store().join("global_state/claude/projects")).unwrap();
    projects.next().unwrap().unwrap().path().join("home/skills")
}

fn skills(sandbox: &Sandbox, numbers: std::ops::Range<usize>) {
    for number in numbers {
        sandbox.write(format!("home/.claude/skills/s{number}/SKILL.md"), format!("skill {number}\n"));
    }
}

/// The calls of a sync with nothing changed, and those of them that make or change something below the store.
fn calls(sandbox: &Sandbox) -> (usize, Vec<String>) {
    let trace = sandbox.root().join("trace");
    let words = ["-f", "-qq", "-e", "trace=file,desc", "-o", trace.to_str().unwrap(), "ai", "sync", "diff", "claude"];
    sandbox.run("strace").args(words).prints();
    let trace = fs::read_to_string(trace).unwrap();
    let changes = ["O_CREAT", "rename", "linkat", "unlink", "mkdir", "fsync"];
    let changes = trace.lines().filter(|line| changes.iter().any(|change| line.contains(change)) && line.contains("skills"));
    (trace.lines().count(), changes.map(str::to_owned).collect())
}

// SE-05: the work grows as the number does, nothing is written where nothing changed, and nothing is lost.
#[test]
fn a_sync_with_nothing_changed_looks_once_at_each_of_hundreds_of_skills() {
    if !has_strace() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.link("strace", crate::sandbox::find_program("strace").unwrap());
    let mut counts = Vec::new();
    for (from, to) in [(0, 100), (100, 400)] {
        skills(&sandbox, from..to);
        sandbox.ai(["run", "claude", "x"]).prints();
        assert_eq!(fs::read_dir(inside(&sandbox)).unwrap().count(), to);
        let (count, changes) = calls(&sandbox);
        assert_eq!(changes, Vec::<String>::new());
        counts.push(count);
    }
    assert!(counts[1] < 4 * counts[0], "{counts:?}");
    assert!(counts[1] < 400 * (3 + 1) * 20, "twenty calls for a skill in a place, and to look into it: {counts:?}");
}

// SE-05: one that cannot come keeps none of the others away, and each is named.
#[test]
fn odd_things_among_the_skills_are_said_and_the_rest_comes() {
    let mut sandbox = Sandbox::new();
    let skills = sandbox.home().join(".claude/skills");
    let long = "n".repeat(255);
    let deep = "d/".repeat(40);
    for path in ["plain/SKILL.md", "ünï ☃/SKILL.md", "-x/$(id) '\"/SKILL.md", "Case/a", "case/a", "twin/a", "shut/SKILL.md", "tab\there/a"]
    {
        sandbox.write(Path::new("home/.claude/skills").join(path), path);
    }
    sandbox.write(format!("home/.claude/skills/{long}/{long}"), "long");
    sandbox.write(format!("home/.claude/skills/deep/{deep}x"), "deep");
    sandbox.write("home/.claude/skills/run/x.sh", "#!/bin/sh\n");
    fs::set_permissions(skills.join("run/x.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let elsewhere = sandbox.write("home/dot/skill/SKILL.md", "by a link");
    symlink(elsewhere.parent().unwrap(), skills.join("linked")).unwrap();
    symlink("../plain/SKILL.md", skills.join("twin/link")).unwrap();
    symlink("/nowhere", skills.join("twin/dangling")).unwrap();
    symlink("..", skills.join("twin/up")).unwrap();
    fs::hard_link(skills.join("plain/SKILL.md"), skills.join("twin/hard")).unwrap();
    assert!(Command::new("mkfifo").arg(skills.join("twin/pipe")).status().unwrap().success());
    if !sandbox.as_user(1000, 1000) {
        return;
    }
    fs::set_permissions(skills.join("shut/SKILL.md"), fs::Permissions::from_mode(0)).unwrap();
    let said = sandbox.ai(["run", "claude", "x"]).succeeds().err();
    let home = inside(&sandbox);
    let is_there = |path: &str| home.join(path).exists();
    for path in [
        "plain/SKILL.md",
        "ünï ☃/SKILL.md",
        "-x/$(id) '\"/SKILL.md",
        "Case/a",
        "twin/a",
        "linked/SKILL.md",
        "twin/link",
        "twin/hard",
        "tab\there/a",
    ] {
        assert!(is_there(path), "{path}: {said}");
    }
    assert!(is_there(&format!("{long}/{long}")) && home.join("run/x.sh").metadata().unwrap().permissions().mode() & 0o100 != 0, "{said}");
    assert!(!home.join("linked").is_symlink() && !home.join("twin/link").is_symlink());
    for (path, why) in [
        ("twin/up", "a link that is not followed"),
        ("twin/dangling", "a link that is not followed"),
        ("twin/pipe", "not a regular file"),
        ("shut/SKILL.md", "cannot be read"),
        ("case/a", "differs only by case"),
        ("deep/d/", "too many directories"),
    ] {
        assert!(!is_there(path) || path == "deep/d/", "{path}");
        let line = said.lines().find(|line| line.contains(path) && line.contains(why));
        assert!(line.is_some_and(|line| line.contains("hint: ")), "{path}: {said}");
    }
    assert!(skills.join("twin/pipe").symlink_metadata().is_ok() && fs::read(&elsewhere).unwrap() == b"by a link");
}

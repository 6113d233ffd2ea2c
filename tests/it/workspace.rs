//! Where the project is mounted, and what is refused.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::sandbox::Sandbox;

/// Source, target and working directory of the project for `below` the root, under `policy`.
#[track_caller]
fn mapping(sandbox: &Sandbox, below: &str, policy: &str) -> (String, String, String) {
    let directory = sandbox.project().join(below);
    fs::create_dir_all(&directory).unwrap();
    let argv = ["resolve", "--format", "argv0", "--workspace", policy, "--", "exec", "true"];
    let argv = crate::engine::Argv(crate::engine::words_of(sandbox.ai(argv).cwd(directory).prints().as_bytes()));
    let (source, target, _) = argv.mounts().remove(0);
    (source, target, argv.value("-w"))
}

// B-01, B-02, B-10
#[test]
fn the_project_is_where_each_policy_says() {
    let name = "my proj";
    let sandbox = Sandbox::with_project(name);
    let root = sandbox.project().to_str().unwrap().to_owned();
    sandbox.git_init();
    let check = |below: &str, policy: &str, target: &str, workdir: &str| {
        assert_eq!(mapping(&sandbox, below, policy), (root.clone(), target.into(), workdir.into()), "{policy} {below:?}");
    };
    check("", "adaptive", "/workspace/my proj", "/workspace/my proj");
    check("src", "adaptive", "/workspace", "/workspace/src");
    check("a/b c/ü", "adaptive", "/workspace", "/workspace/a/b c/ü");
    check("", "named", "/workspace/my proj", "/workspace/my proj");
    check("src", "named", "/workspace/my proj", "/workspace/my proj/src");
    check("", "flat", "/workspace", "/workspace");
    check("src", "flat", "/workspace", "/workspace/src");
    check("", "mirror", &root, &root);
    check("src", "mirror", &root, &format!("{root}/src"));
}

// B-01
#[test]
fn without_a_repository_the_working_directory_is_the_project() {
    let sandbox = Sandbox::new();
    let below = sandbox.project().join("src").to_str().unwrap().to_owned();
    assert_eq!(mapping(&sandbox, "src", "adaptive"), (below, "/workspace/src".into(), "/workspace/src".into()));
}

// B-03, Z-011
#[test]
fn a_link_to_the_project_is_the_project() {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    let link = sandbox.root().join("link");
    symlink(sandbox.project(), &link).unwrap();
    let plan = |cwd: &Path| sandbox.ai(["resolve", "--session", "0123456789ab", "--", "claude"]).cwd(cwd).env("PWD", cwd).prints();
    assert_eq!(plan(sandbox.project()), plan(&link));
}

// B-11
#[test]
fn nothing_of_the_host_path_is_seen_inside() {
    let mut sandbox = Sandbox::with_project("Users/me/test/proj");
    sandbox.set("SSH_AUTH_SOCK", "");
    for tool in ["claude", "gemini", "codex", "exec"] {
        let argv = sandbox.plan([tool, "x"]);
        let inside = argv.mounts().into_iter().map(|(_, target, _)| target).chain([argv.value("-w")]);
        for path in inside.chain(argv.variables().into_values().flatten()) {
            assert!(!["Users", "/me", "test"].iter().any(|part| path.contains(part)), "{tool}: {path}");
        }
    }
}

//! Where the project is mounted, and what is refused.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::sandbox::{Sandbox, tools_with_login};

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
    // SE-14
    check("my proj", "adaptive", "/workspace/my proj", "/workspace/my proj/my proj");
    check("my proj/my proj", "adaptive", "/workspace/my proj", "/workspace/my proj/my proj/my proj");
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
    for tool in tools_with_login().chain(["exec"]) {
        let argv = sandbox.plan([tool, "x"]);
        let inside = argv.mounts().into_iter().map(|(_, target, _)| target).chain([argv.value("-w")]);
        for path in inside.chain(argv.variables().into_values().flatten()) {
            assert!(!path.split('/').any(|part| ["Users", "me", "test"].contains(&part)), "{tool}: {path}");
        }
    }
}

// B-06
#[test]
fn git_s_own_directory_is_never_the_project() {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    assert_eq!(mapping(&sandbox, ".git/hooks", "adaptive").0, sandbox.project().to_str().unwrap());
    let bare = sandbox.root().join("bare.git");
    sandbox.run("git").args(["init", "--quiet", "--bare"]).args([&bare]).prints();
    for cwd in [bare.clone(), bare.join("objects")] {
        sandbox.ai(["resolve", "claude"]).cwd(cwd).outcome().refused(78, &["not a work tree", "hint: "]);
    }
}

// B-07, Z-010, Z-012, Z-013
#[test]
fn directories_that_no_tool_should_see_are_refused() {
    let sandbox = Sandbox::new();
    let keys = ["home/.ssh", "home/.gnupg/x", "home/.docker-ai-config/tools", "home/.aws"];
    let programs = ["home/.claude", "home/.config/gh", "home/.local/bin", "home/.mozilla/x", "home/bin", "home/Library/x"];
    for path in keys.into_iter().chain(programs) {
        fs::create_dir_all(sandbox.root().join(path)).unwrap();
    }
    let inside = ["home", "home/.docker-ai-config", ""].into_iter().chain(keys).chain(programs);
    let system = ["/", "/usr", "/etc", "/proc", "/usr/lib", "/tmp", "/home", "/var", "/var/lib", "/run", "/usr/local"];
    let system = system.into_iter().map(Into::into);
    for cwd in inside.map(|path| sandbox.root().join(path)).chain(system) {
        for command in [&["resolve", "claude"][..], &["sync", "in", "claude"], &["run", "claude"]] {
            sandbox.ai(command).cwd(&cwd).outcome().refused(78, &["cannot mount `", "AI_FORCE_WORKSPACE=1"]);
        }
        let forced = sandbox.ai(["resolve", "--force-workspace", "--format", "lines", "claude"]).cwd(&cwd).prints();
        assert!(forced.contains("target=/workspace/"), "{forced}");
    }
    assert!(sandbox.calls().is_empty());
    assert!(!sandbox.store().join("global_state").exists());
    crate::hostile::stopped("a run in the home, the store, a directory with keys or of the system", 45, "refused, 78");
}

// B-07
#[test]
fn a_home_that_is_a_repository_is_no_project() {
    let sandbox = Sandbox::new();
    sandbox.run("git").args(["init", "--quiet"]).cwd(sandbox.home()).prints();
    let project = sandbox.home().join("code/x");
    fs::create_dir_all(&project).unwrap();
    let outcome = sandbox.ai(["resolve", "--format", "lines", "claude"]).cwd(&project).outcome();
    assert!(outcome.out().contains(&format!("source={},target=/workspace/x\n", project.display())), "{}", outcome.out());
    assert!(outcome.err().contains("only the working directory is mounted"), "{}", outcome.err());
}

// B-12
#[test]
fn projects_of_the_same_name_have_their_own_state() {
    let sandbox = Sandbox::new();
    let home = |path: &str| {
        let directory = sandbox.root().join(path);
        fs::create_dir_all(&directory).unwrap();
        let plan = sandbox.ai(["resolve", "--format", "json", "claude"]).cwd(directory).prints();
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let mounts = plan["mounts"].as_array().unwrap().clone();
        mounts.into_iter().find(|mount| mount["target"] == "/home/ai/.claude").unwrap()["source"].as_str().unwrap().to_owned()
    };
    assert_ne!(home("one/proj"), home("two/proj"));
    assert_eq!(home("one/proj"), home("one/proj"));
}

// Z-009
#[test]
fn a_directory_that_was_deleted_is_refused_and_its_parent_not_mounted() {
    let sandbox = Sandbox::new();
    for command in ["resolve claude", "sync in claude", "run claude"] {
        let line = format!("mkdir gone && cd gone && rm -r ../gone && exec ai {command}");
        sandbox
            .run("sh")
            .args(["-c", &line])
            .outcome()
            .refused(78, &["the working directory was deleted", "hint: cd to a directory that exists"]);
    }
    assert!(!sandbox.store().exists() && sandbox.calls().is_empty());
}

//! Repositories of every kind, without asking git, and with git in the container content.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bed::{Bed, Image};
use crate::engine::{Argv, words_of};
use crate::process::Run;
use crate::sandbox::Sandbox;

/// A commit in a new repository at `path`.
fn repository(sandbox: &Sandbox, path: &Path) {
    fs::create_dir_all(path).unwrap();
    let git = |args: &[&str]| sandbox.run("git").args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(args).cwd(path).prints();
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "first"]);
}

/// A linked worktree of the project, beside it.
fn worktree(sandbox: &Sandbox) -> PathBuf {
    repository(sandbox, sandbox.project());
    let path = sandbox.root().join("work/tree");
    sandbox.run("git").args(["worktree", "add", "--quiet", "../tree"]).prints();
    path
}

/// A submodule of the project.
fn submodule(sandbox: &Sandbox) -> PathBuf {
    repository(sandbox, sandbox.project());
    let other = sandbox.root().join("work/other");
    repository(sandbox, &other);
    let add = sandbox.run("git").args(["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../other", "sub"]);
    assert_eq!(add.env("GIT_CONFIG_NOSYSTEM", "1").outcome().code, 0);
    sandbox.project().join("sub")
}

fn plan(run: Run) -> Argv {
    Argv(words_of(run.prints().as_bytes()))
}

const RESOLVE: [&str; 5] = ["resolve", "--format", "argv0", "--session", "0123456789ab"];

// B-04
#[test]
fn a_linked_worktree_also_mounts_the_common_directory() {
    let sandbox = Sandbox::new();
    let tree = worktree(&sandbox);
    let argv = plan(sandbox.ai(RESOLVE).args(["claude"]).cwd(&tree));
    let common = sandbox.project().join(".git").to_str().unwrap().to_owned();
    assert_eq!(argv.mounts()[..2], [(tree.to_str().unwrap().into(), "/workspace/tree".into(), false), (common.clone(), common, false)]);
}

// B-04, Z-018
#[test]
fn a_git_file_that_is_not_pointed_back_at_is_not_followed() {
    let sandbox = Sandbox::new();
    let tree = worktree(&sandbox);
    let planted = sandbox.root().join("work/planted");
    fs::create_dir(&planted).unwrap();
    fs::copy(tree.join(".git"), planted.join(".git")).unwrap();
    let argv = plan(sandbox.ai(RESOLVE).args(["claude"]).cwd(&planted));
    assert!(argv.mounts().iter().all(|(source, ..)| !source.contains("/work/proj")), "{:?}", argv.mounts());
}

// B-05
#[test]
fn a_submodule_is_a_part_of_its_superproject() {
    let sandbox = Sandbox::new();
    let sub = submodule(&sandbox);
    let argv = plan(sandbox.ai(RESOLVE).args(["claude"]).cwd(sub));
    assert_eq!(argv.mounts()[0], (sandbox.project().to_str().unwrap().into(), "/workspace".into(), false));
    assert_eq!(argv.value("-w"), "/workspace/sub");
}

// B-04, B-05
#[test]
fn git_works_in_a_worktree_and_in_a_submodule() {
    for make in [worktree, submodule] {
        let Some(bed) = Bed::new(Image::Tools) else { return };
        let directory = make(&bed);
        fs::write(directory.join("new file"), "").unwrap();
        let status = bed.ai(["exec", "--", "git", "status", "--porcelain"]).cwd(&directory).prints();
        assert_eq!(status, "?? \"new file\"\n");
        bed.nothing_left();
    }
}

// B-13
#[test]
fn git_need_not_be_installed() {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    fs::create_dir(sandbox.project().join("below")).unwrap();
    let resolve = || sandbox.ai(RESOLVE).args(["claude"]).cwd(sandbox.project().join("below")).prints();
    let with = resolve();
    sandbox.without("git");
    assert_eq!(resolve(), with);
    sandbox.ai(["run", "claude"]).prints();
}

// B-14
#[test]
fn the_same_facts_give_the_same_plan() {
    let sandbox = Sandbox::new();
    let fixed: Vec<Argv> = (0..20).map(|_| plan(sandbox.ai(RESOLVE).args(["claude", "x"]))).collect();
    assert!(fixed.iter().all(|argv| *argv == fixed[0]));
    for _ in 0..80 {
        let argv = sandbox.plan(["claude", "x"]);
        let name = argv.value("--name");
        let session = name.rsplit_once('-').unwrap().1;
        let same = argv.0.iter().map(|word| word.to_str().unwrap().replace(session, "0123456789ab").into()).collect();
        assert_eq!(Argv(same), fixed[0]);
    }
}

// B-15
#[test]
fn variables_of_git_do_not_steer_us() {
    let sandbox = Sandbox::new();
    repository(&sandbox, sandbox.project());
    let elsewhere = sandbox.root().join("work/elsewhere");
    repository(&sandbox, &elsewhere);
    let resolve = || sandbox.ai(RESOLVE).args(["claude"]);
    let odd = resolve()
        .env("GIT_DIR", elsewhere.join(".git"))
        .env("GIT_WORK_TREE", &elsewhere)
        .env("GIT_CEILING_DIRECTORIES", sandbox.root())
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "");
    assert_eq!(plan(odd), plan(resolve()));
}

// B-15, Z-017
#[test]
fn a_repository_cannot_choose_what_is_mounted() {
    let sandbox = Sandbox::new();
    sandbox.git_init();
    sandbox.run("git").args(["config", "core.worktree", "/"]).prints();
    assert_eq!(sandbox.plan(["claude"]).mounts()[0].0, sandbox.project().to_str().unwrap());
}

// I-10
#[test]
fn different_projects_share_the_login_and_nothing_else() {
    let sandbox = Sandbox::new();
    let other = sandbox.root().join("work/other");
    fs::create_dir(&other).unwrap();
    for tool in ["claude", "gemini", "codex"] {
        let sources = |cwd: &Path| {
            let argv = plan(sandbox.ai(RESOLVE).args([tool]).cwd(cwd));
            argv.mounts().into_iter().map(|(source, ..)| source).collect::<Vec<_>>()
        };
        let (one, two) = (sources(sandbox.project()), sources(&other));
        let common: Vec<_> = one.iter().filter(|source| two.contains(source)).collect();
        let shared = sandbox.store().join("global_state").join(tool).join("shared");
        assert!(common.iter().all(|source| Path::new(source).starts_with(&shared)), "{tool}: {common:?}");
        assert!(common.contains(&&shared.to_str().unwrap().to_owned()), "{tool}: {common:?}");
    }
}

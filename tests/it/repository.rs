//! Repositories of every kind, without asking git, and with git in the container content.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bed::{Bed, Image};
use crate::engine::{Argv, words_of};
use crate::process::Run;
use crate::require::need;
use crate::sandbox::{Sandbox, tools_with_login};

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

/// `git` in the container, in `directory`; asserts that it succeeded.
#[track_caller]
fn inside(bed: &Bed, directory: &Path, script: &str) -> String {
    let outcome = bed.ai(["exec", "--", "sh", "-ec", script]).cwd(directory).outcome();
    assert_eq!(outcome.code, 0, "{script}: {}", outcome.err());
    outcome.out()
}

// B-04, Z-024
#[test]
fn a_commit_in_a_linked_worktree_is_seen_outside() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    bed.write("home/.gitconfig", "[user]\n name = Jo\n email = jo@x\n");
    let tree = worktree(&bed);
    // Another one, whose `.git` file is relative as newer gits write it.
    let relative = bed.root().join("work/relative");
    bed.run("git").args(["worktree", "add", "--quiet", "../relative"]).prints();
    fs::write(relative.join(".git"), "gitdir: ../proj/.git/worktrees/relative\n").unwrap();
    for tree in [&tree, &relative] {
        inside(&bed, tree, "git commit --quiet --allow-empty -m inside; git gc --quiet; git worktree prune 2>/dev/null || true");
        inside(
            &bed,
            bed.project(),
            "git worktree prune 2>/dev/null || true; git worktree add --quiet /tmp/new && git worktree remove /tmp/new",
        );
        let log = bed.run("git").args(["log", "-1", "--format=%s %an"]).cwd(tree).prints();
        assert_eq!(log, "inside Jo\n");
    }
    // None was taken for deleted, although each sees only itself.
    assert_eq!(bed.run("git").args(["worktree", "list", "--porcelain"]).prints().matches("worktree ").count(), 3);
    bed.nothing_left();
}

// B-05, Z-024
#[test]
fn a_submodule_knows_its_state_inside() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    let sub = submodule(&bed);
    assert!(inside(&bed, &sub, "git log --format=%s").contains("first"));
    assert!(inside(&bed, bed.project(), "git submodule status").contains(" sub"));
    bed.nothing_left();
}

// Z-024
#[test]
fn objects_that_are_borrowed_can_be_read_and_not_written() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    let other = bed.root().join("work/other");
    repository(&bed, &other);
    fs::remove_dir_all(bed.project()).unwrap();
    bed.run("git").args(["clone", "--quiet", "--shared", "other", "proj"]).cwd(bed.root().join("work")).succeeds();
    let outcome = bed.ai(["exec", "--", "git", "log"]).outcome();
    assert!(outcome.code == 128 && outcome.err().contains("hint: ai project allow"), "{}", outcome.err());
    bed.ai(["project", "allow"]).succeeds();
    assert_eq!(inside(&bed, bed.project(), "git log --format=%s && git fsck --no-progress"), "first\n");
    let objects = other.join(".git/objects").to_str().unwrap().to_owned();
    let mounts = plan(bed.ai(RESOLVE).args(["claude"])).mounts();
    assert!(mounts.contains(&(objects.clone(), objects, true)), "{mounts:?}");
    bed.nothing_left();
}

// Z-018, Z-024
#[test]
fn a_repository_borrows_only_from_repositories() {
    let sandbox = Sandbox::new();
    repository(&sandbox, sandbox.project());
    let secret = sandbox.root().join("work/secret/objects");
    fs::create_dir_all(&secret).unwrap();
    let system = "/etc\n/usr/share/../..\n../../../../home\n";
    fs::write(sandbox.project().join(".git/objects/info/alternates"), format!("{}\n{system}", secret.display())).unwrap();
    let argv = plan(sandbox.ai(RESOLVE).args(["claude"]));
    assert!(argv.mounts().iter().all(|(source, ..)| !source.contains("secret") && !source.starts_with("/etc")), "{:?}", argv.mounts());
    crate::hostile::stopped("alternates that name directories", 4, "only objects of a repository of the same owner");
}

// Z-024
#[test]
fn sparse_nested_and_plain_directories_work() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    assert_eq!(inside(&bed, bed.project(), "pwd"), "/workspace/proj\n");
    repository(&bed, bed.project());
    for name in ["a/x", "b/y"] {
        bed.write(Path::new("work/proj").join(name), "1");
    }
    let git = |args: &[&str]| bed.run("git").args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(args).outcome();
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "second"]);
    git(&["sparse-checkout", "set", "a"]);
    assert_eq!(inside(&bed, bed.project(), "git status --porcelain; ls"), "a\n");
    let nested = bed.project().join("a/nested");
    repository(&bed, &nested);
    assert_eq!(inside(&bed, &nested, "pwd; git log --format=%s"), "/workspace/nested\nfirst\n");
    bed.nothing_left();
}

// Z-023
#[test]
fn a_repository_of_somebody_else_is_refused_by_git_and_named_by_us() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    if need("root", rustix::process::getuid().is_root().then_some(())).is_none() {
        return;
    }
    repository(&bed, bed.project());
    for path in [bed.project().to_owned(), bed.project().join(".git")] {
        std::os::unix::fs::chown(path, Some(4242), Some(4242)).unwrap();
    }
    let outcome = bed.ai(["exec", "--", "git", "status"]).outcome();
    assert!(outcome.code == 128 && outcome.err().contains("dubious ownership"), "{}", outcome.err());
    assert!(outcome.err().contains("git will refuse") && outcome.err().contains("safe.directory"), "{}", outcome.err());
    bed.write("home/.gitconfig", format!("[safe]\n directory = {}\n", bed.project().display()));
    let outcome = bed.ai(["exec", "--", "git", "status", "--porcelain"]).outcome();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
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
    for tool in tools_with_login() {
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

//! What a repository says of places beyond itself, true or planted, and worktrees on both sides of the border.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::bed::{Bed, Image};
use crate::engine::{Argv, words_of};
use crate::sandbox::Sandbox;

fn repository(sandbox: &Sandbox, path: &Path) {
    fs::create_dir_all(path).unwrap();
    let git = |args: &[&str]| sandbox.run("git").args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(args).cwd(path).prints();
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "first"]);
}

/// Sources of the plan in `cwd` that are not of the store, and what was said.
fn sources(sandbox: &Sandbox, cwd: &Path) -> (Vec<String>, String) {
    let outcome = sandbox.ai(["resolve", "--format", "argv0", "claude"]).cwd(cwd).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    let store = sandbox.store().to_str().unwrap().to_owned();
    let mounts = Argv(words_of(&outcome.stdout)).mounts();
    (mounts.into_iter().map(|(source, ..)| source).filter(|source| !source.starts_with(&store)).collect(), outcome.err())
}

#[track_caller]
fn only(sandbox: &Sandbox, cwd: &Path, what: &str) -> String {
    let (sources, said) = sources(sandbox, cwd);
    assert_eq!(sources, [cwd.to_str().unwrap()], "{what}");
    said
}

// BO-03: an unpacked archive before any run, or what a session left.
#[test]
fn what_is_planted_in_a_repository_mounts_nothing_but_the_project() {
    let plants: [(&str, &dyn Fn(&Sandbox, &Path)); 9] = [
        ("worktrees is a link to the home", &|sandbox, git| symlink(sandbox.home(), git.join("worktrees")).unwrap()),
        ("a worktree is a link to the keys", &|sandbox, git| {
            fs::create_dir(git.join("worktrees")).unwrap();
            symlink(sandbox.home().join(".ssh"), git.join("worktrees/x")).unwrap();
        }),
        ("alternates name a repository of the person", &|sandbox, git| {
            let path = sandbox.root().join("work/private/.git/objects");
            fs::write(git.join("objects/info/alternates"), format!("{}\n", path.display())).unwrap();
        }),
        ("alternates are a link", &|sandbox, git| {
            let text = sandbox.write("alternates", format!("{}\n", sandbox.root().join("work/private/.git/objects").display()));
            symlink(text, git.join("objects/info/alternates")).unwrap();
        }),
        (".git is a link to a repository of the person", &|sandbox, git| {
            fs::remove_dir_all(git).unwrap();
            symlink(sandbox.root().join("work/private/.git"), git).unwrap();
        }),
        (".git names a repository of the person", &|sandbox, git| {
            fs::remove_dir_all(git).unwrap();
            fs::write(git, format!("gitdir: {}\n", sandbox.root().join("work/private/.git").display())).unwrap();
        }),
        (".git names a module of the repository above", &|sandbox, git| {
            fs::remove_dir_all(git).unwrap();
            let above = sandbox.root().join("work");
            repository(sandbox, &above);
            for name in ["objects", "refs"] {
                fs::create_dir_all(above.join(".git/modules/legit").join(name)).unwrap();
            }
            fs::write(above.join(".git/modules/legit/HEAD"), "ref: refs/heads/main\n").unwrap();
            fs::write(above.join(".git/modules/legit/config"), "[core]\n\tworktree = ../../../legit\n").unwrap();
            fs::write(above.join(".gitmodules"), "[submodule \"legit\"]\n\tpath = legit\n").unwrap();
            fs::write(git, "gitdir: ../.git/modules/legit\n").unwrap();
        }),
        ("a linked worktree of a repository that the project holds", &|_, git| {
            let root = git.parent().unwrap();
            fs::remove_dir_all(git).unwrap();
            for name in ["c/objects", "c/refs", "c/worktrees/w"] {
                fs::create_dir_all(root.join(name)).unwrap();
            }
            fs::write(root.join("c/HEAD"), "ref: refs/heads/main\n").unwrap();
            fs::write(root.join("c/worktrees/w/gitdir"), "../../../.git\n").unwrap();
            fs::write(git, "gitdir: c/worktrees/w\n").unwrap();
        }),
        ("a worktree of a directory that links lead out of", &|sandbox, git| {
            let root = git.parent().unwrap();
            fs::remove_dir_all(git).unwrap();
            symlink(sandbox.root().join("work/private/.git"), root.join("c")).unwrap();
            fs::write(git, "gitdir: c/worktrees/w\n").unwrap();
        }),
    ];
    for (what, plant) in plants {
        let sandbox = Sandbox::new();
        sandbox.write("home/.ssh/id_ed25519", "made-up");
        repository(&sandbox, sandbox.project());
        repository(&sandbox, &sandbox.root().join("work/private"));
        fs::create_dir_all(sandbox.root().join("work/private/.git/worktrees/w")).unwrap();
        plant(&sandbox, &sandbox.project().join(".git"));
        only(&sandbox, sandbox.project(), what);
    }
}

// BO-05: whatever stands where git has a file, nobody waits for it.
#[test]
fn pipes_devices_and_giants_in_a_repository_stop_nobody() {
    for path in [".git", ".git/worktrees/x/gitdir", ".git/objects/info/alternates", ".git/worktrees", ".git/HEAD"] {
        for kind in ["pipe", "zero", "giant"] {
            let sandbox = Sandbox::new();
            repository(&sandbox, sandbox.project());
            let file = sandbox.project().join(path);
            let _ = fs::remove_dir_all(&file).or_else(|_| fs::remove_file(&file));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            match kind {
                "pipe" => rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RWXU).unwrap(),
                "zero" => symlink("/dev/zero", &file).unwrap(),
                _ => fs::File::create(&file).unwrap().set_len(1 << 30).unwrap(),
            }
            only(&sandbox, sandbox.project(), &format!("{kind} at {path}"));
        }
    }
}

// BO-05: the host's own git reads what a repository names, and would wait for ever.
#[test]
fn a_git_that_waits_for_a_pipe_is_not_waited_for() {
    for config in ["", "[include]\n\tpath = pipe\n"] {
        let sandbox = Sandbox::new();
        repository(&sandbox, sandbox.project());
        let (file, pipe) = (sandbox.project().join(".git/config"), sandbox.project().join(".git/pipe"));
        fs::write(&file, config).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        if config.is_empty() {
            fs::rename(&pipe, &file).unwrap();
        }
        let outcome = sandbox.ai(["run", "claude", "x"]).outcome();
        assert_eq!(outcome.code, 0, "{config:?}: {}", outcome.err());
    }
}

// SE-12: with a word from the person, and said without.
#[test]
fn a_git_directory_elsewhere_works_once_it_is_allowed() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    for name in ["separate", "link"] {
        let project = bed.root().join("work").join(name);
        repository(&bed, &project);
        let elsewhere = bed.root().join(format!("work/{name}.git"));
        fs::rename(project.join(".git"), &elsewhere).unwrap();
        match name {
            "link" => symlink(format!("../{name}.git"), project.join(".git")).unwrap(),
            _ => fs::write(project.join(".git"), format!("gitdir: {}\n", elsewhere.display())).unwrap(),
        }
        let said = only(&bed, &project, name);
        assert!(said.contains(&format!("{name}.git`")) && said.contains("hint: ai project allow"), "{said}");
        bed.ai(["project", "allow"]).cwd(&project).succeeds();
        let log = bed.ai(["exec", "--", "git", "log", "--format=%s"]).cwd(&project).outcome();
        assert_eq!((log.out().as_str(), log.err().as_str()), ("first\n", ""), "{name}");
        bed.ai(["project", "allow", "--remove"]).cwd(&project).succeeds();
        only(&bed, &project, name);
    }
    bed.nothing_left();
}

// BO-18
#[test]
fn what_was_allowed_for_a_directory_does_not_hold_for_another_in_its_place() {
    let sandbox = Sandbox::new();
    let (project, elsewhere) = (sandbox.project().to_owned(), sandbox.root().join("work/elsewhere.git"));
    repository(&sandbox, &project);
    fs::rename(project.join(".git"), &elsewhere).unwrap();
    symlink("../elsewhere.git", project.join(".git")).unwrap();
    sandbox.ai(["project", "allow"]).succeeds();
    let (allowed, said) = sources(&sandbox, &project);
    assert!(allowed.iter().any(|source| Path::new(source) == elsewhere), "{allowed:?} {said}");
    fs::rename(&project, project.with_extension("old")).unwrap();
    fs::create_dir(&project).unwrap();
    symlink("../elsewhere.git", project.join(".git")).unwrap();
    only(&sandbox, &project, "another directory");
}

// SE-12
#[test]
fn other_version_control_marks_a_root_too() {
    for mark in [".jj/repo/store", ".hg"] {
        let sandbox = Sandbox::new();
        fs::create_dir_all(sandbox.project().join(mark)).unwrap();
        let below = sandbox.project().join("src/deep");
        fs::create_dir_all(&below).unwrap();
        let (sources, said) = sources(&sandbox, &below);
        assert_eq!((sources, said.as_str()), (vec![sandbox.project().to_str().unwrap().to_owned()], ""));
    }
    let sandbox = Sandbox::new();
    let main = sandbox.root().join("work/main/.jj/repo");
    fs::create_dir_all(&main).unwrap();
    sandbox.write("work/proj/.jj/repo", main.to_str().unwrap());
    assert!(only(&sandbox, sandbox.project(), "jj workspace").contains("jj keeps the history of this project in"));
}

/// A script in the container, in `cwd`; what it printed.
#[track_caller]
fn inside(bed: &Bed, cwd: &Path, script: &str) -> String {
    let outcome = bed.ai(["exec", "--", "sh", "-ec", script]).cwd(cwd).outcome();
    assert_eq!(outcome.code, 0, "{script}: {}", outcome.err());
    outcome.out()
}

// SE-12
#[test]
fn a_worktree_made_inside_works_on_both_sides() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    bed.write("home/.gitconfig", "[user]\n name = Jo\n email = jo@x\n");
    repository(&bed, bed.project());
    fs::create_dir(bed.project().join("sub")).unwrap();
    let git = |cwd: &Path, args: &[&str]| bed.run("git").args(args).cwd(cwd).outcome();
    for (from, name) in [("", "one"), ("sub", "two")] {
        inside(
            &bed,
            &bed.project().join(from),
            &format!("cd $(git rev-parse --show-toplevel) && git worktree add -q .claude/worktrees/{name}"),
        );
        let tree = bed.project().join(".claude/worktrees").join(name);
        // The host, then the next runs: at the root, below it, in the worktree itself.
        assert_eq!(git(&tree, &["commit", "-q", "--allow-empty", "-m", "outside"]).code, 0, "{name}");
        assert_eq!(git(bed.project(), &["worktree", "prune", "-v"]).out(), "");
        for from in ["", "sub"] {
            let script = format!(
                "cd $(git rev-parse --show-toplevel) && git worktree prune -v && git -C .claude/worktrees/{name} commit -q --allow-empty -m inside"
            );
            inside(&bed, &bed.project().join(from), &script);
        }
        assert_eq!(inside(&bed, &tree, "git log --format=%s | head -n 3"), "inside\ninside\noutside\n");
        assert_eq!(git(&tree, &["status", "--porcelain"]).out(), "");
    }
    assert_eq!(git(bed.project(), &["worktree", "list", "--porcelain"]).out().matches("prunable").count(), 0);
    assert_eq!(git(bed.project(), &["worktree", "list", "--porcelain"]).out().matches("worktree ").count(), 3);
    bed.nothing_left();
}

// SE-12: what is made in scratch places is named.
#[test]
fn a_worktree_that_nothing_keeps_is_named() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    repository(&bed, bed.project());
    let outcome = bed.ai(["exec", "--", "git", "worktree", "add", "-q", "/tmp/feat"]).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("the worktree `/tmp/feat` was made where nothing is kept"), "{}", outcome.err());
    bed.nothing_left();
}

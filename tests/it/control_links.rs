//! Links and pipes that a run leaves in git's own directory: the host's git writes through the one and waits for the other.

use std::fs;

use crate::control::{End, hostile, run, script};
use crate::hostile::stopped;
use crate::sandbox::{Sandbox, find_program, tree};

/// What a run leaves; `$OUT` is a directory of the person's, out of the project. Then what git writes there next.
const LEADS: &[(&str, &str)] = &[
    (".git/logs/HEAD", "rm .git/logs/HEAD; ln -s $OUT/rc .git/logs/HEAD"),
    (".git/logs/refs/heads", "mv .git/logs/refs/heads aside; ln -s $OUT .git/logs/refs/heads"),
    (".git/COMMIT_EDITMSG", "rm -f .git/COMMIT_EDITMSG; ln -s $OUT/rc .git/COMMIT_EDITMSG; echo evil >.git/MERGE_MSG"),
    (".git/FETCH_HEAD", "rm -f .git/FETCH_HEAD; ln -s $OUT/rc .git/FETCH_HEAD"),
    (".git/index", "rm .git/index; ln -s $OUT/new .git/index"),
    (".git/refs/heads", "mv .git/refs/heads aside; cp -r aside/. $OUT 2>/dev/null; ln -s $OUT .git/refs/heads"),
    (".git/rr-cache", "git config rerere.enabled true; ln -s $OUT .git/rr-cache; mkdir -p .git/rr-cache/x"),
    (".git/objects/info", "rm -rf .git/objects/info; ln -s $OUT .git/objects/info"),
    ("n/.git/logs/HEAD", "git clone -q . n; rm n/.git/logs/HEAD; ln -s $OUT/rc n/.git/logs/HEAD"),
    ("n/.git/logs", "git clone -q . n; rm -r n/.git/logs; ln -s $OUT n/.git/logs"),
    (
        ".git/modules/s/config (core.worktree)",
        "git clone -q . s; git -C s remote remove origin; mkdir -p .git/modules; mv s/.git .git/modules/s; echo 'gitdir: ../.git/modules/s' >s/.git; \
            ln -s $OUT link; git config -f .git/modules/s/config core.worktree ../../../link",
    ),
];

/// What a person does next, in each repository: nothing of it is odd.
const WORK: &str = "for d in n s .; do (cd $d 2>/dev/null || exit; git checkout -q -f; echo x >>file; git status; git add -A; git commit -q --no-edit; git commit -q -m more; git fetch -q . other; \
    git checkout -q -b topic; git repack -adq; git update-server-info; git reset --hard -q); done";

/// A project, and a directory beside it that is none of a run's business.
fn with_outside() -> Sandbox {
    let mut sandbox = hostile();
    let out = sandbox.write("outside/rc", "mine\n").parent().unwrap().to_owned();
    sandbox.set("OUT", out);
    sandbox.set("GIT_EDITOR", "true");
    sandbox.link("timeout", find_program("timeout").unwrap());
    sandbox
}

fn outside(sandbox: &Sandbox) -> Vec<(std::path::PathBuf, (u32, Vec<u8>))> {
    tree(&sandbox.root().join("outside")).into_iter().collect()
}

fn work(sandbox: &Sandbox) {
    let _ = script(sandbox, &format!("({WORK}) >/dev/null 2>&1 </dev/null")).outcome();
}

// BO-12, P10: each of them is real.
#[test]
fn git_writes_through_links_in_its_directory() {
    for (name, plant) in LEADS {
        let sandbox = with_outside();
        let before = outside(&sandbox);
        script(&sandbox, plant).succeeds();
        work(&sandbox);
        assert_ne!(outside(&sandbox), before, "{name} leads nowhere");
    }
}

// BO-12: what git would write to stays in the project.
#[test]
fn through_links_that_a_run_left_nothing_is_written() {
    for (index, (name, plant)) in LEADS.iter().enumerate() {
        let end = if index % 4 == 3 { End::ShellKilled } else { End::Tool };
        let mut sandbox = with_outside();
        let err = run(&mut sandbox, plant, end).err();
        // A container does not see the directory; the recording engine does.
        fs::remove_dir_all(sandbox.root().join("outside")).unwrap();
        sandbox.write("outside/rc", "mine\n");
        let before = outside(&sandbox);
        assert!(err.contains(name), "{name}: {err}");
        work(&sandbox);
        assert_eq!(outside(&sandbox), before, "{name}, {end:?}: {err}");
    }
    stopped(
        "a link in git's own directory, or on the way to a work tree, so that git writes elsewhere",
        LEADS.len(),
        "links that a run made there are set aside",
    );
}

// BO-12: a prompt with git in it waits for nobody.
#[test]
fn pipes_that_a_run_left_keep_git_from_nothing() {
    for pipe in [".git/index", ".git/packed-refs", ".git/logs/HEAD", ".git/info/exclude", ".git/FETCH_HEAD", "n/.git/index"] {
        let mut sandbox = with_outside();
        let err = run(&mut sandbox, &format!("git clone -q . n; rm -f {pipe}; mkfifo {pipe}"), End::Tool).err();
        assert!(err.contains(pipe), "{pipe}: {err}");
        let done = script(&sandbox, "timeout 20 git status && timeout 20 git fetch . && timeout 20 git -C n status").outcome();
        assert_eq!(done.code, 0, "{pipe}: {}", done.err());
    }
}

// BO-12: a link that was there before the run is the person's.
#[test]
fn links_of_the_persons_own_stay() {
    let mut sandbox = with_outside();
    script(&sandbox, "mv .git/logs $OUT/logs; ln -s $OUT/logs .git/logs; ln -s refs/heads/other .git/OTHER; ln -s $OUT link").succeeds();
    assert_eq!(run(&mut sandbox, "git config user.name x; git commit -q --allow-empty -m two", End::Tool).err(), "");
    assert!(sandbox.project().join(".git/logs").is_symlink() && sandbox.project().join("link").is_symlink());
    // It led there, and leads elsewhere now.
    let err = run(&mut sandbox, "rm .git/logs; ln -s /nowhere .git/logs", End::Tool).err();
    assert!(err.contains(".git/logs"), "{err}");
    assert_eq!(fs::read_link(sandbox.project().join(".git/logs")).unwrap(), sandbox.root().join("outside/logs"));
}

// BO-12: what a `.git` file says is the same, and leads elsewhere since a link stands on the way.
#[test]
fn a_git_file_that_came_to_lead_elsewhere_is_set_aside() {
    let mut sandbox = with_outside();
    let makes = "git init -q n; mkdir -p a; mv n/.git a/gd; echo 'gitdir: ../a/gd' >n/.git; cp -r a b; git config -f b/gd/config core.fsmonitor $EVIL; \
        mkdir -p hidden/deep; mv b hidden/deep";
    run(&mut sandbox, makes, End::Tool);
    let err = run(
        &mut sandbox,
        "cp -r hidden/deep/b x; rm -r x/gd/objects; echo ../../a/gd >x/gd/commondir; rm -r a/gd/hooks; mv a a2; ln -s x a",
        End::Tool,
    )
    .err();
    assert!(err.contains("n/.git"), "{err}");
    assert!(!sandbox.project().join("n/.git").exists(), "{err}");
}

//! What a run hides from who looks at control files: closed directories, directories that git takes for its own by their names alone,
//! more files than are looked at, old files that are moved to where they run.

use crate::control::{End, hostile, is_run_by, run, script, shows_plants};
use crate::hostile::stopped;
use crate::sandbox::Sandbox;

/// What a run does, what a person does next, and what is said.
type Hidden = (&'static str, &'static str, &'static str);

const CLOSED: &[Hidden] = &[
    ("git config core.fsmonitor $EVIL; chmod 311 .git", "git status", ".git/config (core.fsmonitor)"),
    ("git config core.fsmonitor $EVIL; chmod 111 .git", "git status", ".git/config (core.fsmonitor)"),
    ("git config core.fsmonitor $EVIL; chmod 0 .git", "chmod 755 .git; git status", ".git/config (core.fsmonitor)"),
    ("git config core.fsmonitor $EVIL; chmod 311 .", "git status", ".git/config (core.fsmonitor)"),
    ("git init -q n; git -C n config core.fsmonitor $EVIL; chmod 311 n", "cd n; git status", "n/.git/config (core.fsmonitor)"),
    ("git init -q a/n; git -C a/n config core.fsmonitor $EVIL; chmod 111 a", "cd a/n; git status", "a/n/.git/config"),
    ("git -C known config core.fsmonitor $EVIL; chmod 311 known/.git known", "cd known; git status", "known/.git/config"),
    ("cp $EVIL .git/hooks/post-checkout; chmod 311 .git/hooks", "git checkout other", ".git/hooks"),
    (
        "mkdir -p .git/modules/s; cp -r known/.git/. .git/modules/s; git config -f .git/modules/s/config core.fsmonitor $EVIL; mkdir s; \
        echo 'gitdir: ../.git/modules/s' >s/.git; chmod 311 .git/modules .git/modules/s",
        "cd s; git status",
        ".git/modules/s/config",
    ),
];

/// A directory is one of git's without being named so, by links, and by what another one has.
const UNNAMED: &[Hidden] = &[
    (
        "mkdir d o; cp -r .git o/e; rm o/e/HEAD; ln -s ../o/e/objects d/objects; ln -s ../o/e/refs d/refs; cp .git/HEAD .git/config d; \
            git config -f d/config core.fsmonitor $EVIL; git config -f d/config core.bare false; git config -f d/config core.worktree $PWD",
        "cd d; git status",
        "d/objects",
    ),
    (
        "mkdir -p x/d e; cp -r .git/objects .git/refs e; cp .git/config e; cp .git/HEAD x/d; echo ../../e >x/d/commondir",
        "true",
        "x/d/commondir",
    ),
];

fn with_known() -> Sandbox {
    let sandbox = hostile();
    script(&sandbox, "git init -q known; printf 'known\n' >>.git/info/exclude").succeeds();
    sandbox
}

// BO-12: git and a shell find by its name what is in a directory that cannot be listed. No mode stops root.
#[test]
fn directories_that_a_run_closed_hide_nothing() {
    for (act, work, said) in CLOSED.iter().chain(UNNAMED) {
        let mut sandbox = with_known();
        if !sandbox.as_user(1000, 1000) {
            return;
        }
        if shows_plants() && *work != "true" {
            let _ = script(&sandbox, act).outcome();
            assert!(is_run_by(&sandbox, work), "{act} is no plant");
            sandbox = with_known();
            sandbox.as_user(1000, 1000);
        }
        let err = run(&mut sandbox, act, End::Tool).err();
        assert!(err.contains(said), "{act}: {err}");
        assert!(!is_run_by(&sandbox, work), "{act}: {err}");
    }
    let all = CLOSED.len() + UNNAMED.len();
    stopped("git's directories behind closed ones, made of links, or without their name", all, "opened again, and compared");
}

// BO-12: a directory that was closed before is the person's.
#[test]
fn directories_of_the_persons_own_stay_closed() {
    let mut sandbox = with_known();
    if !sandbox.as_user(1000, 1000) {
        return;
    }
    // The one is gone into wherever directories are, the other only where something of git's is.
    script(&sandbox, "mkdir -p deep/inner fixture; chmod 0 deep fixture; touch -d '1 hour ago' deep fixture; sleep 1.1").succeeds();
    assert_eq!(run(&mut sandbox, "echo x >file", End::Tool).err(), "");
    assert_eq!(script(&sandbox, "stat -c %a deep fixture; chmod 700 deep fixture").prints(), "0\n0\n");
}

// BO-12: what only counts takes no room from what runs, and a file that was there is not old where it runs now.
#[test]
fn too_much_to_look_at_and_old_files_hide_nothing() {
    let mut sandbox = with_known();
    let flood = "for d in .vscode .idea .zed .fleet .run .kiro .nova .helix .vs .codex .gemini .cursor; do mkdir -p $d; cd $d; \
        touch $(seq 250); cd ..; done; mkdir -p many; cd many; mkdir $(seq 600); cd ..; mkdir -p kept/hooks; cp $EVIL kept/hooks/post-checkout; \
        cp -r known kept/known; mkdir kept/hg; echo x >kept/hg/hgrc; sleep 1.1";
    let err = run(&mut sandbox, flood, End::Tool).err();
    assert!(err.contains("made more directories"), "{err}");
    let moved = "git -C known config core.fsmonitor $EVIL; rm -r .git/hooks; mv kept/hooks .git/hooks; mv kept/hg .hg";
    let err = run(&mut sandbox, moved, End::Tool).err();
    assert!(err.contains(".hg/hgrc"), "{err}");
    assert!(err.contains("known/.git/config (core.fsmonitor)") && err.contains(".git/hooks/post-checkout"), "{err}");
    assert!(!is_run_by(&sandbox, "git checkout other; cd known; git status"), "{err}");
}

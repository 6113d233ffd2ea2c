//! Control files: what a run leaves for the host to run is not run by it, with the host's own git as the judge.
//!
//! The recording engine's "container" edits the project as a hostile one would. Each plant is first shown to fire without `ai`.

use std::fs;

use crate::hostile::stopped;
use crate::process::{Outcome, Run};
use crate::sandbox::{Sandbox, find_program};
use crate::shells::Shell;

/// One way to have the host run a program; `$EVIL` is the program. `seed` makes the same files harmlessly, as a person has them.
pub struct Plant {
    pub name: &'static str,
    seed: &'static str,
    pub plant: &'static str,
    /// What is said to have been put back or set aside.
    said: &'static str,
}

const fn plant(name: &'static str, seed: &'static str, plant: &'static str, said: &'static str) -> Plant {
    Plant { name, seed, plant, said }
}

/// What the next git command, or a prompt with one, runs.
pub const PLANTS: &[Plant] = &[
    plant("fsmonitor", "git config core.fsmonitor false", "git config core.fsmonitor \"$EVIL\"", ".git/config (core.fsmonitor)"),
    plant(
        "disguised",
        "git config core.editor true",
        "printf '[CORE]\\r\\n\\tFSMonitor = \\\\\\n%s\\n' \"$EVIL\" >>.git/config",
        "core.fsmonitor",
    ),
    plant(
        "hooks path",
        "git config core.hooksPath /nowhere",
        "mkdir h; cp \"$EVIL\" h/post-checkout; cp \"$EVIL\" h/post-index-change; cp \"$EVIL\" h/pre-commit; git config core.hooksPath h",
        "core.hookspath",
    ),
    plant(
        "hook",
        "h=post-checkout; printf '#!/bin/sh\\nexit 0\\n' >.git/hooks/$h; chmod +x .git/hooks/$h",
        "mkdir -p .git/hooks; cp \"$EVIL\" .git/hooks/post-checkout",
        ".git/hooks/post-checkout",
    ),
    plant(
        "sample",
        "cp .git/hooks/pre-commit.sample .git/hooks/pre-commit; printf '#!/bin/sh\\n' >.git/hooks/pre-commit; chmod -x .git/hooks/pre-commit",
        "cp \"$EVIL\" .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit",
        ".git/hooks/pre-commit",
    ),
    plant(
        "hooks link",
        "touch .git/hooks/mine",
        "mkdir evil-hooks; cp \"$EVIL\" evil-hooks/post-checkout; rm -rf .git/hooks; ln -s ../evil-hooks .git/hooks",
        ".git/hooks",
    ),
    plant(
        "many hooks",
        "touch .git/hooks/mine",
        "for i in $(seq 400); do touch .git/hooks/x$i; done; cp \"$EVIL\" .git/hooks/post-checkout",
        ".git/hooks",
    ),
    plant(
        "filter",
        "git config filter.x.clean cat",
        "git config filter.x.clean \"$EVIL\"; echo '* filter=x' >.git/info/attributes",
        "filter.x.clean",
    ),
    plant("diff", "git config diff.external true", "git config diff.external \"$EVIL\"", "diff.external"),
    plant(
        "textconv",
        "git config diff.t.textconv cat",
        "git config diff.t.textconv \"$EVIL\"; echo '* diff=t' >.git/info/attributes",
        "diff.t.textconv",
    ),
    plant("alias", "git config alias.st status", "git config alias.st \"!$EVIL\"", "alias.st"),
    plant(
        "include",
        "echo '[user]' >.git/more; git config include.path more",
        "printf '[core]\\nfsmonitor = %s\\n' \"$EVIL\" >.git/more; git config include.path more",
        ".git/",
    ),
    plant(
        "include if",
        "git config includeIf.onbranch:nowhere.path more",
        "printf '[core]\\nfsmonitor = %s\\n' \"$EVIL\" >more; git config 'includeIf.gitdir:**.path' ../more",
        "includeif.gitdir:**.path",
    ),
    plant(
        "config.worktree",
        "git config extensions.worktreeConfig true; git config --worktree user.name x",
        "git config extensions.worktreeConfig true; git config --worktree core.fsmonitor \"$EVIL\"",
        ".git/config.worktree (core.fsmonitor)",
    ),
    plant(
        "commondir",
        "true",
        "cp -r .git evil; git config -f evil/config core.fsmonitor \"$EVIL\"; echo ../evil >.git/commondir",
        ".git/commondir",
    ),
    plant("git file", "true", "mv .git evil; git config -f evil/config core.fsmonitor \"$EVIL\"; echo 'gitdir: evil' >.git", ".git"),
    plant(
        "git file by a link",
        "true",
        "mkdir -p n real/evil real/common/objects real/common/refs; echo ref: refs/heads/m >real/evil/HEAD; echo ../common >real/evil/commondir; \
            git config -f real/common/config core.fsmonitor \"$EVIL\"; ln -s ../real n/link; echo 'gitdir: link/evil' >n/.git",
        "n/.git",
    ),
    plant(
        "local remote",
        "git remote add there https://example.org/x",
        "git init -q --bare e.git; cp \"$EVIL\" e.git/hooks/pre-receive; git remote add there ./e.git 2>/dev/null || git remote set-url there ./e.git",
        "remote.there.url",
    ),
    plant("nested", "true", "git init -q n; git -C n config core.fsmonitor \"$EVIL\"", "n/.git/config (core.fsmonitor)"),
    plant(
        "bare",
        "true",
        "git init -q --bare b; git -C b config core.worktree /; git -C b config core.bare false; git -C b config core.fsmonitor \"$EVIL\"",
        "b/config",
    ),
    plant(
        "nested deep",
        "true",
        "mkdir -p a/b/c/d; git init -q a/b/c/d; git -C a/b/c/d config core.fsmonitor \"$EVIL\"",
        "a/b/c/d/.git/config",
    ),
    plant(
        "module",
        "git init -q .git/modules/s 2>/dev/null; rm -rf .git/modules; mkdir -p .git/modules",
        "mkdir -p .git/modules; git init -q s; mv s/.git .git/modules/s; echo 'gitdir: ../.git/modules/s' >s/.git; git -C s config core.worktree ../../../s; git -C s config core.fsmonitor \"$EVIL\"",
        ".git/modules/s/config",
    ),
    plant(
        "hard link",
        "git config user.name x",
        "cp .git/config src; printf '[core]\\nfsmonitor = %s\\n' \"$EVIL\" >>src; rm .git/config; ln src .git/config",
        "core.fsmonitor",
    ),
    plant(
        "closed directory",
        "touch .git/hooks/mine",
        "cp \"$EVIL\" .git/hooks/post-checkout; chmod 555 .git/hooks",
        ".git/hooks/post-checkout",
    ),
];

/// Who ends the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    Tool,
    RunKilled,
    ShellKilled,
}

pub fn hostile() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.link("ln", find_program("ln").unwrap());
    sandbox.link("mkfifo", find_program("mkfifo").unwrap());
    let evil = sandbox.script("evil.sh", "#!/bin/sh\ntouch \"$(dirname \"$0\")/canary\" 2>/dev/null\ntouch \"$CANARY\"\ncat 2>/dev/null\n");
    sandbox.set("EVIL", &evil);
    let canary = sandbox.root().join("canary");
    sandbox.set("CANARY", &canary);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@b"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@b"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ] {
        sandbox.set(name, value);
    }
    sandbox.run("sh").args(["-ec", "git init -q; echo one >file; git add .; git commit -qm one; git branch other"]).prints();
    sandbox
}

pub fn script(sandbox: &Sandbox, text: &str) -> Run {
    sandbox.run("sh").args(["-c", text])
}

/// Whether each plant is first shown to fire without us: `make hostile` does, and it doubles the time.
pub fn shows_plants() -> bool {
    crate::hostile::tries(0, 1) > 0
}

/// What a person, or the prompt of their shell, does next: in the project and in each directory of it. True if the host ran something.
pub fn is_run(sandbox: &Sandbox) -> bool {
    let work = "echo x >>file; git status; git diff; git add file; git stash; git stash pop; git commit -am two; git checkout other; \
        git checkout -; git log -1; git st; git push -q there HEAD; \
        for d in $(find . -type d ! -path '*/.git/*' ! -path './h*'); do (cd $d && git status && git log -1); done";
    is_run_by(sandbox, work)
}

/// Does some work on the host. True if something ran that a run had left for it.
pub fn is_run_by(sandbox: &Sandbox, work: &str) -> bool {
    let _ = fs::remove_file(sandbox.root().join("canary"));
    let _ = script(sandbox, &format!("({work}) >/dev/null 2>&1 </dev/null")).outcome();
    sandbox.root().join("canary").exists()
}

/// A run whose container does this; what was said before the next prompt, or by the next run where this one was killed.
pub fn run(sandbox: &mut Sandbox, act: &str, end: End) -> Outcome {
    match end {
        End::Tool => {
            sandbox.set("FAKE_ENGINE_DO", format!("({act}) >/dev/null 2>&1; exit 7"));
            let outcome = sandbox.ai(["run", "claude"]).outcome();
            assert_eq!(outcome.code, 7, "{outcome:?}");
            outcome
        }
        End::RunKilled | End::ShellKilled => {
            sandbox.set("FAKE_ENGINE_DO", format!("({act}) >/dev/null 2>&1; kill -9 $PPID; sleep 0.2; exit 0"));
            let killed = if end == End::RunKilled { sandbox.ai(["run", "claude"]) } else { sandbox.shell(Shell::Zsh, "claude") };
            assert_eq!(killed.outcome().code, 137);
            sandbox.set("FAKE_ENGINE_DO", "exit 7");
            let outcome = sandbox.ai(["run", "codex"]).outcome();
            assert_eq!(outcome.code, 7, "{outcome:?}");
            outcome
        }
    }
}

// BO-12: the plants are real.
#[test]
fn every_plant_fires_without_us() {
    for Plant { name, plant, .. } in PLANTS {
        let sandbox = hostile();
        assert!(!is_run(&sandbox), "{name}: before");
        script(&sandbox, plant).succeeds();
        assert!(is_run(&sandbox), "{name} is no plant");
    }
}

fn none_is_run(end: End, with_seed: bool) {
    for Plant { name, seed, plant, said } in PLANTS {
        let mut sandbox = hostile();
        if with_seed {
            script(&sandbox, seed).succeeds();
        }
        let config = fs::read(sandbox.project().join(".git/config")).unwrap();
        let outcome = run(&mut sandbox, plant, end);
        let err = outcome.err();
        assert!(
            err.contains("put back what this run changed")
                || err.contains("set aside what this run left")
                || err.contains("cannot put back"),
            "{name}: {err}"
        );
        assert!(err.contains(said), "{name}: {err}");
        assert!(!is_run(&sandbox), "{name}, {end:?}, seed {with_seed}: {err}");
        if *name != "git file" {
            // Of the settings that ran, those of the person are there.
            let now = fs::read(sandbox.project().join(".git/config")).unwrap();
            let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            if !["config.worktree", "local remote"].contains(name) {
                assert_eq!(plain(&now), plain(&config), "{name}");
            }
        }
        // Said once.
        sandbox.set("FAKE_ENGINE_DO", "exit 0");
        let again = sandbox.ai(["run", "claude"]).outcome();
        assert_eq!(again.err(), "", "{name}");
    }
    let ended = match end {
        End::Tool => "a tool that ended",
        End::RunKilled => "a run that was killed",
        End::ShellKilled => "a run whose shell was killed",
    };
    let done = if with_seed { "changed" } else { "planted" };
    stopped(&format!("settings, hooks, filters and includes of git, {done} by {ended}"), PLANTS.len(), "control files compared");
}

// BO-12, Z-019, Z-020, Z-022
#[test]
fn what_a_tool_planted_is_not_run() {
    none_is_run(End::Tool, false);
}

// BO-12, Z-021
#[test]
fn what_a_tool_changed_is_not_run() {
    none_is_run(End::Tool, true);
}

// BO-12
#[test]
fn what_a_killed_run_planted_is_not_run_after_the_next_start() {
    none_is_run(End::RunKilled, false);
}

// BO-12
#[test]
fn what_a_run_planted_whose_shell_was_killed_is_not_run_after_the_next_start() {
    none_is_run(End::ShellKilled, true);
}

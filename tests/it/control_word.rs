//! Control files: ordinary work goes on, the person's word counts, and nothing that stands there can hurt who looks.

use std::fs;

use crate::bed::{Bed, Image};
use crate::control::{End, hostile, is_run, run, script};
use crate::process::finish;
use crate::sandbox::Sandbox;
use crate::shells::Shell;

/// The text of a file of the project.
fn text(sandbox: &Sandbox, path: &str) -> String {
    fs::read_to_string(sandbox.project().join(path)).unwrap_or_default()
}

/// A run whose container does this and about which nothing is said.
#[track_caller]
fn is_ordinary(sandbox: &mut Sandbox, act: &str) {
    sandbox.set("FAKE_ENGINE_DO", format!("set -e; {act}"));
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    assert_eq!((outcome.code, outcome.err()), (0, String::new()), "{act}");
}

// BO-12
#[test]
fn ordinary_work_with_git_is_not_mentioned() {
    let mut sandbox = hostile();
    for act in [
        "git config user.name Jo; git config user.email jo@x",
        "git remote add origin https://example.org/x.git; git config branch.master.remote origin; git config branch.master.merge refs/heads/master",
        "git switch -q -c topic; echo a >a; git add a; git commit -qm a; git switch -q master; git merge -q topic; git branch -d topic",
        "git init -q fresh; cd fresh; echo x >x; git add x; git commit -qm x",
        "git worktree add -q side; git worktree add -q other-side",
        "git worktree remove other-side",
        "rm -rf fresh",
        "git init -q plain; rm -r plain/.git/hooks; rm -rf plain",
        "echo '*.o' >>.git/info/exclude; git stash list; git gc -q",
        "touch .git/hooks/new.sample; rm .git/hooks/new.sample",
        "git -c protocol.file.allow=always clone -q . clone; git -C clone remote set-url origin https://example.org/x",
        "git remote rename origin up; git remote remove up",
    ] {
        is_ordinary(&mut sandbox, act);
    }
    assert!(text(&sandbox, ".git/config").contains("name = Jo"));
    assert_eq!(sandbox.ai(["changes"]).outcome().err(), "ai: no run of this project changed what your machine runs by itself\n");
}

// BO-12: husky, git lfs, pre-commit.
#[test]
fn what_installs_hooks_passes_after_one_word() {
    let mut sandbox = hostile();
    let install = "git config core.hooksPath .husky/_; git config user.name Jo; mkdir -p .husky/_; cp $EVIL .git/hooks/pre-commit; \
        git config filter.lfs.clean 'git-lfs clean -- %f'";
    let outcome = run(&mut sandbox, install, End::Tool);
    assert!(outcome.err().contains(".git/config (core.hookspath, filter.lfs.clean)"), "{}", outcome.err());
    assert!(outcome.err().contains(".git/hooks/pre-commit"), "{}", outcome.err());
    assert!(text(&sandbox, ".git/config").contains("Jo") && !text(&sandbox, ".git/config").contains("husky"));
    let shown = sandbox.ai(["changes"]).outcome();
    assert!(shown.out().contains("+#!/bin/sh") && shown.out().to_lowercase().contains("hookspath = .husky/_"), "{}", shown.out());
    let json: serde_json::Value = serde_json::from_slice(&sandbox.ai(["changes", "--json"]).outcome().stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    // What came since stays.
    script(&sandbox, "git config user.email jo@x").prints();
    assert_eq!(sandbox.ai(["changes", "accept"]).outcome().code, 0);
    let config = text(&sandbox, ".git/config");
    assert!(config.contains(".husky/_") && config.contains("jo@x") && config.contains("git-lfs"), "{config}");
    assert_eq!(script(&sandbox, "test -x .git/hooks/pre-commit; git config core.hooksPath").prints(), ".husky/_\n");
    // It is the person's now.
    is_ordinary(&mut sandbox, "true");
}

// BO-12
#[test]
fn a_word_for_the_project_lets_later_changes_pass() {
    let mut sandbox = hostile();
    run(&mut sandbox, "cp $EVIL .git/hooks/pre-push; git config core.editor vi", End::Tool);
    assert_eq!(sandbox.ai(["changes", "accept", "--always"]).outcome().code, 0);
    let outcome =
        run(&mut sandbox, "echo '# two' >>.git/hooks/pre-push; git config core.editor emacs; git config core.pager less", End::Tool);
    assert!(text(&sandbox, ".git/hooks/pre-push").contains("# two"));
    let config = text(&sandbox, ".git/config");
    assert!(config.contains("emacs") && !config.contains("less"), "{config}");
    // Not unseen.
    assert!(outcome.err().contains(".git/hooks/pre-push") && outcome.err().contains("(core.pager)"), "{}", outcome.err());
}

// Z-033, Z-034
#[test]
fn what_runs_when_a_person_opens_the_project_is_shown_and_can_be_reverted() {
    let mut sandbox = hostile();
    sandbox.write("work/proj/.vscode/tasks.json", "{\n\"old\": 1\n}\n");
    let act = "mkdir -p .claude; echo '{\"hooks\":1}' >.claude/settings.json; printf '{\\n\"new\": 1\\n}\\n' >.vscode/tasks.json; touch .mcp.json; \
        echo 'pre-commit: {}' >.lefthook-local.yml; mkdir .config; cp .lefthook-local.yml .config/lefthook.toml; mkdir .git/rebase-merge; echo 'exec evil' >.git/rebase-merge/git-rebase-todo; echo all: >Makefile";
    let err = run(&mut sandbox, act, End::Tool).err();
    for said in [
        ".claude/settings.json",
        ".vscode/tasks.json: -\"old\": 1",
        ".vscode/tasks.json: +\"new\": 1",
        ".mcp.json",
        ".lefthook-local.yml",
        ".config/lefthook.toml",
        "git-rebase-todo",
        "1 build file: Makefile",
    ] {
        assert!(err.contains(said), "{said}: {err}");
    }
    assert!(!err.contains("warning"), "{err}");
    assert!(text(&sandbox, ".claude/settings.json").contains("hooks"));
    assert_eq!(sandbox.ai(["changes", "revert", ".vscode", ".claude"]).outcome().code, 0);
    assert_eq!(text(&sandbox, ".vscode/tasks.json"), "{\n\"old\": 1\n}\n");
    assert!(!sandbox.project().join(".claude/settings.json").exists());
    assert_eq!(sandbox.ai(["changes", "revert", "nothing"]).outcome().code, 1);
    // What was changed since is nobody's to overwrite.
    sandbox.write("work/proj/.mcp.json", "mine");
    let outcome = sandbox.ai(["changes", "revert"]).outcome();
    assert!(outcome.code == 1 && outcome.err().contains("it was changed since"), "{}", outcome.err());
    assert_eq!(text(&sandbox, ".mcp.json"), "mine");
}

// BO-12: direnv runs what is in the directory that a shell enters.
#[test]
fn what_direnv_runs_is_put_back_where_it_is_installed() {
    for with_direnv in [false, true] {
        let mut sandbox = hostile();
        if with_direnv {
            sandbox.program("direnv", "#!/bin/sh\n");
        }
        sandbox.write("work/proj/.envrc", "export A=1\n");
        let err =
            run(&mut sandbox, "echo $EVIL >.envrc; mkdir -p sub .direnv; echo $EVIL >sub/.envrc; echo evil >.direnv/p.rc", End::Tool).err();
        assert_eq!(text(&sandbox, ".envrc") == "export A=1\n", with_direnv, "{err}");
        assert_eq!(sandbox.project().join("sub/.envrc").exists(), !with_direnv);
        assert_eq!(sandbox.project().join(".direnv/p.rc").exists(), !with_direnv);
        assert!(err.contains(".envrc"), "{err}");
    }
}

// BO-04
#[test]
fn what_stands_there_cannot_hurt_who_looks() {
    for act in [
        "rm .git/config; mkfifo .git/config",
        "rm .git/config; ln -s /dev/zero .git/config",
        "rm -r .git/hooks; mkfifo .git/hooks; rm -rf .git/info; ln -s /dev .git/info",
        "for i in $(seq 30000); do echo \"[x \\\"$i\\\"]\"; done >.git/config; head -c 0 /dev/null >>.git/config",
        "mkfifo .envrc .mcp.json; ln -s /dev/zero Makefile; mkdir .vscode; ln -s / .vscode/all; mkfifo .vscode/p",
        "rm .git/config; mkdir .git/config; touch .git/config/x",
        "mkfifo .git/commondir; mkdir n; mkfifo n/.git; mkdir -p m/.git; mkfifo m/.git/config",
        "chmod 000 .git/hooks; chmod 000 .git/info",
        "mkdir \"$(printf 'a\\n\\033]0;x\\007b')\"; cd a*; git init -q; git config core.fsmonitor $EVIL",
    ] {
        let mut sandbox = hostile();
        let err = run(&mut sandbox, act, End::Tool).err();
        assert!(!err.contains('\u{1b}'), "{act}: {err:?}");
        assert!(!is_run(&sandbox), "{act}: {err}");
        assert_eq!(script(&sandbox, "git log -1 --format=%an").prints(), "a\n", "{act}: {err}");
        let shown = sandbox.ai(["changes"]).outcome();
        assert!(shown.code == 0 && !shown.out().contains('\u{1b}'), "{}", shown.out());
        script(&sandbox, "chmod -R u+rwX .").succeeds();
    }
}

// BO-12
#[test]
fn sessions_of_one_project_say_everything_once() {
    let mut sandbox = hostile();
    let wait = |name: &str| format!("until [ -e ../{name} ]; do sleep 0.05; done");
    sandbox.set("FAKE_ENGINE_DO", format!("touch ../a-runs; {}; cp $EVIL .git/hooks/pre-commit; echo x >.mcp.json", wait("a-go")));
    let first = sandbox.ai(["run", "claude"]).spawn();
    crate::process::wait_for("the first", || sandbox.root().join("work/a-runs").exists().then_some(()));
    sandbox.set("FAKE_ENGINE_DO", format!("touch ../b-runs; {}; cp $EVIL .git/hooks/pre-push", wait("b-go")));
    let second = sandbox.ai(["run", "codex"]).spawn();
    crate::process::wait_for("the second", || sandbox.root().join("work/b-runs").exists().then_some(()));
    sandbox.write("work/a-go", "");
    let first = finish(first).err();
    assert!(first.contains("pre-commit") && first.contains(".mcp.json"), "{first}");
    sandbox.write("work/b-go", "");
    let second = finish(second).err();
    assert!(second.contains("pre-push") && !second.contains("pre-commit") && !second.contains(".mcp.json"), "{second}");
    assert!(!is_run(&sandbox));
}

// BO-12
#[test]
fn the_report_is_there_before_the_prompt_in_every_shell_on_a_real_engine() {
    for shell in Shell::all() {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        bed.git_init();
        let plant = "printf '#!/bin/sh\\ntouch ../canary\\n' >.git/hooks/post-index-change; chmod +x .git/hooks/post-index-change; exit 5";
        let line = format!("claude sh -c {}; echo prompt $? $status; git status >/dev/null; ls ..", shell.text("\"$PLANT\"", "\"$PLANT\""));
        let line = line.replace(" $status", shell.text("", ""));
        let line = if shell == Shell::Fish { line.replace("$?", "$status") } else { line };
        let outcome = bed.shell(shell, &line).env("PLANT", plant).outcome();
        assert!(outcome.out().contains("prompt 5") && !outcome.out().contains("canary"), "{outcome:?}");
        assert!(
            outcome.err().contains("set aside what this run left for your machine to run: .git/hooks/post-index-change"),
            "{outcome:?}"
        );
        bed.nothing_left();
    }
}

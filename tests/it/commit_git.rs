//! `ai commit` and git: hooks, editors, odd states of a repository, hostile ones.

use std::fs;

use crate::commit::{git, repository, stage};
use crate::sandbox::Sandbox;
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// Runs `aic` on a terminal, answers its questions, and returns what was on the screen.
#[track_caller]
fn answer(sandbox: &Sandbox, shell: Shell, answers: &[(&str, &str)]) -> String {
    let script = shell.text("aic; echo code=$?; pwd", "aic; echo code=$status; pwd");
    let mut terminal = on_terminal(sandbox.shell(shell, script));
    let mut screen = String::new();
    for (question, typed) in answers {
        screen += &terminal.exp_string(question).unwrap_or_else(|error| panic!("no {question}: {error}"));
        terminal.send_line(typed).unwrap();
    }
    screen + &terminal.exp_eof().unwrap()
}

const MENU: &str = "[q]uit:";

// J-10, J-01: in each shell, with the person's hooks, and the directory is as it was.
#[test]
fn hooks_run_on_the_host_and_can_change_the_message() {
    for shell in Shell::all() {
        let sandbox = repository("feat: x");
        let hooks = sandbox.project().join(".git/hooks");
        sandbox.script(hooks.join("pre-commit"), "#!/bin/sh\npwd >../hook\n");
        sandbox.script(hooks.join("commit-msg"), "#!/bin/sh\necho 'Signed-off-by: a hook' >>\"$1\"\n");
        stage(&sandbox, "new", "one\n");
        let screen = answer(&sandbox, shell, &[(MENU, "commit")]);
        assert!(screen.contains("code=0") && screen.contains(sandbox.project().to_str().unwrap()), "{shell:?}: {screen}");
        assert_eq!(git(&sandbox, &["log", "-1", "--format=%B"]), "feat: x\nSigned-off-by: a hook\n\n");
        assert_eq!(fs::read_to_string(sandbox.project().join("../hook")).unwrap().trim(), sandbox.project().to_str().unwrap());
    }
}

// J-10: nothing is lost by a hook that says no.
#[test]
fn a_hook_that_fails_leaves_the_index_and_the_message() {
    let sandbox = repository("feat: kept");
    sandbox.script(sandbox.project().join(".git/hooks/pre-commit"), "#!/bin/sh\necho no >&2\nexit 3\n");
    sandbox.write(sandbox.project().join("old"), "changed\n");
    let screen = answer(&sandbox, Shell::Bash, &[("[Q]uit:", "t"), (MENU, "")]);
    assert!(
        screen.contains("code=1") && screen.contains("git commit ended with 1") && screen.contains("hint: git commit -e -F "),
        "{screen}"
    );
    assert_eq!(git(&sandbox, &["status", "--porcelain"]), " M old\n");
    assert_eq!(fs::read_to_string(sandbox.store().join("commit-message")).unwrap(), "feat: kept\n");
}

// J-01: git trusts its index only about files that are older than it. A copy of the index that is younger would hide such a change.
#[test]
fn a_change_of_the_same_second_and_length_is_committed() {
    let sandbox = repository("feat: seen");
    // All that git then looks at is the second and the length.
    git(&sandbox, &["config", "core.checkStat", "minimal"]);
    git(&sandbox, &["config", "core.trustctime", "false"]);
    let second = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let index = sandbox.project().join(".git/index");
    let change = |text: &str| {
        sandbox.write(sandbox.project().join("old"), text);
        fs::File::open(sandbox.project().join("old")).unwrap().set_modified(second).unwrap();
    };
    change("one\n");
    git(&sandbox, &["commit", "--quiet", "-am", "one"]);
    fs::File::open(&index).unwrap().set_modified(second).unwrap();
    change("two\n");
    sandbox.script(sandbox.project().join(".git/hooks/post-commit"), "#!/bin/sh\ntouch -d @1000000000 \"$GIT_INDEX_FILE\"\n");
    let screen = answer(&sandbox, Shell::Zsh, &[("[Q]uit:", "t"), (MENU, "")]);
    assert!(screen.contains("code=0"), "{screen}");
    assert_eq!(git(&sandbox, &["show", "HEAD:old"]), "two\n");
    // Nor does the index that was left behind claim to be younger than it is.
    change("six\n");
    assert_eq!(git(&sandbox, &["status", "--porcelain"]), " M old\n");
}

// J-06
#[test]
fn a_message_can_be_edited_asked_for_again_or_left() {
    let mut sandbox = repository("feat: x");
    sandbox
        .program("editor-of-jo", "#!/bin/sh\ntest -t 0 || exit 5\nprintf 'feat: edited\\n\\n# stays\\n' >\"$2\"\ntest \"$1\" = --wait\n");
    sandbox.set("GIT_EDITOR", "editor-of-jo --wait");
    stage(&sandbox, "new", "one\n");
    let screen = answer(&sandbox, Shell::Zsh, &[(MENU, "q")]);
    assert!(screen.contains("nothing is committed") && screen.contains("code=1"), "{screen}");
    let screen = answer(&sandbox, Shell::Zsh, &[(MENU, "nonsense"), (MENU, "again but shorter"), (MENU, "e"), (MENU, "c")]);
    assert!(screen.contains("code=0") && screen.contains("feat: edited"), "{screen}");
    assert_eq!(git(&sandbox, &["log", "-1", "--format=%B"]), "feat: edited\n\n# stays\n\n");
    let prompt = fs::read_to_string(sandbox.root().join("engine/prompt")).unwrap();
    assert!(prompt.contains("which was not taken\n\nfeat: x\n") && prompt.ends_with("but shorter\n"), "{prompt}");
}

// J-06
#[test]
fn commit_and_push_pushes_and_tells_how_that_went() {
    let sandbox = repository("feat: pushed");
    stage(&sandbox, "new", "one\n");
    git(&sandbox, &["init", "--quiet", "--bare", "../remote.git"]);
    git(&sandbox, &["remote", "add", "origin", "../remote.git"]);
    assert!(answer(&sandbox, Shell::Bash, &[(MENU, "p")]).contains("code=0"));
    assert_eq!(git(&sandbox, &["ls-remote", "origin", "main"])[..40], git(&sandbox, &["rev-parse", "HEAD"])[..40]);
    fs::remove_dir_all(sandbox.project().join("../remote.git")).unwrap();
    stage(&sandbox, "more", "two\n");
    let screen = answer(&sandbox, Shell::Bash, &[(MENU, "p")]);
    assert!(!screen.contains("code=0"), "{screen}");
    assert_eq!(git(&sandbox, &["rev-list", "--count", "HEAD"]), "4\n");
}

// J-06, BO-14: Ctrl-C at any question, and what a terminal would obey.
#[test]
fn ctrl_c_changes_nothing_and_controls_are_shown() {
    let mut sandbox = repository("feat: \u{1b}]0;x\u{7}\u{202e}y");
    stage(&sandbox, "new", "one\n");
    let before = fs::read(sandbox.project().join(".git/index")).unwrap();
    let mut terminal = on_terminal(sandbox.shell(Shell::Bash, "aic; echo code=$?"));
    let shown = terminal.exp_string(MENU).unwrap();
    assert!(shown.contains("feat: \\u{1b}]0;x\\u{7}\\u{202e}y") && !shown.contains("\u{1b}]0"), "{shown}");
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
    sandbox.set("FAKE_ENGINE_DO", "echo $$ >\"$FAKE_ENGINE/started\"; sleep 600");
    let mut terminal = on_terminal(sandbox.shell(Shell::Bash, "aic; echo code=$?"));
    crate::process::wait_for("the tool", || sandbox.root().join("engine/started").exists().then_some(()));
    terminal.send_control('c').unwrap();
    let said = terminal.exp_eof().unwrap();
    assert!(said.contains("code=130"), "{said}");
    assert_eq!(fs::read(sandbox.project().join(".git/index")).unwrap(), before);
    assert_eq!(git(&sandbox, &["rev-list", "--count", "HEAD"]), "2\n");
    assert_eq!(fs::read_dir(sandbox.store().join("sessions")).unwrap().count(), 0);
}

// DA-01: unborn, detached, in a merge, with conflicts, renamed, in a linked worktree.
#[test]
fn every_state_of_a_repository_has_a_message() {
    let printed = |sandbox: &Sandbox| sandbox.ai(["commit"]).prints();
    let prompt = |sandbox: &Sandbox| fs::read_to_string(sandbox.root().join("engine/prompt")).unwrap();
    let sandbox = repository("feat: x");
    git(&sandbox, &["checkout", "--quiet", "--orphan", "unborn"]);
    assert_eq!(printed(&sandbox), "feat: x\n");
    assert!(prompt(&sandbox).contains("new file mode") && !prompt(&sandbox).contains("Recent subjects"));
    git(&sandbox, &["checkout", "--quiet", "--force", "--detach", "main"]);
    git(&sandbox, &["mv", "old", "renamed"]);
    assert_eq!(printed(&sandbox), "feat: x\n");
    assert!(prompt(&sandbox).contains("rename to renamed") && !prompt(&sandbox).contains("## Branch"));
    git(&sandbox, &["reset", "--quiet", "--hard"]);
    git(&sandbox, &["worktree", "add", "--quiet", "-b", "linked", "../linked"]);
    sandbox.write("work/linked/old", "in the worktree\n");
    git(&sandbox, &["-C", "../linked", "add", "old"]);
    assert_eq!(sandbox.ai(["commit"]).cwd(sandbox.root().join("work/linked")).prints(), "feat: x\n");
    assert!(prompt(&sandbox).contains("+in the worktree") && prompt(&sandbox).contains("linked"));
    git(&sandbox, &["-C", "../linked", "commit", "--quiet", "-m", "linked"]);
    stage(&sandbox, "old", "in main\n");
    git(&sandbox, &["commit", "--quiet", "-m", "main"]);
    assert_eq!(sandbox.run("git").args(["merge", "linked"]).outcome().code, 1);
    sandbox.ai(["commit"]).outcome().refused(1, &["`old` has conflicts", "git add"]);
    stage(&sandbox, "old", "in both\n");
    assert_eq!(printed(&sandbox), "feat: x\n");
    assert!(prompt(&sandbox).contains("git would say\n\nMerge branch 'linked'"), "{}", prompt(&sandbox));
}

/// Everything in a repository's settings that git may run; each writes a line into the returned file.
fn poison(sandbox: &Sandbox) -> std::path::PathBuf {
    let canary = sandbox.root().join("canary");
    let program = sandbox.script("evil", &format!("#!/bin/sh\necho \"$0 $*\" >>{}\ncat\n", canary.display()));
    for hook in ["pre-commit", "post-index-change", "fsmonitor-watchman", "reference-transaction"] {
        fs::copy(&program, sandbox.project().join(".git/hooks").join(hook)).unwrap();
    }
    let evil = program.to_str().unwrap();
    let mut config = "[filter \"evil\"]\nrequired = true\n[log]\nshowSignature = true\n".to_owned();
    for (section, key) in [
        ("core", "fsmonitor"),
        ("core", "pager"),
        ("core", "editor"),
        ("core", "sshCommand"),
        ("core", "askPass"),
        ("diff", "external"),
        ("diff \"evil\"", "command"),
        ("diff \"evil\"", "textconv"),
        ("filter \"evil\"", "clean"),
        ("filter \"evil\"", "smudge"),
        ("filter \"evil\"", "process"),
        ("gpg", "program"),
        ("pager", "log"),
        ("alias", "log"),
    ] {
        config += &format!("[{section}]\n{key} = {evil}\n");
    }
    let path = sandbox.project().join(".git/config");
    let before = fs::read_to_string(&path).unwrap();
    sandbox.write(&path, before + &config);
    sandbox.write(sandbox.project().join(".gitattributes"), "* diff=evil filter=evil\n");
    canary
}

// nothing of a hostile repository runs until git itself commits.
#[test]
fn nothing_of_a_repository_runs_for_a_message() {
    let sandbox = repository("feat: x");
    stage(&sandbox, "new", "one\n");
    let canary = poison(&sandbox);
    assert_eq!(sandbox.ai(["commit"]).prints(), "feat: x\n");
    assert!(!canary.exists(), "{}", fs::read_to_string(&canary).unwrap());
    let sandbox = repository("feat: x");
    let canary = poison(&sandbox);
    // As long as before, so that only the content tells.
    sandbox.write(sandbox.project().join("old"), "9\n");
    sandbox.ai(["commit"]).outcome().refused(1, &["nothing is staged"]);
    assert!(!canary.exists(), "{}", fs::read_to_string(&canary).unwrap());
}

//
#[test]
fn a_work_tree_elsewhere_is_refused_and_the_callers_variables_change_nothing() {
    let mut sandbox = repository("feat: x");
    stage(&sandbox, "new", "one\n");
    let other = sandbox.root().join("elsewhere");
    fs::create_dir(&other).unwrap();
    sandbox.set("GIT_DIR", &other);
    sandbox.set("GIT_INDEX_FILE", other.join("index"));
    assert_eq!(sandbox.ai(["commit"]).prints(), "feat: x\n");
    sandbox.unset("GIT_DIR");
    sandbox.unset("GIT_INDEX_FILE");
    git(&sandbox, &["config", "core.worktree", other.to_str().unwrap()]);
    let outcome = sandbox.ai(["commit"]).outcome();
    assert!(outcome.code != 0 && !sandbox.root().join("engine/prompt").metadata().unwrap().is_dir(), "{outcome:?}");
}

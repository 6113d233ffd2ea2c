//! `ai commit`: what is sent, what is made of the answer, and what is left alone. The engine is a recording one that answers as told.

use std::fs;
use std::path::PathBuf;

use rexpect::session::PtySession;

use crate::process::Outcome;
use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// A repository with two commits, and a tool that answers `answer`.
pub fn repository(answer: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    identify(&sandbox);
    sandbox.git_init();
    sandbox.set("FAKE_ENGINE_DO", "cat >\"$FAKE_ENGINE/prompt\"; cat \"$FAKE_ENGINE/answer\"; exit $(cat \"$FAKE_ENGINE/code\")");
    answers(&sandbox, answer, 0);
    for (number, subject) in [(1, "feat(x): the first"), (2, "fix: the second")] {
        sandbox.write(sandbox.project().join("old"), format!("{number}\n"));
        git(&sandbox, &["add", "--all"]);
        git(&sandbox, &["commit", "--quiet", "-m", subject]);
    }
    sandbox
}

/// Says who commits.
pub fn identify(sandbox: &Sandbox) {
    sandbox.write("home/.gitconfig", "[user]\nname = Jo\nemail = jo@example.com\n[init]\ndefaultBranch = main\n");
}

/// What the tool prints from now on, as claude prints it.
fn answers(sandbox: &Sandbox, message: &str, code: u8) {
    says(sandbox, &serde_json::json!({"type": "result", "is_error": false, "result": message}).to_string(), code);
}

fn says(sandbox: &Sandbox, text: &str, code: u8) {
    sandbox.write("engine/answer", text);
    sandbox.write("engine/code", code.to_string());
}

pub fn git(sandbox: &Sandbox, args: &[&str]) -> String {
    let outcome = sandbox.run("git").args(args).outcome();
    assert_eq!(outcome.code, 0, "git {args:?}: {}", outcome.err());
    outcome.out()
}

/// Stages a file.
pub fn stage(sandbox: &Sandbox, name: &str, text: impl AsRef<[u8]>) {
    sandbox.write(sandbox.project().join(name), text);
    git(sandbox, &["add", "--", name]);
}

fn prompt(sandbox: &Sandbox) -> String {
    String::from_utf8(fs::read(sandbox.root().join("engine/prompt")).unwrap()).unwrap()
}

fn was_asked(sandbox: &Sandbox) -> bool {
    sandbox.root().join("engine/prompt").exists()
}

fn message(sandbox: &Sandbox) -> String {
    git(sandbox, &["log", "-1", "--format=%B"])
}

fn count(sandbox: &Sandbox) -> String {
    git(sandbox, &["rev-list", "--count", "HEAD"]).trim().into()
}

/// What git keeps, but for what reading it refreshes.
fn kept(sandbox: &Sandbox) -> Vec<(PathBuf, Vec<u8>)> {
    let files = tree(&sandbox.project().join(".git")).into_iter();
    files.map(|(path, (_, bytes))| (path, bytes)).filter(|(_, bytes)| !bytes.is_empty()).collect()
}

fn on(sandbox: &Sandbox, script: &str) -> PtySession {
    on_terminal(sandbox.shell(Shell::Bash, &format!("{script}; echo code=$?")))
}

#[track_caller]
fn ends(mut terminal: PtySession, code: u8) {
    terminal.exp_string(&format!("code={code}")).unwrap();
    terminal.exp_eof().unwrap();
}

// J-01, J-06: Enter commits, byte for byte, and does not push.
#[test]
fn the_message_is_committed_as_the_tool_wrote_it() {
    let message_text = "feat: x \"y\" `z` $(id) \\n\n\n# no comment\n  indented  \n- 'one'\n\nПривет 日本語";
    let sandbox = repository(&format!("```\r\n{message_text}\r\n```\r\n"));
    stage(&sandbox, "new", "one\n");
    let mut terminal = on(&sandbox, "aic");
    terminal.exp_string("[q]uit:").unwrap();
    terminal.send_line("").unwrap();
    ends(terminal, 0);
    assert_eq!(message(&sandbox), format!("{message_text}\n\n"));
    assert_eq!(git(&sandbox, &["status", "--porcelain"]), "");
}

// J-05, J-09: everything goes through standard input.
#[test]
fn the_prompt_has_persona_subjects_change_and_hint() {
    let mut sandbox = repository("feat: x");
    sandbox.set("AI_COMMIT_PERSONA", "You are a pirate.");
    sandbox.set("AI_COMMIT_LANGUAGE", "German");
    stage(&sandbox, "new", "a line of the change\n");
    sandbox.write(sandbox.project().join("unstaged"), "not this\n");
    assert_eq!(sandbox.shell(Shell::Zsh, "aic 'hint text' \"it's\" two").outcome().out(), "feat: x\n");
    let prompt = prompt(&sandbox);
    let parts =
        ["You are a pirate.", "Write in German", "fix: the second\nfeat(x): the first\n", "+a line of the change", "hint text it's two"];
    let places: Vec<Option<usize>> = parts.iter().map(|part| prompt.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {prompt}");
    assert!(!prompt.contains("not this"));
    let argv = sandbox.the_run().argv;
    assert!(argv.iter().map(|word| word.len()).sum::<usize>() < 8192);
    for word in &argv {
        let word = word.to_string_lossy();
        assert!(!["pirate", "a line of the change", "hint text"].iter().any(|text| word.contains(text)), "{word}");
        assert!(!word.contains(sandbox.project().to_str().unwrap()), "{word}");
    }
}

// J-05
#[test]
fn five_megabytes_are_no_trouble_and_neither_are_bytes_that_are_no_text() {
    let sandbox = repository("feat: large");
    stage(&sandbox, "large", "eine Zeile Text, größer\n".repeat(200_000));
    stage(&sandbox, "line", vec![b'z'; 3_000_000]);
    stage(&sandbox, "binary", b"\0\x01\x02".repeat(5000));
    stage(&sandbox, "latin1", b"stra\xdfe\n");
    stage(&sandbox, "small", "the small one\n");
    assert_eq!(sandbox.ai(["commit"]).prints(), "feat: large\n");
    let prompt = prompt(&sandbox);
    assert!(prompt.len() < 110_000 && prompt.contains("+the small one\n") && prompt.contains("binary (binary)"), "{}", prompt.len());
    assert!(prompt.contains("[the rest of large (+200000 -0) is left out]"));
}

// J-02: the list, and nothing is staged unless it is said; what is chosen is staged with the commit, not before.
#[test]
fn nothing_staged_offers_to_stage() {
    let check = |typed: &str, again: &str, code: u8, committed: &str, left: &str| {
        let sandbox = repository("feat: x");
        sandbox.write(sandbox.project().join("old"), "changed\n");
        sandbox.write(sandbox.project().join("untracked"), "new\n");
        sandbox.write(sandbox.project().join("sub/dir/deep"), "new\n");
        let before = kept(&sandbox);
        let mut terminal = on(&sandbox, "cd sub; aic; cd ..");
        terminal.exp_string("changed old").unwrap();
        terminal.exp_string("untracked").unwrap();
        terminal.exp_string("[Q]uit:").unwrap();
        terminal.send_line(typed).unwrap();
        if !again.is_empty() {
            terminal.exp_string("[q]uit:").unwrap();
            terminal.send_line(again).unwrap();
        }
        terminal.exp_eof().unwrap();
        assert_eq!(git(&sandbox, &["show", "--format=", "--name-only", "HEAD"]).trim().replace('\n', " "), committed, "{typed} {again}");
        assert_eq!(git(&sandbox, &["status", "--porcelain", "--untracked-files=all"]).trim().replace('\n', " "), left, "{typed} {again}");
        if code != 0 {
            let objects = |kept: Vec<(PathBuf, Vec<u8>)>| {
                kept.into_iter().filter(|(path, _)| !path.to_str().unwrap().contains("/objects/")).collect::<Vec<_>>()
            };
            assert_eq!(objects(kept(&sandbox)), objects(before), "{typed} {again}");
        }
    };
    check("", "", 1, "old", "M old ?? sub/dir/deep ?? untracked");
    check("yes", "", 1, "old", "M old ?? sub/dir/deep ?? untracked");
    check("t", "q", 1, "old", "M old ?? sub/dir/deep ?? untracked");
    check("a", "q", 1, "old", "M old ?? sub/dir/deep ?? untracked");
    check("t", "c", 0, "old", "?? sub/dir/deep ?? untracked");
    check("a", "c", 0, "old sub/dir/deep untracked", "");
}

// J-02, J-07
#[test]
fn without_a_terminal_nothing_is_staged_and_nothing_committed() {
    let sandbox = repository("feat: x");
    sandbox.write(sandbox.project().join("old"), "changed\n");
    sandbox.ai(["commit"]).outcome().refused(1, &["cannot commit: nothing is staged", "hint: git add"]);
    git(&sandbox, &["add", "old"]);
    let before = git(&sandbox, &["status", "--porcelain"]);
    assert_eq!(sandbox.ai(["commit"]).prints(), "feat: x\n");
    assert_eq!((git(&sandbox, &["status", "--porcelain"]), count(&sandbox)), (before, "2".into()));
    git(&sandbox, &["checkout", "--quiet", "HEAD", "old"]);
    sandbox.ai(["commit"]).outcome().refused(1, &["cannot commit: nothing has changed"]);
}

// J-03
#[test]
fn with_nothing_to_commit_what_is_not_pushed_is_listed() {
    let sandbox = repository("feat: x");
    git(&sandbox, &["init", "--quiet", "--bare", "../remote.git"]);
    git(&sandbox, &["remote", "add", "origin", "../remote.git"]);
    git(&sandbox, &["push", "--quiet", "--set-upstream", "origin", "main"]);
    for number in 1..=7 {
        git(&sandbox, &["commit", "--quiet", "--allow-empty", "-m", &format!("number {number}")]);
    }
    let remote = || git(&sandbox, &["ls-remote", "origin", "main"])[..7].to_owned();
    let before = remote();
    let outcome = sandbox.ai(["commit"]).outcome();
    assert_eq!((outcome.code, outcome.out().as_str()), (0, ""));
    assert!(outcome.err().contains("7 commits are not pushed"), "{outcome:?}");
    let mut terminal = on(&sandbox, "aic");
    let listed = terminal.exp_string("Push? [y/N]").unwrap();
    assert!(
        listed.contains("number 7") && listed.contains("number 3") && !listed.contains("number 2") && listed.contains("and 2 more"),
        "{listed}"
    );
    terminal.send_line("").unwrap();
    ends(terminal, 0);
    assert_eq!(remote(), before);
    let mut terminal = on(&sandbox, "aic");
    terminal.exp_string("Push? [y/N]").unwrap();
    terminal.send_line("y").unwrap();
    ends(terminal, 0);
    assert_eq!(remote(), git(&sandbox, &["rev-parse", "HEAD"])[..7]);
    assert!(!was_asked(&sandbox));
}

// J-04
#[test]
fn outside_of_a_repository_there_is_nothing_to_commit() {
    let sandbox = Sandbox::new();
    sandbox.ai(["commit"]).outcome().refused(1, &["cannot commit: this is no git repository", "hint: "]);
    sandbox.git_init();
    sandbox.ai(["commit"]).cwd(sandbox.project().join(".git")).outcome().refused(1, &["not a work tree"]);
    sandbox.without("git");
    sandbox.ai(["commit"]).outcome().refused(127, &["git is not on PATH"]);
    assert!(sandbox.calls().is_empty());
}

// J-07
#[test]
fn no_message_is_no_commit() {
    let sandbox = repository("");
    stage(&sandbox, "new", "one\n");
    let check = |text: &str, code: u8, said: &[&str]| {
        says(&sandbox, text, code);
        let outcome = sandbox.ai(["commit"]).outcome();
        outcome.refused(1, said);
        assert_eq!(count(&sandbox), "2", "{text}");
        assert_eq!(git(&sandbox, &["status", "--porcelain"]), "A  new\n");
    };
    check("{\"is_error\":false,\"result\":\" \\n\"}", 0, &["it answered with nothing"]);
    check(
        "{\"is_error\":true,\"result\":\"Not logged in\\u001b[31m\"}",
        1,
        &["it answered with an error", "Not logged in\\u{1b}[31m", "ai login claude"],
    );
    check("Segmentation fault", 139, &["it ended with 139", "Segmentation fault"]);
    check("feat: not JSON", 0, &["not what it prints for an answer"]);
    check("{\"result\":\"feat: x\"}", 3, &["it ended with 3"]);
}

// J-07: a tool that never answers is ended in time, and its container with it.
#[test]
fn a_tool_that_does_not_answer_is_ended() {
    let mut sandbox = repository("feat: x");
    stage(&sandbox, "new", "one\n");
    sandbox.set("FAKE_ENGINE_DO", "sleep 600");
    sandbox.set("AI_COMMIT_DEADLINE", "1");
    sandbox.ai(["commit"]).outcome().refused(69, &["no answer in 1 s", "AI_COMMIT_DEADLINE"]);
    let looked_for = sandbox.calls().into_iter().filter(|call| call.argv.first().is_some_and(|word| word == "ps")).count();
    assert_eq!((looked_for, count(&sandbox).as_str()), (1, "2"));
    assert_eq!(fs::read_dir(sandbox.store().join("sessions")).unwrap().count(), 0);
}

// J-08, Q-03: nothing is sent; the value is not shown; a word is no key.
#[test]
fn a_key_in_the_change_stops_it() {
    let sandbox = repository("feat: x");
    let key = format!("ghp_{}", "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5");
    stage(&sandbox, "conf/settings", format!("one\ntoken = {key}\nthe key alone, a secret: password\n"));
    let stopped = |outcome: Outcome| {
        outcome.refused(77, &["conf/settings:2: GitHub token", "--allow-secrets"]);
        assert!(!outcome.err().contains(&key) && outcome.err().matches("conf/settings").count() == 1, "{outcome:?}");
    };
    stopped(sandbox.ai(["commit"]).outcome());
    stopped(sandbox.shell(Shell::Fish, "cic").outcome());
    assert!(!was_asked(&sandbox) && sandbox.calls().is_empty());
    assert_eq!(sandbox.shell(Shell::Bash, "aic --allow-secrets why").outcome().out(), "feat: x\n");
    let prompt = prompt(&sandbox);
    assert!(!prompt.contains(&key) && prompt.contains("+token = [GitHub token]") && prompt.contains("why"), "{prompt}");
}

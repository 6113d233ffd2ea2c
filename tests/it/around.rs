//! What a person may have done around each run: counters in a file, a line in the system's log, a commit offered, the vector kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::Value;

use crate::commit::{git, repository};
use crate::sandbox::Sandbox;
use crate::shells::Shell;
use crate::terminal::on_terminal;

// R-T02
#[test]
fn each_run_leaves_its_counters_where_the_person_wants_them() {
    let mut sandbox = Sandbox::new();
    fs::create_dir(sandbox.home().join("counters")).unwrap();
    sandbox.config("metrics_textfile = '~/counters'\n");
    let read = |sandbox: &Sandbox| fs::read_to_string(sandbox.home().join("counters/ai.prom")).unwrap();
    sandbox.ai(["run", "claude"]).succeeds();
    assert!(read(&sandbox).contains("ai_runs_total{tool=\"claude\",ending=\"success\"} 1\n"), "{}", read(&sandbox));
    sandbox.shell(Shell::Bash, "claude x").succeeds();
    assert!(read(&sandbox).contains("ai_runs_total{tool=\"claude\",ending=\"success\"} 2\n"), "{}", read(&sandbox));
    // Where a run is started is no place for them.
    for odd in ["''", "'counters'", "'~'"] {
        sandbox.config(&format!("metrics_textfile = {odd}\n"));
        sandbox.ai(["run", "claude"]).outcome().refused(78, &["is no directory such as"]);
    }
    sandbox.config("");
    sandbox.set("AI_METRICS_TEXTFILE", "/no/such/directory");
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    assert_eq!(outcome.code, 0);
    assert!(outcome.err().contains("cannot write `/no/such/directory/ai.prom`"), "{}", outcome.err());
}

// DA-04
#[test]
fn a_run_that_ends_is_told_to_the_systems_log_if_the_person_wants_that() {
    let mut sandbox = Sandbox::new();
    if !rustix::process::getuid().is_root() {
        return;
    }
    sandbox.set("AI_SYSLOG", "yes");
    sandbox.with_dev("rm -f /dev/log");
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    assert_eq!(outcome.code, 0);
    assert!(outcome.err().contains("cannot tell the system's log of this run: /dev/log"), "{}", outcome.err());
    let mut sandbox = Sandbox::new();
    let path = sandbox.root().join("log.sock");
    let log = UnixDatagram::bind(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    log.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    sandbox.with_dev(&format!("ln -sf '{}' /dev/log", path.display()));
    sandbox.set("FAKE_ENGINE_DO", "exit 3");
    assert_eq!(sandbox.ai(["run", "claude", "hush"]).env("AI_SYSLOG", "yes").outcome().code, 3);
    let mut bytes = [0; 4096];
    let length = log.recv(&mut bytes).unwrap();
    let line = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let event: Value = serde_json::from_str(line.split_once(": ").unwrap().1).unwrap();
    assert!(line.starts_with("<14>ai["), "{line}");
    assert_eq!((&event["event"], &event["tool"], &event["exit"]), (&"run".into(), &"claude".into(), &3.into()));
    assert!(!line.contains("hush"), "{line}");
}

// J-11: only where it was wanted, somebody is there, and the run changed the tree.
#[test]
fn a_commit_is_offered_after_a_run_that_changed_the_project() {
    let mut sandbox = repository("feat: what the run made");
    let runs = |sandbox: &mut Sandbox, act: &str| {
        sandbox.set("FAKE_ENGINE_DO", format!("case \" $* \" in *' --output-format '*) cat \"$FAKE_ENGINE/answer\" ;; *) {act} ;; esac"))
    };
    let subjects = |sandbox: &Sandbox| git(sandbox, &["log", "--format=%s"]);
    let project = sandbox.project().to_owned();
    runs(&mut sandbox, &format!("echo more >>'{}/old'", project.display()));

    // Nobody asked for it.
    let mut terminal = on_terminal(sandbox.ai(["run", "claude"]));
    assert!(!terminal.exp_eof().unwrap().contains("Commit?"));
    sandbox.set("AI_COMMIT_OFFER", "yes");
    // Nobody is there.
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    assert!(outcome.code == 0 && !outcome.err().contains("Commit?"), "{}", outcome.err());
    // The run changed nothing, though there is something to commit.
    runs(&mut sandbox, "true");
    let mut terminal = on_terminal(sandbox.shell(Shell::Zsh, "claude; echo ended=$?"));
    assert!(!terminal.exp_string("ended=0").unwrap().contains("Commit?"));
    // Of what changed further, one says no, and then yes.
    runs(&mut sandbox, &format!("echo even more >>'{}/old'", project.display()));
    let mut terminal = on_terminal(sandbox.shell(Shell::Bash, "claude; echo ended=$?"));
    terminal.exp_string("claude changed the project. Commit? [y/N]").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_string("ended=0").unwrap();
    assert_eq!(subjects(&sandbox).lines().count(), 2);
    runs(&mut sandbox, &format!("echo new >'{}/new'", project.display()));
    let mut terminal = on_terminal(sandbox.ai(["run", "claude"]));
    terminal.exp_string("Commit? [y/N]").unwrap();
    terminal.send_line("y").unwrap();
    terminal.exp_string("nothing is staged").unwrap();
    terminal.exp_string("[t]racked").unwrap();
    terminal.send_line("a").unwrap();
    terminal.exp_string("feat: what the run made").unwrap();
    terminal.exp_string("[C]ommit").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_eof().unwrap();
    assert!(subjects(&sandbox).starts_with("feat: what the run made\n"), "{}", subjects(&sandbox));
    assert_eq!(git(&sandbox, &["status", "--porcelain"]), "");
    // A commit that fails is said, and the run ends as the tool did.
    let act = format!("echo key >'{}/new'; exit 3", project.display());
    sandbox.set("FAKE_ENGINE_DO", format!("case \" $* \" in *' --output-format '*) exit 1 ;; *) {act} ;; esac"));
    for run in ["ai run claude; echo ended=$?", "claude; echo ended=$?"] {
        sandbox.write(sandbox.project().join("new"), "before\n");
        let mut terminal = on_terminal(sandbox.shell(Shell::Bash, run));
        terminal.exp_string("Commit? [y/N]").unwrap();
        terminal.send_line("y").unwrap();
        terminal.exp_string("[t]racked").unwrap();
        terminal.send_line("a").unwrap();
        terminal.exp_string("cannot get a message").unwrap();
        terminal.exp_string("ended=3").unwrap();
    }
}

#[test]
fn a_run_that_was_kept_is_printed_again_with_what_has_changed() {
    let mut sandbox = Sandbox::new();
    sandbox.ai(["replay"]).outcome().refused(1, &["none was kept", "record_runs = true"]);
    sandbox.ai(["run", "claude"]).succeeds();
    sandbox.ai(["replay"]).outcome().refused(1, &["none was kept"]);
    sandbox.set("AI_RECORD_RUNS", "yes");
    let word = "a b\n'\"$x\u{fc}";
    sandbox.ai(["run", "claude", "--", "-p", word]).succeeds();
    let outcome = sandbox.ai(["replay", "--format", "argv0"]).outcome();
    let printed = outcome.out();
    let words: Vec<&str> = printed.strip_suffix('\0').unwrap().split('\0').collect();
    assert_eq!(words[words.len() - 2..], ["-p", word]);
    assert!(words[0].ends_with("/ai") && words[1] == "guard" && words.contains(&"run"), "{words:?}");
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    // The engine got just these words.
    let call = sandbox.calls().into_iter().rfind(|call| call.argv.first().is_some_and(|word| word == "run")).unwrap();
    let begin = words.iter().position(|word| *word == "run").unwrap();
    assert_eq!(call.argv, words[begin..]);
    // Through the functions as well, and it is the last one now.
    sandbox.shell(Shell::Bash, "claude second").succeeds();
    assert!(sandbox.ai(["replay"]).prints().contains(" second"));
    assert_eq!(sandbox.ai(["replay", "--list"]).prints().lines().count(), 2);
    fs::rename(sandbox.project(), sandbox.root().join("work/away")).unwrap();
    fs::create_dir(sandbox.project()).unwrap();
    let outcome = sandbox.ai(["replay"]).outcome();
    assert!(outcome.code == 1 && outcome.err().contains(&format!("`{}` is another one", sandbox.project().display())), "{}", outcome.err());
    sandbox.ai(["replay", "0123456789ab"]).outcome().refused(1, &["it was not kept"]);
}

//! `notify_after`: a person who looks elsewhere is told that a run has ended, as their terminal understands it.

use std::fs;

use crate::sandbox::Sandbox;
use crate::terminal::on_terminal;

/// A run that ends with 3, on a terminal of its own; and what is to be seen there.
#[track_caller]
fn check(sandbox: &Sandbox, env: &[(&str, &str)], expected: &str) {
    let mut run = sandbox.ai(["run", "claude"]);
    for (name, value) in env {
        run = run.env(name, value);
    }
    let mut terminal = on_terminal(run);
    terminal.exp_string(expected).unwrap_or_else(|error| panic!("{env:?}: {error}"));
    terminal.exp_eof().unwrap();
}

fn sandbox(after: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("FAKE_ENGINE_DO", "exit 3");
    sandbox.set("AI_NOTIFY_AFTER", after);
    sandbox
}

#[test]
fn each_terminal_shows_that_a_run_has_ended() {
    let sandbox = sandbox("0");
    for (env, expected) in [
        (&[("TERM_PROGRAM", "iTerm.app")][..], "\x1b]9;claude: ended with 3, proj, after "),
        (&[("TERM_PROGRAM", "ghostty")], "\x1b]777;notify;claude: ended with 3;proj, after "),
        (&[("TERM", "xterm-kitty")], "\x1b]99;i=ai:d=1:p=body;proj, after "),
        (&[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/x,1,0")], "\x1bPtmux;\x1b\x1b]777;notify;claude: ended with 3;proj, after "),
        (&[("TERM_PROGRAM", "unheard-of")], "\x07"),
    ] {
        check(&sandbox, env, expected);
    }
}

#[test]
fn a_desktop_is_told_by_its_own_program() {
    let sandbox = sandbox("0");
    let told = sandbox.root().join("told");
    sandbox.program("notify-send", &format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >'{}'\n", told.display()));
    let mut terminal = on_terminal(sandbox.ai(["run", "claude"]).env("WAYLAND_DISPLAY", "wayland-0"));
    let shown = terminal.exp_eof().unwrap();
    assert!(!shown.contains('\x07'), "{shown:?}");
    let told = fs::read_to_string(told).unwrap();
    assert!(told.contains("--\nclaude: ended with 3\nproj, after "), "{told}");
}

#[test]
fn nobody_is_told_of_a_short_run_by_a_pipe_or_in_a_job() {
    for (after, env) in [("1h", ("A", "b")), ("0", ("CI", "true")), ("0", ("TERM", "dumb")), ("", ("A", "b"))] {
        let sandbox = sandbox(after);
        let run = sandbox.ai(["run", "claude"]).env("TERM_PROGRAM", "iTerm.app").env(env.0, env.1);
        let shown = on_terminal(run).exp_eof().unwrap();
        assert!(!shown.contains("\x1b]9;") && !shown.contains('\x07'), "{after} {env:?}: {shown:?}");
    }
    let piped = sandbox("0").ai(["run", "claude"]).env("TERM_PROGRAM", "iTerm.app").outcome();
    assert!(!piped.err().contains('\x1b'), "{piped:?}");
    sandbox("soon").ai(["run", "claude"]).outcome().refused(78, &["AI_NOTIFY_AFTER", "`soon` is no time such as 30s"]);
}

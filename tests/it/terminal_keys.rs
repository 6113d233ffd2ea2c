//! What a person does to a terminal while a tool has it: keys, a new size, closing it.

use crate::bed::{Bed, Image};
use crate::process::wait_for;
use crate::sandbox::{Sandbox, find_program};
use crate::shells::Shell;
use crate::spare::ready;
use crate::terminal::{interactive, leave, on_terminal, sessions};

/// The shells in which nobody waits for the run: in the first it takes a container that waits, in `spare.rs`.
fn cold_shells() -> impl Iterator<Item = Shell> {
    let shells = Shell::all();
    let alone = usize::from(shells.len() > 1);
    shells.into_iter().skip(alone)
}

// D-06, P9
#[test]
fn the_tool_has_the_size_of_the_terminal_and_hears_of_changes() {
    for shell in cold_shells() {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        sized(&bed, shell);
    }
}

/// The first size, and another one.
#[track_caller]
pub fn sized(bed: &Bed, shell: Shell) {
    // The engine's client tells the size right after the start, not before it.
    let sized = "until test \"$(stty size)\" = \"33 101\"; do sleep 0.1; done; echo u\"\"p";
    let inside = format!("trap \"stty size\" WINCH; {sized}; until test -e done; do sleep 0.1; done; rm done; exit 5");
    ready(bed, &["--terminal"]);
    bed.link("stty", find_program("stty").unwrap());
    bed.link("tty", find_program("tty").unwrap());
    let mut terminal = interactive(bed, shell);
    let code = shell.text("$?", "$status");
    terminal.send_line(&format!("stty rows 33 cols 101; tty > ../../tty; gexec --shell '{inside}'; echo code={code}")).unwrap();
    terminal.exp_string("up").unwrap();
    let tty = std::fs::read_to_string(bed.root().join("tty")).unwrap();
    bed.run("stty").args(["-F", tty.trim(), "rows", "44", "cols", "77"]).prints();
    terminal.exp_string("44 77").unwrap();
    std::fs::write(bed.project().join("done"), "").unwrap();
    terminal.exp_string("code=5").unwrap();
    leave(terminal);
}

// D-06, P9
#[test]
fn ctrl_c_reaches_the_tool_and_the_shell_goes_on() {
    for shell in cold_shells() {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        ctrl_c(&bed, shell);
        bed.nothing_left();
    }
}

/// A tool that listens hears of Ctrl-C.
#[track_caller]
pub fn ctrl_c(bed: &Bed, shell: Shell) {
    ready(bed, &["--terminal"]);
    let mut terminal = interactive(bed, shell);
    let inside = "gexec --shell 'trap \"echo cau\"\"ght; exit 3\" INT; echo rea\"\"dy; while :; do sleep 0.1; done'";
    terminal.send_line(&format!("{inside}; echo code={}", shell.text("$?", "$status"))).unwrap();
    terminal.exp_string("ready").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_string("caught").unwrap();
    terminal.exp_string("code=3").unwrap();
    leave(terminal);
}

// D-06: what does not listen dies of it, as it would without us, and the session is closed all the same.
#[test]
fn ctrl_c_ends_a_tool_that_does_not_listen() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "echo ready; exec sleep 600");
        let mut terminal = interactive(&sandbox, shell);
        terminal.send_line("claude").unwrap();
        terminal.exp_string("ready").unwrap();
        assert_eq!(sessions(&sandbox), 1);
        terminal.send_control('c').unwrap();
        wait_for("the end of the session", || (sessions(&sandbox) == 0).then_some(()));
        leave(terminal);
        let log = std::fs::read_to_string(sandbox.store().join("log/events.jsonl")).unwrap();
        assert!(log.contains("\"exit\":130"), "{shell:?}: {log}");
    }
}

// Z-084: in a pipe zsh and bash run the function in a shell of its own, which Ctrl-C reaches too. fish runs it itself, and Ctrl-C
// stops it at once: its session is closed before the next prompt.
#[test]
fn ctrl_c_in_a_pipe_closes_the_session() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "echo ready; exec sleep 600");
        let mut terminal = interactive(&sandbox, shell);
        terminal.send_line("claude | cat").unwrap();
        terminal.exp_string("ready").unwrap();
        assert_eq!(sessions(&sandbox), 1);
        terminal.send_control('c').unwrap();
        wait_for("the end of the session", || (sessions(&sandbox) == 0).then_some(()));
        leave(terminal);
    }
}

// Z-084: in a container nobody could type `fg`.
#[test]
fn ctrl_z_does_not_freeze_the_tool() {
    for shell in cold_shells() {
        let Some(bed) = Bed::new(Image::Tools) else { return };
        ctrl_z(&bed, shell);
        bed.nothing_left();
    }
}

/// A tool goes on after Ctrl-Z.
#[track_caller]
pub fn ctrl_z(bed: &Bed, shell: Shell) {
    ready(bed, &["--terminal"]);
    let mut terminal = interactive(bed, shell);
    terminal.send_line(&format!("gexec sh -c 'echo rea\"\"dy; exec cat'; echo code={}", shell.text("$?", "$status"))).unwrap();
    terminal.exp_string("ready").unwrap();
    terminal.send_control('z').unwrap();
    terminal.exp_string("^Z").unwrap();
    terminal.send_line("answer me").unwrap();
    // Once as typed, once said by `cat`.
    terminal.exp_string("answer me").unwrap();
    terminal.exp_string("answer me").unwrap();
    terminal.send_control('d').unwrap();
    terminal.exp_string("code=0").unwrap();
    leave(terminal);
}

// Z-084: without a terminal the engine's client passes the stop on, and nothing may stay stopped there either.
#[test]
fn ctrl_z_in_a_pipe_freezes_nothing() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    ctrl_z_in_a_pipe(&bed);
    wait_for("the end of the container", || bed.containers().is_empty().then_some(()));
}

/// Ctrl-C ends what Ctrl-Z could have stopped, where the shell itself runs the function.
#[track_caller]
pub fn ctrl_z_in_a_pipe(bed: &Bed) {
    if !Shell::all().contains(&Shell::Fish) {
        return;
    }
    ready(bed, &[]);
    let mut terminal = interactive(bed, Shell::Fish);
    terminal.send_line("gexec sh -c 'echo rea\"\"dy; sleep 600' | cat").unwrap();
    terminal.exp_string("ready").unwrap();
    terminal.send_control('z').unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    terminal.send_control('c').unwrap();
    wait_for("the end of the session", || (sessions(bed) == 0).then_some(()));
    leave(terminal);
}

// Z-084
#[test]
fn ctrl_backslash_quits_the_tool_and_the_shell_goes_on() {
    for shell in cold_shells() {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        ctrl_backslash(&bed, shell);
        bed.nothing_left();
    }
}

/// A tool dies of Ctrl-\.
#[track_caller]
pub fn ctrl_backslash(bed: &Bed, shell: Shell) {
    ready(bed, &["--terminal"]);
    let mut terminal = interactive(bed, shell);
    terminal.send_line(&format!("gexec --shell 'echo rea\"\"dy; exec cat'; echo code={}", shell.text("$?", "$status"))).unwrap();
    terminal.exp_string("ready").unwrap();
    terminal.send_control('\\').unwrap();
    terminal.exp_string("code=131").unwrap();
    leave(terminal);
}

// D-06, Z-084
#[test]
fn a_program_whose_terminal_is_closed_cleans_up() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    closed_terminal(&bed);
    wait_for("the end of the container", || bed.containers().is_empty().then_some(()));
}

/// The session ends with its terminal.
#[track_caller]
pub fn closed_terminal(bed: &Bed) {
    ready(bed, &["--terminal"]);
    let mut terminal = on_terminal(bed.ai(["exec", "--shell", "echo ready; sleep 600"]));
    terminal.exp_string("ready").unwrap();
    drop(terminal);
    wait_for("the end of the session", || (sessions(bed) == 0).then_some(()));
}

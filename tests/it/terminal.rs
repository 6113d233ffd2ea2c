//! On a terminal: typed at, read from, resized and closed.

use rexpect::session::{PtySession, spawn_command};

use crate::bed::{Bed, Image};
use crate::process::{HANG, Run, wait_for};
use crate::sandbox::{Sandbox, find_program};
use crate::shells::Shell;

/// Starts a command on a terminal of its own.
pub fn on_terminal(run: Run) -> PtySession {
    spawn_command(run.command(), Some(HANG.as_millis() as u64)).unwrap()
}

// D-01, Z-083
#[test]
fn a_terminal_is_given_only_where_both_sides_have_one() {
    let programs: Vec<(Option<Shell>, &str)> =
        Shell::all().into_iter().map(|shell| (Some(shell), "claude")).chain([(None, "ai run claude")]).collect();
    for (shell, program) in programs {
        for args in ["", " 'fix it'", " -p 'fix it'"] {
            for (redirection, both) in [("", true), (" < /dev/null", false), (" | cat", false), (" < /dev/null | cat", false)] {
                let sandbox = Sandbox::new();
                let script = format!("{program}{args}{redirection}; echo done");
                let run = shell.map_or_else(|| sandbox.bare(Shell::Bash, &script), |shell| sandbox.shell(shell, &script));
                on_terminal(run).exp_string("done").unwrap();
                let argv = sandbox.the_run().argv;
                let has = |flag: &str| argv.iter().take_while(|word| *word != "ai-tools:1").any(|word| word == flag);
                assert!(has("-i"), "{shell:?} {script}");
                assert_eq!(has("-t"), both && !args.starts_with(" -p"), "{shell:?} {script}");
            }
        }
    }
}

/// An interactive shell that has loaded the integration. It draws nothing: what it says can be waited for.
fn interactive(sandbox: &Sandbox, shell: Shell) -> PtySession {
    let run = sandbox.run(shell.name()).args(shell.plain()).args(["-i"]).env("TERM", "dumb").env("PS1", "");
    let mut terminal = on_terminal(run);
    terminal.send_line(&format!("{}; echo loa''ded", shell.load(""))).unwrap();
    terminal.exp_string("loaded").unwrap();
    terminal
}

/// The shell still works, and ends when it is told to: no signal but KILL would end it.
fn leave(mut terminal: PtySession) {
    terminal.send_line("echo usa''ble; exit").unwrap();
    terminal.exp_string("usable").unwrap();
    terminal.exp_eof().unwrap();
}

fn sessions(sandbox: &Sandbox) -> usize {
    std::fs::read_dir(sandbox.store().join("sessions")).unwrap().count()
}

// D-06, P9
#[test]
fn the_tool_has_the_size_of_the_terminal_and_hears_of_changes() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    bed.link("stty", find_program("stty").unwrap());
    bed.link("tty", find_program("tty").unwrap());
    let inside = "gexec --shell 'trap \"stty size\" WINCH; echo up; until test -e done; do sleep 0.1; done; exit 5'";
    let mut terminal = on_terminal(bed.shell(Shell::Bash, &format!("stty rows 33 cols 101; tty > ../../tty; {inside}; echo code=$?")));
    terminal.exp_string("up").unwrap();
    let tty = std::fs::read_to_string(bed.root().join("tty")).unwrap();
    bed.run("stty").args(["-F", tty.trim(), "rows", "44", "cols", "77"]).prints();
    terminal.exp_string("44 77").unwrap();
    std::fs::write(bed.project().join("done"), "").unwrap();
    terminal.exp_string("code=5").unwrap();
}

// D-06, P9
#[test]
fn ctrl_c_reaches_the_tool_and_the_shell_goes_on() {
    for shell in Shell::all() {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        let mut terminal = interactive(&bed, shell);
        let inside = "gexec --shell 'trap \"echo cau\"\"ght; exit 3\" INT; echo rea\"\"dy; while :; do sleep 0.1; done'";
        terminal.send_line(&format!("{inside}; echo code={}", shell.text("$?", "$status"))).unwrap();
        terminal.exp_string("ready").unwrap();
        terminal.send_control('c').unwrap();
        terminal.exp_string("caught").unwrap();
        terminal.exp_string("code=3").unwrap();
        bed.nothing_left();
        leave(terminal);
    }
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
        wait_for("the end of the session", || sessions(&sandbox) == 0);
        leave(terminal);
        let log = std::fs::read_to_string(sandbox.store().join("log/events.jsonl")).unwrap();
        assert!(log.contains("\"exit\":130"), "{shell:?}: {log}");
    }
}

// K-04, K-05
#[test]
fn no_command_on_a_terminal_is_a_shell() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let mut terminal = on_terminal(bed.shell(Shell::Bash, "gexec; echo code=$?"));
    terminal.send_line("echo $((6 * 7)) in $(pwd); test -t 0 && echo tty; exit 9").unwrap();
    terminal.exp_string("42 in /workspace/proj").unwrap();
    terminal.exp_string("tty").unwrap();
    terminal.exp_string("code=9").unwrap();
    bed.nothing_left();
}

// D-06, Z-084
#[test]
fn a_terminal_that_is_closed_takes_its_container_along() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let mut terminal = on_terminal(bed.ai(["exec", "--shell", "echo ready; sleep 600"]));
    terminal.exp_string("ready").unwrap();
    drop(terminal);
    wait_for("the end of the container", || bed.containers().is_empty());
    wait_for("the end of the session", || sessions(&bed) == 0);
}

// D-06
#[test]
fn a_signal_to_the_program_ends_its_container() {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let ready = bed.project().join("ready");
        let _ = std::fs::remove_file(&ready);
        let child = bed.ai(["exec", "--shell", "touch ready; sleep 600"]).spawn();
        wait_for("the container", || ready.exists());
        kill_process(Pid::from_child(&child), signal).unwrap();
        let outcome = crate::process::finish(child);
        assert_eq!((outcome.code, outcome.out().as_str()), (code, ""), "{signal:?}: {}", outcome.err());
        bed.nothing_left();
    }
}

// Z-084: in a pipe zsh and bash run the function in a shell of its own, which Ctrl-C reaches too. fish runs it itself, and Ctrl-C
// stops it at once: its session is closed by the next run after that shell has ended.
#[test]
fn ctrl_c_in_a_pipe_closes_the_session() {
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "echo ready; exec sleep 600");
        let mut terminal = interactive(&sandbox, shell);
        terminal.send_line("claude | cat").unwrap();
        terminal.exp_string("ready").unwrap();
        assert_eq!(sessions(&sandbox), 1);
        terminal.send_control('c').unwrap();
        wait_for("the end of the session", || sessions(&sandbox) == 0);
        leave(terminal);
    }
}

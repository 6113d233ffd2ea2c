//! On a terminal: when a tool gets one, and what a signal to us does.

use std::time::{Duration, Instant};

use rexpect::session::{PtySession, spawn_command};

use crate::bed::{Bed, Image};
use crate::process::{HANG, Run, wait_for};
use crate::sandbox::Sandbox;
use crate::shells::Shell;
use crate::spare::ready;

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
                let terminal = both && !args.starts_with(" -p");
                assert_eq!(has("-t"), terminal, "{shell:?} {script}");
                assert_eq!(has("-i"), terminal || redirection.contains("< /dev/null"), "{shell:?} {script}");
            }
        }
    }
}

// D-01: what is typed at a terminal is for commands that may read it there.
#[test]
fn a_terminal_is_no_input_for_a_tool_that_prints() {
    for (script, reads) in [("claude -p - | cat", true), ("gexec cat | cat", true), ("codex exec q", false), ("claude q | cat", false)] {
        let sandbox = Sandbox::new();
        on_terminal(sandbox.shell(Shell::Bash, &format!("{script}; echo done"))).exp_string("done").unwrap();
        let argv = sandbox.the_run().argv;
        assert_eq!(argv.iter().take_while(|word| *word != "ai-tools:1").any(|word| word == "-i"), reads, "{script}");
    }
}

/// An interactive shell that has loaded the integration. It draws nothing: what it says can be waited for.
pub fn interactive(sandbox: &Sandbox, shell: Shell) -> PtySession {
    let run = sandbox.run(shell.name()).args(shell.plain()).args(["-i"]).env("TERM", "dumb").env("PS1", "");
    let mut terminal = on_terminal(run);
    terminal.send_line(&format!("{}; echo loa''ded", shell.load(""))).unwrap();
    terminal.exp_string("loaded").unwrap();
    terminal
}

/// The shell still works, and ends when it is told to: no signal but KILL would end it. A shell that Ctrl-C brought back may drop
/// what was typed before its prompt stood, so it is told again.
pub fn leave(mut terminal: PtySession) {
    let (mut said, mut told) = (String::new(), None::<Instant>);
    wait_for("an answer of the shell", || {
        if told.is_none_or(|told| told.elapsed() > Duration::from_secs(5)) {
            terminal.send_line("echo usa''ble; exit").unwrap();
            told = Some(Instant::now());
        }
        said.extend(std::iter::from_fn(|| terminal.try_read()));
        said.contains("usable").then_some(())
    });
    terminal.exp_eof().unwrap();
}

pub fn sessions(sandbox: &Sandbox) -> usize {
    std::fs::read_dir(sandbox.store().join("sessions")).unwrap().count()
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

// D-06
#[test]
fn a_signal_to_the_program_ends_its_container() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    signals(&bed);
    bed.nothing_left();
}

/// Each signal to the program ends the tool and what it started.
#[track_caller]
pub fn signals(bed: &Bed) {
    use rustix::process::{Pid, Signal, kill_process};
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129), (Signal::QUIT, 131)] {
        ready(bed, &[]);
        let ready = bed.project().join("ready");
        let _ = std::fs::remove_file(&ready);
        let child = bed.ai(["exec", "--shell", "touch ready; exec sleep 600"]).spawn();
        wait_for("the container", || ready.exists().then_some(()));
        kill_process(Pid::from_child(&child), signal).unwrap();
        let outcome = crate::process::finish(child);
        assert_eq!((outcome.code, outcome.out().as_str()), (code, ""), "{signal:?}: {}", outcome.err());
    }
}

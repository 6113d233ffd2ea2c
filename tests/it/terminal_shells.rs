//! What a person's shell sees around a run: its prompt, its jobs, its pipes, and what is left when something is killed.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{Bed, Image};
use crate::process::{finish, wait_for};
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};
use crate::shells::Shell;
use crate::terminal::{interactive, leave, on_terminal};

/// The next `ai sync in` says that it finished one session, and nothing of that is left.
#[track_caller]
fn is_repaired(bed: &Bed, what: &str) {
    let next = bed.ai(["sync", "in", "--", "claude"]).outcome();
    assert_eq!(next.code, 0, "{what}: {}", next.err());
    assert_eq!(next.err().matches("finished session").count(), 1, "{what}: {}", next.err());
    assert_eq!(bed.containers(), Vec::<String>::new(), "{what}");
    bed.ai(["sync", "out", "--", next.out().trim()]).prints();
    bed.nothing_left();
}

// Z-084, Z-085
#[test]
fn what_a_killed_shell_left_is_finished_by_the_next_run() {
    for shell in Shell::all() {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        let ready = bed.project().join("ready");
        let child = bed.shell(shell, "gexec --shell 'touch ready; sleep 600'; echo never").spawn();
        wait_for("the container", || ready.exists().then_some(()));
        kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
        wait_for("the end of the shell", || (!is_alive(&child)).then_some(()));
        is_repaired(&bed, shell.name());
        assert_eq!(finish(child).out(), "");
    }
}

fn is_alive(child: &std::process::Child) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", child.id())).is_ok_and(|stat| !stat.contains(") Z "))
}

// Z-085
#[test]
fn what_a_killed_program_left_is_finished_by_the_next_run() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let ready = bed.project().join("ready");
    let child = bed.ai(["exec", "--shell", "touch ready; sleep 600"]).spawn();
    wait_for("the container", || ready.exists().then_some(()));
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    wait_for("the end of the program", || (!is_alive(&child)).then_some(()));
    is_repaired(&bed, "ai");
    finish(child).fails_with(137);
}

// Z-085: the shell is still there, so it closes the session itself.
#[test]
fn a_client_that_is_killed_takes_its_container_along() {
    for shell in Shell::all() {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        // The client writes its pid before it becomes itself.
        let docker = find_program("docker").unwrap();
        bed.program("docker", &format!("#!/bin/sh\n[ \"$1\" != run ] || echo $$ >../../client\nexec '{}' \"$@\"\n", docker.display()));
        let ready = bed.project().join("ready");
        let status = shell.text("$?", "$status");
        let child = bed.shell(shell, &format!("gexec --shell 'touch ready; sleep 600'; echo code={status}")).spawn();
        wait_for("the container", || ready.exists().then_some(()));
        let pid: i32 = fs::read_to_string(bed.root().join("client")).unwrap().trim().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        let outcome = finish(child);
        assert_eq!(outcome.out(), "code=137\n", "{shell:?}: {}", outcome.err());
        bed.nothing_left();
    }
}

// Z-084, Z-092
#[test]
fn the_prompt_sees_the_code_of_the_tool() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "exit 42");
        let run = sandbox.run(shell.name()).args(shell.plain()).args(["-i"]).env("TERM", "dumb");
        let mut terminal = on_terminal(run);
        terminal.send_line(&shell.load("")).unwrap();
        let hook = match shell {
            Shell::Zsh => "precmd() { echo \"hook=$?.\"; }",
            Shell::Bash => "PROMPT_COMMAND='echo \"hook=$?.\"'",
            Shell::Fish => "function fish_prompt; echo \"hook=$status.\"; end",
        };
        terminal.send_line(hook).unwrap();
        terminal.send_line("claude").unwrap();
        terminal.exp_string("hook=42.").unwrap();
        terminal.send_line("exit").unwrap();
        terminal.exp_eof().unwrap();
    }
}

// Z-084
#[test]
fn a_job_in_the_background_is_waited_for() {
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "echo answer; exit 42");
        let outcome = sandbox.shell(shell, "claude q & wait $!; echo code=$?").outcome();
        assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("answer\ncode=42\n", ""), "{shell:?}");
        assert_eq!(fs::read_dir(sandbox.store().join("sessions")).unwrap().count(), 0, "{shell:?}");
    }
}

// Z-084, P9: without a terminal's input, a job in the background needs nobody.
#[test]
fn a_job_behind_the_prompt_is_not_stopped() {
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        let Some(bed) = Bed::new(Image::Busybox) else { return };
        let mut terminal = interactive(&bed, shell);
        terminal.send_line("gexec sh -c 'sleep 1; echo fini\"\"shed >made' & wait; cat made; echo code=$?").unwrap();
        terminal.exp_string("finished").unwrap();
        terminal.exp_string("code=0").unwrap();
        bed.nothing_left();
        leave(terminal);
    }
}

// Z-092
#[test]
fn a_shell_in_a_shell_works_like_the_first() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.write("rc", shell.load(""));
        let inner = format!("{} {} -c 'source ../../rc; claude inner'", shell.name(), shell.plain().join(" "));
        sandbox.shell(shell, &format!("claude outer; {inner}; claude again")).prints();
        let said: Vec<std::ffi::OsString> = sandbox.calls().into_iter().filter_map(|call| call.argv.last().cloned()).collect();
        assert_eq!(said, ["outer", "inner", "again"], "{shell:?}");
    }
}

// Z-083
#[test]
fn a_hundred_megabytes_are_the_same_behind_the_pipe() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    bed.link("sha256sum", find_program("sha256sum").unwrap());
    let source = "head -c 104857600 /dev/zero | tr '\\0' x";
    let expected = bed.bare(Shell::Bash, &format!("{source} | sha256sum")).prints();
    for shell in Shell::all() {
        assert_eq!(bed.shell(shell, &format!("{source} | gexec cat | sha256sum")).prints(), expected, "{shell:?}");
    }
    bed.nothing_left();
}

/// A tmux server of a test's own.
struct Tmux<'a>(&'a Sandbox);

impl<'a> Tmux<'a> {
    /// With a shell in its only pane.
    fn start(sandbox: &'a mut Sandbox, shell: Shell) -> Option<Self> {
        sandbox.link("tmux", need("tmux", find_program("tmux"))?);
        sandbox.set("TERM", "screen");
        let tmux = Tmux(sandbox);
        let program = tmux.0.root().join("bin").join(shell.name());
        let command: Vec<&str> = [program.to_str().unwrap()].into_iter().chain(shell.plain().iter().copied()).collect();
        tmux.call(&[&["new-session", "-d", "-x", "150", "-y", "40"], command.as_slice()].concat());
        Some(tmux)
    }

    fn types(&self, line: &str) {
        self.call(&["send-keys", line, "Enter"]);
    }

    fn shows(&self, text: &str) {
        wait_for(text, || self.call(&["capture-pane", "-p"]).contains(text).then_some(()));
    }

    fn call(&self, args: &[&str]) -> String {
        let socket = self.0.root().join("tmux");
        self.0.run("tmux").args(["-S", socket.to_str().unwrap(), "-f", "/dev/null"]).args(args).outcome().out()
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.call(&["kill-server"]);
    }
}

// Z-092
#[test]
fn a_pane_of_tmux_is_a_terminal_like_others() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "test -t 0 && test -t 1 && echo up; exit 42");
        let Some(tmux) = Tmux::start(&mut sandbox, shell) else { return };
        tmux.types(&format!("{}; claude; echo code={}.", shell.load(""), shell.text("$?", "$status")));
        tmux.shows("code=42.");
        tmux.shows("up\n");
        assert!(tmux.0.the_run().argv.iter().any(|word| word == "-t"), "{shell:?}");
    }
}

// D-06, Z-084: the terminal goes, and with it the shell, which may have no time to close its session.
#[test]
fn a_terminal_that_is_closed_takes_its_container_along() {
    for shell in Shell::all() {
        let Some(mut bed) = Bed::new(Image::Busybox) else { return };
        let Some(tmux) = Tmux::start(&mut bed.sandbox, shell) else { return };
        tmux.types(&format!("{}; gexec --shell 'echo rea\"\"dy; sleep 600'", shell.load("")));
        tmux.shows("ready");
        drop(tmux);
        wait_for("the end of the container", || bed.containers().is_empty().then_some(()));
        let next = bed.ai(["sync", "in", "--", "claude"]).outcome();
        assert_eq!(next.code, 0, "{shell:?}: {}", next.err());
        bed.ai(["sync", "out", "--", next.out().trim()]).prints();
        bed.nothing_left();
    }
}

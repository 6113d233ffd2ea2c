//! The gate of a waiting container, where this program is process 1: it waits for the words of a run, compares what is mounted, and
//! starts the command as the engine's own init would have: signals reach it, its children are reaped, its exit code is ours.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::event::{PollFd, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::core::container::GATE;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::spare::GateOrder;
use crate::host::fs::{own, pipe};
use crate::host::machine::deadline::Deadline;
use crate::host::machine::{clock, process};
use crate::host::spare::{ALIVE, END, GO, identity};

/// Largest order: what Linux takes as words and variables of a program, and more.
const LARGEST: usize = 8 << 20;
/// How long the words may take, once there are any.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is passed on.
const SIGNALS: [i32; 6] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2];
/// How long a stopped command stays so: nobody here could continue it.
const STOPPED: Duration = Duration::from_millis(100);

/// Says that the command is about to start, or that it will not.
pub const STARTS: &str = "starts\n";
pub const REFUSED: &str = "refused\n";

/// Waits so many seconds for a run, and is its process 1. The value is the exit code of the command, whose first words are `entry`.
pub fn serve(seconds: u32, entry: &[OsString]) -> Result<u8> {
    let failed = |error: io::Error| Failure::new(Kind::NotStarted, "cannot wait at the gate").because(error);
    let gate = Path::new(GATE);
    // Process 1 gets no signal that it has not asked for.
    let signals = Signals::new(SIGNALS)?;
    let (woken, wake) = UnixStream::pair()?;
    for signal in SIGNALS {
        signal_hook::low_level::pipe::register(signal, wake.try_clone()?)?;
    }
    let mut go = pipe::to_hear(&gate.join(GO)).map_err(failed)?;
    let alive = own::open(gate.join(ALIVE)).map_err(failed)?;
    // Whoever looks for it on the host may have the lock for a moment.
    retry_on_intr(|| flock(&alive, FlockOperation::LockExclusive)).map_err(|error| failed(error.into()))?;
    let alarm = clock::alarm(Duration::from_secs(seconds.into())).map_err(failed)?;
    if !is_called(&go, &woken, &alarm).map_err(failed)? {
        return Ok(0);
    }
    // Whoever is told nothing, or half of it, is not needed.
    let Some(order) = pipe::hear(&mut go, LARGEST, PATIENCE).ok().and_then(|bytes| GateOrder::parse(&bytes)) else { return Ok(0) };
    drop(go);
    let mut end = pipe::to_tell(&gate.join(END)).map_err(failed)?;
    if let Some(place) = exchanged(&order) {
        end.write_all(REFUSED.as_bytes())?;
        return Err(Failure::new(Kind::NotStarted, format!("cannot start: {} is not what was looked at", place.display())));
    }
    end.write_all(STARTS.as_bytes())?;
    let code = start(&order, entry).map_or_else(|failure| (failure.kind.exit_code(), Some(failure)), |job| (reap(job, signals), None));
    say(&mut end, code.0);
    code.1.map_or(Ok(code.0), Err)
}

/// Waits for somebody who speaks; false where a signal or the end of the time comes first.
fn is_called(go: &File, woken: &UnixStream, alarm: &OwnedFd) -> io::Result<bool> {
    let mut ready = [go.as_fd(), woken.as_fd(), alarm.as_fd()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    retry_on_intr(|| poll(&mut ready, None))?;
    Ok(ready[1].revents().is_empty() && !ready[0].revents().is_empty())
}

/// Returns the first place at which something else is mounted than the host sees there.
fn exchanged(order: &GateOrder) -> Option<&Path> {
    let is_other = |(path, seen): &&(OsString, OsString)| identity(Path::new(path)).is_none_or(|found| found.as_str() != seen);
    order.places.iter().find(is_other).map(|(path, _)| Path::new(path))
}

/// Starts the command in a group of its own, in front of the terminal.
fn start(order: &GateOrder, entry: &[OsString]) -> Result<Pid> {
    let mut command = process::command("/proc/self/exe");
    command.arg0("ai").args(["at-gate", "--"]).args(entry).args(&order.words).current_dir(&order.workdir).process_group(0);
    for variable in &order.env {
        let bytes = variable.as_encoded_bytes();
        match bytes.iter().position(|byte| *byte == b'=') {
            Some(at) => command.env(part(bytes, 0, at), part(bytes, at + 1, bytes.len())),
            None => command.env_remove(variable),
        };
    }
    let child = command.spawn().map_err(|error| Failure::new(Kind::NotStarted, "cannot start the command").because(error))?;
    let job = Pid::from_child(&child);
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // The command waits for it.
        let _ = retry_on_intr(|| rustix::termios::tcsetpgrp(&stdin, job));
    }
    Ok(job)
}

fn part(bytes: &[u8], from: usize, to: usize) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes.get(from..to).unwrap_or_default())
}

/// Waits until the gate has put it in front of the terminal, and becomes the command; returns only if that fails.
pub fn become_job(words: &[OsString]) -> Failure {
    let stdin = io::stdin();
    let deadline = Deadline::after(PATIENCE);
    let me = rustix::process::getpgrp();
    while stdin.is_terminal() && rustix::termios::tcgetpgrp(&stdin).is_ok_and(|front| front != me) && !deadline.is_over() {
        clock::pause(Duration::from_micros(100));
    }
    let failure = process::exec(words, &[]);
    // As the engines' own init has it.
    Failure { kind: if failure.kind == Kind::General { Kind::NotExecutable } else { failure.kind }, ..failure }
}

/// Reaps until the command has ended; the value is its exit code.
fn reap(job: Pid, mut signals: Signals) -> u8 {
    std::thread::spawn(move || {
        for signal in &mut signals {
            if let Some(signal) = Signal::from_named_raw(signal) {
                // It may have ended just now.
                let _ = kill_process(job, signal);
            }
        }
    });
    loop {
        match wait(WaitOptions::UNTRACED) {
            Ok(Some((pid, status))) if pid == job && status.stopped() => {
                std::thread::spawn(move || {
                    clock::pause(STOPPED);
                    let _ = kill_process_group(job, Signal::CONT);
                });
            }
            Ok(Some((pid, status))) if pid == job => return code_of(status),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return 1,
        }
    }
}

fn code_of(status: WaitStatus) -> u8 {
    let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn say(end: &mut File, code: u8) {
    // Whoever has gone away asks the engine.
    let _ = end.write_all(format!("{code}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_what_the_host_sees_is_named() {
        let place = |path: &str, seen: Option<String>| (path.into(), seen.unwrap_or_default().into());
        let check = |path: &str, seen: Option<String>, expected: Option<&str>| {
            let places = vec![place("/proc", identity(Path::new("/proc"))), place(path, seen)];
            assert_eq!(exchanged(&GateOrder { places, ..GateOrder::default() }), expected.map(Path::new));
        };
        check("/sys", identity(Path::new("/sys")), None);
        check("/sys", identity(Path::new("/proc")), Some("/sys"));
        check("/none", identity(Path::new("/proc")), Some("/none"));
    }
}

//! A program that is fed and listened to, within a time and a size.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::core::failure::Result;
use crate::host::machine::clock;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::interrupt::Interrupt;
use crate::host::machine::process::{exit_code, not_started};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Code(u8),
    /// It was killed: its time was up.
    Late,
    /// It was killed: it printed too much.
    TooMuch,
    /// It was killed: this signal came for us.
    Interrupted(u8),
}

/// What a program left.
#[derive(Debug)]
pub struct Piped {
    pub end: End,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Most bytes of a stream of a program that is asked for little: a repository or an image may make it print without end.
const MOST: u64 = 8 << 20;

/// Waits for the end of a program and returns what it printed. One that prints too much finds that nobody reads on.
pub fn finish(mut child: Child) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let complaints = thread::spawn(move || beginning(stderr));
    let printed = beginning(stdout);
    let complaints = complaints.join().unwrap_or_default();
    Ok((child.wait()?, printed, complaints))
}

fn beginning(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before an error is what there is.
    let _ = stream.map(|stream| stream.take(MOST).read_to_end(&mut bytes));
    bytes
}

/// How long we look away from a program.
const PAUSE: Duration = Duration::from_millis(5);
/// How long what is left in its pipes may take once it has ended: somebody whom it started may hold them open.
const REST: Duration = Duration::from_secs(2);

/// Runs a program with `input`, in a process group of its own; `most` bounds each of its streams, in bytes. `interrupt` ends it, if
/// there is one.
pub fn run(mut command: Command, input: Vec<u8>, patience: Duration, most: usize, interrupt: Option<&Interrupt>) -> Result<Piped> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| not_started(command.get_program(), &error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read everything says why by its exit code.
        thread::spawn(move || stdin.write_all(&input));
    }
    let full = Arc::new(AtomicBool::new(false));
    let (stdout, stderr) =
        (child.stdout.take().map(|stream| drain(stream, most, &full)), child.stderr.take().map(|stream| drain(stream, most, &full)));
    let deadline = Deadline::after(patience);
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break End::Code(exit_code(status));
        }
        let why = match interrupt.and_then(Interrupt::came) {
            Some(signal) => End::Interrupted(signal),
            None if full.load(Ordering::SeqCst) => End::TooMuch,
            None if deadline.is_over() => End::Late,
            None => {
                clock::pause(PAUSE);
                continue;
            }
        };
        kill(&mut child);
        break why;
    };
    let rest = Deadline::after(REST);
    let (stdout, stderr) = (collect(stdout, &rest), collect(stderr, &rest));
    let end = if full.load(Ordering::SeqCst) && matches!(end, End::Code(_)) { End::TooMuch } else { end };
    Ok(Piped { end, stdout, stderr })
}

/// Ends a program with all that it started.
fn kill(child: &mut Child) {
    let group = rustix::process::Pid::from_child(child);
    // What has just ended needs no killing.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a stream in a thread of its own, up to `most` bytes.
fn drain(mut stream: impl Read + Send + 'static, most: usize, full: &Arc<AtomicBool>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let full = Arc::clone(full);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        let mut count = 0;
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            count += length;
            if count > most {
                full.store(true, Ordering::SeqCst);
                return;
            }
            if sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn collect(stream: Option<mpsc::Receiver<Vec<u8>>>, rest: &Deadline) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        while let Ok(chunk) = stream.recv_timeout(rest.left()) {
            bytes.extend(chunk);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::machine::process;

    fn sh(line: &str, patience: Duration, most: usize) -> Piped {
        let mut command = process::command("sh");
        command.args(["-c", line]);
        run(command, b"fed".to_vec(), patience, most, None).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    // BO-05
    #[test]
    fn who_prints_without_end_is_not_read_without_end() {
        for line in ["cat /dev/zero", "cat /dev/zero >&2", "cat /dev/zero & cat /dev/zero >&2"] {
            let (status, stdout, stderr) = process::output("sh".as_ref(), &["-c", line]).unwrap();
            assert!(!status.success(), "{line}");
            assert!([&stdout, &stderr].iter().all(|read| read.len() as u64 <= MOST), "{line}");
        }
        let (status, stdout, stderr) = process::output("sh".as_ref(), &["-c", "echo a; echo b >&2; exit 3"]).unwrap();
        assert_eq!((status.code(), stdout.as_slice(), stderr.as_slice()), (Some(3), &b"a\n"[..], &b"b\n"[..]));
    }

    #[test]
    fn it_is_fed_and_heard() {
        let piped = sh("cat; echo err >&2; exit 3", LONG, 100);
        assert_eq!((piped.end, piped.stdout.as_slice(), piped.stderr.as_slice()), (End::Code(3), &b"fed"[..], &b"err\n"[..]));
    }

    #[test]
    fn one_that_is_late_or_loud_ends() {
        assert_eq!(sh("sleep 600", Duration::from_millis(50), 100).end, End::Late);
        assert_eq!(sh("cat /dev/zero", LONG, 1000).end, End::TooMuch);
        assert_eq!(sh("head -c 5000 /dev/zero", LONG, 1000).end, End::TooMuch);
    }
}

//! Other programs: start, wait for, become; and who is alive.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::core::facts::Env;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::Process;
use crate::host::fs::own;
use crate::host::machine::{clock, piped};

/// A program that is to be started.
#[expect(clippy::disallowed_methods, reason = "the one place that starts programs")]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// The path of this program.
#[expect(clippy::disallowed_methods, reason = "our own path is a fact, and this is the edge")]
pub fn this_program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// Returns a shell's exit code for what became of a child: its own code, or 128 and the signal.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// Becomes `argv`; returns only if that fails.
pub fn exec(argv: &[OsString], env: &[(String, OsString)]) -> Failure {
    let Some((program, args)) = argv.split_first() else { return Failure::new(Kind::Usage, "cannot run nothing: there is no command") };
    let mut command = self::command(program);
    command.args(args).envs(env.iter().map(|(name, value)| (name, value)));
    keep_out_of_core_dumps(env);
    not_started(program, &command.exec())
}

/// Forbids core dumps to this process and to what it starts, where these variables hold secrets: a client that crashes would
/// write them into one.
fn keep_out_of_core_dumps(env: &[(String, OsString)]) {
    if !env.is_empty() {
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        // A limit that cannot be lowered is that of a machine that has none.
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    }
}

/// Returns why a program could not be started.
pub fn not_started(program: &OsStr, error: &std::io::Error) -> Failure {
    let kind = if error.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::General };
    Failure::new(kind, format!("cannot run `{}`", program.to_string_lossy())).because(error)
}

/// Returns what a program printed; fails if it cannot be started.
pub fn output(program: &OsStr, args: &[impl AsRef<OsStr>]) -> Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut command = command(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(piped::finish(command.spawn().map_err(|error| not_started(program, &error))?)?)
}

/// Returns what git printed about `directory`. Nothing of the caller's environment steers it, and nothing of the repository's
/// runs: callers use plumbing that reads.
pub fn git(program: &OsStr, directory: &Path, env: &Env, args: &[&str]) -> Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut command = quiet_git(program, directory, env);
    command.args(args);
    wait_within(command, GIT)
}

/// Returns git as [`git`] calls it, without a sub-command.
pub fn quiet_git(program: &OsStr, directory: &Path, env: &Env) -> Command {
    let mut command = self::command(program);
    command.arg("-C").arg(directory).args([
        "--no-optional-locks",
        "--no-pager",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
    ]);
    for name in env.names().filter(|name| name.as_encoded_bytes().starts_with(b"GIT_")) {
        command.env_remove(name);
    }
    command
}

/// Returns a program with its arguments, and with these variables beside our own.
pub fn prepared(argv: &[OsString], env: &[(String, OsString)]) -> Command {
    let mut command = self::command(argv.first().map_or(OsStr::new(""), OsString::as_os_str));
    command.args(argv.iter().skip(1)).envs(env.iter().map(|(name, value)| (name, value)));
    command
}

/// Runs a program with our own streams, for the person to see and to type into.
pub fn foreground(mut command: Command) -> Result<u8> {
    let program = command.get_program().to_owned();
    command.status().map(exit_code).map_err(|error| not_started(&program, &error))
}

/// How long git may take to answer: it reads what a repository names, and that may be a pipe that nobody writes to.
const GIT: Duration = Duration::from_secs(2);

/// Becomes `argv` in a session of its own, which has no terminal, or the one that is its standard input; returns only if that fails.
pub fn exec_alone(argv: &[OsString], terminal: bool) -> Failure {
    let alone = rustix::process::setsid().and_then(|_| if terminal { rustix::process::ioctl_tiocsctty(std::io::stdin()) } else { Ok(()) });
    match alone {
        Ok(()) => exec(argv, &[]),
        Err(error) => Failure::from(std::io::Error::from(error)),
    }
}

/// Does as [`output_within`], for a program that nothing of the caller's environment may steer.
pub fn output_bare(program: &Path, args: &[&str], patience: Duration) -> Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut command = self::command(program);
    command.args(args).env_clear();
    wait_within(command, patience)
}

/// Returns what a program printed, if it ends in time; else it is killed.
pub fn output_within<A: AsRef<OsStr>>(program: &OsStr, args: &[A], patience: Duration) -> Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut command = self::command(program);
    command.args(args);
    wait_within(command, patience)
}

/// Does as [`output_within`], for a program that is prepared.
pub fn wait_within(mut command: Command, patience: Duration) -> Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let program = command.get_program().to_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| not_started(&program, &error))?;
    let pid = rustix::process::Pid::from_child(&child);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(piped::finish(child)));
    match receiver.recv_timeout(patience) {
        Ok(output) => output.map_err(Failure::from),
        Err(_) => {
            // Nobody has waited for it yet, so the pid is still its own; if it just ended, there is nothing to kill.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            // One that leads a group leaves nobody of it behind.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
            let line = std::iter::once(&*program).chain(command.get_args()).map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
            Err(Failure::new(Kind::Unavailable, format!("cannot wait for `{line}`: no answer in {} s", patience.as_secs())))
        }
    }
}

/// Starts a program that goes on without us, out of reach of what a terminal sends when it is closed.
pub fn detached(argv: &[OsString]) -> Result<()> {
    let mut command = prepared(argv, &[]);
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop).map_err(|error| not_started(command.get_program(), &error))
}

/// A program that runs beside us, with nothing to read and nobody who reads what it prints.
pub struct Background {
    child: std::sync::Mutex<std::process::Child>,
}

pub fn background(argv: &[OsString]) -> Result<Background> {
    let Some((program, args)) = argv.split_first() else { return Err(Failure::new(Kind::Usage, "cannot run nothing")) };
    let child = command(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Ok(Background { child: child.map_err(|error| not_started(program, &error))?.into() })
}

impl Background {
    pub fn is_running(&self) -> bool {
        self.child.lock().is_ok_and(|mut child| matches!(child.try_wait(), Ok(None)))
    }

    /// Waits for its end, and returns its exit code. One that does not end in time is killed.
    pub fn finish(self, patience: Duration) -> Result<u8> {
        let begin = clock::instant();
        while self.is_running() && begin.elapsed() < patience {
            clock::pause(Duration::from_millis(20));
        }
        let mut child = self.child.into_inner().map_err(|_| Failure::new(Kind::General, "cannot wait for a program"))?;
        child.kill()?;
        Ok(exit_code(child.wait()?))
    }
}

/// Returns the process of this pid as it is now; `None` if there is none.
#[cfg(target_os = "linux")]
pub fn look_up(pid: i32) -> Option<Process> {
    let stat = own::read_text(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; fields are counted from behind it. Field 22 is the start time
    // (proc_pid_stat(5)), so the twentieth after the name; field 3 is the state.
    let after = stat.rsplit_once(')')?.1;
    let mut fields = after.split_ascii_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    let started = fields.nth(18)?.to_owned();
    let boot = own::read_text("/proc/sys/kernel/random/boot_id").ok().map(|boot| boot.trim().to_owned());
    Some(Process { pid, started: Some(started), boot })
}

#[cfg(not(target_os = "linux"))]
pub fn look_up(pid: i32) -> Option<Process> {
    let (status, started, _) = output(OsStr::new("/bin/ps"), &["-o", "lstart=", "-p", &pid.to_string()]).ok()?;
    let started = String::from_utf8(started).ok()?.trim().to_owned();
    (status.success() && !started.is_empty()).then_some(Process { pid, started: Some(started), boot: None })
}

/// Returns the process that started us.
pub fn parent() -> i32 {
    rustix::process::getppid().map_or(1, rustix::process::Pid::as_raw_pid)
}

pub fn me() -> i32 {
    rustix::process::getpid().as_raw_pid()
}

/// Runs the client of `engine` in the foreground until its container `name` is gone, and returns the exit code.
///
/// What the terminal sends reaches the client by itself. What somebody sends to us alone goes to the container, since a
/// client on a terminal would not pass it on. The terminal gets its settings back whatever became of the client.
pub fn run(argv: &[OsString], env: &[(String, OsString)], engine: &OsStr, name: &str) -> Result<u8> {
    let Some((program, args)) = argv.split_first() else { return Err(Failure::new(Kind::Usage, "cannot run nothing")) };
    let settings = rustix::termios::tcgetattr(std::io::stdin()).ok();
    let mut signals = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let has_ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&has_ended))?;
    }
    keep_out_of_core_dumps(env);
    let mut child = command(program)
        .args(args)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .spawn()
        .map_err(|error| not_started(program, &error))?;
    let from_terminal = settings.is_some();
    let (client, container) = (engine.to_owned(), name.to_owned());
    let asked_to_end = std::thread::spawn(move || {
        let mut has_asked = false;
        for signal in &mut signals {
            if from_terminal && matches!(signal, SIGINT | SIGQUIT) {
                continue;
            }
            has_asked = true;
            kill(&client, &container, &signal.to_string());
            let (client, container) = (client.clone(), container.clone());
            std::thread::spawn(move || {
                clock::pause(GRACE);
                kill(&client, &container, "KILL");
            });
        }
        has_asked
    });
    let status = child.wait()?;
    handle.close();
    let asked_to_end = asked_to_end.join().unwrap_or(true);
    // From here on a signal ends us as it would have before: what is left undone, the next session finishes. Whoever was asked already
    // is about to end, within the deadline of a sync: a second one of a terminal that closes must not keep the session open.
    has_ended.store(!asked_to_end, Ordering::SeqCst);
    if asked_to_end || status.signal().is_some() {
        // The client may have died before its container; forcing what is gone is no error that anybody needs to see.
        let _ = output(engine, &["rm", "--force", name]);
    }
    if let Some(settings) = settings {
        rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &settings).map_err(std::io::Error::from)?;
    }
    Ok(exit_code(status))
}

/// How long a container may take to end by itself after it was asked to.
const GRACE: std::time::Duration = std::time::Duration::from_secs(8);

fn kill(engine: &OsStr, container: &str, signal: &str) {
    // Fails only if the container has ended, which is what was wanted.
    let _ = output(engine, &["kill", "--signal", signal, container]);
}

/// Runs a program that reads `input`; what it prints goes to stderr, since it is talk.
pub fn feed(argv: &[OsString], input: &[u8]) -> Result<u8> {
    use std::io::Write;
    let Some((program, args)) = argv.split_first() else { return Err(Failure::new(Kind::Usage, "cannot run nothing")) };
    let mut child = command(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(std::io::stderr())
        .spawn()
        .map_err(|error| not_started(program, &error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early does not read everything; its exit code says more than the broken pipe.
        let _ = stdin.write_all(input);
    }
    Ok(exit_code(child.wait()?))
}

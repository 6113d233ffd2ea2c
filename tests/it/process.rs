//! One command with a bound on its time: what it printed and how it ended.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Far above what any step takes, even on a busy machine: only a hang gets here.
pub const HANG: Duration = Duration::from_secs(120);

/// A command in the making; its environment is what [`crate::sandbox::Sandbox`] gave it and nothing else.
#[must_use = "a run that is not started shows nothing"]
pub struct Run {
    command: Command,
    /// Where the home and everything that is written must be.
    inside: PathBuf,
    stdin: Option<Vec<u8>>,
}

impl Run {
    pub fn new(program: impl AsRef<OsStr>, inside: &Path) -> Self {
        let mut command = Command::new(program);
        command.env_clear();
        Self { command, inside: inside.to_owned(), stdin: None }
    }

    pub fn args<W: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = W>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn unset(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn cwd(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// The command itself, for somebody else to start. Refuses the home of whoever runs the tests.
    pub fn command(self) -> Command {
        for name in ["HOME", "AI_HOME"] {
            let set = self.command.get_envs().find_map(|(key, value)| (key == name).then_some(value?));
            assert!(set.is_none_or(|home| Path::new(home).starts_with(&self.inside)), "{name} is outside of the sandbox: {set:?}");
        }
        self.command
    }

    /// Starts it in a process group of its own.
    pub fn spawn(mut self) -> Child {
        let input = self.stdin.take();
        let mut command = self.command();
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {:?}: {error}", command.get_program()));
        if let Some(bytes) = input {
            let mut stdin = child.stdin.take().unwrap();
            // Whoever does not read everything shows it by what it prints.
            thread::spawn(move || stdin.write_all(&bytes));
        }
        child
    }

    /// Runs it to its end.
    #[must_use = "look at the outcome, or say how it ends: succeeds, fails_with"]
    pub fn outcome(self) -> Outcome {
        finish(self.spawn())
    }

    /// Runs it, and asserts that it succeeded.
    #[track_caller]
    pub fn succeeds(self) -> Outcome {
        self.outcome().succeeds()
    }

    /// Runs it, and asserts that it ended with this code.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Outcome {
        self.outcome().fails_with(code)
    }

    /// Runs it, asserts that it succeeded without a word on stderr, and returns what it printed.
    #[track_caller]
    pub fn prints(self) -> String {
        let outcome = self.outcome();
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "stdout: {}", outcome.out());
        outcome.out()
    }
}

/// Waits for a child of [`Run::spawn`], killing its whole group if it hangs.
#[must_use = "look at the outcome, or say how it ends: succeeds, fails_with"]
pub fn finish(mut child: Child) -> Outcome {
    let stdout = child.stdout.take().map(drain);
    let stderr = child.stderr.take().map(drain);
    let pid = rustix::process::Pid::from_child(&child);
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait().unwrap()));
    let status = end.recv_timeout(HANG).unwrap_or_else(|_| {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        panic!("it hangs; stderr: {}", collected(stderr.as_ref()))
    });
    Outcome { code: code(status), stdout: stdout.map(join).unwrap_or_default(), stderr: stderr.map(join).unwrap_or_default() }
}

fn drain(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A grandchild that holds the stream open would keep us; what was printed until the end must do.
fn join(stream: mpsc::Receiver<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(chunk) = stream.recv_timeout(HANG) {
        bytes.extend(chunk);
    }
    bytes
}

fn collected(stream: Option<&mpsc::Receiver<Vec<u8>>>) -> String {
    let bytes: Vec<u8> = stream.into_iter().flat_map(mpsc::Receiver::try_iter).flatten().collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As shells count: 128 and the signal for a death.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}

pub struct Outcome {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}\nstdout: {}\nstderr: {}", self.code, self.out(), self.err())
    }
}

impl Outcome {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Asserts that it succeeded.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Asserts that it ended with this code.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert!(code != 0 && self.code == code, "not {code}: {self:?}");
        self
    }

    /// Asserts that it failed with this code, printed no data, and said all of `said`.
    #[track_caller]
    pub fn refused(&self, code: i32, said: &[&str]) {
        let err = self.err();
        assert_eq!((self.code, self.out().as_str()), (code, ""), "stderr: {err}");
        for text in said {
            assert!(err.contains(text), "no `{text}` in: {err}");
        }
    }
}

/// Waits until something is there that another process brings about, and returns it.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < HANG, "{what} never came");
        thread::sleep(Duration::from_millis(20));
    }
}

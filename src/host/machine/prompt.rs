//! An interactive shell on a terminal of its own, which is asked at its first prompt. What its files and hooks have done by then is what
//! a person would find; only there does a shell that goes over to another one show what it became.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::core::failure::Result;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::{clock, process};

/// A shell that is to be asked.
#[derive(Debug)]
pub struct PromptQuestion<'a> {
    pub program: &'a Path,
    pub args: &'a [&'a str],
    /// Variables beside our own; an empty one is not there.
    pub env: &'a [(&'a str, &'a str)],
    /// The file into which the answer goes, whole when its last line is [`END`].
    pub answer: &'a Path,
    pub patience: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct PromptAnswer {
    /// What was written into the file; `None` if that never happened.
    pub answer: Option<String>,
    /// The end of what was shown.
    pub screen: String,
    /// The program that the process was in the end, where the system tells.
    pub became: Option<PathBuf>,
    /// Whether it ended by itself before it answered.
    pub ended: bool,
}

/// The last line of a whole answer.
pub const END: &str = "__ai_doctor end";

/// How long a terminal shows nothing new once a shell waits for a line: what it does in between, such as loading more, is done then.
const QUIET: Duration = Duration::from_millis(120);
/// How long it takes until a line has been lost: something else may have read it.
const AGAIN: Duration = Duration::from_millis(1500);
const PAUSE: Duration = Duration::from_millis(10);
/// Bytes of the screen that are kept: its end.
const MOST: usize = 1 << 20;

/// Starts the shell, types what `line` returns for the program that it is by then, and waits for the answer. The shell is ended.
pub fn ask(question: &PromptQuestion, line: impl Fn(Option<&Path>) -> String) -> Result<PromptAnswer> {
    let io = |error: rustix::io::Errno| std::io::Error::from(error);
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map_err(io)?;
    grantpt(&ours).map_err(io)?;
    unlockpt(&ours).map_err(io)?;
    let name = OsString::from_vec(ptsname(&ours, Vec::new()).map_err(io)?.into_bytes());
    let theirs = own::open_to_write(name, OFlags::NOCTTY)?;
    tcsetwinsize(&ours, Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 }).map_err(io)?;
    let me = process::this_program()?;
    let mut command = process::command(&me);
    command
        .args([OsStr::new("__alone"), OsStr::new("--terminal"), OsStr::new("--"), question.program.as_os_str()])
        .args(question.args)
        .envs(question.env.iter().copied().filter(|(_, value)| !value.is_empty()))
        .stdin(Stdio::from(theirs.try_clone()?))
        .stdout(Stdio::from(theirs.try_clone()?))
        .stderr(Stdio::from(theirs));
    for (name, _) in question.env.iter().filter(|(_, value)| value.is_empty()) {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| process::not_started(question.program.as_os_str(), &error))?;
    // It holds our ends of the terminal, whose closing the shell would wait for.
    drop(command);
    let mut file = std::fs::File::from(ours.try_clone()?);
    let screen = Arc::new(Mutex::new(Screen::default()));
    let shown = Arc::clone(&screen);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = file.read(&mut buffer) {
            shown.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..length]);
        }
    });
    let mut keyboard = std::fs::File::from(ours);
    let asked = converse(question, &mut child, &screen, |exe| {
        // One that ended reads nothing any more, which shows by itself.
        let _ = keyboard.write_all(format!("{}\r", line(exe)).as_bytes());
    });
    let pid = Pid::from_child(&child);
    // The shell leads the group and the session; what it started in others loses its terminal.
    let _ = kill_process_group(pid, Signal::KILL);
    let _ = kill_process(pid, Signal::KILL);
    child.wait()?;
    Ok(asked)
}

#[derive(Default)]
struct Screen {
    bytes: Vec<u8>,
    total: usize,
}

impl Screen {
    fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * MOST {
            self.bytes.drain(..self.bytes.len() - MOST);
        }
    }
}

fn converse(
    question: &PromptQuestion,
    child: &mut Child,
    screen: &Mutex<Screen>,
    mut type_line: impl FnMut(Option<&Path>),
) -> PromptAnswer {
    let pid = child.id();
    let total = || screen.lock().unwrap_or_else(PoisonError::into_inner).total;
    let begin = clock::instant();
    let (mut seen, mut changed, mut typed) = (0, clock::instant(), None);
    let mut became = None;
    let (mut answer, mut ended) = (None, false);
    while answer.is_none() && begin.elapsed() < question.patience {
        // Looked at first: what ended may have answered just before.
        ended = !matches!(child.try_wait(), Ok(None));
        answer = own::read_text(question.answer).ok().filter(|text| text.trim_end().ends_with(END));
        if ended {
            break;
        }
        if total() != seen {
            (seen, changed) = (total(), clock::instant());
        }
        let is_quiet = (seen > 0 && changed.elapsed() >= QUIET) || begin.elapsed() >= AGAIN;
        if is_quiet && typed.is_none_or(|typed: std::time::Instant| typed.elapsed() >= AGAIN) {
            became = Path::new(&format!("/proc/{pid}/exe")).resolved().ok();
            type_line(became.as_deref());
            typed = Some(clock::instant());
        }
        clock::pause(PAUSE);
    }
    if !ended {
        became = Path::new(&format!("/proc/{pid}/exe")).resolved().ok().or(became);
    }
    let screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
    PromptAnswer { ended: ended && answer.is_none(), answer, screen: String::from_utf8_lossy(&screen.bytes).into_owned(), became }
}

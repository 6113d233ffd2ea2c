//! The host's side of a run that takes a waiting container: the engine's client, for this one purpose. It attaches, tells the gate its
//! words, and is then what `docker run` would be: streams, window size and signals pass, and the exit code is the command's.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::Signals;

use crate::core::spare::Spare;
use crate::core::store::Store;
use crate::host::engine::api;
use crate::host::fs::pipe;
use crate::host::machine::deadline::Deadline;
use crate::host::spare::gate::STARTS;
use crate::host::spare::{END, GO};

/// How long a gate may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a run may take.
const LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Most bytes of its answers.
const ANSWER: usize = 64;
/// The engines' own code where one of them failed.
const LOST: u8 = 125;

/// Their clients' code where nobody reads what the command says.
const UNHEARD: u8 = 1;

/// How a run through a gate went.
#[derive(Debug)]
pub enum Passed {
    /// Nothing has started, and the container is gone: why.
    Never(String),
    /// The command ended with this code.
    Ended(u8),
}

/// A container at whose gate we are.
#[derive(Clone)]
struct Client {
    socket: PathBuf,
    container: String,
}

/// Has the command of `order` run in the container that was taken for this session. `keys` detach nobody.
pub fn run(store: &Store, spare: &Spare, socket: &Path, order: &[u8], keys: &str) -> io::Result<Passed> {
    let client = Client { socket: socket.to_owned(), container: spare.container.clone() };
    let gate = store.gate(&spare.session);
    let begun = (|| {
        let end = pipe::to_hear(&gate.join(END))?;
        let mut go = pipe::to_tell(&gate.join(GO))?;
        let stream = client.attach(keys)?;
        if spare.terminal {
            client.resize();
        }
        // Before anything can end: of a container that was killed, nothing is left to be asked.
        let code = client.awaited();
        pipe::tell(&mut go, order, PATIENCE)?;
        Ok::<_, io::Error>((end, stream, code))
    })();
    let (mut end, stream, awaited) = match begun {
        Ok(begun) => begun,
        Err(error) => return client.never(error.to_string()),
    };
    let mut heard = answer(&mut end)?;
    if !heard.starts_with(STARTS) {
        // Only once it is gone is it known that nothing started meanwhile.
        let passed = client.never("its gate did not open".to_owned());
        heard.push_str(&String::from_utf8_lossy(&pipe::said(&mut end, ANSWER)));
        if heard.starts_with(STARTS) {
            return Err(io::Error::other("it started too late, and was ended"));
        }
        return passed;
    }
    if client.pass(stream, spare.terminal).is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return Ok(Passed::Ended(UNHEARD));
    }
    heard.push_str(&String::from_utf8_lossy(&pipe::said(&mut end, ANSWER)));
    let code = heard.lines().last().and_then(|line| line.parse().ok());
    Ok(Passed::Ended(code.or_else(|| awaited.recv_timeout(PATIENCE).ok()).unwrap_or(LOST)))
}

/// Waits for the gate's first word.
fn answer(end: &mut File) -> io::Result<String> {
    let is_there = pipe::wait(end, PollFlags::IN, &Deadline::after(PATIENCE))?;
    Ok(if is_there { String::from_utf8_lossy(&pipe::said(end, ANSWER)).into_owned() } else { String::new() })
}

impl Client {
    fn request(&self, method: &str, what: &str, patience: Duration) -> io::Result<api::Response> {
        api::request(&self.socket, method, &format!("/containers/{}{what}", self.container), patience)
    }

    /// Makes sure that the container is gone.
    fn never(&self, why: String) -> io::Result<Passed> {
        let removed = self.request("DELETE", "?force=1", PATIENCE)?;
        match removed.status {
            204 | 404 | 409 => Ok(Passed::Never(why)),
            status => Err(io::Error::other(format!("{why}; the engine does not remove it ({status})"))),
        }
    }

    /// Returns the streams of its process 1.
    fn attach(&self, keys: &str) -> io::Result<BufReader<UnixStream>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let what = format!("/containers/{}/attach?stream=1&stdin=1&stdout=1&stderr=1&detachKeys={}", self.container, api::encoded(keys));
        let head = format!("POST {what} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        let mut reader = BufReader::with_capacity(64 << 10, stream);
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 && reader.read(&mut byte)? > 0 {
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other("the engine does not attach to it"));
        }
        reader.get_ref().set_read_timeout(None)?;
        Ok(reader)
    }

    /// Tells the container how large the terminal is.
    fn resize(&self) {
        if let Ok(size) = tcgetwinsize(io::stdin()) {
            // A tool that asks again gets the next answer.
            let _ = self.request("POST", &format!("/resize?h={}&w={}", size.ws_row, size.ws_col), PATIENCE);
        }
    }

    /// Passes everything on until the output ends; fails where nobody takes it.
    fn pass(&self, stream: BufReader<UnixStream>, terminal: bool) -> io::Result<()> {
        let _raw = terminal.then(RawTerminal::new);
        let mut signals = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP])?;
        let other = self.clone();
        std::thread::spawn(move || {
            for signal in &mut signals {
                match signal {
                    SIGWINCH if terminal => other.resize(),
                    // Nobody could continue what stopped there, and we are not to stop without it.
                    SIGWINCH | SIGTSTP => {}
                    // Fails only if the container has ended, which is what was wanted.
                    _ => drop(other.request("POST", &format!("/kill?signal={signal}"), PATIENCE)),
                }
            }
        });
        let mut up = stream.get_ref().try_clone()?;
        std::thread::spawn(move || {
            let _ = descriptor(&io::stdin()).and_then(|mut stdin| io::copy(&mut stdin, &mut up));
            let _ = up.shutdown(Shutdown::Write);
        });
        // A reader that has gone away is the end of the run, as it is for the engine's own client.
        if terminal { raw(stream) } else { parted(stream) }
    }

    /// Waits beside everything else for the exit code as the engine has it.
    fn awaited(&self) -> Receiver<u8> {
        let (tell, hear) = mpsc::channel();
        let other = self.clone();
        std::thread::spawn(move || {
            if let Some(code) = other.code() {
                // Nobody hears it where the gate said it first.
                let _ = tell.send(code);
            }
        });
        hear
    }

    fn code(&self) -> Option<u8> {
        let answer = self.request("POST", "/wait", LIFE).ok().filter(|answer| answer.status == 200)?;
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        u8::try_from(answer.get("StatusCode")?.as_u64()?).ok()
    }
}

/// Returns a stream of ours without the buffer of the standard library.
fn descriptor(stream: &impl AsFd) -> io::Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

fn raw(mut stream: BufReader<UnixStream>) -> io::Result<()> {
    io::copy(&mut stream, &mut descriptor(&io::stdout())?).map(drop)
}

/// Parts what comes into output and errors: each piece has a head of eight bytes, of which the first says which it is, and the last four
/// how long.
fn parted(mut stream: BufReader<UnixStream>) -> io::Result<()> {
    let (mut out, mut err) = (descriptor(&io::stdout())?, descriptor(&io::stderr())?);
    let mut head = [0; 8];
    while stream.read_exact(&mut head).is_ok() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let mut piece = (&mut stream).take(length.into());
        io::copy(&mut piece, if head[0] == 2 { &mut err } else { &mut out })?;
    }
    Ok(())
}

/// The terminal as a program that draws on it wants it, and as it was afterwards.
struct RawTerminal(Option<Termios>);

impl RawTerminal {
    fn new() -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(mut now) = before.clone() {
            now.make_raw();
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &now);
        }
        Self(before)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

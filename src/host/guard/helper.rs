//! The life of a helper: started beside the engine's client, it serves until that is gone.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::clipboard::CLIPBOARD;
use crate::core::guard::key::{KeySource, header_of};
use crate::core::guard::order::{AGENT, EGRESS, GuardOrder, KeepOrder, PAGE, WatchOrder};
use crate::core::kept_run::{KeptRun, sources};
use crate::core::lease::SessionId;
use crate::core::plan::secret::SecretSource;
use crate::host::fs::{own, socket};
use crate::host::guard::agent::AgentDesk;
use crate::host::guard::desk::Desk;
use crate::host::guard::{clipboard, order, page, tunnel, watch};
use crate::host::machine::{clock, process};
use crate::host::store::kept_run;
use crate::host::{Host, now, output};

/// Connections at a time.
const MOST: usize = 256;
/// A connection needs no more: nothing here recurses.
const STACK: usize = 96 << 10;

/// Most bytes of a key: a pipe that nobody reads yet holds them.
const LONGEST_KEY: usize = 8 << 10;

/// Returns the value of a secret by its name and place.
pub type FetchKey = fn(&Host, &str, &SecretSource) -> Result<OsString>;

/// Starts the helper of a session, and becomes `argv` once it serves; returns only if that fails. Without a session that was begun
/// there is nothing to start, which is no failure where the helper is optional.
pub fn beside(host: &Host, session: &SessionId, argv: &[OsString], is_optional: bool, fetch: FetchKey) -> Failure {
    let directory = host.state_of(session).guard(session);
    let order = match order::read(&directory) {
        Ok(order) => order,
        Err(error) if is_optional && error.kind() == io::ErrorKind::NotFound => return process::exec(argv, &[]),
        Err(error) => {
            return failed(format!("the rules of session {session} cannot be read: {error}"))
                .hint("ai run, or the functions of your shell, begin a session; ai doctor");
        }
    };
    if let Some(keep) = &order.keep
        && let Err(error) = kept(host, session, keep, argv, is_optional)
    {
        output::warn(&format!("this run is not kept for `ai replay`: {error}"));
    }
    if !order.wants_helper() {
        return process::exec(argv, &[]);
    }
    // Here, at the person's terminal, where what keeps it may ask.
    let secret = order.key.as_ref().and_then(|key| if let KeySource::Secret(place) = &key.from { Some((&key.name, place)) } else { None });
    let key = match secret.map(|(name, place)| fetch(host, name, place)).transpose() {
        Ok(Some(key)) if key.len() > LONGEST_KEY => return failed("the key is too long".into()),
        Ok(Some(key)) if !order.key.as_ref().is_some_and(|rule| is_key(&rule.header, &key)) => {
            let name = secret.map_or("the key", |(name, _)| name);
            return failed(format!("{name} holds what no key is made of")).hint("a key is one word; look at where it is kept");
        }
        Ok(key) => key.map(|key| [key.as_encoded_bytes(), b"\n"].concat()).unwrap_or_default(),
        Err(failure) => return failure,
    };
    match start(&directory, &key) {
        Ok((life, lost)) => {
            if let Some(why) = lost {
                output::warn(&format!("{}: {why}; hint: ai doctor", order.loss()));
            }
            // What holds this end is the engine's client, from here to its death.
            let kept = rustix::io::fcntl_setfd(&life, rustix::io::FdFlags::empty()).map_err(|error| failed(error.to_string()));
            kept.err().unwrap_or_else(|| process::exec(argv, &[]))
        }
        Err(error) if order.is_needed() => failed(error.to_string()).hint("ai doctor"),
        Err(error) => {
            output::warn(&format!("{}: its helper did not start: {error}; hint: ai doctor", order.loss()));
            process::exec(argv, &[])
        }
    }
}

/// Keeps the vector of a run that is about to start.
fn kept(host: &Host, session: &SessionId, keep: &KeepOrder, argv: &[OsString], is_optional: bool) -> io::Result<()> {
    let optional = is_optional.then(|| "--optional".into());
    let words = [host.exe().into_os_string(), "guard".into()].into_iter().chain(optional);
    let vector: Vec<OsString> = words.chain([session.as_str().into(), "--".into()]).chain(argv.iter().cloned()).collect();
    let run = KeptRun {
        session: session.clone(),
        tool: keep.tool.clone(),
        time: now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        directory: host.cwd().unwrap_or(Path::new("/")).to_owned(),
        image: keep.image.clone(),
        image_id: keep.image_id.clone(),
        sources: kept_run::seen(&sources(&vector, session)),
    };
    kept_run::keep(&host.store, &run, &vector)
}

/// Returns whether a field of a request can hold it: no space, no line break, no letter beyond ASCII.
fn is_key(header: &str, key: &OsStr) -> bool {
    key.to_str().is_some_and(|key| header_of(header, key).is_some())
}

fn failed(why: String) -> Failure {
    Failure::new(Kind::NotStarted, "cannot start the helper of a guarded run; no container was started").because(why)
}

/// Starts the helper and tells it the key; returns the end of the pipe by which it lives, and why it serves no agent if it should.
fn start(directory: &Path, key: &[u8]) -> io::Result<(io::PipeWriter, Option<String>)> {
    let (life, mut held) = io::pipe()?;
    held.write_all(key)?;
    let (mut ready, tell) = io::pipe()?;
    let mut command = process::command(process::this_program()?);
    command.arg0("ai guard").args(["__guard".as_ref(), directory.as_os_str()]).current_dir("/");
    drop(command.stdin(life).stdout(tell).stderr(Stdio::null()).spawn()?);
    drop(command);
    let mut said = String::new();
    ready.read_to_string(&mut said)?;
    match said.strip_prefix(READY) {
        Some(lost) => Ok((held, Some(lost.to_owned()).filter(|lost| !lost.is_empty()))),
        None if said.is_empty() => Err(io::Error::other("it ended at once")),
        None => Err(io::Error::other(said)),
    }
}

/// What a helper that serves says before anything else; behind it is why there is no agent.
const READY: &str = "ready\n";

/// Is the helper: serves until its standard input ends.
pub fn serve(host: &Host, directory: &Path) -> Result<()> {
    let mut tell = io::stdout();
    match prepare(host, directory) {
        Ok(Prepared { desk, listeners, watching, alive, lost }) => {
            let count = Arc::new(AtomicUsize::new(0));
            for (listener, serve) in listeners {
                accept(listener, serve, Arc::clone(&desk), Arc::clone(&count));
            }
            desk.watch(directory.to_owned());
            let end_watch = watching.map(|watching| watch::start(&desk, watching));
            let ready = format!("{READY}{}", lost.unwrap_or_default());
            tell.write_all(ready.as_bytes()).and_then(|()| tell.flush()).and_then(|()| close_stdout())?;
            // Nobody writes there: it ends when the last process that holds the other end does.
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            // Nothing is put back from here to the end of the process, nor left half done: the end of the session compares.
            if let Some(end_watch) = end_watch {
                end_watch();
            }
            desk.finish(directory);
            drop(alive);
            Ok(())
        }
        Err(error) => {
            // The one who waits says it.
            let _ = tell.write_all(error.to_string().as_bytes()).and_then(|()| tell.flush());
            Err(Failure::from(error))
        }
    }
}

/// Serves a connection to one of the sockets.
type Serve = fn(UnixStream, &Arc<Desk>) -> io::Result<()>;

/// A helper that is about to serve.
struct Prepared {
    desk: Arc<Desk>,
    listeners: Vec<(UnixListener, Serve)>,
    watching: Option<(WatchOrder, PathBuf)>,
    alive: std::fs::File,
    /// Why there is no agent though there should be.
    lost: Option<String>,
}

fn prepare(host: &Host, directory: &Path) -> io::Result<Prepared> {
    // No key of the terminal reaches it, nor the end of the terminal.
    let _ = rustix::process::setsid();
    let order: GuardOrder = order::read(directory)?;
    let is_needed = order.is_needed();
    let watching = order.watch.clone().map(|order| (order, directory.to_owned()));
    let alive = order::alive(directory)?;
    let sockets = directory.join("sock");
    let mut listeners: Vec<(UnixListener, Serve)> = Vec::new();
    let mut let_agent_in = || {
        let agent = order.agent.as_ref().map(|agent| AgentDesk::new(host, agent)).transpose()?.flatten();
        if agent.is_some() {
            listeners.push((socket::bind(&sockets, AGENT)?, serve_agent));
        }
        Ok(agent)
    };
    let (agent, lost) = match let_agent_in() {
        Ok(agent) => (agent, None),
        Err(error) if is_needed => return Err(error),
        // Without an agent the rest goes on.
        Err(error) => (None, Some(error.to_string())),
    };
    let desk = Desk::new(host, order, agent, directory)?;
    order::keep(directory, &desk.record())?;
    if is_needed {
        listeners.push((socket::bind(&sockets, EGRESS)?, serve_egress));
    }
    if desk.pages.is_some() {
        // Without it the tool says its page, and asks for what the person is shown there.
        listeners.extend(socket::bind(&sockets, PAGE).ok().map(|listener| (listener, page::serve as Serve)));
    }
    if desk.clipboard.is_some() {
        // Without it there is no picture, as without a clipboard.
        listeners.extend(socket::bind(&sockets, CLIPBOARD).ok().map(|listener| (listener, clipboard::serve as Serve)));
    }
    Ok(Prepared { desk: Arc::new(desk), listeners, watching, alive, lost })
}

/// The shell that reads our output is not kept waiting for it.
fn close_stdout() -> io::Result<()> {
    let null = own::open_to_write("/dev/null", rustix::fs::OFlags::empty())?;
    Ok(rustix::stdio::dup2_stdout(&null)?)
}

fn serve_egress(stream: UnixStream, desk: &Arc<Desk>) -> io::Result<()> {
    tunnel::serve(stream, desk)
}

fn serve_agent(stream: UnixStream, desk: &Arc<Desk>) -> io::Result<()> {
    desk.agent.as_ref().map_or(Ok(()), |agent| agent.serve(stream, desk))
}

fn accept(listener: UnixListener, serve: Serve, desk: Arc<Desk>, count: Arc<AtomicUsize>) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            match stream {
                Ok(stream) if count.load(Ordering::SeqCst) < MOST => {
                    let berth = Berth::take(&count);
                    let desk = Arc::clone(&desk);
                    let work = move || {
                        let _berth = berth;
                        // A client that goes away in the middle is no news.
                        let _ = serve(stream, &desk);
                    };
                    // Without a thread there is no answer: the connection is closed.
                    let _ = std::thread::Builder::new().stack_size(STACK).spawn(work);
                }
                Ok(stream) => crowded(stream, &desk),
                // Out of descriptors, say: others end meanwhile.
                Err(_) => clock::pause(Duration::from_millis(20)),
            }
        }
    });
}

fn crowded(mut stream: UnixStream, desk: &Desk) {
    desk.note(|record| record.crowded += 1);
    let _ = stream.set_write_timeout(Some(Duration::from_millis(100)));
    let _ = stream.write_all(b"HTTP/1.1 503 Too many connections through ai\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

/// A berth among the connections, given back when it is dropped.
struct Berth(Arc<AtomicUsize>);

impl Berth {
    fn take(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

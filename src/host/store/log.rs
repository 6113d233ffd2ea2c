//! The log's files: the newest is `events.jsonl`, then `events.jsonl.1` to `.5`. One writer at a time holds their directory's lock.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use serde_json::{Map, Value};

use crate::core::facts::Env;
use crate::core::failure::Result;
use crate::core::log::chain::{self, KEPT, LogEnd, LogFile};
use crate::core::log::{self, LogLevel};
use crate::core::store::Store;
use crate::host::fs::look::Look;
use crate::host::fs::{self, files, own};
use crate::host::machine::clock;
use crate::host::machine::deadline::Deadline;
use crate::host::{Host, now};

/// Bytes after which a new file begins.
const LARGE: u64 = 1 << 20;
/// Bytes of a file's end in which its last lines are looked for first.
const TAIL: u64 = 4096;
/// How long a reader waits for who writes a line.
const LONGEST: Duration = Duration::from_secs(5);

/// Writes a line, if the person wants lines of this level.
pub fn write(host: &Host, store: &Store, level: LogLevel, event: &str, more: Map<String, Value>) -> io::Result<()> {
    if !is_wanted(level, &host.env) {
        return Ok(());
    }
    let path = store.log();
    let directory = path.parent().unwrap_or(&path);
    files::private_dir(directory)?;
    let lock = own::open(directory)?;
    flock(&lock, FlockOperation::LockExclusive)?;
    if path.look().is_ok_and(|metadata| metadata.len() > LARGE) {
        put_away(&path)?;
    }
    if !path.is_there() && place(&path, 1).is_there() {
        let text = own::read(place(&path, 1))?;
        let number = chain::number(&text).unwrap_or_default() + 1;
        let more = [("number".to_owned(), number.into()), ("runs".to_owned(), serde_json::to_value(chain::sums(&text))?)];
        add(store, &text, LogLevel::Info, chain::OPENED, more.into_iter().collect())?;
    }
    add(store, &tail(&path)?, level, event, more)
}

/// Adds a line behind a text. A line that a crash tore is ended first.
fn add(store: &Store, text: &[u8], level: LogLevel, event: &str, more: Map<String, Value>) -> io::Result<()> {
    let end = read_end(store);
    let before = chain::next_link(text, end.as_ref());
    let line = log::line(now(), level, event, more, &before);
    let is_torn = store.log().is_there() && text.last().is_some_and(|byte| *byte != b'\n');
    let begin = if is_torn { "\n" } else { "" };
    // First: a line that nothing announced was written by somebody else.
    let begun = LogEnd { before, last: chain::link_to(line.as_bytes()), is_written: false };
    files::write_over(&store.log_end(), begun.text().as_bytes())?;
    own::open_to_append(store.log())?.write_all(format!("{begin}{line}\n").as_bytes())?;
    files::write_over(&store.log_end(), LogEnd { is_written: true, ..begun }.text().as_bytes())
}

fn read_end(store: &Store) -> Option<LogEnd> {
    LogEnd::parse(&own::read_text(store.log_end()).ok()?)
}

/// Returns the end of a file with two lines at least, as far as it has them.
fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = match own::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let mut size = TAIL;
    loop {
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(length.saturating_sub(size)))?;
        (&mut file).take(size).read_to_end(&mut text)?;
        // The first one of more than two may have begun before what was read.
        if size >= length || text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() > 2 {
            return Ok(text);
        }
        size = size.saturating_mul(8);
    }
}

/// The log as it is there.
pub struct LogText {
    /// The oldest first.
    pub files: Vec<LogFile>,
    pub end: Option<LogEnd>,
    /// Names of what stands in the place of a file and cannot be read as one.
    pub unread: Vec<String>,
}

/// Reads the log's files and the digests of their end, between two lines of whoever writes. One that was stopped in the middle of a line
/// is waited for no longer than that: what it left is as a crash leaves it.
pub fn read(store: &Store) -> LogText {
    let path = store.log();
    let _lock = lock_to_read(path.parent().unwrap_or(&path));
    let mut text = LogText { files: Vec::new(), end: read_end(store), unread: Vec::new() };
    for path in (1..=KEPT).rev().map(|number| place(&path, number)).chain([path.clone()]) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match own::read(&path) {
            Ok(read) => text.files.push(LogFile { name, text: read }),
            Err(_) if path.look().is_ok() => text.unread.push(name),
            Err(_) => {}
        }
    }
    text
}

/// Takes the lock of the writers, which other readers may have as well; `None` where there is no log, or it is kept.
fn lock_to_read(directory: &Path) -> Option<File> {
    let (lock, deadline) = (own::open(directory).ok()?, Deadline::after(LONGEST));
    loop {
        match retry_on_intr(|| flock(&lock, FlockOperation::NonBlockingLockShared)) {
            Ok(()) => return Some(lock),
            Err(Errno::WOULDBLOCK) if !deadline.is_over() => fs::pause(),
            Err(_) => return None,
        }
    }
}

fn place(path: &Path, number: u64) -> PathBuf {
    path.with_extension(format!("jsonl.{number}"))
}

fn is_wanted(level: LogLevel, env: &Env) -> bool {
    log::threshold(env).is_ok_and(|least| least.is_some_and(|least| level >= least))
}

/// Logs what was said to a person.
pub fn said(level: LogLevel, text: &str) {
    append(level, "message", || [("message", text.into())]);
}

/// Runs a command, and writes how long it took and what stopped it.
pub fn watched(name: &str, command: impl FnOnce() -> Result<u8>) -> Result<u8> {
    let begin = clock::instant();
    let result = command();
    let code = result.as_ref().map_or_else(|failure| failure.kind.exit_code(), |code| *code);
    let milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    append(LogLevel::Debug, "command", || [("command", name.into()), ("exit", code.into()), ("milliseconds", milliseconds.into())]);
    if let Err(failure) = &result {
        said(LogLevel::Error, &failure.to_string());
    }
    result
}

/// Writes beside what the person is told anyway: the log is no reason to make a store, and its own trouble is not worth a word.
#[expect(clippy::disallowed_methods, reason = "what is written of a failure to know the host depends on no host")]
fn append<const N: usize>(level: LogLevel, event: &str, more: impl FnOnce() -> [(&'static str, Value); N]) {
    let wish = std::env::var_os("AI_LOG").map(|wish| ("AI_LOG".into(), wish));
    if !is_wanted(level, &wish.into_iter().collect()) {
        return;
    }
    let Ok(host) = Host::new() else { return };
    if host.store.log().is_there() && host.of_somebody_else().is_none() {
        let more = more().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let _ = write(&host, &host.store, level, event, more);
    }
}

/// Moves every file one place on; what is behind the last place goes.
fn put_away(path: &Path) -> io::Result<()> {
    for number in (1..KEPT).rev().filter(|number| place(path, *number).is_there()) {
        own::rename(place(path, number), place(path, number + 1))?;
    }
    own::rename(path, place(path, 1))
}

//! The log's files: the newest is `events.jsonl`, then `events.jsonl.1` to `.5`.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{FlockOperation, OFlags, flock};
use serde_json::{Map, Value};

use crate::core::facts::Env;
use crate::core::failure::Result;
use crate::core::log::{self, LogLevel};
use crate::core::store::Store;
use crate::host::fs::files;
use crate::host::{Host, now};

/// Bytes after which a new file begins.
const LARGE: u64 = 1 << 20;
/// Old files that are kept.
const KEPT: u32 = 5;

/// Writes a line, if the person wants lines of this level.
pub fn write(host: &Host, store: &Store, level: LogLevel, event: &str, more: Map<String, Value>) -> io::Result<()> {
    if !is_wanted(level, &host.env) {
        return Ok(());
    }
    let path = store.log();
    path.parent().map_or(Ok(()), files::private_dir)?;
    if path.metadata().is_ok_and(|metadata| metadata.len() > LARGE) {
        rotate(&path)?;
    }
    // A link would lead the line into a file of somebody else's choice.
    let no_links = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(no_links.bits()).unwrap_or_default();
    let mut file = File::options().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    file.write_all(format!("{}\n", log::line(now(), level, event, more)).as_bytes())
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
    let begin = Instant::now();
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
fn append<const N: usize>(level: LogLevel, event: &str, more: impl FnOnce() -> [(&'static str, Value); N]) {
    let wish = std::env::var_os("AI_LOG").map(|wish| ("AI_LOG".into(), wish));
    if !is_wanted(level, &wish.into_iter().collect()) {
        return;
    }
    let Ok(host) = Host::new() else { return };
    if host.store.log().exists() && host.of_somebody_else().is_none() {
        let more = more().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let _ = write(&host, &host.store, level, event, more);
    }
}

/// Moves every file one place on; what is behind the last place goes. Whoever comes second finds it done.
fn rotate(path: &Path) -> io::Result<()> {
    let lock = File::open(path.parent().unwrap_or(path))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    if path.metadata().is_ok_and(|metadata| metadata.len() <= LARGE) {
        return Ok(());
    }
    let place = |number: u32| path.with_extension(format!("jsonl.{number}"));
    for number in (1..KEPT).rev().filter(|number| place(*number).exists()) {
        std::fs::rename(place(number), place(number + 1))?;
    }
    std::fs::rename(path, place(1))
}

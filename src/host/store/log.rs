//! The log's files: the newest is `events.jsonl`, then `events.jsonl.1` to `.5`.

use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use serde_json::{Map, Value};

use crate::core::facts::Env;
use crate::core::failure::Result;
use crate::core::log::{self, LogLevel};
use crate::core::store::Store;
use crate::host::fs::files;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::clock;
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
    if path.look().is_ok_and(|metadata| metadata.len() > LARGE) {
        rotate(&path)?;
    }
    let mut file = own::open_to_append(path)?;
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

/// Moves every file one place on; what is behind the last place goes. Whoever comes second finds it done.
fn rotate(path: &Path) -> io::Result<()> {
    let lock = own::open(path.parent().unwrap_or(path))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    if path.look().is_ok_and(|metadata| metadata.len() <= LARGE) {
        return Ok(());
    }
    let place = |number: u32| path.with_extension(format!("jsonl.{number}"));
    for number in (1..KEPT).rev().filter(|number| place(*number).is_there()) {
        own::rename(place(number), place(number + 1))?;
    }
    own::rename(path, place(1))
}

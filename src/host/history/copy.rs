//! Copies sessions of the host's own tools into a tool's home. What is there already stays as it is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use crate::core::history::import::{ImportState, Respelling};
use crate::host::fs::slot::{Swap, slot};
use crate::host::fs::{Absent, tree};
use crate::host::history::import::{HostFile, HostOrigin, HostSession};

/// Longest line that is spelled anew as one; longer ones go in pieces. In bytes.
const LONGEST: u64 = 32 << 20;

/// Returns whether a session was copied already.
pub fn state(home: &Path, session: &HostSession) -> ImportState {
    let is_there = session.files.last().is_some_and(|main| tree::look(home, &main.target).is_ok());
    if is_there { ImportState::There } else { ImportState::New }
}

/// Copies a session: what belongs to it first, its transcript last. A copy that was cut off is finished by the next one.
pub fn copy(home: &Path, session: &HostSession) -> io::Result<ImportState> {
    let mut last = Swap::Overtaken;
    for file in &session.files {
        let Some(slot) = slot(home, &file.target, Absent::Make)? else { continue };
        // What a tool wrote there meanwhile stays.
        if tree::look(home, &file.target).is_ok() {
            last = Swap::Overtaken;
            continue;
        }
        last = slot.make(file.modified, |to| fill(to, file, &session.respelling))?;
    }
    Ok(if last == Swap::Done { ImportState::Copied } else { ImportState::There })
}

fn fill(to: &mut File, file: &HostFile, respelling: &Respelling) -> io::Result<()> {
    let (root, below) = match &file.origin {
        HostOrigin::Text(text) => return to.write_all(text.as_bytes()),
        HostOrigin::File(root, below) => (root, below),
    };
    let from = tree::open(root, below)?;
    let found = from.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is no regular file", root.join(below).display())));
    }
    // What the host's tool writes behind this end while we read is for the next time.
    let mut from = BufReader::new(from.take(found.len()));
    if below.extension().is_none_or(|end| end != "jsonl") {
        return io::copy(&mut from, to).map(drop);
    }
    let mut line = Vec::new();
    while from.by_ref().take(LONGEST).read_until(b'\n', &mut line)? > 0 {
        to.write_all(&respelling.line(&line))?;
        line.clear();
    }
    Ok(())
}

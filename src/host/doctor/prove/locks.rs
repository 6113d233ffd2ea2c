//! Whether locks exclude each other between two containers and the host: what logins depend on.
//!
//! Under the lock, each side makes and removes a directory and counts a number up. A directory that is already there,
//! or a number that is too low in the end, means that two were inside at once.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, fcntl_lock, flock};

use crate::core::engine::proof::{ProbeOutcome, ProbeVerdict};
use crate::core::failure::Result;
use crate::host::doctor::prove::{Bench, PATIENCE, of};
use crate::host::fs::files::{private_dir, write_private};
use crate::host::fs::own;
use crate::host::machine::clock;
use crate::host::machine::process;

/// Rounds of each side.
const ROUNDS: u32 = 50;

#[derive(Clone, Copy)]
enum LockKind {
    Flock,
    Fcntl,
    Mkdir,
}

pub(super) fn all(bench: &Bench) -> Vec<ProbeOutcome> {
    [("lock-flock", LockKind::Flock), ("lock-fcntl", LockKind::Fcntl), ("lock-mkdir", LockKind::Mkdir)]
        .into_iter()
        .map(|(name, lock)| of(name, try_out(bench, name, lock)))
        .collect()
}

/// What happens under the lock, as a container does it.
const SECTION: &str = "mkdir held 2>/dev/null || echo x >>violated; n=$(cat counter); echo $((n+1)) >counter; rmdir held";

fn script(directory: &str, lock: LockKind) -> String {
    let round = match lock {
        LockKind::Flock => format!("flock lock sh -c '{SECTION}'"),
        LockKind::Mkdir => format!("until mkdir lock 2>/dev/null; do :; done; {SECTION}; rmdir lock"),
        LockKind::Fcntl => return format!("cd {directory} && command -v perl >/dev/null || exit 99; perl -e '{}'", perl()),
    };
    let needed = if matches!(lock, LockKind::Flock) { "command -v flock >/dev/null || exit 99; " } else { "" };
    format!("cd {directory} && {needed}i=0; while [ $i -lt {ROUNDS} ]; do {round}; i=$((i+1)); done")
}

/// No shell has fcntl locks. `struct flock` as all 64-bit Linux has it: type, whence, padding, start, length, pid, padding.
fn perl() -> String {
    // perl writes the answer back, so it must have a variable to write to.
    let lock = |kind: &str| format!("my $l=pack(\"s s x4 q q i x4\",{kind},0,0,0,0); fcntl($f,F_SETLKW,$l) or die;");
    format!(
        "use Fcntl; open(my $f,\"+<\",\"lock\") or die; for (1..{ROUNDS}) {{ {{ {} }} system(q({SECTION})); {{ {} }} }}",
        lock("F_WRLCK"),
        lock("F_UNLCK")
    )
}

fn try_out(bench: &Bench, name: &str, lock: LockKind) -> Result<(ProbeVerdict, String)> {
    let directory = bench.directory.join(name);
    private_dir(&directory)?;
    write_private(&directory.join("counter"), b"0\n")?;
    if !matches!(lock, LockKind::Mkdir) {
        write_private(&directory.join("lock"), b"")?;
    }
    let mut argv = bench.argv(&[], &script(name, lock));
    argv.insert(0, bench.engine());
    let first = process::background(&argv)?;
    let second = process::background(&argv)?;
    let mut done = 0;
    let mut violated = 0;
    while done < ROUNDS || first.is_running() || second.is_running() {
        violated += round(&directory, lock)?;
        done += 1;
        clock::pause(Duration::from_millis(2));
    }
    let codes = (first.finish(PATIENCE)?, second.finish(PATIENCE)?);
    match codes {
        (0, 0) => {}
        (99, _) | (_, 99) => return Ok((ProbeVerdict::Unknown, "the image has no program that takes such a lock".into())),
        _ => return Ok((ProbeVerdict::Unknown, format!("the containers ended with {} and {}", codes.0, codes.1))),
    }
    let text = own::read_text(directory.join("counter"))?;
    let counted: u32 = text.trim().parse().unwrap_or_default();
    let total = 2 * ROUNDS + done;
    let inside = own::read_text(directory.join("violated")).map_or(0, |text| text.lines().count()) + violated;
    let holds = counted == total && inside == 0;
    Ok((super::holds(holds), format!("{counted} of {total} rounds counted, {inside} times two held it at once")))
}

/// Returns one round of the host; 1 if somebody else was inside.
fn round(directory: &Path, lock: LockKind) -> io::Result<usize> {
    let path = directory.join("lock");
    match lock {
        LockKind::Mkdir => {
            while let Err(error) = own::make_directory(&path) {
                if error.kind() != io::ErrorKind::AlreadyExists {
                    return Err(error);
                }
                clock::pause(Duration::from_micros(200));
            }
            let violated = section(directory)?;
            own::remove_empty(&path)?;
            Ok(violated)
        }
        LockKind::Flock | LockKind::Fcntl => {
            let file = own::open_to_write(&path, OFlags::empty())?;
            if matches!(lock, LockKind::Flock) {
                flock(&file, FlockOperation::LockExclusive)?;
            } else {
                fcntl_lock(&file, FlockOperation::LockExclusive)?;
            }
            // Closing the file gives the lock back.
            section(directory)
        }
    }
}

fn section(directory: &Path) -> io::Result<usize> {
    let held = directory.join("held");
    let violated = usize::from(own::make_directory(&held).is_err());
    let counter = directory.join("counter");
    let count: u32 = own::read_text(&counter)?.trim().parse().unwrap_or_default();
    own::overwrite(&counter, format!("{}\n", count + 1))?;
    if violated == 0 {
        own::remove_empty(held)?;
    }
    Ok(violated)
}

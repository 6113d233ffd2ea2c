//! A command on a terminal, typed at and read from.

use rexpect::session::{PtySession, spawn_command};

use crate::process::Run;

/// Milliseconds; far above what any step takes, so only a hang gets here.
const HANG: u64 = 60_000;

/// Starts a command on a terminal of its own.
pub fn on_terminal(run: Run) -> PtySession {
    spawn_command(run.command(), Some(HANG)).unwrap()
}

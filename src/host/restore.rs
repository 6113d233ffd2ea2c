//! The terminal as it was: what a tool that was killed, or is hostile, leaves switched on is switched off before the prompt.

use std::fs::File;
use std::io::{self, Write};

use rustix::fs::OFlags;
use rustix::termios::{InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector, tcflush, tcgetattr, tcsetattr};

use crate::host::fs::own;
use crate::host::{self, Host};

/// Puts the title on the terminal's stack (xterm's `ctlseqs`, also in tmux, kitty, VTE, iTerm2; others pass it over).
const KEEP_TITLE: &[u8] = b"\x1b[22;0t";

/// Brings a terminal back that was left in any state, and is nothing on one that was left as it was. The cursor is saved first, since
/// leaving the alternate screen and the scroll region would move it.
///
/// In this order: out of strings, alternate screen, scroll region; mouse in all its protocols, focus, pasting, synchronised output;
/// kitty's keyboard and xterm's other keys; cursor keys, keypad, wrap, insert; character sets; cursor shown, in its own shape;
/// colours. Origin mode stays, since leaving it moves the cursor, and without a scroll region it means nothing.
const RESTORE: &[u8] = b"\x1b\\\x1b7\x1b[?1049l\x1b7\x1b[r\x1b8\
    \x1b[?9l\x1b[?1000l\x1b[?1001l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2026l\
    \x1b[<99u\x1b[>4m\x1b[?1l\x1b>\x1b[?7h\x1b[4l\x1b(B\x0f\x1b[?25h\x1b[0 q\x1b[0m";

/// Takes the title that was put on the stack.
const BRING_TITLE: &[u8] = b"\x1b[23;0t";

/// Keeps the title, which [`restore`] cannot know, and [`bring_title`] brings back.
pub fn keep_title(host: &Host) {
    write(host, KEEP_TITLE);
}

/// Brings the kept title back.
pub fn bring_title(host: &Host) {
    write(host, BRING_TITLE);
}

fn write(host: &Host, sequence: &[u8]) {
    if has_terminal(host)
        && let Some(mut terminal) = open()
    {
        // A terminal that cannot be written shows nothing that would have to be put right.
        let _ = terminal.write_all(sequence);
    }
}

/// Puts the terminal right after a run that had it: what it shows, how it reads, and what it still has to say to the tool.
pub fn restore(host: &Host) {
    if !has_terminal(host) {
        return;
    }
    if let Some(mut terminal) = open() {
        let _ = terminal.write_all(RESTORE).and_then(|()| terminal.flush());
        let _ = make_sane(&terminal);
        // Answers to a tool that is gone would be typed at the prompt.
        let _ = tcflush(&terminal, QueueSelector::IFlush);
    }
}

/// Whoever is in the background would be stopped by touching the terminal.
fn has_terminal(host: &Host) -> bool {
    let terminal = host::terminal();
    terminal.stdin && terminal.stdout && terminal.in_front && host.env.text("TERM").is_some_and(|name| name != "dumb")
}

fn open() -> Option<File> {
    own::open_to_write("/dev/tty", OFlags::NOCTTY | OFlags::NONBLOCK).ok()
}

/// Lines, echo and Ctrl-C again, where a client that was killed left the terminal raw.
fn make_sane(terminal: &File) -> io::Result<()> {
    let mut settings = tcgetattr(terminal)?;
    let lines = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
    if settings.local_modes.contains(LocalModes::ICANON) {
        return Ok(());
    }
    settings.local_modes |= lines | LocalModes::ECHOE | LocalModes::ECHOK;
    settings.input_modes |= InputModes::ICRNL | InputModes::IXON;
    settings.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
    Ok(tcsetattr(terminal, OptionalActions::Now, &settings)?)
}

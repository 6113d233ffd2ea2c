//! stdout is data, stderr is talk. The only place that knows colour.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::log::Level;
use crate::host;

/// Writes data as it is. A reader that has gone away is no failure of ours.
pub fn data(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A value as JSON that a person can read too.
pub fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(Kind::General, "cannot write JSON").because(error))?;
    data(format!("{text}\n").as_bytes())
}

/// Data with colour, where stdout shows colour.
pub fn styled(text: &str) -> Result<()> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// One line of talk.
pub fn note(text: &str) {
    say("ai", Style::new().dimmed(), text);
}

/// Something that went wrong but does not stop the run.
pub fn warn(text: &str) {
    say("ai: warning", AnsiColor::Yellow.on_default(), text);
    host::store::log::said(Level::Warn, text);
}

pub fn failure(failure: &Failure) {
    say("ai", AnsiColor::Red.on_default().bold(), &failure.to_string());
}

/// Asks a yes-or-no question on the terminal; an empty answer means yes.
pub fn ask(question: &str) -> bool {
    let mut stderr = anstream::stderr().lock();
    if write!(stderr, "ai: {} [Y/n] ", printable(question)).and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.is_ok_and(|bytes| bytes > 0) && matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes")
}

/// Asks for the word `yes` on the terminal. Without a terminal nobody can answer, and the answer is no.
pub fn ask_for_yes(question: &str) -> bool {
    let stdin = io::stdin();
    if !io::IsTerminal::is_terminal(&stdin) {
        return false;
    }
    let mut stderr = anstream::stderr().lock();
    if write!(stderr, "ai: {} Type yes: ", printable(question)).and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    stdin.read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

fn say(head: &str, style: Style, text: &str) {
    // There is nobody left to tell if stderr is gone.
    let _ = writeln!(anstream::stderr(), "{style}{head}:{style:#} {}", printable(text));
}

/// `text` without control characters: paths and names must not reach the terminal as commands.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b]52;c;x\x07b\u{9b}2J\tc\n"), "a\u{fffd}]52;c;x\u{fffd}b\u{fffd}2J\tc\n");
    }
}

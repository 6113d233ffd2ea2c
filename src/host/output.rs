//! stdout is data, stderr is talk. The only place that knows colour, and the only one that writes for people: what they read is made
//! visible here, once, whoever wrote it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::log::LogLevel;
use crate::core::text::table::{self, Side};
use crate::core::text::visible::{visible, visible_line, visible_lines};
use crate::host;

/// Writes bytes as they are, for programs and shells to read: vectors, scripts, ids. What a person reads goes through [`line`],
/// [`lines`] or [`table`]. A reader that has gone away is no failure of ours.
pub fn exact(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes one line for a person, whatever is in it.
pub fn line(text: &str) -> Result<()> {
    lines([text])
}

/// Writes lines for a person; what is in one of them cannot begin another.
pub fn lines<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> Result<()> {
    let text: String = lines.into_iter().map(|line| format!("{}\n", visible_line(line.as_ref()))).collect();
    exact(text.as_bytes())
}

/// Writes rows whose cells stand below one another.
pub fn table<const N: usize>(sides: [Side; N], rows: &[[String; N]]) -> Result<()> {
    lines(table::lines(sides, rows))
}

/// Returns how wide the terminal is, in characters; 80 where there is none.
pub fn columns() -> usize {
    rustix::termios::tcgetwinsize(io::stdout()).map_or(80, |size| usize::from(size.ws_col).max(20))
}

/// Clears the screen.
pub fn clear_screen() -> Result<()> {
    exact(b"\x1b[H\x1b[2J")
}

/// Returns a value as JSON that a person can read too.
pub fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(Kind::General, "cannot write JSON").because(error))?;
    exact(format!("{text}\n").as_bytes())
}

/// Data with colour, where stdout shows colour.
pub fn styled(text: &str) -> Result<()> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints one line of talk.
pub fn note(text: &str) {
    say("ai", Style::new().dimmed(), &visible(text));
}

/// Prints one of the lines that a person can choose from.
pub fn choice(number: usize, text: &str) {
    say(&format!("{number:>3}"), Style::new().bold(), &visible(text));
}

/// Something that went wrong but does not stop the run.
pub fn warn(text: &str) {
    say("ai: warning", AnsiColor::Yellow.on_default(), &visible(text));
    host::store::log::said(LogLevel::Warn, text);
}

/// Prints a failure that does not stop the run.
pub fn warn_of(failure: &Failure) {
    say("ai: warning", AnsiColor::Yellow.on_default(), &failure.to_string());
    host::store::log::said(LogLevel::Warn, &failure.to_string());
}

pub fn failure(failure: &Failure) {
    say("ai", AnsiColor::Red.on_default().bold(), &failure.to_string());
}

/// Prints what is wrong with a command line, in several lines.
pub fn misused(text: &str) {
    say("ai", AnsiColor::Red.on_default().bold(), &visible_lines(text).collect::<Vec<_>>().join("\n"));
}

/// Asks a yes-or-no question on the terminal; an empty answer means yes.
pub fn ask(question: &str) -> bool {
    let mut stderr = anstream::stderr().lock();
    if write!(stderr, "ai: {} [Y/n] ", visible(question)).and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.is_ok_and(|bytes| bytes > 0) && matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes")
}

/// Asks a question on the terminal, and returns the line that was typed; `None` at the end of the input.
pub fn ask_line(question: &str) -> Option<String> {
    let mut stderr = anstream::stderr().lock();
    write!(stderr, "ai: {} ", visible(question)).and_then(|()| stderr.flush()).ok()?;
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.is_ok_and(|bytes| bytes > 0).then_some(answer)
}

/// Asks for the word `yes` on the terminal. Without a terminal nobody can answer, and the answer is no.
pub fn ask_for_yes(question: &str) -> bool {
    let stdin = io::stdin();
    if !io::IsTerminal::is_terminal(&stdin) {
        return false;
    }
    let mut stderr = anstream::stderr().lock();
    if write!(stderr, "ai: {} Type yes: ", visible(question)).and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    stdin.read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// Writes text that is visible already.
fn say(head: &str, style: Style, text: &str) {
    // There is nobody left to tell if stderr is gone.
    let _ = writeln!(anstream::stderr(), "{style}{head}:{style:#} {text}");
}

//! One of many lines, chosen by a person: with fzf where it is installed, else by its number.

use std::io::{self, IsTerminal, Write};
use std::process::Stdio;

use rustix::fs::FileType;

use crate::core::failure::{Failure, Kind, Result};
use crate::host::machine::process;
use crate::host::{Host, output};

/// Lines that are shown at once without fzf.
const PAGE: usize = 20;

/// Whether somebody sits there who can be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Returns whether something is handed to us beside the words: a pipe, a file or a socket, and no `/dev/null`.
pub fn is_fed() -> bool {
    let kind = rustix::fs::fstat(io::stdin()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    kind.is_ok_and(|kind| matches!(kind, FileType::Fifo | FileType::RegularFile | FileType::Socket))
}

/// Returns the place of the line that was chosen; nothing if none was.
pub fn pick(host: &Host, question: &str, lines: &[String]) -> Result<Option<usize>> {
    match host.program("fzf") {
        Some(fzf) => by_fzf(&fzf, question, lines),
        None => Ok(by_number(question, lines)),
    }
}

fn by_fzf(fzf: &std::path::Path, question: &str, lines: &[String]) -> Result<Option<usize>> {
    let failed = |error| Failure::new(Kind::General, "cannot ask with fzf").because(error);
    let mut command = process::command(fzf);
    command.args([
        "--prompt",
        &format!("{question}> "),
        "--height=60%",
        "--reverse",
        "--no-sort",
        "--no-multi",
        "--delimiter=\t",
        "--with-nth=2..",
    ]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        let text: String = lines.iter().enumerate().map(|(at, line)| format!("{at}\t{line}\n")).collect();
        // One that has its answer reads no further.
        let _ = stdin.write_all(text.as_bytes());
    }
    let answer = child.wait_with_output().map_err(failed)?;
    let text = String::from_utf8_lossy(&answer.stdout);
    Ok(text.split('\t').next().and_then(|at| at.parse().ok()).filter(|at| *at < lines.len()))
}

fn by_number(question: &str, lines: &[String]) -> Option<usize> {
    for (at, line) in lines.iter().take(PAGE).enumerate() {
        output::choice(at + 1, line);
    }
    if lines.len() > PAGE {
        output::note(&format!("{} more: words make them fewer", lines.len() - PAGE));
    }
    let answer = output::ask_line(&format!("{question}: which one? [1] "))?;
    let answer = answer.trim();
    let number: usize = if answer.is_empty() { 1 } else { answer.parse().ok()? };
    number.checked_sub(1).filter(|at| *at < lines.len())
}

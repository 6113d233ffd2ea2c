//! The end of `ai install`: new shells are asked, what they leave out is served, and what came of it is said.

use std::path::Path;

use super::{change, login_files, whole};
use crate::command::doctor::shell::look;
use crate::core::doctor::Finding;
use crate::core::doctor::shell::{ShellAnswer, ShellCheckup, obstacles, remarks};
use crate::core::failure::Result;
use crate::core::shell::Shell;
use crate::core::shell::block;
use crate::core::shell::rc_lines::Loading;
use crate::host::Host;
use crate::host::fs::look::Look;
use crate::host::output;

/// Asks new shells, puts the block where those read it that do not load it yet, and says whether it works.
pub fn close(host: &Host, rc: &Path, loading: &Loading) -> Result<u8> {
    let shell = loading.shell;
    let mut checkup = look(host, shell)?;
    // Where a file ends before our lines, after a login or for a simple terminal, its first lines are read.
    let is_left_out = |answer: &Option<ShellAnswer>| answer.as_ref().is_some_and(|answer| !answer.is_loaded());
    let for_login = shell == Shell::Bash && is_left_out(&checkup.login);
    let for_terminal = is_left_out(&checkup.dumb);
    if checkup.answer.is_loaded() && (for_login || for_terminal) {
        if for_terminal {
            serve_first(host, rc, &loading.lines())?;
        }
        let login = login_files(host)?.into_iter().find(|path| path.is_there());
        if let Some(path) = login.filter(|_| for_login) {
            serve_first(host, &path, &loading.guarded())?;
        }
        checkup = look(host, shell)?;
    }
    say_whether_it_works(host, &checkup, loading)
}

/// Puts the block at the top of a file.
fn serve_first(host: &Host, path: &Path, lines: &[String]) -> Result<()> {
    let rc = whole(path)?;
    let text = rc.content.clone().unwrap_or_default();
    let rest = if block::has_block(&text) { block::without_block(&text).unwrap_or_default() } else { text };
    let dry_run = false;
    if rc.managed.is_none() { change(host, &rc, Some(block::with_block_first(&rest, lines)), dry_run) } else { Ok(()) }
}

/// Asks a new shell, and says that it works only if it does; else why it does not.
fn say_whether_it_works(host: &Host, checkup: &ShellCheckup, loading: &Loading) -> Result<u8> {
    let shell = checkup.shell;
    if host.program(shell.name()).is_none() {
        output::note(&format!("{shell} is not on PATH, so nobody could be asked whether it works; then: ai doctor shell {shell}"));
        return Ok(0);
    }
    let told = |finding: &Finding| finding.hint.as_ref().map_or_else(String::new, |hint| format!("; hint: {hint}"));
    for finding in remarks(checkup) {
        output::warn(&format!("{}{}", finding.cause, told(&finding)));
    }
    let wrong = obstacles(checkup);
    if wrong.is_empty() {
        output::note(&format!("it works in the next {shell}; for this one: {}", loading.typed()));
        return Ok(0);
    }
    for finding in wrong {
        output::warn(&format!("it does not work yet in a new {shell}: {}: {}{}", finding.title, finding.cause, told(&finding)));
    }
    Ok(1)
}

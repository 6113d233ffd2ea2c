//! This program once more, where somebody else was.

use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::core::failure::{Failure, Result};
use crate::host::machine::process;

/// Becomes this program with other words in another directory; returns only if that fails.
pub fn become_again(words: &[String], directory: &Path) -> Result<Failure> {
    let me = process::this_program()?;
    let mut command = process::command(&me);
    // A shell's word for where it is would be a lie there.
    command.args(words).current_dir(directory).env("PWD", directory);
    Ok(process::not_started(me.as_os_str(), &command.exec()))
}

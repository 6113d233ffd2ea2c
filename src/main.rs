//! `ai`: AI coding assistants in containers that live for exactly one run.
//!
//! ```text
//! argv env cwd files ──► host ──► Facts ──► core decides ──► values ──► host acts, output prints
//! ```
//!
//! - `cli` says what was typed: the list of commands, overrides, words.
//! - `command` has a file for each sub-command: gather, ask `session` or `host`, print.
//! - `session` is the life of one run, read from top to bottom.
//! - `core` decides. It knows values, and nothing outside itself.
//! - `host` acts. It alone touches files, processes, the clock, the terminal.
//!
//! What keeps it so: `.clippy.toml` forbids the calls of the standard library that touch the machine outside `host`, and
//! `tests/it/tidy.rs` checks what `core` may name and that this list is whole. This file is the only exit.

mod cli;
mod command;
mod core;
mod host;
mod session;

/// What must hold for any bytes, with the seeds of the fuzzer.
#[cfg(test)]
#[path = "../fuzz/src/parsers.rs"]
mod parsers;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::main(host::args()) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            host::output::failure(&failure);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

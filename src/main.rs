//! `ai`: AI coding assistants in containers that live for exactly one run.
//!
//! ```text
//! argv env cwd files ──► host ──► Facts ──► pure decisions ──► values ──► host acts, output prints
//! ```
//!
//! `cli` says what was typed, `command` what to do about it. Pure modules (`facts`, `config`, `tool`, `workspace`,
//! `plan`, `session`, `store`, `sync`, `shell`) decide as functions of values; `host` is the only one that touches the
//! machine. This file is the only exit.

mod census;
mod cli;
mod command;
mod complete;
mod config;
mod creds;
mod digest;
mod doctor;
mod engine;
mod exit;
mod facts;
mod failure;
mod help;
mod host;
mod identity;
mod install;
mod log;
mod mode;
mod nearest;
mod output;
mod plan;
mod project;
mod session;
mod shell;
mod ssh;
mod store;
mod sync;
mod tool;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::main(host::args()) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::failure(&failure);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

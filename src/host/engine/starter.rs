//! Starts the engine for whoever allowed it, and waits until it answers; both have a deadline, then it is an honest failure.

use std::ffi::OsStr;
use std::time::Duration;

use crate::core::config::Settings;
use crate::core::config::value::parse_bytes;
use crate::core::engine::kind::Engine;
use crate::core::engine::start::{self, Size, Starter};
use crate::core::failure::{Failure, Kind, Result};
use crate::host::Host;
use crate::host::machine::clock;
use crate::host::machine::process;
use crate::host::output;

/// Longest time that the command may take.
const DEADLINE: Duration = Duration::from_secs(120);
/// Longest time after it until the engine answers.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// Runs the engine's starter and waits for the engine.
pub fn start(host: &Host, engine: &Engine, settings: &Settings) -> Result<()> {
    let failed = |why: String| Failure::new(Kind::Unavailable, format!("cannot start the engine: {why}")).hint(start::hint(engine));
    let memory = settings.engine_memory.value.as_deref().and_then(|text| parse_bytes(text).ok());
    let size = Size { cpus: settings.engine_cpus.value, memory };
    let Starter { argv, root } = start::starter(engine, size)
        .ok_or_else(|| failed(format!("nothing is known about what listens at {}", engine.endpoint.shown())))?;
    let (name, args) = argv.split_first().ok_or_else(|| failed("there is no command".into()))?;
    let program = host.program(name).ok_or_else(|| failed(format!("`{name}` is not installed")))?;
    if root && !rustix::process::getuid().is_root() {
        return Err(failed("only root may".into()));
    }
    output::note(&format!("starting the engine: {}", argv.join(" ")));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (status, _, stderr) = process::output_within(OsStr::new(&program), &args, DEADLINE)?;
    if !status.success() {
        return Err(
            failed(format!("`{}` ended with {}", argv.join(" "), process::exit_code(status))).because(String::from_utf8_lossy(&stderr))
        );
    }
    if answers_within(engine, PATIENCE) {
        Ok(())
    } else {
        Err(failed(format!("`{}` ended well, but nothing answers after {} s", argv.join(" "), PATIENCE.as_secs())))
    }
}

fn answers_within(engine: &Engine, patience: Duration) -> bool {
    let begin = clock::instant();
    while super::is_down(engine) {
        if begin.elapsed() >= patience {
            return false;
        }
        clock::pause(PAUSE);
    }
    true
}

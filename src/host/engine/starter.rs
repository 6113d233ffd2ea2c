//! Starts the engine for whoever allowed it, and waits until it answers: at most two minutes, then an honest failure.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use crate::engine::start::{self, Starter};
use crate::facts::Engine;
use crate::failure::{Failure, Kind, Result};
use crate::host::{Host, process};
use crate::output;

const DEADLINE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);

/// Runs the engine's starter and waits for the engine.
pub fn start(host: &Host, engine: &Engine) -> Result<()> {
    let failed = |why: String| Failure::new(Kind::Unavailable, format!("cannot start the engine: {why}")).hint(start::hint(engine));
    let Starter { argv, root } =
        start::starter(engine).ok_or_else(|| failed(format!("nothing is known about what listens at {}", engine.endpoint.shown())))?;
    let (name, args) = argv.split_first().ok_or_else(|| failed("there is no command".into()))?;
    let program = host.program(name).ok_or_else(|| failed(format!("`{name}` is not installed")))?;
    if root && !rustix::process::getuid().is_root() {
        return Err(failed("only root may".into()));
    }
    output::note(&format!("starting the engine: {}", argv.join(" ")));
    let begin = Instant::now();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (status, _, stderr) = process::output_within(OsStr::new(&program), &args, DEADLINE)?;
    if !status.success() {
        return Err(
            failed(format!("`{}` ended with {}", argv.join(" "), process::exit_code(status))).because(String::from_utf8_lossy(&stderr))
        );
    }
    while super::is_down(engine) {
        if begin.elapsed() > DEADLINE {
            return Err(failed(format!("it does not answer after {} s", DEADLINE.as_secs())));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

//! What a machine may lack: a test that needs it says so and passes, unless `AI_REQUIRE` lists it.

use std::io::Write;

/// `found`, or `None` with a line on stderr that the tests' runner does not swallow.
#[track_caller]
pub fn need<T>(what: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        let required = std::env::var("AI_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|name| name == what), "`{what}` is required here (AI_REQUIRE), but missing");
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        writeln!(std::io::stderr(), "skipped: {test}: no {what}").unwrap();
    }
    found
}

/// Whether strace is there, and may trace.
pub fn has_strace() -> bool {
    let works = std::process::Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success());
    need("strace", works.then_some(())).is_some()
}

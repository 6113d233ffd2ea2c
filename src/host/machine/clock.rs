//! The clock. Nothing that must be right depends on it.
#![expect(clippy::disallowed_methods, reason = "the one place that asks for the time and waits")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub fn instant() -> Instant {
    Instant::now()
}

/// The time since the beginning of 1970.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Waits.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

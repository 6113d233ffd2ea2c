//! How long something may take.

use std::time::{Duration, Instant};

/// The end of somebody's patience.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
}

impl Deadline {
    pub fn after(patience: Duration) -> Self {
        Self { end: Instant::now() + patience }
    }

    /// Returns how much time there is.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}

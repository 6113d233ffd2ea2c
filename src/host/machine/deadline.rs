//! How long something may take.

use std::time::{Duration, Instant};

use crate::host::machine::clock;

/// The end of somebody's patience.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
}

impl Deadline {
    pub fn after(patience: Duration) -> Self {
        Self { end: clock::instant() + patience }
    }

    /// Returns how much time there is.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(clock::instant())
    }

    pub fn is_over(&self) -> bool {
        clock::instant() >= self.end
    }
}

//! Signals that end us, held back while something must be put away first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::core::failure::Result;

/// Made once in a process. Signals act as always but while they are held.
#[derive(Debug)]
pub struct Interrupt {
    acts: Arc<AtomicBool>,
    /// The first signal that came while they were held; 0 if none did.
    came: Arc<AtomicUsize>,
}

impl Interrupt {
    pub fn new() -> Result<Self> {
        let interrupt = Self { acts: Arc::new(AtomicBool::new(true)), came: Arc::new(AtomicUsize::new(0)) };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&interrupt.acts))?;
            signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.came), usize::try_from(signal).unwrap_or(0))?;
        }
        Ok(interrupt)
    }

    /// Runs `act` while signals only leave their number.
    pub fn held<T>(&self, act: impl FnOnce() -> T) -> T {
        self.came.store(0, Ordering::SeqCst);
        self.acts.store(false, Ordering::SeqCst);
        let result = act();
        self.acts.store(true, Ordering::SeqCst);
        result
    }

    /// The signal that came while they were held.
    pub fn came(&self) -> Option<u8> {
        u8::try_from(self.came.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0)
    }
}

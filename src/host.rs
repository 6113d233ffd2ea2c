//! The edge: what may touch the machine.

pub mod fs;
pub mod lock;
pub mod place;
pub mod sync;

//! The machine below the store and the engine: processes, the terminal, repositories, rc files.

pub mod again;
pub mod clock;
pub mod deadline;
pub mod git;
pub mod interrupt;
pub mod look;
pub mod piped;
pub mod power;
pub mod process;
pub mod prompt;
pub mod rc;
pub mod shim;

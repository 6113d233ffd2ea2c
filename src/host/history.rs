//! Transcripts on disk.

pub mod copy;
pub mod import;
pub mod list;

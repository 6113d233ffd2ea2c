//! Sessions that people had with the tools, as their transcripts tell of them.

pub mod import;

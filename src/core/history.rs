//! Sessions that people had with the tools, as their transcripts tell of them.

pub mod conversation;
pub mod import;
pub mod said;
pub mod search;

//! Small functions of text, one file each.

pub mod digest;
pub mod nearest;
pub mod version;

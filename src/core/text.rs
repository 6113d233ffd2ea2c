//! Small functions of text, one file each.

pub mod base64;
pub mod digest;
pub mod from_table;
pub mod nearest;
pub mod packed;
pub mod path;
pub mod table;
pub mod typed;
pub mod version;
pub mod visible;

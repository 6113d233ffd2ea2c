//! What decides, as a library for the fuzz targets alone: `core` is the program's own, by a link.

#![allow(dead_code, unused_imports)]

mod core;
pub mod parsers;

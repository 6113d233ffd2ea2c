//! Who decides: what a project may ask for, and what it gets.

pub mod trust;

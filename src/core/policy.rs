//! Who decides: what a system allows, what a project may ask for, and what it gets.
//!
//! [`file`] reads a policy and keeps the rules that are for this person; [`verdict`] says whether a run may be; a value that a rule
//! fixes is put into the settings by `core::config::fixed`. [`trust`] says what a `.ai.toml` gets, with consent or without, and
//! [`asked`] has what it asks for, in words.

pub mod asked;
mod contradiction;
pub mod file;
mod place;
pub mod rule;
pub mod trust;
pub mod verdict;

//! Who decides: what a system allows, what a project may ask for, and what it gets.

mod contradiction;
pub mod file;
mod place;
pub mod rule;
pub mod trust;
pub mod verdict;

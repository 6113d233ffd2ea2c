//! A plan in words: how an engine spells it, and how people and programs read it.

mod apple;
pub mod docker;
pub mod explain;

//! Plans as wholes: on the engines that people have, from any manifest, and for runs that somebody waits for.

mod engines;
mod keys;
pub(super) mod sources;
mod spare;

//! Plans as wholes: on the engines that people have, and from any manifest.

mod engines;
pub(super) mod sources;

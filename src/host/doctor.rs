//! What `ai doctor` looks at and tries.

pub mod checkup;
pub mod closed;
pub mod prove;

//! The helper that stands beside a guarded run: sockets and threads around the verdicts of `core::guard`.
//!
//! `ai guard SESSION -- docker run …` starts it and becomes docker. It ends when docker has ended, whatever ended that; until then it
//! is the one way out of the container. What it is told it reads once, at its start, and nothing makes it more lenient later.

pub mod agent;
pub mod broker;
pub mod clipboard;
pub mod desk;
pub mod dial;
pub mod forward;
pub mod helper;
pub mod login_key;
pub mod open;
pub mod order;
pub mod page;
pub mod relay;
pub mod tls;
pub mod tunnel;
pub mod watch;

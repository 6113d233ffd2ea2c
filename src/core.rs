//! What decides: functions of values, which know no file system, clock, environment, process or terminal.
//!
//! Nothing below this folder names anything outside it; `tests/it/tidy.rs` checks that.

pub mod admit;
pub mod census;
pub mod commit;
pub mod complete;
pub mod config;
pub mod container;
pub mod control;
pub mod doctor;
pub mod ending;
pub mod engine;
pub mod facts;
pub mod failure;
pub mod guard;
pub mod help;
pub mod history;
pub mod identity;
pub mod image;
pub mod incident;
pub mod kept_run;
pub mod lease;
pub mod ledger;
pub mod log;
pub mod login;
pub mod metrics;
pub mod newer;
pub mod notify;
pub mod person;
pub mod plan;
pub mod planted;
pub mod policy;
pub mod project;
pub mod render;
pub mod route;
pub mod setup;
pub mod shell;
pub mod spare;
pub mod store;
pub mod sync;
pub mod telemetry;
pub mod text;
pub mod tool;
pub mod workspace;

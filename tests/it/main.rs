//! The built program from outside: real shells, a recording engine, a real engine, a terminal.
//!
//! Every test has a temporary home and a PATH of its own; see `sandbox`. A test's name or comment carries the ids of
//! the acceptance cases that it holds.
#![expect(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests act on the machine, say what they skip, and a step that fails fails the test"
)]

mod bed;
mod engine;
mod hostile;
mod mock;
mod process;
mod require;
mod rootless;
mod sandbox;
mod setup;
mod setups;
mod shells;
mod terminal;
mod terminal_keys;
mod terminal_left;
mod terminal_shells;

mod admit;
mod along;
mod any_path;
mod argv;
mod around;
mod audit;
mod backups;
mod border;
mod broken;
mod cage;
mod cases;
mod commit;
mod commit_git;
mod commit_real;
mod company;
mod completions;
mod config_file;
mod control;
mod control_deep;
mod control_git;
mod control_hidden;
mod control_links;
mod control_person;
mod control_room;
mod control_watch;
mod control_word;
#[cfg(feature = "faults")]
mod crash;
mod creds;
mod crowd;
mod doctor;
mod doctor_setup;
mod doctor_shell;
mod documents;
mod engines;
mod environment;
mod every_setting;
mod faults;
mod formats;
mod frameworks;
mod git_inside;
mod guard;
mod guard_agent;
mod guard_clipboard;
mod guard_keys;
mod guard_leaks;
mod guard_life;
mod guard_page;
mod guard_said;
mod guard_wire;
mod guarded;
mod guards;
mod habits;
mod heads;
mod hints;
mod history_import;
mod history_list;
mod identity;
mod images;
mod incident;
mod init;
mod install;
mod installed;
mod kept;
mod known_settings;
mod layout;
mod ledger;
mod ledger_kept;
mod let_in;
mod local_models;
mod login_shapes;
mod logins;
mod lost;
mod made;
mod migrate;
mod monitoring;
mod newer;
mod notes;
mod notify;
mod once;
mod paths;
mod person;
mod places;
mod planted;
mod policy;
mod printing;
mod projects;
mod races;
mod real;
mod recipes;
mod repository;
mod route;
mod scratch;
mod secret_delivery;
mod sessions;
mod shell_calls;
mod shell_setups;
mod shell_table;
mod shell_words;
mod signals;
mod spare;
mod spare_lost;
mod state_degraded;
mod state_repair;
mod state_sessions;
mod state_sync;
mod stdio;
mod talk;
mod telemetry;
mod threats;
mod tidy;
mod tools;
mod transcripts;
mod trees;
mod trust;
mod volumes;
mod vulnerabilities;
mod words;
mod workspace;

//! What is left when a sync is killed, or a call of it fails, at every point where that can happen.
//!
//! `AI_FAULTS=all` tries every point; else a sample of them that takes well under a minute. Each test prints what it tried.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test of effects: it makes files, starts processes, and shows what it counted"
)]

mod crowd;
mod flushed;
mod injected;
mod world;

use std::fmt::{self, Write};
use std::ops::AddAssign;
use std::process::Command;

/// What a test tried and found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub faults: usize,
    pub deaths: usize,
    pub torn: usize,
    pub lost: usize,
    pub strayed: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.faults += other.faults;
        self.deaths += other.deaths;
        self.torn += other.torn;
        self.lost += other.lost;
        self.strayed += other.strayed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { faults, deaths, torn, lost, strayed } = self;
        write!(out, "{faults:>7} {deaths:>7} {torn:>5} {lost:>5} {strayed:>8}")
    }
}

/// Whether every point is tried, or every so many.
pub fn every(sampled: usize) -> usize {
    if std::env::var_os("AI_FAULTS").is_some_and(|value| value == "all") { 1 } else { sampled }
}

pub fn print_table(title: &str, rows: &[(String, Counts)]) {
    let mut total = Counts::default();
    let mut table = format!("\n{title:<28}  faults  deaths  torn  lost  strayed\n");
    for (name, counts) in rows {
        writeln!(table, "{name:<28} {counts}").unwrap();
        total += *counts;
    }
    eprintln!("{table}{:<28} {total}", "all");
    assert_eq!((total.torn, total.lost, total.strayed), (0, 0, 0), "{title}");
    assert!(total.faults > 0, "{title}: nothing was tried");
}

pub fn strace() -> Command {
    let mut strace = Command::new("strace");
    strace.arg("-f");
    strace
}

//! A person who looks elsewhere is told that a long run has ended.

use crate::core::config::Settings;
use crate::core::lease::Lease;
use crate::core::notify::{RunNotice, parse_span};
use crate::host::{self, Host};

/// Tells it of a run that took as long as the person wants to hear of.
pub fn after(host: &Host, settings: &Settings, lease: &Lease, code: u8) {
    let wanted = settings.notify_after.value.as_deref().and_then(|text| parse_span(text).ok());
    let took = host::now().saturating_sub(lease.since);
    if wanted.is_some_and(|wanted| took >= wanted) {
        host::notify::tell(host, &RunNotice::of_run(&lease.tool, &lease.project, code, took));
    }
}

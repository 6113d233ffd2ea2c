//! A session ends: what its exit code means is said, its settings go out, its record goes away.

use std::io;

use crate::core::config::{Config, Settings};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::{Lease, SessionId};
use crate::core::store::Store;
use crate::core::sync::Direction;
use crate::core::tool::Tool;
use crate::host::guard::order;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::git::trees;
use crate::host::store::{lease, secret_files};
use crate::host::sync::PATIENCE;
use crate::host::syslog::{self, Facility};
use crate::host::{self, Host, output};
use crate::session::{budget, control, ending, guard, login_turn, metrics, newer, notify, points, settings, spare, tolerant};

/// What is left of a session on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    All,
    /// Its state was temporary, as was said when it began.
    Nothing,
}

/// The tool of a session and its configuration.
#[derive(Debug)]
pub struct Known {
    /// `None` where its manifest is gone or broken: it has no settings then.
    pub tool: Option<Tool>,
    pub config: Config,
}

impl Known {
    /// Loads as much as can be used, and returns what is wrong with the rest.
    pub fn load(host: &Host, lease: &Lease) -> (Self, Vec<Failure>) {
        let (config, failure) = tolerant::config(host, &lease.tool);
        let mut failures = Vec::from_iter(failure);
        let tool = Tool::load(&lease.tool, |name| host.manifest(name)).unwrap_or_else(|failure| {
            failures.push(failure);
            None
        });
        (Self { tool, config }, failures)
    }
}

/// Closes a session whose tool and configuration are not known yet: its settings go out, its record goes away. `code` is what the
/// run ended with.
pub fn close(host: &Host, lease: &Lease, code: Option<u8>) -> Result<Saved> {
    let (known, failures) = Known::load(host, lease);
    tolerant::tell(failures);
    close_known(host, lease, &known, code)
}

/// Closes a session, unless somebody else does already.
pub fn close_known(host: &Host, lease: &Lease, known: &Known, code: Option<u8>) -> Result<Saved> {
    let state = host.state_of(&lease.session);
    match lease::claim(&state, &lease.session) {
        Some(_claim) => finish(host, &state, lease, known, code, &Deadline::after(PATIENCE)),
        None => Ok(Saved::All),
    }
}

pub fn find(host: &Host, session: &SessionId) -> Result<Lease> {
    let missing = || Failure::new(Kind::General, format!("cannot close session {session}: there is no such session")).hint("ai ps");
    lease::read(&host.state_of(session), session).ok_or_else(missing)
}

/// Closes a session whose claim the caller has.
pub fn finish(host: &Host, state: &Store, lease: &Lease, known: &Known, code: Option<u8>, deadline: &Deadline) -> Result<Saved> {
    let session = &lease.session;
    let failed = |error: io::Error| Failure::new(Kind::General, format!("cannot close session {session}")).because(error);
    // The container is gone before its settings are read. Without its helper the engine was never asked, which was said.
    let explained = code.filter(|_| !order::never_lived(state, session));
    let left = explained.and_then(|code| ending::tell(host, lease, known, code).err());
    let seen = guard::end(state, session, known);
    // Before anything else: the next prompt may run what was left for it.
    control::end(state, lease);
    trees::mend(std::path::Path::new(&lease.root), Some(lease.since));
    points::end(state, lease);
    secret_files::remove(lease);
    if let Some(failure) = left {
        lease::abandon(state, lease).map_err(failed)?;
        return Err(failure.because("its container may still run; the next session removes it and takes over its settings").hint("ai gc"));
    }
    if *state != host.store {
        return lease::close(&host.store, state, session).map_err(failed).map(|()| Saved::Nothing);
    }
    let is_whole = known.tool.as_ref().is_none_or(|tool| {
        let is_whole = settings::sync(host, tool, &known.config, &lease.project, Direction::Out, deadline);
        login_turn::after(host, state, tool);
        is_whole
    });
    let end = host::now();
    let run = [
        ("session", session.as_str().into()),
        ("trace.id", session.as_str().into()),
        ("tool", lease.tool.as_str().into()),
        ("project", lease.project.as_str().into()),
        ("start", lease.since.into()),
        ("end", end.into()),
        ("duration", end.saturating_sub(lease.since).into()),
        ("exit", code.into()),
    ];
    let run: serde_json::Map<_, _> =
        run.into_iter().chain(seen).map(|(key, value): (_, serde_json::Value)| (key.to_owned(), value)).collect();
    tell_system(&known.config.settings, &run);
    // A disk that is too full for a line of the log is no reason to keep a lease.
    let logged = host::store::log::write(host, state, crate::core::log::LogLevel::of_run(code), "run", run);
    if lease.waits.is_some() {
        host::spare::forget(&host.store, session);
    }
    lease::close(&host.store, state, session).and(logged).map_err(failed)?;
    if let Some(code) = code.filter(|_| known.config.settings.spare.value && !host.is_machine()) {
        spare::after(host, lease, code);
    }
    if let (Some(code), Some(tool)) = (code, &known.tool) {
        budget::after(host, &known.config.settings, &lease.project);
        notify::after(host, &known.config.settings, lease, code);
        metrics::after(host, &known.config.settings);
        newer::after(host, &known.config, tool);
    }
    if is_whole {
        Ok(Saved::All)
    } else {
        Err(Failure::new(Kind::General, "cannot take over all settings of this run").hint("ai sync status"))
    }
}

/// Tells the system's log of a run that ended, where the person wants that.
fn tell_system(settings: &Settings, run: &serde_json::Map<String, serde_json::Value>) {
    if !settings.syslog.value {
        return;
    }
    let event = serde_json::Map::from_iter([("event".to_owned(), "run".into())]);
    let event: serde_json::Map<_, _> = event.into_iter().chain(run.clone()).collect();
    if let Err(error) = syslog::send(Facility::User, &event.into()) {
        output::warn(&format!("cannot tell the system's log of this run: {}: {error}", syslog::LOG));
    }
}

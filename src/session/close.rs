//! A session ends: what its exit code means is said, its settings go out, its record goes away.

use std::io;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::{Lease, SessionId};
use crate::core::store::Store;
use crate::core::sync::Direction;
use crate::core::tool::Tool;
use crate::host::store::state;
use crate::host::{self, Host, output};
use crate::session::{ending, login_turn, settings, tolerant};

/// What is left of a session on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    All,
    /// Its state was temporary, as was said when it began.
    Nothing,
}

/// Closes a session: its settings go out, its record goes away. `code` is what the run ended with.
pub fn close(host: &Host, session: &SessionId, code: Option<u8>) -> Result<Kept> {
    let lease = find(host, session)?;
    let state = host.state_of(session);
    match state::claim(&state, session) {
        Some(_claim) => {
            tolerant::tell(tolerant::config(host, &lease.tool).1);
            finish(host, &state, &lease, code)
        }
        None => Ok(Kept::All),
    }
}

pub fn find(host: &Host, session: &SessionId) -> Result<Lease> {
    let missing = || Failure::new(Kind::General, format!("cannot close session {session}: there is no such session")).hint("ai ps");
    state::lease(&host.state_of(session), session).ok_or_else(missing)
}

/// The second half of [`close`], for whoever has the claim.
pub fn finish(host: &Host, state: &Store, lease: &Lease, code: Option<u8>) -> Result<Kept> {
    let session = &lease.session;
    let failed = |error: io::Error| Failure::new(Kind::General, format!("cannot close session {session}")).because(error);
    // The container is gone before its settings are read; what could not be said about it stops nothing.
    if let Some(failure) = code.and_then(|code| ending::tell(host, lease, code).err()) {
        output::failure(&failure);
    }
    if *state != host.store {
        return state::close(&host.store, state, session).map_err(failed).map(|()| Kept::Nothing);
    }
    let is_whole = sync_out(host, lease)?;
    login_turn::after(host, state, &lease.tool);
    let run = [
        ("session", session.as_str().into()),
        ("tool", lease.tool.as_str().into()),
        ("project", lease.project.as_str().into()),
        ("start", lease.since.into()),
        ("end", host::now().into()),
        ("exit", code.into()),
    ];
    let run = run.into_iter().map(|(key, value): (_, serde_json::Value)| (key.to_owned(), value)).collect();
    // A disk that is too full for a line of the log is no reason to keep a lease.
    let logged = host::store::log::write(host, state, crate::core::log::Level::of_run(code), "run", run);
    state::close(&host.store, state, session).and(logged).map_err(failed)?;
    if is_whole {
        Ok(Kept::All)
    } else {
        Err(Failure::new(Kind::General, "cannot take over all settings of this run").hint("ai sync status"))
    }
}

/// The settings of a session go out, even if the configuration is broken meanwhile: whoever asked has said so. A manifest that
/// is gone has no settings.
fn sync_out(host: &Host, lease: &Lease) -> Result<bool> {
    let Some(tool) = Tool::load(&lease.tool, |name| host.manifest(name))? else { return Ok(true) };
    let (config, _) = tolerant::config(host, &lease.tool);
    Ok(settings::sync(host, &tool, &config, &lease.project, Direction::Out))
}

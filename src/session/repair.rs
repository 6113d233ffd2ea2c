//! Sessions whose owner died are finished by whoever comes next.

use crate::core::engine::kind::Engine;
use crate::core::failure::Result;
use crate::core::lease::Lease;
use crate::core::plan::store_id;
use crate::core::store::Store;
use crate::host::engine::containers;
use crate::host::machine::deadline::Deadline;
use crate::host::store::lease::{self, Claim};
use crate::host::sync::PATIENCE;
use crate::host::{self, Host, output};
use crate::session::close::{Known, Saved, finish};

/// A session whose owner died and whose container is stopped. Whoever has this value finishes it; if that dies, too, the next one.
pub struct Dead {
    lease: Lease,
    state: Store,
    _claim: Claim,
}

/// Finishes sessions whose owner died without closing them.
pub fn repair(host: &Host, engine: &Engine) -> Result<()> {
    let dead = stop(host, engine)?;
    finish_all(host, dead, &Deadline::after(PATIENCE));
    Ok(())
}

/// Stops the containers of sessions whose owner died. Each is given to one of those who find it. A session of another engine
/// waits until that is the one in use.
pub fn stop(host: &Host, engine: &Engine) -> Result<Vec<Dead>> {
    lease::remove_unfinished_leases(&host.store);
    let leases = lease::all(&host.store).into_iter().chain(lease::temporary_leases(host));
    let mut dead = Vec::new();
    for lease in leases.filter(|lease| !lease::is_owner_alive(lease) && lease.is_of(engine)) {
        let state = host.state_of(&lease.session);
        let Some(claim) = lease::claim(&state, &lease.session) else { continue };
        if !lease.keep {
            containers::remove_of(engine, &lease.session, host::uid(), &store_id(host.store.root()))?;
        }
        dead.push(Dead { lease, state, _claim: claim });
    }
    Ok(dead)
}

/// Lets the settings of stopped sessions go out, and tells so. What there is no time for is left to the next one.
pub fn finish_all(host: &Host, dead: Vec<Dead>, deadline: &Deadline) {
    for Dead { lease, state, _claim } in dead {
        if deadline.is_over() {
            return;
        }
        let session = format!("session {} of {} in {}, whose shell was gone", lease.session, lease.tool, lease.root);
        match finish(host, &state, &lease, &Known::load(host, &lease).0, None, deadline) {
            Ok(Saved::All) => output::note(&format!("finished {session}")),
            Ok(Saved::Nothing) => output::note(&format!("removed the temporary state of {session}")),
            Err(failure) => output::failure(&failure),
        }
    }
}

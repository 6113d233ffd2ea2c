//! Sessions whose owner died are finished by whoever comes next.

use crate::core::engine::kind::Engine;
use crate::core::failure::Result;
use crate::host::engine::containers;
use crate::host::store::state;
use crate::host::{Host, output};
use crate::session::close::{Kept, Known, finish};

/// Finishes sessions whose owner died without closing them: their containers stop, their settings go out. Each is finished, and
/// told, by one of those who find it. A session of another engine waits until that is the one in use.
pub fn repair(host: &Host, engine: &Engine) -> Result<()> {
    state::remove_empty_leases(&host.store);
    let leases = state::leases(&host.store).into_iter().chain(state::temporary_leases(host));
    for lease in leases.filter(|lease| !state::is_owner_alive(lease) && lease.is_of(engine)) {
        let state = host.state_of(&lease.session);
        let Some(_claim) = state::claim(&state, &lease.session) else { continue };
        if !lease.keep {
            containers::remove(engine, &lease.container)?;
        }
        let session = format!("session {} of {} in {}, whose shell was gone", lease.session, lease.tool, lease.root);
        match finish(host, &state, &lease, &Known::load(host, &lease).0, None) {
            Ok(Kept::All) => output::note(&format!("finished {session}")),
            Ok(Kept::Nothing) => output::note(&format!("removed the temporary state of {session}")),
            Err(failure) => output::failure(&failure),
        }
    }
    Ok(())
}

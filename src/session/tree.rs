//! The state of a project is of a directory, not of a path: another one that stands there does not inherit it.

use std::path::Path;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::core::text::typed::typed;
use crate::core::workspace::Workspace;
use crate::host::store::project::{self, TreeStanding};
use crate::host::store::{consent, hold, lease};
use crate::host::{Host, output};

/// Sets aside what was kept of another directory at the root of `workspace`, and says so; tells of what was kept of this one elsewhere.
///
/// # Errors
/// Where a session other than `own` still uses that state, or it cannot be set aside.
pub fn separate(host: &Host, workspace: &Workspace, own: Option<&SessionId>) -> Result<()> {
    let (id, root) = (&workspace.project, &workspace.root);
    match project::standing(&host.store, id, root) {
        TreeStanding::Own => Ok(()),
        TreeStanding::Moved(old) => {
            let word = typed(&old);
            output::note(&format!("this project was elsewhere; its history of then: ai project adopt {word}"));
            Ok(())
        }
        TreeStanding::Another => set_aside(host, id, root, own),
    }
}

fn set_aside(host: &Host, id: &str, root: &Path, own: Option<&SessionId>) -> Result<()> {
    let _lock = hold::store(&host.store)?;
    // Who waited for the lock finds it done.
    if project::standing(&host.store, id, root) != TreeStanding::Another {
        return Ok(());
    }
    let cannot = |why: &str| Failure::new(Kind::Busy, format!("cannot start in `{}`: {why}", root.display()));
    let is_live = |lease: &crate::core::lease::Lease| lease.project == id && Some(&lease.session) != own && lease::is_owner_alive(lease);
    if let Some(lease) = lease::all(&host.store).into_iter().find(is_live) {
        let why = format!("another directory was there, and session {} still uses its state", lease.session);
        return Err(cannot(&why).hint("ai ps"));
    }
    let old = project::free_id(&host.store, id);
    let failed =
        |error| Failure { kind: Kind::General, ..cannot("what was kept of another directory there cannot be set aside") }.because(error);
    project::rename(&host.store, id, &old).map_err(failed)?;
    let mut consents = consent::read(&host.store);
    let had = consents.len();
    consents.retain(|consent| consent.root != *root);
    if consents.len() != had {
        consent::write(&host.store, &consents).map_err(failed)?;
    }
    output::warn(&format!(
        "another directory was at `{}` before: its history and trust are set aside, and this one begins anew; \
         hint: if it is the same project: ai project adopt {}",
        root.display(),
        typed(&old)
    ));
    Ok(())
}

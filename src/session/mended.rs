//! What a container broke of the state, and was set aside when the next run began.

use std::collections::BTreeMap;
use std::io;

use crate::core::login::backup::Why;
use crate::core::store::Store;
use crate::core::tool::Tool;
use crate::host::Host;
use crate::host::fs::shape::Aside;
use crate::host::output;
use crate::host::store::login::LoginStore;

/// Says what was in the way, one line each, and puts the last good login back where one was lost.
pub fn tell(host: &Host, tool: &Tool, state: &Store, found: &[Aside]) {
    for aside in found {
        let path = aside.path.display();
        output::warn(&match &aside.to {
            Some(to) => format!("`{path}` was {}: it is `{}` now, and a new one stands in its place", aside.what, to.display()),
            None => format!("`{path}` was {}: it is open to you again", aside.what),
        });
    }
    let Some(place) = LoginStore::of(tool, host, state) else { return };
    if !found.iter().any(|aside| aside.to.is_some() && place.directory().join(place.main()).starts_with(&aside.path)) {
        return;
    }
    let tool = &tool.name;
    match restore(&place) {
        Ok(Some(backup)) => output::note(&format!("the login of {tool} is the last good one again ({backup})")),
        Ok(None) => output::warn(&format!("the login of {tool} is lost, and no good one was kept; hint: ai login {tool}")),
        Err(error) => output::warn(&format!("cannot restore the login of {tool}: {error}; hint: ai creds restore {tool} --last-good")),
    }
}

fn restore(place: &LoginStore) -> io::Result<Option<String>> {
    let Some(newest) = place.backups()?.into_iter().rfind(|about| about.why == Why::Good) else { return Ok(None) };
    let files: BTreeMap<_, _> = place.open_backup(&newest)?;
    place.replace(&files)?;
    Ok(Some(newest.name()))
}

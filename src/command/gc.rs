//! `ai gc`: removes what is ours and dead.

use clap::Args;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::core::text::typed::typed;
use crate::host::control::collect::{Collecting, collect};
use crate::host::engine::containers;
use crate::host::guard::order;
use crate::host::output;
use crate::host::store::{lease, outworn, project};
use crate::session::live::{Sessions, Stores, no_more_than_said};
use crate::session::repair;

#[derive(Debug, Args)]
pub struct GcArgs {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

pub fn run(gc: &GcArgs) -> Result<u8> {
    let sessions = Sessions::look_and_tell(Stores::This)?;
    let verb = if gc.dry_run { "would remove" } else { "removed" };
    let temporaries = lease::dead_temporaries(&sessions.host);
    let guards = order::left(&sessions.host.store);
    let overlays = project::overlays_of_gone(&sessions.host.store);
    let collecting = if gc.dry_run { Collecting::Look } else { Collecting::Remove };
    let is_open = |session: &SessionId| lease::read(&sessions.host.store, session).is_some();
    let kept = collect(&sessions.host.store, collecting, crate::host::now(), is_open)
        .map_err(|error| Failure::new(Kind::General, "cannot remove what is kept of control files").because(error))?;
    let outworn = outworn::outworn(&sessions.host.store, crate::host::now());
    if sessions.dead() == 0 && outworn.is_empty() && temporaries.is_empty() && guards.is_empty() && overlays.is_empty() && kept.is_empty() {
        output::note("nothing is left behind");
    }
    let dead: Vec<&str> = sessions.census.dead.iter().map(|container| container.name.as_str()).collect();
    let mut left = Vec::new();
    if gc.dry_run {
        for lease in sessions.leases.iter().filter(|lease| !lease::is_owner_alive(lease) && lease.is_of(&sessions.engine)) {
            output::note(&format!("would finish session {} of {} in {}", lease.session, lease.tool, lease.root));
        }
    } else {
        repair::repair(&sessions.host, &sessions.engine)?;
        for name in &dead {
            containers::remove(&sessions.engine, name)?;
        }
        if !dead.is_empty() {
            let after = Sessions::look(Stores::This)?;
            left.extend(dead.iter().copied().filter(|name| after.all().any(|container| container.name == *name)));
        }
    }
    for name in dead.iter().filter(|name| !left.contains(*name)) {
        output::note(&format!("{verb} {name}"));
    }
    for directory in temporaries.into_iter().chain(guards).chain(overlays) {
        if !gc.dry_run {
            lease::remove_directory(&directory)?;
        }
        output::note(&format!("{verb} {}", directory.display()));
    }
    for (project, files) in kept {
        output::note(&format!("{verb} what was kept to compare {project} with: {files}"));
    }
    if !outworn.is_empty() {
        if !gc.dry_run {
            for thing in &outworn {
                let cannot = || Failure::new(Kind::General, format!("cannot remove `{}`", thing.path.display()));
                outworn::remove(thing).map_err(|error| cannot().because(error))?;
            }
        }
        let mib = outworn.iter().map(|thing| thing.bytes).sum::<u64>() >> 20;
        output::note(&format!("{verb} what was set aside, unreadable or in conflict long ago: {} ({mib} MiB)", outworn.len()));
    }
    let program = sessions.engine.kind.program();
    for container in &sessions.census.kept {
        output::note(&format!("kept on request: {}; hint: {program} rm {}", container.name, typed(&container.name)));
    }
    for container in &sessions.census.unattended {
        output::note(&format!("runs without a session: {}; hint: ai stop {}", container.name, typed(&container.name)));
    }
    no_more_than_said("remove", &left, &sessions.engine)
}

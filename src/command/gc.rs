//! `ai gc`: removes what is ours and dead.

use std::time::Duration;

use clap::Args;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::core::text::typed::typed;
use crate::host::control::collect::{Collecting, collect};
use crate::host::engine::containers;
use crate::host::guard::order;
use crate::host::machine::deadline::Deadline;
use crate::host::store::{lease, outworn, project};
use crate::host::{self, output};
use crate::session::live::{Sessions, Stores, no_more_than_said};
use crate::session::{repair, spare};

#[derive(Debug, Args)]
pub struct GcArgs {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// How long an engine may take to remove what it was told to.
const PATIENCE: Duration = Duration::from_secs(3);

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
    if sessions.dead() == 0
        && sessions.census.waiting.is_empty()
        && outworn.is_empty()
        && temporaries.is_empty()
        && guards.is_empty()
        && overlays.is_empty()
        && kept.is_empty()
    {
        output::note("nothing is left behind");
    }
    let census = &sessions.census;
    let dead: Vec<&str> = census.dead.iter().chain(&census.waiting).map(|container| container.name.as_str()).collect();
    let mut left: Vec<&str> = Vec::new();
    if gc.dry_run {
        for lease in sessions.leases.iter().filter(|lease| !lease::is_owner_alive(lease) && lease.is_of(&sessions.engine)) {
            output::note(&format!("would finish session {} of {} in {}", lease.session, lease.tool, lease.root));
        }
    } else {
        spare::take_all(&sessions.host.store);
        repair::repair(&sessions.host, &sessions.engine)?;
        for name in &dead {
            containers::remove(&sessions.engine, name)?;
        }
        left.clone_from(&dead);
        let deadline = Deadline::after(PATIENCE);
        while !left.is_empty() {
            let after = Sessions::look(Stores::This)?;
            left.retain(|name| after.all().any(|container| container.name == *name));
            if left.is_empty() || deadline.is_over() {
                break;
            }
            // It may be at removing one when it is told to.
            host::pause(1);
        }
    }
    for name in dead.iter().filter(|name| !left.contains(*name)) {
        output::note(&format!("{verb} {name}"));
    }
    let spares = if gc.dry_run { Vec::new() } else { spare::tidy(&sessions.host.store) };
    for session in spares {
        output::note(&format!("{verb} what was left of {session}, which waited for a run"));
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

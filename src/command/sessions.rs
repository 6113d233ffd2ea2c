//! `ai ps`, `ai stop` and `ai gc`: our containers only, told by their labels, and never another owner's.

use serde_json::json;

use crate::cli::sessions::{Gc, Ps, Stop};
use crate::core::census::{self, Census, Container};
use crate::core::engine::kind::Engine;
use crate::core::engine::learnt::seconds;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::Lease;
use crate::core::plan::store_id;
use crate::host::engine::containers;
use crate::host::output;
use crate::host::store::state;
use crate::host::{self, Host};
use crate::session::{repair, tolerant};

/// The host, its engine, and what is alive there.
pub struct Sessions {
    pub host: Host,
    pub engine: Engine,
    pub leases: Vec<Lease>,
    pub census: Census,
    /// What is wrong with the configuration.
    pub failures: Vec<Failure>,
}

impl Sessions {
    /// `all`: those of the user's other stores too.
    pub fn look(all: bool) -> Result<Self> {
        let (context, failures) = tolerant::context()?;
        let engine = context.facts(None).engine;
        let host = context.host;
        let mut found = containers::list(&engine, host::uid()).map_err(|failure| match failure.hint {
            None => failure.hint("ai doctor"),
            Some(_) => failure,
        })?;
        let store = store_id(host.store.root());
        found.retain(|container| all || container.store == store);
        let mut leases = state::leases(&host.store);
        leases.extend(state::temporary_leases(&host));
        let census = census::take(found, &leases, state::is_owner_alive);
        Ok(Self { host, engine, leases, census, failures })
    }

    /// The first look of a command, which says what it goes on without.
    fn look_and_tell(all: bool) -> Result<Self> {
        let mut sessions = Self::look(all)?;
        tolerant::tell(std::mem::take(&mut sessions.failures));
        Ok(sessions)
    }

    /// Containers and sessions that nobody answers for.
    pub fn dead(&self) -> usize {
        let without_container = |lease: &&Lease| {
            !state::is_owner_alive(lease) && !self.census.dead.iter().any(|container| container.session == lease.session.as_str())
        };
        self.census.dead.len() + self.leases.iter().filter(without_container).count()
    }

    fn all(&self) -> impl Iterator<Item = &Container> {
        let Census { live, dead, kept, unattended } = &self.census;
        live.iter().chain(dead).chain(unattended).chain(kept)
    }

    fn root(&self, container: &Container) -> String {
        let lease = self.leases.iter().find(|lease| lease.session.as_str() == container.session);
        lease.map_or_else(|| container.project.clone(), |lease| lease.root.clone())
    }
}

pub fn ps(ps: &Ps) -> Result<u8> {
    let mut sessions = Sessions::look_and_tell(false)?;
    loop {
        let text = if ps.json { json_rows(&sessions)? } else { table(&sessions)? };
        if !ps.watch {
            if !ps.json && sessions.all().next().is_none() {
                output::note("no session is running");
                return Ok(0);
            }
            output::data(text.as_bytes())?;
            return Ok(0);
        }
        output::data(format!("\x1b[H\x1b[2J{text}").as_bytes())?;
        host::pause(2);
        sessions = Sessions::look(false)?;
    }
}

fn state_of(sessions: &Sessions, container: &Container) -> &'static str {
    let Census { live, kept, unattended, .. } = &sessions.census;
    match container {
        c if live.contains(c) => "live",
        c if kept.contains(c) => "kept",
        c if unattended.contains(c) => "by hand",
        _ => "dead",
    }
}

fn age_of(container: &Container) -> u64 {
    let started = seconds(&container.started).and_then(|started| u64::try_from(started).ok());
    started.map_or(0, |started| host::now().saturating_sub(started))
}

fn table(sessions: &Sessions) -> Result<String> {
    let usage = usage(sessions)?;
    let mut rows = vec![["NAME", "TOOL", "STATE", "AGE", "CPU", "MEMORY", "PROJECT"].map(str::to_owned)];
    for container in sessions.all() {
        let (cpu, memory) = usage.get(&container.name).map_or(("-", "-"), |(cpu, memory)| (cpu.as_str(), memory.as_str()));
        let (name, tool, state) = (container.name.as_str(), container.tool.as_str(), state_of(sessions, container));
        rows.push([name, tool, state, &census::age(age_of(container)), cpu, memory, &sessions.root(container)].map(str::to_owned));
    }
    let widths: [usize; 7] = std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    Ok(rows.iter().map(line).collect())
}

fn json_rows(sessions: &Sessions) -> Result<String> {
    let usage = usage(sessions)?;
    let row = |container: &Container| {
        let usage = usage.get(&container.name);
        json!({
            "name": container.name, "session": container.session, "tool": container.tool, "project": container.project,
            "root": sessions.root(container), "owner": container.owner, "state": state_of(sessions, container),
            "running": container.running, "started": container.started, "age_seconds": age_of(container),
            "cpu": usage.map(|(cpu, _)| cpu), "memory": usage.map(|(_, memory)| memory),
        })
    };
    let rows: Vec<_> = sessions.all().map(row).collect();
    Ok(format!("{:#}\n", serde_json::Value::from(rows)))
}

fn usage(sessions: &Sessions) -> Result<std::collections::BTreeMap<String, (String, String)>> {
    let running: Vec<&str> = sessions.all().filter(|container| container.running).map(|container| container.name.as_str()).collect();
    containers::usage(&sessions.engine, &running)
}

pub fn stop(stop: &Stop) -> Result<u8> {
    let sessions = Sessions::look_and_tell(stop.all || !stop.names.is_empty())?;
    let running: Vec<&Container> = sessions.all().filter(|container| container.running).collect();
    let mut chosen = Vec::new();
    for name in &stop.names {
        let found = running.iter().find(|container| container.name == *name || container.session == *name);
        chosen.push(found.ok_or_else(|| {
            Failure::new(Kind::General, format!("cannot stop `{name}`: no session of yours has this name")).hint("ai ps")
        })?);
    }
    if stop.names.is_empty() {
        let wanted = |container: &&Container| stop.tool.as_ref().is_none_or(|tool| container.tool == *tool);
        chosen.extend(running.iter().filter(|container| wanted(container)));
    }
    if let (Some(tool), true) = (&stop.tool, chosen.is_empty()) {
        return Err(Failure::new(Kind::General, format!("cannot stop `{tool}`: no session of it runs")).hint("ai ps"));
    }
    let names: Vec<&str> = chosen.iter().map(|container| container.name.as_str()).collect();
    if names.is_empty() {
        output::note("no session is running");
        return Ok(0);
    }
    containers::stop(&sessions.engine, &names)?;
    let after = Sessions::look(true)?;
    let runs = |name: &&str| after.all().any(|container| container.name == **name && container.running);
    let (left, gone): (Vec<&str>, Vec<&str>) = names.into_iter().partition(runs);
    for name in gone {
        output::note(&format!("stopped {name}"));
    }
    no_more_than_said("stop", &left, &sessions.engine)
}

/// The engine was asked, and then looked at: what it says it did is not always what it did.
fn no_more_than_said(verb: &str, left: &[&str], engine: &Engine) -> Result<u8> {
    let Some(first) = left.first() else { return Ok(0) };
    let failure = Failure::new(Kind::General, format!("cannot {verb} {}: the engine did not", left.join(", ")));
    Err(failure.hint(format!("{} rm --force {first}", engine.kind.program())))
}

pub fn gc(gc: &Gc) -> Result<u8> {
    let sessions = Sessions::look_and_tell(false)?;
    let verb = if gc.dry_run { "would remove" } else { "removed" };
    let temporaries = state::dead_temporaries(&sessions.host);
    if sessions.dead() == 0 && temporaries.is_empty() {
        output::note("nothing is left behind");
    }
    let dead: Vec<&str> = sessions.census.dead.iter().map(|container| container.name.as_str()).collect();
    let mut left = Vec::new();
    if gc.dry_run {
        for lease in sessions.leases.iter().filter(|lease| !state::is_owner_alive(lease) && lease.is_of(&sessions.engine)) {
            output::note(&format!("would finish session {} of {} in {}", lease.session, lease.tool, lease.root));
        }
    } else {
        repair::repair(&sessions.host, &sessions.engine)?;
        for name in &dead {
            containers::remove(&sessions.engine, name)?;
        }
        if !dead.is_empty() {
            let after = Sessions::look(false)?;
            left.extend(dead.iter().copied().filter(|name| after.all().any(|container| container.name == *name)));
        }
    }
    for name in dead.iter().filter(|name| !left.contains(*name)) {
        output::note(&format!("{verb} {name}"));
    }
    for directory in temporaries {
        if !gc.dry_run {
            state::remove_temporary(&directory)?;
        }
        output::note(&format!("{verb} {}", directory.display()));
    }
    let program = sessions.engine.kind.program();
    for container in &sessions.census.kept {
        output::note(&format!("kept on request: {}; hint: {program} rm {}", container.name, container.name));
    }
    for container in &sessions.census.unattended {
        output::note(&format!("runs without a session: {}; hint: ai stop {}", container.name, container.name));
    }
    no_more_than_said("remove", &left, &sessions.engine)
}

//! `ai ps`: live sessions; our containers only, told by their labels, and never another owner's.

use clap::Args;
use serde_json::json;

use crate::core::census::{self, Census, Container};
use crate::core::engine::report::seconds;
use crate::core::failure::Result;
use crate::core::text::table::Side;
use crate::host::engine::containers;
use crate::host::{self, output};
use crate::session::live::{Sessions, Stores};

#[derive(Debug, Args)]
pub struct PsArgs {
    /// Show anew every two seconds, until Ctrl-C
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(ps: &PsArgs) -> Result<u8> {
    let mut sessions = Sessions::look_and_tell(Stores::This)?;
    loop {
        if ps.json {
            return output::json(&json_rows(&sessions)?).map(|()| 0);
        }
        if !ps.watch && sessions.all().next().is_none() {
            output::note("no session is running");
            return Ok(0);
        }
        let rows = rows(&sessions)?;
        if ps.watch {
            output::clear_screen()?;
        }
        output::table([Side::Left; 8], &rows)?;
        if !ps.watch {
            return Ok(0);
        }
        host::pause(2);
        sessions = Sessions::look(Stores::This)?;
    }
}

fn state_of(sessions: &Sessions, container: &Container) -> &'static str {
    let Census { live, kept, unattended, waiting, .. } = &sessions.census;
    match container {
        c if live.contains(c) => "live",
        c if kept.contains(c) => "kept",
        c if waiting.contains(c) => "waiting",
        c if unattended.contains(c) => "by hand",
        _ => "dead",
    }
}

fn age_of(container: &Container) -> u64 {
    let started = seconds(&container.started).and_then(|started| u64::try_from(started).ok());
    started.map_or(0, |started| host::now().saturating_sub(started))
}

/// Returns a row for each session, below the names of the columns.
pub fn rows(sessions: &Sessions) -> Result<Vec<[String; 8]>> {
    let usage = usage(sessions)?;
    let mut rows = vec![["NAME", "TOOL", "STATE", "AGE", "CPU", "MEMORY", "PORTS", "PROJECT"].map(str::to_owned)];
    for container in sessions.all() {
        let (cpu, memory) = usage.get(&container.name).map_or(("-", "-"), |(cpu, memory)| (cpu.as_str(), memory.as_str()));
        let (name, tool, state) = (container.name.as_str(), container.tool.as_str(), state_of(sessions, container));
        let lease = sessions.lease(container);
        let ports = lease.filter(|lease| !lease.ports.is_empty()).map_or("-".to_owned(), |lease| lease.ports.join(" "));
        let let_in = lease.into_iter().flat_map(|lease| &lease.let_in).map(|path| format!(" + {path}")).collect::<Vec<_>>().concat();
        let places = format!("{}{let_in}", sessions.root(container));
        rows.push([name, tool, state, &census::age(age_of(container)), cpu, memory, &ports, &places].map(str::to_owned));
    }
    Ok(rows)
}

fn json_rows(sessions: &Sessions) -> Result<Vec<serde_json::Value>> {
    let usage = usage(sessions)?;
    let row = |container: &Container| {
        let usage = usage.get(&container.name);
        json!({
            "name": container.name, "session": container.session, "tool": container.tool, "project": container.project,
            "root": sessions.root(container), "owner": container.owner, "state": state_of(sessions, container),
            "running": container.running, "started": container.started, "age_seconds": age_of(container),
            "ports": sessions.lease(container).map(|lease| &lease.ports), "let_in": sessions.lease(container).map(|lease| &lease.let_in),
            "cpu": usage.map(|(cpu, _)| cpu), "memory": usage.map(|(_, memory)| memory),
        })
    };
    Ok(sessions.all().map(row).collect())
}

fn usage(sessions: &Sessions) -> Result<std::collections::BTreeMap<String, (String, String)>> {
    let running: Vec<&str> = sessions.all().filter(|container| container.running).map(|container| container.name.as_str()).collect();
    containers::usage(&sessions.engine, &running)
}

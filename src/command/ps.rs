//! `ai ps`: live sessions; our containers only, told by their labels, and never another owner's.

use clap::Args;
use serde_json::json;

use crate::core::census::{self, Census, Container};
use crate::core::engine::learnt::seconds;
use crate::core::failure::Result;
use crate::host::engine::containers;
use crate::host::{self, output};
use crate::session::live::Sessions;

#[derive(Debug, Args)]
pub struct PsArgs {
    /// Show anew every two seconds, until Ctrl-C
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
    #[arg(long)]
    pub json: bool,
}

pub fn run(ps: &PsArgs) -> Result<u8> {
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

//! `ai stop`: ends sessions.

use clap::Args;

use crate::core::census::Container;
use crate::core::failure::{Failure, Kind, Result};
use crate::host::engine::containers;
use crate::host::{output, spare};
use crate::session::live::{Sessions, Stores, no_more_than_said};

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = true)]
pub struct StopArgs {
    /// Container or session, as `ai ps` shows it
    #[arg(group = "which", value_name = "CONTAINER", conflicts_with_all = ["tool", "mine", "all"])]
    pub names: Vec<String>,
    /// All sessions of this tool
    #[arg(long, group = "which", conflicts_with_all = ["mine", "all"])]
    pub tool: Option<String>,
    /// All sessions of this store
    #[arg(long, group = "which", conflicts_with = "all")]
    pub mine: bool,
    /// All sessions of yours, those of other stores too
    #[arg(long, group = "which")]
    pub all: bool,
}

impl StopArgs {
    /// Returns what ends all sessions of the person.
    pub fn all() -> Self {
        Self { names: Vec::new(), tool: None, mine: false, all: true }
    }
}

pub fn run(stop: &StopArgs) -> Result<u8> {
    let sessions = Sessions::look_and_tell(if stop.all || !stop.names.is_empty() { Stores::All } else { Stores::This })?;
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
    let waiting = chosen.iter().filter(|container| sessions.census.waiting.contains(container));
    for session in waiting.filter_map(|container| container.session.parse().ok()) {
        spare::dismiss(&sessions.host.store, &session);
    }
    containers::stop(&sessions.engine, &names)?;
    let after = Sessions::look(Stores::All)?;
    let runs = |name: &&str| after.all().any(|container| container.name == **name && container.running);
    let (left, gone): (Vec<&str>, Vec<&str>) = names.into_iter().partition(runs);
    for name in gone {
        output::note(&format!("stopped {name}"));
    }
    no_more_than_said("stop", &left, &sessions.engine)
}

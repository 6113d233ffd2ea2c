//! `ai project`: which projects have state, and how a moved one gets its own back.

use crate::core::census::age;
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::project::{Partition, likely, moved};
use crate::core::text::table::Side;
use crate::core::text::typed::typed;
use crate::core::tool;
use crate::core::workspace::Workspace;
use crate::host::Host;
use crate::host::output;
use crate::host::store::hold;
use crate::host::store::{lease, project};
use crate::session::context::Context;
use clap::{Args, Subcommand};

mod allow;

#[derive(Debug, Args)]
pub struct ProjectArgs {
    #[command(subcommand)]
    pub command: Option<ProjectCommand>,
}

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// The projects that have state, and whether they are still where they were
    List {
        #[arg(long)]
        json: bool,
    },
    /// Give this project the state of one that was moved or renamed
    Adopt {
        /// Its id, as `ai project list` shows it
        #[arg(value_name = "PROJECT")]
        old: String,
    },
    /// Let this project have the directories beyond itself that its repository needs
    Allow(AllowArgs),
}

/// What `ai project allow` is told.
#[derive(Debug, Args)]
pub struct AllowArgs {
    /// Take back what this project was allowed
    #[arg(long)]
    pub remove: bool,
}

pub fn run(command: Option<ProjectCommand>) -> Result<u8> {
    match command.unwrap_or(ProjectCommand::List { json: false }) {
        ProjectCommand::List { json } => list(&Host::new()?, json),
        ProjectCommand::Adopt { old } => adopt(&old),
        ProjectCommand::Allow(allow) => allow::run(&allow),
    }
}

fn list(host: &Host, json: bool) -> Result<u8> {
    let partitions = project::partitions(&host.store, project::Sizes::Weighed);
    if json {
        output::json(&partitions)?;
        return Ok(0);
    }
    if partitions.is_empty() {
        output::note("no project has state yet");
    }
    let now = crate::host::now();
    let row = |partition: &Partition| {
        let root = partition.root.as_ref().map_or_else(|| "unknown".into(), |root| root.to_string_lossy());
        let gone = if partition.root.is_some() && !partition.exists { "  (gone)" } else { "" };
        let used = if partition.last_use == 0 { "never".into() } else { format!("{} ago", age(now.saturating_sub(partition.last_use))) };
        let size = format!("{} KiB", partition.bytes.div_ceil(1024));
        [partition.project.clone(), partition.tool.clone(), size, used, format!("{root}{gone}")]
    };
    let rows: Vec<_> = partitions.iter().map(row).collect();
    output::table([Side::Left, Side::Left, Side::Right, Side::Right, Side::Left], &rows)?;
    if let Some(first) = moved(&partitions).first() {
        output::note(&format!(
            "a project that was moved gets its state back with, in its new place: ai project adopt {}",
            typed(&first.project)
        ));
    }
    Ok(0)
}

fn adopt(old: &str) -> Result<u8> {
    let Context { host, config, .. } = &Context::new(tool::EXEC, Layer::default())?;
    let facts = host.facts(&crate::host::Wanted::default());
    let workspace = Workspace::new(&facts, &config.settings)?;
    let refused = |why: &str| Failure::new(Kind::General, format!("cannot adopt `{old}`: {why}"));
    let _lock = hold::store(&host.store)?;
    let partitions = project::partitions(&host.store, project::Sizes::Unknown);
    let ours: Vec<_> = partitions.iter().filter(|partition| partition.project == old).collect();
    if ours.is_empty() {
        let hint = likely(&partitions, &workspace.project)
            .first()
            .map_or_else(|| "ai project list".to_owned(), |first| format!("did you mean `{}`?", first.project));
        return Err(refused("no project has this id").hint(hint));
    }
    if old == workspace.project {
        return Err(refused("it is this project's already"));
    }
    if let Some(there) = ours.iter().find(|partition| partition.exists) {
        let root = there.root.as_ref().map_or_else(String::new, |root| root.display().to_string());
        return Err(refused(&format!("`{root}` is still there, and its state belongs to it")));
    }
    let live = lease::all(&host.store)
        .into_iter()
        .find(|lease| (lease.project == old || lease.project == workspace.project) && lease::is_owner_alive(lease));
    if let Some(lease) = live {
        return Err(Failure::new(Kind::Busy, format!("cannot adopt `{old}`: session {} uses the state", lease.session)).hint("ai ps"));
    }
    let settings = |tool: &str| -> Vec<String> {
        let tool = tool::Tool::load(tool, |name| host.manifest(name)).ok().flatten();
        tool.map_or_else(Vec::new, |tool| tool.manifest.sync.into_iter().map(|rule| rule.path).collect())
    };
    let is_used = |tool: &str| !project::is_blank(&host.store, tool, &workspace.project, &settings(tool));
    if let Some(used) = ours.iter().find(|partition| is_used(&partition.tool)) {
        return Err(refused(&format!("this project has state of {} already", used.tool)).hint("ai project list"));
    }
    project::adopt(&host.store, old, &workspace.project, &workspace.root)
        .map_err(|error| refused("its directory cannot be renamed").because(error))?;
    for partition in ours {
        output::note(&format!("{} of {old} is now this project's ({})", partition.tool, workspace.project));
    }
    Ok(0)
}

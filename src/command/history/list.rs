//! `ai history`: the conversations of all tools, and full text over them.

use clap::Args;

use crate::core::census::age;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::history::conversation::Conversation;
use crate::core::history::search::Needle;
use crate::core::text::table::Side;
use crate::core::workspace::Workspace;
use crate::host::history::list::{self, HistorySearch};
use crate::host::{self, Host, output};
use crate::session::context::{Context, unknown_tool};
use crate::session::tolerant;

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Words, all of which a message holds; letters of either case
    pub words: Vec<String>,
    /// Of all projects, not only of this one
    #[arg(long)]
    pub all: bool,
    /// Only of this tool
    #[arg(long)]
    pub tool: Option<String>,
    /// Most that are shown
    #[arg(long, default_value_t = 30, value_name = "COUNT")]
    pub limit: usize,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &ListArgs) -> Result<u8> {
    let (context, failures) = tolerant::context()?;
    tolerant::tell(failures);
    known(&context.host, args.tool.as_deref())?;
    let project = if args.all { None } else { Some(project(&context)?) };
    let wanted = HistorySearch { project, tool: args.tool.clone(), needle: Needle::new(&args.words), id: None, most: args.limit };
    let found = list::list(&context.host, &wanted);
    if args.json {
        return output::json(&found).map(|()| 0);
    }
    if found.is_empty() {
        let what = if args.words.is_empty() { "no tool had a conversation" } else { "nobody said that" };
        let place = if args.all { "" } else { " in this project; hint: --all" };
        output::note(&format!("{what}{place}"));
        return Ok(u8::from(!args.words.is_empty()));
    }
    output::table(
        [Side::Right, Side::Left, Side::Left, Side::Left, Side::Left],
        &found.iter().map(|one| row(one, args.all)).collect::<Vec<_>>(),
    )?;
    Ok(0)
}

/// Fails for the name of a tool that nobody knows.
pub fn known(host: &Host, tool: Option<&str>) -> Result<()> {
    let unknown = tool.filter(|name| !host.tool_names().iter().any(|known| known == name));
    unknown.map_or(Ok(()), |name| Err(unknown_tool(name, host)))
}

/// Returns the id of the project here.
pub fn project(context: &Context) -> Result<String> {
    let workspace = Workspace::new(&context.facts(None), &context.config.settings);
    workspace
        .map(|workspace| workspace.project)
        .map_err(|failure| Failure::new(Kind::Config, "cannot tell which project this is").because(failure).hint("ai history --all"))
}

/// Returns how long ago, by which tool, in which project, what it was about, and its name.
pub fn row(conversation: &Conversation, shows_project: bool) -> [String; 5] {
    let Conversation { tool, project, id, title, found, last, .. } = conversation;
    let project = if shows_project { project.clone() } else { String::new() };
    let about = found.as_ref().unwrap_or(title);
    [age(host::now().saturating_sub(*last)), tool.clone(), project, about.clone(), id.clone()]
}

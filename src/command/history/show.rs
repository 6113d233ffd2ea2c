//! `ai history show`: what was said in one conversation.

use clap::Args;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::history::said::{Said, Speaker};
use crate::core::text::visible::visible_lines;
use crate::host::history::list::{self, HistorySearch};
use crate::host::{Host, output};

#[derive(Debug, Args)]
pub struct MessagesArgs {
    /// How the conversation's name begins, as `ai history` lists it
    pub id: String,
    /// Only of this tool
    #[arg(long)]
    pub tool: Option<String>,
    /// Only so many messages, the last ones
    #[arg(long, value_name = "COUNT")]
    pub last: Option<usize>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &MessagesArgs) -> Result<u8> {
    let host = Host::new()?;
    let wanted = HistorySearch { tool: args.tool.clone(), id: Some(args.id.clone()), most: 2, ..HistorySearch::default() };
    let found = list::list(&host, &wanted);
    let conversation = match found.as_slice() {
        [one] => one,
        [] => {
            return Err(
                Failure::new(Kind::General, format!("cannot show `{}`: there is no such conversation", args.id)).hint("ai history --all")
            );
        }
        [one, other, ..] => {
            return Err(Failure::new(Kind::Usage, format!("cannot show `{}`: more than one begins so", args.id))
                .hint(format!("ai history show {}, or ai history show {}", one.id, other.id)));
        }
    };
    let mut messages = list::messages(&host, conversation);
    messages.drain(..messages.len().saturating_sub(args.last.unwrap_or(messages.len())));
    if args.json {
        return output::json(&messages).map(|()| 0);
    }
    let told = |said: &Said| {
        let by = if said.by == Speaker::Person { "you" } else { conversation.tool.as_str() };
        let text: Vec<String> = visible_lines(said.text.trim_end()).map(|line| format!("    {line}").trim_end().to_owned()).collect();
        [vec![format!("{by}:")], text, vec![String::new()]].concat()
    };
    output::lines(messages.iter().flat_map(told)).map(|()| 0)
}

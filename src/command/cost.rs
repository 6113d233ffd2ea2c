//! `ai cost`: what one conversation cost.

use clap::Args;
use serde_json::json;

use crate::command::stats;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::ledger::{Filter, Grouping, total};
use crate::core::workspace::Workspace;
use crate::host::{ledger, output};
use crate::session::tolerant;

#[derive(Debug, Args)]
pub struct CostArgs {
    /// The tool's name for the conversation, or how it begins; the last one of this project if not given
    pub conversation: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(cost: &CostArgs) -> Result<u8> {
    let (context, failures) = tolerant::context()?;
    tolerant::tell(failures);
    let host = &context.host;
    let prices = ledger::prices(&host.store)?;
    let ledger = ledger::read(host);
    let last = || -> Result<_> {
        let workspace = Workspace::new(&context.facts(None), &context.config.settings)?;
        Ok(ledger.last_conversation(&Filter { project: Some(workspace.project), ..Filter::default() }))
    };
    let wanted = cost.conversation.clone().map_or_else(last, |wanted| Ok(Some(wanted)))?;
    let nothing =
        || Failure::new(Kind::General, "cannot say what was spent: no tool asked a model in this project").hint("ai stats --project");
    let wanted = wanted.filter(|name| !name.is_empty()).ok_or_else(nothing)?;
    let filter = Filter { conversation: Some(wanted.clone()), ..Filter::default() };
    let found = ledger.rows(Grouping::Conversation, &filter, &prices);
    let name = match found.as_slice() {
        [only] => &only.name,
        [] => {
            return Err(
                Failure::new(Kind::General, format!("cannot say what `{wanted}` cost: no conversation has this name")).hint("ai history")
            );
        }
        some => {
            let names: Vec<&str> = some.iter().take(5).map(|row| row.name.as_str()).collect();
            return Err(Failure::new(Kind::Usage, format!("cannot say what `{wanted}` cost: {} conversations begin so", some.len()))
                .hint(format!("ai cost {}", names.join(", or ai cost "))));
        }
    };
    let rows = ledger.rows(Grouping::Model, &filter, &prices);
    if cost.json {
        output::json(&json!({ "conversation": name, "prices": prices.date, "rows": rows, "total": total(&rows) }))?;
        return Ok(0);
    }
    output::line(name)?;
    stats::table(&rows, &prices)?;
    stats::tell_of_prices(&host.store, &ledger, &filter, &prices);
    Ok(0)
}

//! `ai route`: which tool runs where none is named, and why.

use std::ffi::OsString;

use clap::Args;

use crate::command::use_tool::default_tool;
use crate::core::config::Layer;
use crate::core::failure::Result;
use crate::core::plan::native_args;
use crate::core::project::project_id;
use crate::core::route::{Route, RouteFacts, refuse_unknown};
use crate::core::text::table::Side;
use crate::core::tool;
use crate::host::{self, output, pick};
use crate::session::budget;
use crate::session::context::Context;

#[derive(Debug, Args)]
pub struct RouteArgs {
    /// Each rule, whether it matches, and why
    #[arg(long, conflicts_with = "json")]
    pub explain: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// What the tool would be told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

pub fn run(args: &RouteArgs) -> Result<u8> {
    let (route, default) = decide(&args.words)?;
    if args.json {
        output::json(&route)?;
    } else if args.explain {
        output::table([Side::Left; 4], &route.table(&default))?;
    } else {
        tell(&route);
        output::line(&route.tool)?;
    }
    Ok(0)
}

/// Returns the words behind the tool that is picked for them, and says why.
///
/// # Errors
/// Where the configuration cannot be used, or the rule that matches names no tool that there is.
pub fn lead(words: Vec<OsString>) -> Result<Vec<OsString>> {
    let (route, _) = decide(&words)?;
    tell(&route);
    Ok(std::iter::once(route.tool.into()).chain(words).collect())
}

/// Says to a person why it is not the default.
fn tell(route: &Route) {
    if let Some(rule) = route.decided().filter(|_| host::terminal().stderr) {
        output::note(&format!("{}: {} ({})", rule.tool, rule.why.join("; "), rule.origin));
    }
}

/// Returns the route, and what is run where no rule matches.
fn decide(words: &[OsString]) -> Result<(Route, (String, String))> {
    let context = Context::new(tool::EXEC, Layer::default())?;
    let (host, config) = (&context.host, &context.config);
    let (name, by) = default_tool(host)?;
    let default = (name, by.to_string());
    let (root, home) = (host.project_root(), host.home());
    let budgets = match &root {
        // Nobody waits for sums that no rule asks for.
        Some(root) if config.route.iter().any(|rule| rule.value.over_budget.is_some()) => {
            budget::standings(host, &config.settings, &project_id(root))?
        }
        _ => Vec::new(),
    };
    let prompt = prompt(words);
    let facts = RouteFacts { root: root.as_deref(), home: home.as_deref(), prompt: &prompt, piped: pick::is_fed(), budgets: &budgets };
    let route = Route::new(&config.route, &facts, default.clone());
    if let Some((rule, _)) = config.route.iter().zip(&route.rules).find(|(_, row)| row.matches) {
        refuse_unknown(rule, &host.tool_names())?;
    }
    Ok((route, default))
}

/// Returns the words that are no options, as one text.
fn prompt(words: &[OsString]) -> String {
    let words = native_args(words).unwrap_or(words);
    let texts = words.iter().map(|word| word.to_string_lossy()).filter(|word| !word.starts_with('-'));
    texts.collect::<Vec<_>>().join(" ")
}

//! `ai egress`: what a guarded run may reach, and why.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::peer::Peer;
use crate::core::plan::guard::GuardPlan;
use crate::core::plan::reached::Reached;
use crate::core::text::table::Side;
use crate::host::output;
use crate::session::context::Context;
use crate::session::decide;

#[derive(Debug, Args)]
pub struct EgressArgs {
    #[command(subcommand)]
    pub command: EgressCommand,
}

#[derive(Debug, Subcommand)]
pub enum EgressCommand {
    /// List the rules of a tool here, each with the place that it comes from
    List {
        /// Tool or profile whose rules count
        #[arg(default_value = "claude")]
        tool: String,
        #[arg(long)]
        json: bool,
    },
    /// Say whether a guarded run may reach a host, and by which rule; ends with 1 if it may not
    Check {
        /// Such as example.com or git.corp:8443
        #[arg(required = true, value_name = "HOST[:PORT]")]
        hosts: Vec<String>,
        /// Tool or profile whose rules count
        #[arg(long, default_value = "claude")]
        tool: String,
        #[arg(long)]
        json: bool,
    },
}

pub fn run(egress: &EgressArgs) -> Result<u8> {
    match &egress.command {
        EgressCommand::List { tool, json } => list(&rules(tool)?, *json),
        EgressCommand::Check { hosts, tool, json } => check(&rules(tool)?, hosts, *json),
    }
}

fn rules(tool: &str) -> Result<GuardPlan> {
    decide::reached(Context::new(tool, Layer::default())?)
}

fn list(plan: &GuardPlan, as_json: bool) -> Result<u8> {
    let rows = plan.rows.iter();
    if as_json {
        let row = |(rule, reason, origin): &(String, String, String)| json!({ "rule": rule, "why": reason, "origin": origin });
        output::json(&rows.map(row).collect::<Value>())?;
        return Ok(0);
    }
    let rows: Vec<_> = rows.map(|(rule, reason, origin)| [rule.clone(), format!("{reason} ({origin})")]).collect();
    output::table([Side::Left; 2], &rows)?;
    Ok(0)
}

fn check(plan: &GuardPlan, hosts: &[String], as_json: bool) -> Result<u8> {
    let reached: Vec<Reached> = hosts.iter().map(|host| Ok(plan.reached(&peer(host)?))).collect::<Result<_>>()?;
    if as_json {
        output::json(&json!(reached))?;
    } else {
        let rows: Vec<_> = reached.iter().map(|reached| [reached.peer.clone(), reached.line()]).collect();
        output::table([Side::Left; 2], &rows)?;
    }
    Ok(u8::from(reached.iter().any(|reached| !reached.allowed)))
}

fn peer(host: &str) -> Result<Peer> {
    Peer::parse(host.as_bytes(), Some(443)).map_err(|refusal| {
        let why = refusal.words().unwrap_or_default();
        Failure::new(Kind::Usage, format!("cannot check `{host}`: {why}")).hint("ai egress check example.com git.corp:8443")
    })
}

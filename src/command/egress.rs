//! `ai egress`: what a guarded run may reach, and why.

use clap::{Args, Subcommand};

use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::peer::Peer;
use crate::core::guard::rule::{EgressMode, EgressRules};
use crate::core::plan::guard::GuardPlan;
use crate::core::text::table::Side;
use crate::core::text::typed::typed;
use crate::host::output;
use crate::session::context::Context;

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
    },
    /// Say whether a guarded run may reach a host, and by which rule; ends with 1 if it may not
    Check {
        /// Such as example.com or git.corp:8443
        #[arg(required = true, value_name = "HOST[:PORT]")]
        hosts: Vec<String>,
        /// Tool or profile whose rules count
        #[arg(long, default_value = "claude")]
        tool: String,
    },
}

pub fn run(egress: &EgressArgs) -> Result<u8> {
    match &egress.command {
        EgressCommand::List { tool } => {
            let rows: Vec<_> = rules(tool)?.rows.into_iter().map(|(rule, reason, origin)| [rule, format!("{reason} ({origin})")]).collect();
            output::table([Side::Left; 2], &rows)?;
            Ok(0)
        }
        EgressCommand::Check { hosts, tool } => {
            let plan = rules(tool)?;
            let peers = hosts.iter().map(|host| peer(host)).collect::<Result<Vec<_>>>()?;
            let verdicts: Vec<(bool, [String; 2])> = peers.iter().map(|peer| verdict(&plan, peer)).collect();
            let rows: Vec<_> = verdicts.iter().map(|(_, row)| row.clone()).collect();
            output::table([Side::Left; 2], &rows)?;
            Ok(u8::from(verdicts.iter().any(|(is_allowed, _)| !is_allowed)))
        }
    }
}

fn rules(tool: &str) -> Result<GuardPlan> {
    let context = Context::new(tool, Layer::default())?;
    Ok(GuardPlan::new(&context.tool, &context.config))
}

fn peer(host: &str) -> Result<Peer> {
    Peer::parse(host.as_bytes(), Some(443)).map_err(|refusal| {
        let why = refusal.words().unwrap_or_default();
        Failure::new(Kind::Usage, format!("cannot check `{host}`: {why}")).hint("ai egress check example.com git.corp:8443")
    })
}

/// Returns whether a peer may be reached, with the row that says so.
fn verdict(plan: &GuardPlan, peer: &Peer) -> (bool, [String; 2]) {
    let name = peer.to_string();
    let rules = plan.order.egress.clone().unwrap_or_default();
    match rules.judge(peer) {
        Ok(_) => {
            let alone = |rule| EgressRules { allow: vec![rule], deny: Vec::new(), mode: EgressMode::List };
            let rule = rules.allow.iter().find(|rule| alone((*rule).clone()).judge(peer).is_ok());
            let said = rule.map_or_else(|| "reach *:443".to_owned(), |rule| format!("reach {rule}"));
            let row = plan.rows.iter().find(|(words, ..)| *words == said);
            let by = row.map_or_else(String::new, |(_, reason, origin)| format!(": {reason} ({origin})"));
            (true, [name, format!("allowed{by}")])
        }
        Err(refusal) => {
            let why = refusal.words().unwrap_or_else(|| "on no list".into());
            let allow =
                if refusal.wants_rule() { format!("; ai config allow host {}", typed(&refusal.allowing(&name))) } else { String::new() };
            (false, [name, format!("blocked: {why}{allow}")])
        }
    }
}

//! What would become of a request of a guarded run, in the words of the rules that decide it.

use serde::Serialize;

use crate::core::failure::Result;
use crate::core::guard::EgressRefusal;
use crate::core::guard::key::PLACE;
use crate::core::guard::order::PORT;
use crate::core::guard::peer::Peer;
use crate::core::guard::rule::EgressRules;
use crate::core::plan::Request;
use crate::core::plan::guard::GuardPlan;
use crate::core::plan::{keys, secret};
use crate::core::text::typed::typed;

/// Returns the rules of a guarded run of the request's tool.
///
/// # Errors
/// Where its key is to stay outside and cannot.
pub fn rules(request: &Request) -> Result<GuardPlan> {
    let Request { tool, config, facts, .. } = request;
    let is_outside = keys::stay_outside(tool, config);
    let keys = if is_outside { keys::decide(request, &secret::decide(tool, config, facts)?)? } else { None };
    Ok(GuardPlan::new(tool, config, keys.as_ref()))
}

/// What would become of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    pub peer: String,
    pub allowed: bool,
    pub why: String,
    /// Where what decides it stands.
    pub origin: Option<String>,
    /// What goes there another way.
    pub instead: Option<String>,
    /// The host that a person allows to have it reached.
    pub allow: Option<String>,
}

impl GuardPlan {
    /// Returns what would become of a connection to this peer, as the helper judges it.
    pub fn reached(&self, peer: &Peer) -> Reached {
        let rules = self.order.egress.clone().unwrap_or_default();
        let verdict = rules.verdict(peer);
        let deciding = verdict.rule.map(ToString::to_string);
        let row = match &verdict.reach {
            Ok(_) => self.row(&format!("reach {}", deciding.as_deref().unwrap_or("*:443"))),
            Err(EgressRefusal::Denied) => self.row(&format!("never reach {}", deciding.unwrap_or_default())),
            Err(_) => self.left_out_row(peer),
        };
        let name = peer.to_string();
        let refusal = verdict.reach.err();
        let why = row.map(|(_, reason, _)| reason.clone());
        let why = why.or_else(|| refusal.as_ref().map(|refusal| refusal.words().unwrap_or_else(|| "on no list".into())));
        let key = self.order.key.as_ref().filter(|key| key.peer == name);
        let allow = refusal.as_ref().filter(|refusal| row.is_none() && refusal.wants_rule());
        Reached {
            allowed: refusal.is_none(),
            why: why.unwrap_or_default(),
            origin: row.map(|(.., origin)| origin.clone()),
            instead: key.map(|key| {
                format!("the tool asks http://127.0.0.1:{PORT}{PLACE}, and the helper, with your {}, {}", key.name, key.paths.join(", "))
            }),
            allow: allow.map(|refusal| refusal.allowing(&name)),
            peer: name,
        }
    }

    fn row(&self, words: &str) -> Option<&(String, String, String)> {
        self.rows.iter().find(|(known, ..)| known == words)
    }

    /// Returns the row of what would be reached if the key did not stay outside.
    fn left_out_row(&self, peer: &Peer) -> Option<&(String, String, String)> {
        let rules = EgressRules { allow: self.left_out.clone(), ..EgressRules::default() };
        rules.verdict(peer).rule.filter(|_| rules.judge(peer).is_ok()).and_then(|rule| self.row(&format!("leave out {rule}")))
    }
}

impl Reached {
    /// Returns it in one line.
    pub fn line(&self) -> String {
        let verdict = if self.allowed { "allowed" } else { "blocked" };
        let origin = self.origin.as_ref().map_or_else(String::new, |origin| format!(" ({origin})"));
        let instead = self.instead.as_ref().map_or_else(String::new, |instead| format!("; {instead}"));
        let allow = self.allow.as_ref().map_or_else(String::new, |host| format!("; ai config allow host {}", typed(host)));
        format!("{verdict}: {}{origin}{instead}{allow}", self.why)
    }
}

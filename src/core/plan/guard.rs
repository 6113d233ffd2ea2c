//! The guarded network: no way out of the container but a socket, at whose other end the rules are kept.

use std::ffi::OsString;

use crate::core::config::{Config, Origin, Setting};
use crate::core::container::{AI, ContainerPath, SOCKETS};
use crate::core::engine::Product;
use crate::core::facts::SshAgent;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::order::{EGRESS, GuardOrder, PORT};
use crate::core::guard::rule::{EgressMode, EgressRules, EgressWord};
use crate::core::guard::sets;
use crate::core::plan::env::Variables;
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Parts, Request, TOOL_IMAGE, image};
use crate::core::store::{Fixed, Seen, Store};
use crate::core::tool::Tool;

/// The name of the network in the configuration.
pub const GUARD: &str = "guard";

/// What the helper of a run is told, and why.
#[derive(Clone, Debug)]
pub struct GuardPlan {
    pub order: GuardOrder,
    /// Rule, reason and origin, in the order of the rules.
    pub rows: Vec<(String, String, String)>,
}

impl Request<'_> {
    pub(super) fn is_guarded(&self) -> bool {
        self.config.settings.network.value == GUARD
    }
}

/// Decides what the helper of a guarded run is told; `None` for any other network.
///
/// # Errors
/// Where the engine's containers cannot reach a socket of this machine, or cannot run this program.
pub(super) fn decide(request: &Request) -> Result<Option<GuardPlan>> {
    if !request.is_guarded() {
        return Ok(None);
    }
    let engine = &request.facts.engine;
    let shares_sockets = engine.product == Product::Native && !engine.sockets_fail();
    let why = match () {
        () if !shares_sockets && engine.product == Product::Native => {
            "its containers were seen not to reach sockets of this machine".into()
        }
        () if !shares_sockets => format!("containers of {} do not reach sockets of this machine", engine.product.name()),
        () if request.facts.inside.is_none() => {
            "this `ai` is not a program that every Linux image can run; `make release` makes one".into()
        }
        () => {
            let mut plan = GuardPlan::new(request.tool, request.config);
            let is_wanted = request.config.settings.ssh_agent.value && matches!(request.facts.ssh_agent, SshAgent::Socket(_));
            plan.order.agent = is_wanted.then(|| request.config.admitted.ssh.order(request.facts.home.as_deref()));
            return Ok(Some(plan));
        }
    };
    let origin = &request.config.settings.network.origin;
    Err(Failure::new(Kind::Config, format!("cannot guard the network ({origin}): {why}"))
        .hint("AI_NETWORK=bridge, which lets everything out; AI_NETWORK=none, which lets nothing out"))
}

impl GuardPlan {
    #[must_use]
    pub(super) fn without_agent(mut self) -> Self {
        self.order.agent = None;
        self
    }

    /// Returns what the configuration lets this tool reach.
    pub fn new(tool: &Tool, config: &Config) -> Self {
        let words = &config.admitted.egress;
        let mode = words.mode.clone().unwrap_or(Setting::new(EgressMode::List, Origin::Default));
        let mut rows = Vec::new();
        if mode.value == EgressMode::Open {
            rows.push(("reach *:443".to_owned(), "every host with a public address".to_owned(), mode.origin.to_string()));
        }
        let own = Setting::new(EgressWord::Set(sets::MODEL.into()), Origin::Manifest(tool.name.clone()));
        let allow: Vec<_> = std::iter::once(own).chain(words.allow.iter().cloned()).collect();
        let mut egress = EgressRules { mode: mode.value, ..EgressRules::default() };
        for (words, verb, rules) in [(&allow, "reach", &mut egress.allow), (&words.deny, "never reach", &mut egress.deny)] {
            for word in words {
                let (found, reason) = match &word.value {
                    EgressWord::Set(name) => (sets::rules(name, &tool.manifest.egress.model), format!("the set `{name}`")),
                    EgressWord::Rule(rule) => (vec![rule.clone()], "as configured".into()),
                };
                for rule in found {
                    if !rules.contains(&rule) {
                        rows.push((format!("{verb} {rule}"), reason.clone(), word.origin.to_string()));
                        rules.push(rule);
                    }
                }
            }
        }
        Self { order: GuardOrder { egress: Some(egress), proxy: config.settings.proxy.value.clone(), agent: None }, rows }
    }
}

/// Adds what shuts the container in, and the one way that is left.
pub(super) fn push(request: &Request, guard: Option<&GuardPlan>, parts: &mut Parts) {
    let (Some(_), Some(program)) = (guard, &request.facts.inside) else { return };
    let origin = || request.config.settings.network.origin.clone();
    let source = Store::new(&request.facts.state).fixed(Seen::Sockets(&request.session));
    let sockets = Mount::bind(source, ContainerPath::new(SOCKETS), Access::ReadOnly);
    parts.push(Part::Mount(sockets), "the one way out, which the container cannot replace", origin());
    let program = Mount::bind(Fixed::of_person(program), ContainerPath::new(AI), Access::ReadOnly);
    parts.push(Part::Mount(program), "leads programs to that way", origin());
}

/// Returns the command behind what listens for programs that know a proxy.
pub(super) fn behind(command: Vec<OsString>, guard: Option<&GuardPlan>) -> Vec<OsString> {
    if guard.is_none() {
        return command;
    }
    let forward = [AI.into(), "forward".into(), format!("{PORT}={SOCKETS}/{EGRESS}").into(), "--".into()];
    forward.into_iter().chain(command).collect()
}

/// Returns the words before the engine's program.
pub(super) fn prefix(request: &Request, guard: Option<&GuardPlan>) -> Vec<OsString> {
    let words = || vec![request.facts.exe.clone().into(), "guard".into(), request.session.as_str().into(), "--".into()];
    guard.map(|_| words()).unwrap_or_default()
}

/// Adds the variables by which programs find the way out. Never `ALL_PROXY`: some programs then send what should be encrypted in the
/// clear (measured: Claude Code 2.1.330).
pub(super) fn variables(request: &Request, variables: &mut Variables) {
    let mut set = |name: &str, value: &str, reason: &'static str| {
        variables.literal(name, value, reason, request.config.settings.network.origin.clone());
    };
    let proxy = format!("http://127.0.0.1:{PORT}");
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
        set(name, &proxy, "the way out of a guarded container");
    }
    for name in ["NO_PROXY", "no_proxy"] {
        set(name, "localhost,127.0.0.1,::1", "what is in the container needs no way out");
    }
    set("NODE_USE_ENV_PROXY", "1", "node does not read these variables by itself");
}

/// Words for `NODE_OPTIONS` that keep node from warning about the variable above; a node before 20.11 would not start with them.
pub(super) fn node_options(request: &Request) -> Option<&'static str> {
    let is_ours = image(request.tool, request.config) == TOOL_IMAGE;
    (request.is_guarded() && is_ours).then_some("--disable-warning=UNDICI-EHPA")
}

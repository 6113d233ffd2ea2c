//! The helper beside a run: the sockets in the container at whose other end rules are kept, of what gets out and what an SSH agent signs.

use std::ffi::OsString;

use crate::core::config::{Config, Origin, Setting};
use crate::core::container::{AI, ContainerPath, SOCKETS};
use crate::core::engine::Product;
use crate::core::engine::agent::Way;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::order::{EGRESS, GuardOrder, KeepOrder, PORT, WatchOrder};
use crate::core::guard::rule::{EgressMode, EgressRule, EgressRules, EgressWord};
use crate::core::guard::sets;
use crate::core::plan::env::Variables;
use crate::core::plan::keys::{self, KeyPlan};
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Parts, Request, desktop, image, proxy, reach};
use crate::core::store::Store;
use crate::core::store::seen::{Fixed, Seen};
use crate::core::telemetry::Collector;
use crate::core::tool::Tool;

/// The name of the network in the configuration.
pub const GUARD: &str = "guard";

/// What the helper of a run is told, and why.
#[derive(Clone, Debug)]
pub struct GuardPlan {
    pub order: GuardOrder,
    /// Rule, reason and origin, in the order of the rules.
    pub rows: Vec<(String, String, String)>,
    /// Hosts of the tool's maker that are not reached because its key stays outside.
    pub left_out: Vec<EgressRule>,
}

impl Request<'_> {
    pub(super) fn is_guarded(&self) -> bool {
        self.config.settings.network.value == GUARD
    }
}

/// Decides what the helper of a run is told; `None` where there is nothing for one to do: no guarded
/// network, no agent, no repository (`project`, whose control files are watched).
///
/// # Errors
/// Where the network is to be guarded, and the engine's containers cannot reach a socket of this machine, or cannot run this program.
pub(super) fn decide(request: &Request, agent: Option<&Way>, project: Option<&str>, keys: Option<&KeyPlan>) -> Result<Option<GuardPlan>> {
    let mut plan = if request.is_guarded() { Some(guarded(request, keys)?) } else { None };
    if agent == Some(&Way::Helper) {
        plan.get_or_insert_with(GuardPlan::shut).let_agent_in(request);
    }
    if let Some(project) = project.filter(|_| request.facts.repo.is_some() && request.facts.engine.product == Product::Native) {
        let watch = WatchOrder { project: project.to_owned(), tool: request.tool.name.clone() };
        plan.get_or_insert_with(GuardPlan::shut).order.watch = Some(watch);
    }
    if project.is_some() && request.config.settings.record_runs.value {
        let keep = KeepOrder { tool: request.tool.name.clone(), image: image(request.tool, request.config), image_id: None };
        plan.get_or_insert_with(GuardPlan::shut).order.keep = Some(keep);
    }
    // What an errand is asked has no login to begin.
    if project.is_some() && desktop::opens_pages(request) {
        plan.get_or_insert_with(GuardPlan::shut).order.pages.clone_from(&request.tool.manifest.egress.pages);
    }
    if project.is_some() && desktop::reads_pictures(request) {
        plan.get_or_insert_with(GuardPlan::shut).order.clipboard = true;
    }
    Ok(plan)
}

fn guarded(request: &Request, keys: Option<&KeyPlan>) -> Result<GuardPlan> {
    let engine = &request.facts.engine;
    let why = match () {
        () if reach::shares_sockets(engine) && request.facts.inside.is_some() => {
            return Ok(GuardPlan::new(request.tool, request.config, keys));
        }
        () if reach::shares_sockets(engine) => "this `ai` is not a program that every Linux image can run; `make release` makes one".into(),
        () if engine.product == Product::Native => "its containers were seen not to reach sockets of this machine".into(),
        () => format!("containers of {} do not reach sockets of this machine", engine.product.name()),
    };
    let origin = &request.config.settings.network.origin;
    Err(Failure::new(Kind::Config, format!("cannot guard the network ({origin}): {why}"))
        .hint("AI_NETWORK=bridge, which lets everything out; AI_NETWORK=none, which lets nothing out"))
}

impl GuardPlan {
    /// The plan of a helper that lets nothing through.
    fn shut() -> Self {
        Self {
            order: GuardOrder {
                egress: None,
                proxy: "off".into(),
                agent: None,
                watch: None,
                pages: Vec::new(),
                clipboard: false,
                key: None,
                keep: None,
            },
            rows: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Has the helper put a key in, and keeps everything else from its vendor: with a key of somebody else's it would take anything.
    fn keep_out(&mut self, keys: &KeyPlan, model: &[EgressRule]) {
        let allowed = self.order.egress.get_or_insert_default().allow.clone();
        let mut row = |what: String, reason: &str| self.rows.push((what, reason.to_owned(), keys.origin.to_string()));
        row(format!("never reach {}", keys.rule), "with its own words; the helper alone asks there");
        self.left_out = model.iter().filter(|rule| rule.host != keys.rule.host && !allowed.contains(rule)).cloned().collect();
        for rule in &self.left_out {
            row(format!("leave out {rule}"), "the set `model`, which is nobody's while the key stays outside");
        }
        if !keys.order.fields.is_empty() {
            row(format!("pass {}", keys.order.fields.join(" ")), "fields that go along with your key; what is not listed is dropped");
        }
        for path in &keys.order.paths {
            row(format!("ask {} {path}", keys.order.peer), &format!("with your {}, which stays outside", keys.order.name));
        }
        self.order.egress.get_or_insert_default().deny.push(keys.rule.clone());
        self.order.key = Some(keys.order.clone());
    }

    /// Has the helper filter the SSH agent.
    fn let_agent_in(&mut self, request: &Request) {
        let words = &request.config.admitted.ssh;
        self.order.agent = Some(words.order(request.facts.home.as_deref()));
        let mut row = |what: String, origin: &Origin| self.rows.push((what, "the SSH agent, as configured".into(), origin.to_string()));
        if let Some(keys) = &words.keys {
            row(format!("only keys {}", keys.value.join(" ")), &keys.origin);
        }
        if let Some(hosts) = &words.hosts {
            row(format!("logins to {} hosts", hosts.value.name()), &hosts.origin);
        }
        if let Some(sign) = &words.sign {
            row(format!("signatures for {}", if sign.value.is_empty() { "nothing".into() } else { sign.value.join(" ") }), &sign.origin);
        }
        if let Some(confirm) = &words.confirm {
            row(format!("confirm signatures: {}", if confirm.value { "yes" } else { "no" }), &confirm.origin);
        }
    }

    /// Returns what the configuration lets this tool reach, whose key stays outside or does not.
    pub(super) fn new(tool: &Tool, config: &Config, keys: Option<&KeyPlan>) -> Self {
        let words = &config.admitted.egress;
        let mode = words.mode.clone().unwrap_or(Setting::new(EgressMode::List, Origin::Default));
        let mut rows = Vec::new();
        if mode.value == EgressMode::Open {
            rows.push(("reach *:443".to_owned(), "every host with a public address".to_owned(), mode.origin.to_string()));
        }
        let own = Setting::new(EgressWord::Set(sets::MODEL.into()), Origin::Manifest(tool.name.clone()));
        // What the maker's hosts are for is done by the helper, or not at all.
        let own = Some(own).filter(|_| !keys::stay_outside(tool, config));
        let allow: Vec<_> = own.into_iter().chain(words.allow.iter().cloned()).collect();
        let mut egress = EgressRules { mode: mode.value, ..EgressRules::default() };
        let reports = config.settings.telemetry.value.as_ref().filter(|_| tool.manifest.telemetry.is_some());
        if let Some(rule) = reports.map(Collector::rule) {
            rows.push((format!("reach {rule}"), "the tool reports to your collector".into(), config.settings.telemetry.origin.to_string()));
            egress.allow.push(rule);
        }
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
        let order = GuardOrder { egress: Some(egress), proxy: config.settings.proxy.value.clone(), ..Self::shut().order };
        let mut plan = Self { order, rows, left_out: Vec::new() };
        if let Some(keys) = keys {
            plan.keep_out(keys, &tool.manifest.egress.model);
        }
        plan
    }
}

/// Adds the sockets of the helper, and what leads programs to the one way that a guarded container has.
pub(super) fn push(request: &Request, guard: Option<&GuardPlan>, parts: &mut Parts) {
    let Some(GuardPlan { order, .. }) = guard else { return };
    let settings = &request.config.settings;
    let source = Store::new(&request.facts.state).fixed(Seen::Sockets(&request.session));
    let sockets = Mount::bind(source, ContainerPath::new(SOCKETS), Access::ReadOnly);
    let (reason, origin) = match (&order.egress, &order.agent) {
        (Some(_), _) => ("the one way out, which the container cannot replace", &settings.network.origin),
        (None, Some(_)) => ("your SSH agent, as far as it is let in", &settings.ssh_agent.origin),
        (None, None) if !order.pages.is_empty() => ("a login inside is one of your browser", &settings.network.origin),
        (None, None) if order.clipboard => (desktop::PICTURES, &settings.clipboard.origin),
        (None, None) => return,
    };
    parts.push(Part::Mount(sockets), reason, origin.clone());
    if let (true, Some(program)) = (order.has_program(), &request.facts.inside) {
        let program = Mount::bind(Fixed::of_person(program), ContainerPath::new(AI), Access::ReadOnly);
        parts.push(Part::Mount(program), "leads programs to these sockets", settings.network.origin.clone());
    }
    desktop::push(request, order, parts);
}

/// Returns the command behind what listens for programs that know a proxy.
pub(super) fn behind(command: Vec<OsString>, request: &Request, guard: Option<&GuardPlan>) -> Vec<OsString> {
    if guard.is_none_or(|guard| guard.order.egress.is_none()) {
        return command;
    }
    let forward = |port: u16| [AI.into(), "forward".into(), format!("{port}={SOCKETS}/{EGRESS}").into()];
    let collector = request.config.settings.telemetry.value.as_ref().filter(|_| request.tool.manifest.telemetry.is_some());
    let reports = collector.and_then(|collector| {
        let port = collector.port_inside(GUARD)?;
        Some(forward(port).into_iter().chain(["--to".into(), collector.peer().to_string().into(), "--".into()]))
    });
    forward(PORT).into_iter().chain(["--".into()]).chain(reports.into_iter().flatten()).chain(command).collect()
}

/// Returns the words before the engine's program.
pub(super) fn prefix(request: &Request, guard: Option<&GuardPlan>) -> Vec<OsString> {
    let Some(GuardPlan { order, .. }) = guard else { return Vec::new() };
    // Whoever takes a vector by hand has begun no session, and nothing of it must wait for a helper.
    let optional = (!order.is_needed()).then(|| "--optional".into());
    let words = [request.facts.exe.clone().into(), "guard".into()].into_iter().chain(optional);
    words.chain([request.session.as_str().into(), "--".into()]).collect()
}

/// Adds the variables by which programs find the way out. Never `ALL_PROXY`: some programs then send what should be encrypted in the
/// clear (measured: Claude Code 2.1.330).
pub(super) fn variables(request: &Request, variables: &mut Variables) {
    let mut set = |name: &str, value: &str, reason: &'static str| {
        variables.literal(name, value, reason, request.config.settings.network.origin.clone());
    };
    let helper = format!("http://127.0.0.1:{PORT}");
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
        set(name, &helper, "the way out of a guarded container");
    }
    for name in ["NO_PROXY", "no_proxy"] {
        set(name, "localhost,127.0.0.1,::1", "what is in the container needs no way out");
    }
    proxy::node_too(variables, request.config.settings.network.origin.clone());
}

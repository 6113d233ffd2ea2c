//! The tool's environment: an allow-list, never the host's whole environment, and no secret in an argument.

use std::path::Path;

use crate::core::config::Origin;
use crate::core::container::{GH, GIT, HOME, SECRETS, SOCKETS, SSH_AGENT};
use crate::core::engine::agent::Way;
use crate::core::engine::traits::RootlessUser;
use crate::core::guard::order;
use crate::core::plan::keys::KeyPlan;
use crate::core::plan::secret::FoundSecret;
use crate::core::plan::state::{GH_DIRECTORY, home};
use crate::core::plan::{Part, Parts, Request, admit, desktop, proxy};
use crate::core::tool::manifest::SecretDelivery;

/// A variable as the engine is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `NAME=value`: a literal that is no secret.
    Literal(String, String),
    /// `NAME`: the client copies the value from its own environment.
    Inherited(String),
}

impl Variable {
    pub fn name(&self) -> &str {
        match self {
            Self::Literal(name, _) | Self::Inherited(name) => name,
        }
    }
}

/// What a program asks to know about the terminal that it draws on.
const TERMINAL: [&str; 9] =
    ["TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "NO_COLOR", "FORCE_COLOR", "COLORFGBG", "WT_SESSION", "KITTY_WINDOW_ID"];

/// What git asks before its settings.
const GIT_IDENTITY: [&str; 5] = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"];

/// The one shell that every image has; `passwd` says so, too.
const SHELL: &str = "/bin/sh";

/// Adds the variables of `request`, each name once: whoever comes first wins. What a run cannot do without, then what the person gave
/// and configured, then what is let in, then the manifest's, then what is the host's.
///
/// Returns a line for each that the person sets and that is something else all the same.
pub(super) fn push(
    request: &Request,
    secrets: &[FoundSecret],
    keys: Option<&KeyPlan>,
    agent: Option<&Way>,
    parts: &mut Parts,
) -> Vec<String> {
    let Request { tool, config, facts, .. } = request;
    let manifest = &tool.manifest;
    let of_manifest = || Origin::Manifest(tool.name.clone());
    let mut variables = Variables { parts, names: Vec::new() };

    variables.literal("HOME", HOME, "the user's home in the container", Origin::Default);
    for (keys, (name, value)) in keys.iter().flat_map(|keys| keys.set.iter().map(move |set| (keys, set))) {
        variables.literal(name, value, "the key stays outside: the helper puts it in", keys.origin.clone());
    }
    // Whatever lets them in besides.
    variables.names.extend(keys.iter().flat_map(|keys| keys.withheld.iter().cloned()));
    for FoundSecret { name, delivery, origin, .. } in secrets {
        let origin = origin.clone();
        match delivery {
            SecretDelivery::Env => {
                variables.inherited(name, "a secret: only its name is here, its value is in the client's environment", origin);
            }
            SecretDelivery::File => {
                variables.literal(&format!("{name}_FILE"), &format!("{SECRETS}/{name}"), "a secret: it is in this file", origin);
                // Whatever lets it in besides.
                variables.names.push(name.clone());
            }
        }
    }
    if let Some(state) = &manifest.state {
        if let Some(name) = &state.home.env {
            let value = state.home.value.clone().unwrap_or_else(|| home(tool, facts));
            variables.literal(name, &value, "tells the tool where this project's state is", of_manifest());
        }
        if let Some(name) = &state.login.env {
            variables.literal(name, &state.login.at, "tells the tool where the login is", of_manifest());
        }
        let chosen = |name: &String| facts.env.is_set(name) || config.admitted.sets(name);
        if keys.is_none() && super::has_login(request) && !state.login_env.unless.iter().any(chosen) {
            for (name, value) in &state.login_env.set {
                variables.literal(name, value, "the login is there", of_manifest());
            }
        }
    }
    let leads = keys.and_then(|keys| keys.base.as_ref());
    let decided: Vec<String> = variables.names.iter().filter(|name| Some(*name) != leads).cloned().collect();
    let notes = without_effect(request, &decided);
    for (name, _) in &config.admitted.given {
        variables.inherited(name, "given for this run", Origin::Flag("--env"));
    }
    for (name, setting) in config.admitted.literals() {
        variables.literal(name, &setting.value, "as configured", setting.origin.clone());
    }
    if let (Some(collector), Some(rules)) = (&config.settings.telemetry.value, &manifest.telemetry) {
        for (name, value) in rules.variables(collector, &config.settings.network.value) {
            variables.literal(&name, &value, "the tool reports to your collector", config.settings.telemetry.origin.clone());
        }
    }
    admit::variables(request, &mut variables);
    proxy::variables(request, &mut variables);
    desktop::page_variables(request, &mut variables);
    let mut append = manifest.env.append.clone();
    if let Some(more) = proxy::node_options(request) {
        append.entry("NODE_OPTIONS".into()).and_modify(|words| *words += &format!(" {more}")).or_insert_with(|| more.into());
    }
    for (name, words) in &append {
        let value = match facts.env.text(name) {
            Some(own) => format!("{words} {own}"),
            None => words.clone(),
        };
        variables.literal(name, &value, "in front of your own value, which counts more", of_manifest());
    }
    let is_passed = |name: &String| manifest.env.pass.contains(name) && facts.env.is_set(name);
    for when in manifest.env.when.iter().filter(|_| keys.is_none()) {
        if !variables.names.contains(&when.variable) && !is_passed(&when.variable) {
            continue;
        }
        for (name, value) in &when.set {
            variables.literal(name, value, "tells the tool which of the variables is its account", of_manifest());
        }
    }
    for (name, value) in &manifest.env.set {
        variables.literal(name, value, "the tool needs it in a container", of_manifest());
    }
    for name in manifest.env.pass.iter().filter(|name| facts.env.is_set(name)) {
        variables.inherited(name, "set on the host, and on this tool's list", of_manifest());
    }
    for name in TERMINAL.into_iter().filter(|name| facts.env.is_set(name)) {
        variables.inherited(name, "the terminal's identity", Origin::Host);
    }
    if let Some(zone) = &facts.time_zone {
        variables.literal("TZ", zone, "your time zone", Origin::Host);
    }
    variables.literal(
        "GIT_CONFIG_GLOBAL",
        &format!("{GIT}/config"),
        "your name and mail for git, as they are for this project",
        Origin::Default,
    );
    if facts.has(Path::new(GH_DIRECTORY)) {
        variables.literal("GH_CONFIG_DIR", GH, "GitHub's command line has its own login here", Origin::Default);
    }
    let socket = match agent {
        Some(Way::Mount { .. }) => Some(SSH_AGENT.to_owned()),
        Some(Way::Helper) => Some(format!("{SOCKETS}/{}", order::AGENT)),
        _ => None,
    };
    if let Some(socket) = socket {
        variables.literal("SSH_AUTH_SOCK", &socket, "your SSH agent", config.settings.ssh_agent.origin.clone());
    }
    let is_root = facts.user.uid == 0 || (facts.engine.rootless && facts.engine.kind.traits().rootless_user == RootlessUser::Root);
    let name = if is_root { "root" } else { &facts.user.name };
    for variable in ["USER", "LOGNAME"] {
        variables.literal(variable, name, "your name, as the container's list of users has it", Origin::Host);
    }
    variables.literal("SHELL", SHELL, "the shell that programs start", Origin::Default);
    for name in GIT_IDENTITY.into_iter().filter(|name| facts.env.is_set(name)) {
        variables.inherited(name, "who you are for git, as you said in this shell", Origin::Host);
    }
    if is_root {
        variables.literal("IS_SANDBOX", "1", "tools that refuse root accept it in a sandbox, and this is one", Origin::Host);
    }
    notes
}

/// Returns a line for each variable that the person sets and that a run decides itself.
fn without_effect(request: &Request, decided: &[String]) -> Vec<String> {
    let admitted = &request.config.admitted;
    let set = admitted.literals().into_iter().map(|(name, setting)| (name, setting.origin.clone()));
    let given = admitted.given.iter().map(|(name, _)| (name, Origin::Flag("--env")));
    let in_vain = set.chain(given).filter(|(name, _)| decided.contains(name));
    in_vain.map(|(name, origin)| format!("{name} of {origin} has no effect: a run decides it itself")).collect()
}

pub(super) struct Variables<'a> {
    parts: &'a mut Parts,
    names: Vec<String>,
}

impl Variables<'_> {
    pub(super) fn literal(&mut self, name: &str, value: &str, reason: &'static str, origin: Origin) {
        self.add(Variable::Literal(name.into(), value.into()), reason, origin);
    }

    pub(super) fn inherited(&mut self, name: &str, reason: &'static str, origin: Origin) {
        self.add(Variable::Inherited(name.into()), reason, origin);
    }

    /// Whoever comes first wins.
    fn add(&mut self, variable: Variable, reason: &'static str, origin: Origin) {
        if self.names.iter().any(|name| name == variable.name()) {
            return;
        }
        self.names.push(variable.name().into());
        self.parts.push(Part::Variable(variable), reason, origin);
    }
}

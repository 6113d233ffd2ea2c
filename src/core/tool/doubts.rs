//! What a manifest says that its parser takes, and that no run, or hardly anybody, can mean.

use crate::core::admit::variable::{is_of_host, refusal};
use crate::core::commit::secrets::KeyScanner;
use crate::core::config::value::parse_bytes;
use crate::core::image::shared_tools;
use crate::core::sync::{Class, Rule};
use crate::core::tool::manifest::{Manifest, SecretRule, StateRules};

/// Something odd: what it is, with the key and the value in backticks, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// Whether no run can use the manifest because of it.
    pub fatal: bool,
    pub what: String,
    pub hint: &'static str,
}

/// The least memory that Docker gives a container.
const LEAST_MEMORY: u64 = 6 << 20;

/// Returns everything that is odd.
pub(super) fn doubts(manifest: &Manifest) -> Vec<Doubt> {
    let mut doubts = of_program(manifest);
    doubts.extend(of_variables(manifest));
    doubts.extend(manifest.secret.iter().filter_map(|(name, rule)| of_secret(name, rule)));
    doubts.extend(manifest.state.iter().flat_map(of_state));
    doubts.extend(manifest.sync.iter().flat_map(of_sync));
    let twice = manifest.sync.iter().enumerate().filter(|(at, rule)| manifest.sync[..*at].iter().any(|other| other.path == rule.path));
    doubts.extend(twice.map(|(_, rule)| odd(format!("two rules of `sync` are for `{}`", rule.path), "one rule for each path")));
    doubts
}

fn odd(what: String, hint: &'static str) -> Doubt {
    Doubt { fatal: false, what, hint }
}

fn wrong(what: String, hint: &'static str) -> Doubt {
    Doubt { fatal: true, what, hint }
}

fn of_program(manifest: &Manifest) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let program = manifest.command.first().map(String::as_str).unwrap_or_default();
    if manifest.command.is_empty() {
        doubts.push(wrong("there is no `command`, and no `profile_of` that has one".into(), "command = [\"NAME\"]"));
    } else if program.is_empty() {
        doubts.push(wrong("`command` begins with an empty word".into(), "command = [\"NAME\"]"));
    }
    let is_shared = shared_tools().iter().any(|(tool, _)| *tool == program);
    if !program.is_empty() && !is_shared && manifest.install.is_none() && manifest.image.is_none() {
        let what = format!("`command`: nothing installs `{program}`: the shared image has claude, gemini and codex");
        doubts.push(odd(what, "[install], or image = \"NAME\""));
    }
    let name = manifest.image.as_deref().unwrap_or_default().split('@').next().unwrap_or_default();
    let repository = name.rsplit_once('/').map_or(name, |(_, last)| last).split(':').next().unwrap_or_default();
    if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
        doubts.push(wrong(format!("`image`: `{name}` has capitals, which no engine takes"), "the name in small letters"));
    }
    if let Some(memory) = manifest.limits.memory.as_deref().filter(|memory| parse_bytes(memory).is_ok_and(|bytes| bytes < LEAST_MEMORY)) {
        doubts.push(wrong(format!("`limits.memory`: `{memory}` is less than a container can have"), "such as memory = \"4g\""));
    }
    if let Some(version) = manifest.min_version.as_deref().filter(|version| !version.starts_with(|first: char| first.is_ascii_digit())) {
        doubts.push(wrong(format!("`min_version`: `{version}` is no version"), "such as min_version = \"1.2.3\""));
    }
    if !manifest.resume.is_empty() && !manifest.resume.iter().any(|word| word.contains("{id}")) {
        doubts.push(odd("`resume` names no conversation".into(), "`{id}` stands for its name: resume = [\"--resume\", \"{id}\"]"));
    }
    doubts
}

fn of_variables(manifest: &Manifest) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let env = &manifest.env;
    let names = env.pass.iter().map(|name| ("env.pass", name)).chain(env.set.keys().map(|name| ("env.set", name)));
    let names = names.chain(env.append.keys().map(|name| ("env.append", name)));
    let names = names.chain(env.when.iter().flat_map(|when| when.set.keys()).map(|name| ("env.when", name)));
    for (table, name) in names {
        if refusal(name).is_some() {
            doubts.push(wrong(format!("`{table}`: `{name}` is no name of a variable"), "letters, digits and _, no digit first"));
        } else if matches!(name.as_str(), "HOME" | "PATH") || table == "env.pass" && is_of_host(name) {
            let what = format!("`{table}`: `{name}` speaks of this machine, and means something else in a container");
            doubts.push(odd(what, "leave it out, or name a variable that the program alone reads"));
        }
    }
    let scanner = KeyScanner::default();
    for (name, value) in &env.set {
        if let Some(secret) = scanner.secrets(value.as_bytes()).into_iter().next() {
            let what = format!("`env.set`: the value of `{name}` looks like a key ({}), and every container shows it", secret.rule);
            doubts.push(odd(what, "[secret.NAME] says where a key comes from"));
        }
    }
    doubts
}

fn of_secret(name: &str, rule: &SecretRule) -> Option<Doubt> {
    if refusal(name).is_some() {
        return Some(wrong(format!("`secret`: `{name}` is no name of a variable"), "[secret.NAME], the variable that the program reads"));
    }
    let is_nowhere = rule.env.is_empty() && rule.file.is_none() && rule.command.is_empty();
    is_nowhere
        .then(|| wrong(format!("`secret.{name}` does not say where it comes from"), "env = [\"MY_KEY\"], or file = \"secrets/my_key\""))
}

fn of_state(state: &StateRules) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    match state.home.env.as_deref() {
        Some("HOME") => {
            let what = "`state.home.env`: `HOME` is the same for every program and stays as it is".to_owned();
            doubts.push(wrong(what, "a variable that the program alone reads; or XDG_… in `env.set`"));
        }
        Some(name @ ("PATH" | "LD_PRELOAD" | "LD_LIBRARY_PATH")) => {
            let what = format!("`state.home.env`: by `{name}` every program finds what it needs, and no directory of a tool is that");
            doubts.push(wrong(what, "a variable that the program alone reads"));
        }
        Some(name) if refusal(name).is_some() => {
            doubts.push(wrong(format!("`state.home.env`: `{name}` is no name of a variable"), "letters, digits and _, no digit first"));
        }
        _ => {}
    }
    if let Some(at) = Some(&state.home.at).filter(|at| std::path::Path::new(at).starts_with("/home/ai/.ssh")) {
        doubts.push(wrong(format!("`state.home.at`: `{at}` is where the known hosts of a project are"), "another directory of /home/ai"));
    }
    if !state.login.at.is_empty() && state.login.files.is_empty() {
        let what = "`state.login` names no `files`: `ai login` and `ai creds` do not know whether there is a login".to_owned();
        doubts.push(odd(what, "files = [\"auth.json\"]"));
    }
    if state.before.is_some() && state.login.files.is_empty() {
        doubts.push(odd("`before` runs where there is a login, and `state.login` names none".into(), "login = { at = …, files = […] }"));
    }
    for link in state.links.values().filter(|to| !to.starts_with("/ai/") && !to.starts_with("/home/ai/")) {
        doubts.push(wrong(format!("`state.links`: `{link}` leads out of what is mounted"), "a path below /ai/shared or /home/ai"));
    }
    for both in state.shared.iter().filter(|path| state.private.contains(path)) {
        doubts.push(wrong(format!("`state.private`: `{both}` is in `shared`, too"), "shared by all projects, or gone after each run"));
    }
    doubts
}

fn of_sync(rule: &Rule) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let path = &rule.path;
    let is_read = match (rule.class, rule.seed.as_deref()) {
        (Class::Json | Class::Keys, Some(seed)) => serde_json::from_str::<serde_json::Map<_, _>>(seed).is_ok(),
        (Class::Toml, Some(seed)) => seed.parse::<toml_edit::DocumentMut>().is_ok(),
        _ => true,
    };
    if !is_read {
        doubts.push(wrong(format!("`seed` of `{path}` is no document of its class"), "what the file would hold, as the tool reads it"));
    }
    if rule.class == Class::Keys && rule.keys.is_empty() {
        doubts.push(odd(format!("`{path}` has the class keys and no `keys`: nothing of it flows"), "keys = [\"theme\"]"));
    }
    if rule.class != Class::Keys && !rule.keys.is_empty() {
        doubts.push(odd(format!("`keys` of `{path}` mean nothing: its class is another"), "class = \"keys\""));
    }
    if matches!(rule.class, Class::Lines | Class::Tree) && !rule.login_keys.is_empty() {
        doubts.push(odd(format!("`login_keys` of `{path}` mean nothing: nothing in it has a key"), "class = \"keys\""));
    }
    if !rule.executes.is_empty() {
        doubts.push(odd(format!("`executes` of `{path}` says nothing any more"), "what may leave a project is in `out`"));
    }
    doubts
}

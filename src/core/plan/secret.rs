//! Where the secrets of a profile come from. Values never appear here: only which variable, file or command has them.

use std::path::PathBuf;

use crate::core::config::Config;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::store::Store;
use crate::core::tool::Tool;
use crate::core::tool::manifest::SecretRule;

/// Where one secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A host variable of this name.
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
}

/// A secret that the tool needs, by the name that it has in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSecret {
    pub name: String,
    pub place: SecretSource,
}

impl FoundSecret {
    /// Whether the engine's client would not find it in its environment by itself.
    pub fn needs_fetching(&self) -> bool {
        self.place != SecretSource::Env(self.name.clone())
    }
}

/// Finds every secret of `tool`, or says which is missing and where it was looked for.
pub fn decide(tool: &Tool, config: &Config, facts: &Facts) -> Result<Vec<FoundSecret>> {
    let mut found = Vec::new();
    for (name, rule) in rules(tool, config) {
        let place = find(&rule, facts).ok_or_else(|| missing(tool, &name, &rule, facts))?;
        found.push(FoundSecret { name, place });
    }
    if config.settings.gh_token.value {
        found.push(FoundSecret { name: GH_TOKEN.into(), place: gh_token(facts) });
    }
    Ok(found)
}

const GH_TOKEN: &str = "GH_TOKEN";

/// GitHub's token, from the variables that its command line itself looks at, else from where that keeps it.
fn gh_token(facts: &Facts) -> SecretSource {
    let set = [GH_TOKEN, "GITHUB_TOKEN"].into_iter().find(|name| facts.env.text(name).is_some());
    set.map_or_else(|| SecretSource::Command(["gh", "auth", "token"].map(str::to_owned).into()), |name| SecretSource::Env(name.into()))
}

/// Returns the manifest's rules, with the user's file and command in front.
fn rules(tool: &Tool, config: &Config) -> Vec<(String, SecretRule)> {
    let mut rules = tool.manifest.secret.clone();
    for (name, user) in &config.secret {
        let rule = rules.entry(name.clone()).or_default();
        if !user.env.is_empty() {
            rule.env.clone_from(&user.env);
        }
        rule.file = user.file.clone().or(rule.file.take());
        if !user.command.is_empty() {
            rule.command.clone_from(&user.command);
        }
    }
    rules.into_iter().collect()
}

/// Returns the files that [`decide`] asks about, relative to the store.
pub fn files(tool: &Tool, config: &Config) -> Vec<PathBuf> {
    rules(tool, config).into_iter().filter_map(|(_, rule)| rule.file.map(PathBuf::from)).collect()
}

fn find(rule: &SecretRule, facts: &Facts) -> Option<SecretSource> {
    let env = rule.env.iter().find(|name| facts.env.text(name).is_some());
    if let Some(name) = env {
        return Some(SecretSource::Env(name.clone()));
    }
    if !rule.command.is_empty() {
        return Some(SecretSource::Command(rule.command.clone()));
    }
    let file = rule.file.as_ref().map(PathBuf::from).filter(|file| facts.has(file))?;
    Some(SecretSource::File(Store::new(&facts.store).root().join(file)))
}

fn missing(tool: &Tool, name: &str, rule: &SecretRule, facts: &Facts) -> Failure {
    let mut places: Vec<String> = rule.env.iter().map(|name| format!("${name}")).collect();
    places.extend(rule.file.as_ref().map(|file| facts.store.join(file).display().to_string()));
    let first = rule.env.first().map_or(name, String::as_str);
    let hint = match &rule.file {
        Some(file) => format!("export {first}=…, or put the key into {} (mode 0600)", facts.store.join(file).display()),
        None => format!("export {first}=…"),
    };
    Failure::new(Kind::Config, format!("cannot start {}: no value for {name}; looked at {}", tool.name, places.join(" and "))).hint(hint)
}

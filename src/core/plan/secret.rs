//! Where the secrets of a profile come from. Values never appear here: only which variable, file or command has them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::admit::variable::refusal;
use crate::core::config::{Config, Origin, Setting};
use crate::core::container::{ContainerPath, SECRETS};
use crate::core::engine::Product;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Parts, Request, keys};
use crate::core::store::Store;
use crate::core::store::seen::Fixed;
use crate::core::tool::Tool;
use crate::core::tool::manifest::{SecretDelivery, SecretRule};

/// Where one secret was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub delivery: SecretDelivery,
    /// Whether a run goes on without it.
    pub is_optional: bool,
    /// What says that the tool has it.
    pub origin: Origin,
}

/// The secrets of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolSecrets {
    pub found: Vec<FoundSecret>,
    /// Keys of the tool that never enter its container.
    pub outside: Vec<FoundSecret>,
    /// A line for each that is missing and not needed.
    pub missing: Vec<String>,
}

impl ToolSecrets {
    /// Returns those that are to be files.
    pub fn files(&self) -> impl Iterator<Item = &FoundSecret> {
        self.found.iter().filter(|secret| secret.delivery == SecretDelivery::File)
    }

    /// Whether the engine's client would not find them in its environment by itself, or has nothing of them to find.
    pub fn need_fetching(&self) -> bool {
        self.found.iter().any(|secret| secret.delivery == SecretDelivery::File || secret.place != SecretSource::Env(secret.name.clone()))
    }
}

/// Finds every secret of `tool`, or says which is missing and where it was looked for.
pub fn decide(tool: &Tool, config: &Config, facts: &Facts) -> Result<ToolSecrets> {
    let mut secrets = ToolSecrets::default();
    for (name, rule) in rules(tool, config) {
        let origin = config.secret.get(&name).map_or_else(|| Origin::Manifest(tool.name.clone()), |rule| rule.origin.clone());
        check(&name, &rule).map_err(|why| {
            let hint = "[secret.NAME] with env = [\"NAME\"], file = \"secrets/name\", or command = [\"pass\", \"show\", \"name\"]";
            Failure::new(Kind::Config, format!("cannot use the secret `{name}` ({origin}): {why}")).hint(hint)
        })?;
        let is_optional = rule.optional == Some(true);
        match find(&rule, facts) {
            Some(place) => secrets.found.push(FoundSecret { name, place, delivery: rule.deliver.unwrap_or_default(), is_optional, origin }),
            None if is_optional => {
                secrets.missing.push(format!("{name} ({origin}) has no value; this run goes on without it"));
            }
            None => return Err(missing(tool, &name, &rule, facts)),
        }
    }
    if keys::stay_outside(tool, config) {
        let is_key = |secret: &FoundSecret| tool.manifest.keys.from.iter().any(|way| way.variable == secret.name);
        (secrets.outside, secrets.found) = secrets.found.into_iter().partition(is_key);
    }
    if config.settings.gh_token.value {
        let origin = config.settings.gh_token.origin.clone();
        let (name, place) = (GH_TOKEN.to_owned(), gh_token(facts));
        secrets.found.push(FoundSecret { name, place, delivery: SecretDelivery::Env, is_optional: false, origin });
    }
    if secrets.files().next().is_some() && facts.engine.product != Product::Native {
        let why = "cannot deliver a secret as a file: the engine is in a machine of its own, which does not see this one's memory";
        return Err(Failure::new(Kind::Config, why).hint("deliver = \"env\""));
    }
    Ok(secrets)
}

/// Fails for a secret that could be none: it becomes a variable, or a file of its name.
fn check(name: &str, rule: &SecretRule) -> std::result::Result<(), String> {
    let is_nowhere = rule.env.is_empty() && rule.file.is_none() && rule.command.is_empty();
    refusal(name).or_else(|| is_nowhere.then(|| "nothing says where it is".to_owned())).map_or(Ok(()), Err)
}

/// Returns the directory, in memory, of the files that hold the secrets of a session.
pub fn directory(facts: &Facts, session: &SessionId) -> PathBuf {
    let runtime = format!("/run/user/{}", facts.user.uid);
    let base = facts.env.text("XDG_RUNTIME_DIR").filter(|base| *base == runtime).unwrap_or("/dev/shm");
    Path::new(base).join(format!("{DIRECTORY}{session}"))
}

/// What the names of such directories begin with.
pub const DIRECTORY: &str = "ai-secrets-";

/// Mounts the files of the secrets, and says where each is.
pub(super) fn push(request: &Request, secrets: &ToolSecrets, parts: &mut Parts) {
    let Some(first) = secrets.files().next() else { return };
    let source = Fixed::of_person(directory(request.facts, &request.session));
    let mount = Mount::bind(source, ContainerPath::new(SECRETS), Access::ReadOnly);
    parts.push(Part::Mount(mount), "secrets as files, in memory, until the run ends", first.origin.clone());
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
    for (name, Setting { value: user, .. }) in &config.secret {
        let rule = rules.entry(name.clone()).or_default();
        if !user.env.is_empty() {
            rule.env.clone_from(&user.env);
        }
        rule.file = user.file.clone().or(rule.file.take());
        rule.optional = user.optional.or(rule.optional);
        rule.deliver = user.deliver.or(rule.deliver);
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

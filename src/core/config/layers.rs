//! The layers of the files, from the least to the most particular, and that of the variables.

use std::path::Path;

use toml::Spanned;

use crate::core::admit::Admitted;
use crate::core::admit::cache::Cache;
use crate::core::admit::cloud::Cloud;
use crate::core::admit::egress::EgressWords;
use crate::core::admit::mount::MountRule;
use crate::core::admit::overlay::Overlay;
use crate::core::config::source::{ConfigText, Scope};
use crate::core::config::table::{line_of, read};
use crate::core::config::value::one_of;
use crate::core::config::{Config, ConfigTable, Layer, Origin, Setting, VARIABLES};
use crate::core::facts::Env;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{self, Definitive, RecipeBases};
use crate::core::route::RouteRule;
use crate::core::text::nearest::nearest;
use crate::core::text::visible::visible;
use crate::core::tool::manifest::SecretRule;

/// What the files say.
#[derive(Debug, Default)]
pub struct Layers {
    pub plain: Layer,
    pub profile: Layer,
    pub project: Layer,
    /// The names of all profiles.
    pub profiles: Vec<String>,
}

impl Layers {
    /// Reads one file over those before it.
    pub fn read(&mut self, scope: Scope, profile: Option<&str>, source: &ConfigText, config: &mut Config) -> Result<()> {
        let file = read(source)?;
        let origin = |at: usize| Origin::File(source.path.clone(), line_of(&source.text, at));
        let mut sections = file.tool.iter().chain(&file.profile).chain(&file.project);
        if let Some((name, section)) = sections.find(|(_, section)| section.get_ref().has_sections()) {
            let place = origin(section.span().start);
            return Err(Failure::new(Kind::Config, format!("cannot use {place}: the section `{name}` has sections of its own"))
                .hint("tool, profile, project, build and route are tables of the file itself"));
        }
        let plain = std::mem::take(&mut self.plain);
        self.plain = file.layer(&origin).over(plain);
        add_secrets(&file, &origin, config);
        config.sections.extend(file.tool.iter().map(|(name, section)| Setting::new(name.clone(), origin(section.span().start))));
        self.profiles.extend(file.profile.keys().cloned());
        let chosen = profile.and_then(|name| file.profile.get(name));
        let section = file.tool.get(scope.tool);
        let image = section.and_then(|section| section.get_ref().image.as_ref());
        config.image_of_tool = image.map(|image| origin(image.span().start)).or(config.image_of_tool.take());
        add(section, &origin, &mut self.plain, config);
        add(chosen, &origin, &mut self.profile, config);
        for (pattern, section) in &file.project {
            if scope.project.is_some_and(|root| is_of(pattern, root, scope.home)) {
                add(Some(section), &origin, &mut self.project, config);
            }
        }
        let rules = file.route.iter().map(|rule| Setting::new(rule.get_ref().clone(), origin(rule.span().start)));
        let rules: Vec<Setting<RouteRule>> = rules.collect();
        for rule in &rules {
            rule.value
                .check()
                .map_err(|why| Failure::new(Kind::Config, format!("cannot use {}: {why}", rule.origin)).hint("ai help route"))?;
        }
        // The file that is read later counts more.
        config.route.splice(0..0, rules);
        if let Some(build) = file.build {
            let at = origin(build.span().start);
            let build = build.into_inner();
            build.check().map_err(|why| Failure::new(Kind::Config, format!("cannot use {at}: {why}")).hint("ai help config"))?;
            config.build.mirror = build.mirror.or(config.build.mirror.take());
            config.build.base = build.base.or(config.build.base.take());
            config.build.network = build.network.or(config.build.network.take());
            config.build.versions.extend(build.versions);
        }
        Ok(())
    }
}

/// Reads a project's own file: what it sets for the tool, and the sections that no project can have.
pub fn of_project(scope: Scope, source: &ConfigText) -> Result<(Layer, Vec<String>)> {
    let file = read(source)?;
    let origin = |at: usize| Origin::File(source.path.clone(), line_of(&source.text, at));
    let section = file.tool.get(scope.tool).map(Spanned::get_ref);
    let layer = file.layer(&origin);
    let layer = section.map(|section| section.layer(&origin)).unwrap_or_default().over(layer);
    let has_secret = !file.secret.is_empty() || file.tool.values().any(|section| !section.get_ref().secret.is_empty());
    let sections = [
        ("secret", has_secret),
        ("build", file.build.is_some()),
        ("route", !file.route.is_empty()),
        ("profile", !file.profile.is_empty()),
        ("project", !file.project.is_empty()),
    ];
    Ok((layer, sections.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned()).collect()))
}

/// Adds what the image of a project's file lets in, that of its `devcontainer.json`, and returns in rows what else follows from it.
pub fn add_of_image(scope: Scope, source: &ConfigText, layer: &mut Layer) -> Vec<String> {
    let recipe = layer.image.as_ref().and_then(|image| image.value.as_ref()?.recipe());
    let Some((recipe, root)) = recipe.zip(scope.project) else { return Vec::new() };
    match image::define(recipe, RecipeBases { root, home: None }, &source.files) {
        Definitive::Defined(definition) => {
            let rows = definition.rows(recipe);
            let own = std::mem::take(&mut layer.admitted);
            layer.admitted = own.over(definition.admitted);
            rows
        }
        // No image follows from it, and whoever agrees is told so when it is built.
        Definitive::Fails(why) => vec![format!("+ an image that cannot be made: {}", visible(&why))],
        Definitive::Needs(_) => Vec::new(),
    }
}

impl Layer {
    /// Returns what the tool's manifest says, below all files.
    pub(super) fn of_manifest(scope: Scope) -> Self {
        let network = scope.network.map(|network| Setting::new(network.to_owned(), Origin::Manifest(scope.tool.to_owned())));
        Self { network, ..Self::default() }
    }
}

/// Puts a section over what its layer has already.
fn add(section: Option<&Spanned<ConfigTable>>, origin: &impl Fn(usize) -> Origin, layer: &mut Layer, config: &mut Config) {
    let Some(section) = section.map(Spanned::get_ref) else { return };
    let lower = std::mem::take(layer);
    *layer = section.layer(origin).over(lower);
    add_secrets(section, origin, config);
}

fn add_secrets(table: &ConfigTable, origin: &impl Fn(usize) -> Origin, config: &mut Config) {
    let rule =
        |(name, rule): (&String, &Spanned<SecretRule>)| (name.clone(), Setting::new(rule.get_ref().clone(), origin(rule.span().start)));
    config.secret.extend(table.secret.iter().map(rule));
}

/// Returns whether a `[project."PATTERN"]` is about this root. `*` stands for a part of one name, `**` for any directories.
pub(in crate::core) fn is_of(pattern: &str, root: &Path, home: Option<&Path>) -> bool {
    let rule = MountRule { path: pattern.into(), access: crate::core::plan::mount::Access::ReadOnly, at: None };
    let Some(path) = rule.absolute(home, Path::new("/")) else { return false };
    let options = glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
    let pattern = path.to_str().and_then(|path| glob::Pattern::new(path).ok());
    path == root || pattern.is_some_and(|pattern| pattern.matches_path_with(root, options))
}

/// The variables that hold lists: words separated and quoted as in a shell.
pub const LISTS: [&str; 9] = ["AI_MOUNTS", "AI_ENV", "AI_PUBLISH", "AI_CACHE", "AI_DNS", "AI_HOSTS", "AI_CLOUD", "AI_OVERLAY", "AI_ALLOW"];

/// Returns what the `AI_*` variables let in.
pub fn admitted_by(env: &Env) -> Result<Admitted> {
    let words = |name: &'static str| {
        let words = env.text(name).map(shell_words::split).transpose();
        words.map(Option::unwrap_or_default).map_err(|error| cannot(name, &error.to_string()))
    };
    let setting = |name| move |value| Setting::new(value, Origin::Env(name));
    let address = |text: &str| text.parse().map_err(|_| format!("`{text}` is no address"));
    let named = |text: &str| match text.split_once('=') {
        Some((name, of)) => Ok((name.to_owned(), address(of)?)),
        None => Err(format!("`{text}` is no name with its address, such as db.internal=10.0.0.7")),
    };
    let hosts = each("AI_HOSTS", words("AI_HOSTS")?, named)?;
    let cache = each("AI_CACHE", words("AI_CACHE")?, |text| Cache::try_from(text.to_owned()))?;
    Ok(Admitted {
        mounts: words("AI_MOUNTS")?.iter().map(|word| Setting::new(MountRule::from_word(word), Origin::Env("AI_MOUNTS"))).collect(),
        pass: words("AI_ENV")?.into_iter().map(setting("AI_ENV")).collect(),
        publish: each("AI_PUBLISH", words("AI_PUBLISH")?, str::parse)?,
        cache: (!cache.is_empty()).then_some(cache),
        dns: each("AI_DNS", words("AI_DNS")?, address)?,
        hosts: hosts
            .into_iter()
            .map(|Setting { value: (name, address), origin }| (name, Setting::new(address.to_string(), origin)))
            .collect(),
        cloud: each("AI_CLOUD", words("AI_CLOUD")?, one_of::<Cloud>)?,
        overlay: each("AI_OVERLAY", words("AI_OVERLAY")?, |text| Overlay::try_from(text.to_owned()))?,
        egress: EgressWords { allow: each("AI_ALLOW", words("AI_ALLOW")?, str::parse)?, ..EgressWords::default() },
        ..Admitted::default()
    })
}

/// Reads each word of a variable.
fn each<T>(name: &'static str, words: Vec<String>, read: impl Fn(&str) -> std::result::Result<T, String>) -> Result<Vec<Setting<T>>> {
    let word = |word: String| read(&word).map(|value| Setting::new(value, Origin::Env(name))).map_err(|why| cannot(name, &why));
    words.into_iter().map(word).collect()
}

/// Returns a line for a variable that is nearly one of ours: what it should do is not done.
pub fn misspelt(env: &Env) -> Option<String> {
    // Shorter ones are as likely somebody else's.
    const SHORTEST: usize = 9;
    let is_known = |name: &str| VARIABLES.iter().chain(&LISTS).chain(&MORE).any(|known| *known == name);
    let names = env.names().filter_map(|name| name.to_str());
    let mut strangers = names.filter(|name| name.starts_with("AI_") && name.len() >= SHORTEST && !is_known(name)).peekable();
    strangers.peek()?;
    let known: Vec<String> = VARIABLES.iter().chain(&LISTS).map(|name| name.to_ascii_lowercase()).collect();
    strangers.find_map(|name| {
        let meant = nearest(name, &known)?.to_ascii_uppercase();
        Some(format!("{} has no effect; did you mean {meant}?", visible(name)))
    })
}

/// Variables of ours that are no settings.
const MORE: [&str; 5] = ["AI_PROFILE", "AI_HOME", "AI_LOG", "AI_TOOL", "AI_FAULTS"];

fn cannot(variable: &str, why: &str) -> Failure {
    Failure::new(Kind::Config, format!("cannot use `{variable}`: {why}")).hint(format!("unset {variable}"))
}

/// Says that there is no such profile, and which one may be meant.
pub fn unknown_profile(name: &str, known: &[String]) -> Failure {
    let failure = Failure::new(Kind::Config, format!("cannot use the profile `{name}`: no `[profile.{name}]` is in the configuration"));
    match nearest(name, known) {
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint("ai help config"),
    }
}

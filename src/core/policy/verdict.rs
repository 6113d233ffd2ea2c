//! What the policy of the system says about one run. Whatever a person, a project or a manifest says, it comes here before it becomes a
//! plan.

use std::path::{Path, PathBuf};

use crate::core::admit::mount::MountRule;
use crate::core::config::{Config, Layer, Origin};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::mount::Access;
use crate::core::policy::contradiction::is_image_of;
use crate::core::policy::place::covers;
use crate::core::policy::rule::{PolicyRule, is_meant};

/// The rules that are for this person.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub rules: Vec<PolicyRule>,
    pub(super) home: Option<PathBuf>,
}

/// A run that is to be judged.
#[derive(Debug)]
pub struct RunAsked<'a> {
    pub tool: &'a str,
    /// Whether a manifest of the person's own describes it.
    pub is_own: bool,
    pub image: &'a str,
    /// The root of the project.
    pub root: &'a Path,
    pub config: &'a Config,
}

impl Rules {
    /// Returns whether a run must be told to the system's log before it starts.
    pub fn logs(&self) -> bool {
        self.rules.iter().any(|rule| rule.log)
    }

    /// Returns everything that is fixed.
    pub fn fixed(&self) -> Layer {
        self.rules.iter().fold(Layer::default(), |lower, rule| rule.fixed.clone().over(lower))
    }

    /// Fails for a run that a rule does not allow.
    pub fn judge(&self, judged: &RunAsked) -> Result<()> {
        let config = judged.config;
        for rule in &self.rules {
            refuse_tool(rule, judged)?;
            if let Some(projects) = &rule.projects {
                let is_in = |place: &String| covers(&MountRule::from_word(place), judged.root, self.home.as_deref());
                require(rule, "projects", projects, projects.iter().any(is_in), &judged.root.display().to_string(), None)?;
            }
            if let Some(images) = &rule.images {
                let origin = config.settings.image.value.is_some().then_some(&config.settings.image.origin);
                // What is made from allowed images on this machine is allowed; another rule may forbid to build.
                let bases = config.made.as_ref().filter(|made| made.name == judged.image).map(|made| made.bases.as_slice());
                let is_allowed = |image: &str| is_image_of(images, image);
                match bases.filter(|_| !is_allowed(judged.image)) {
                    None => require(rule, "images", images, is_allowed(judged.image), judged.image, origin)?,
                    Some(bases) => bases.iter().try_for_each(|base| require(rule, "images", images, is_allowed(base), base, origin))?,
                }
            }
            if let Some(networks) = &rule.networks {
                let network = &config.settings.network;
                let is_meant = networks.iter().any(|name| is_meant(name, &network.value));
                require(rule, "networks", networks, is_meant, &network.value, Some(&network.origin))?;
            }
            if let Some(clouds) = &rule.clouds {
                let names: Vec<String> = clouds.iter().map(|cloud| cloud.name().to_owned()).collect();
                for cloud in &config.admitted.cloud {
                    require(rule, "clouds", &names, clouds.contains(&cloud.value), cloud.value.name(), Some(&cloud.origin))?;
                }
            }
            if let Some(env) = &rule.env {
                for (name, origin) in variables(config) {
                    require(rule, "variables", env, env.iter().any(|pattern| is_meant(pattern, name)), name, Some(origin))?;
                }
            }
            refuse_forbidden(rule, config)?;
        }
        Ok(())
    }

    /// Fails for a directory or file that no rule lets in.
    pub fn judge_mount(&self, real: &Path, access: Access, origin: &Origin) -> Result<()> {
        for rule in &self.rules {
            let Some(mounts) = &rule.mounts else { continue };
            let is_meant = |entry: &&MountRule| covers(entry, real, self.home.as_deref());
            let fits = |entry: &MountRule| access == Access::ReadOnly || entry.access == Access::ReadWrite;
            let known = mounts.iter().find(is_meant);
            if mounts.iter().filter(is_meant).any(fits) {
                continue;
            }
            let paths: Vec<String> = mounts.iter().map(|entry| entry.path.clone()).collect();
            if known.is_some() {
                let why = format!("{} lets `{}` in read-only, and it is asked for writable ({origin})", rule.title(), real.display());
                return Err(refusal(&why));
            }
            return Err(not_among(rule, "mounts", &paths, &real.display().to_string(), Some(origin)));
        }
        Ok(())
    }

    /// Fails where a rule forbids this word, such as `native`.
    pub fn judge_word(&self, word: &str) -> Result<()> {
        let rule = self.rules.iter().find(|rule| rule.forbid.iter().any(|forbidden| forbidden == word));
        rule.map_or(Ok(()), |rule| Err(refusal(&format!("{} forbids `{word}`", rule.title()))))
    }

    /// Fails where the host's own program would be run and must not, or is of a tool that no rule allows.
    pub fn judge_native(&self, tool: &str, is_own: bool) -> Result<()> {
        self.judge_word("native")?;
        self.rules.iter().try_for_each(|rule| refuse_unnamed(rule, tool, is_own))
    }
}

fn refuse_tool(rule: &PolicyRule, judged: &RunAsked) -> Result<()> {
    refuse_unnamed(rule, judged.tool, judged.is_own)
}

/// Fails for a tool that is not named. A person's own manifest under a name of ours is not the tool that was meant.
fn refuse_unnamed(rule: &PolicyRule, tool: &str, is_own: bool) -> Result<()> {
    let Some(tools) = &rule.tools else { return Ok(()) };
    let name = if is_own { format!("own:{tool}") } else { tool.to_owned() };
    require(
        rule,
        "tools",
        tools,
        tools.iter().any(|pattern| is_meant(pattern, &name) && pattern.starts_with("own:") == is_own),
        &name,
        None,
    )
}

fn refuse_forbidden(rule: &PolicyRule, config: &Config) -> Result<()> {
    let admitted = &config.admitted;
    let first = |key: &str| -> Option<Option<&Origin>> {
        match key {
            "overlay" => admitted.overlay.first().map(|overlay| Some(&overlay.origin)),
            "mounts" => admitted.mounts.first().map(|mount| Some(&mount.origin)),
            "env" => variables(config).first().map(|(_, origin)| Some(*origin)),
            "publish" => admitted.publish.first().map(|port| Some(&port.origin)),
            "cache" => admitted.cache.as_ref().filter(|cache| !cache.is_empty()).map(|cache| cache.first().map(|cache| &cache.origin)),
            "dns" => admitted.dns.first().map(|server| Some(&server.origin)),
            "hosts" => admitted.hosts.first().map(|(_, address)| Some(&address.origin)),
            "cloud" => admitted.cloud.first().map(|cloud| Some(&cloud.origin)),
            "secret" => config.secret.values().next().map(|rule| Some(&rule.origin)),
            "profile" => config.profile.is_some().then_some(None),
            _ => None,
        }
    };
    let usual = Layer::default().resolve().rows();
    let said = config.settings.rows();
    for word in &rule.forbid {
        let place = match first(word) {
            Some(origin) => origin.map_or_else(String::new, |origin| format!(" ({origin})")),
            None => match said
                .iter()
                .find(|(key, value, _)| key == word && !usual.iter().any(|(usual, other, _)| usual == key && other == value))
            {
                Some((_, _, origin)) => format!(" ({origin})"),
                None => continue,
            },
        };
        return Err(refusal(&format!("{} forbids `{word}`{place}", rule.title())));
    }
    Ok(())
}

/// Returns the names of all variables that are let in, each with what let it in.
fn variables(config: &Config) -> Vec<(&str, &Origin)> {
    let admitted = &config.admitted;
    let pass = admitted.pass.iter().map(|setting| (setting.value.as_str(), &setting.origin));
    let set = admitted.set.iter().map(|(name, setting)| (name.as_str(), &setting.origin));
    let given = admitted.given.iter().map(|(name, _)| (name.as_str(), &Origin::Flag("--env")));
    pass.chain(set).chain(given).collect()
}

fn require(rule: &PolicyRule, what: &str, allowed: &[String], is_allowed: bool, asked: &str, origin: Option<&Origin>) -> Result<()> {
    if is_allowed { Ok(()) } else { Err(not_among(rule, what, allowed, asked, origin)) }
}

fn not_among(rule: &PolicyRule, what: &str, allowed: &[String], asked: &str, origin: Option<&Origin>) -> Failure {
    let origin = origin.map_or_else(String::new, |origin| format!(" ({origin})"));
    let names: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
    let allowed = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    refusal(&format!("of {what}, {} allows {allowed}, and not `{asked}`{origin}", rule.title()))
}

fn refusal(why: &str) -> Failure {
    Failure::new(Kind::NotAllowed, format!("cannot do this on this machine: {why}")).hint("ai policy explain")
}

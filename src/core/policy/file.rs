//! `/etc/ai/policy.toml`: what an administrator wrote, and which of it is for a person.

use serde::Deserialize;
use toml::Spanned;

use crate::core::admit::cloud::Cloud;
use crate::core::admit::mount::MountRule;
use crate::core::config::source::ConfigText;
use crate::core::config::table::{line_of, meant};
use crate::core::config::{ConfigTable, KEYS, Origin};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::policy::contradiction;
use crate::core::policy::place::is_place;
use crate::core::policy::rule::{Audience, OsUser, PolicyRule, plain};
use crate::core::policy::verdict::Rules;
use crate::core::text::nearest::nearest;
use crate::core::text::visible::toml_complaint;

/// Where the policy of a system is.
pub const PATH: &str = "/etc/ai/policy.toml";

/// What can be forbidden beside the settings that have one value.
pub const WORDS: [&str; 12] =
    ["mounts", "env", "publish", "cache", "dns", "hosts", "cloud", "overlay", "secret", "profile", "build", "native"];

/// A policy, read and found to make sense.
#[derive(Clone, Debug, Default)]
pub struct SystemPolicy {
    pub rules: Vec<PolicyRule>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PolicyText {
    rule: Vec<Spanned<RuleTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct RuleTable {
    name: Option<String>,
    users: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    except_users: Vec<String>,
    except_groups: Vec<String>,
    tools: Option<Vec<Spanned<String>>>,
    images: Option<Vec<Spanned<String>>>,
    networks: Option<Vec<Spanned<String>>>,
    env: Option<Vec<Spanned<String>>>,
    projects: Option<Vec<Spanned<String>>>,
    mounts: Option<Vec<Spanned<MountRule>>>,
    clouds: Option<Vec<Cloud>>,
    forbid: Vec<Spanned<String>>,
    fixed: Option<Spanned<ConfigTable>>,
    log: bool,
}

impl SystemPolicy {
    /// Reads a policy.
    ///
    /// # Errors
    /// Where it is no valid one, or a rule contradicts itself.
    pub fn read(source: &ConfigText) -> Result<Self> {
        let file: PolicyText = toml::from_str(&source.text).map_err(|error| {
            Failure::new(Kind::Config, format!("cannot read `{}`: it is no valid policy", source.path))
                .because(toml_complaint(&error))
                .hint(meant(error.message()).unwrap_or_else(|| "ai help policy".into()))
        })?;
        let rules = file.rule.into_iter().enumerate().map(|(index, rule)| {
            let at = rule.span().start;
            RuleReader { source }.rule(index, at, rule.into_inner())
        });
        let policy = Self { rules: rules.collect::<Result<_>>()? };
        for rule in &policy.rules {
            contradiction::within(rule)?;
        }
        Ok(policy)
    }

    /// Returns the rules that are for this person, together.
    ///
    /// # Errors
    /// Where two of them contradict each other, or nobody can tell whether one is for this person.
    pub fn of(self, member: &OsUser) -> Result<Rules> {
        let mut rules = Vec::new();
        for rule in self.rules {
            if rule.audience.has(member)? {
                rules.push(rule);
            }
        }
        contradiction::between(&rules)?;
        Ok(Rules { rules, home: member.home.clone() })
    }

    /// Returns what two rules say against each other for whoever both are for.
    pub fn clashes(&self) -> Vec<Failure> {
        contradiction::pairs(&self.rules)
    }
}

struct RuleReader<'a> {
    source: &'a ConfigText,
}

impl RuleReader<'_> {
    fn origin(&self, at: usize) -> Origin {
        Origin::File(self.source.path.clone(), line_of(&self.source.text, at))
    }

    fn cannot(&self, at: usize, why: &str) -> Failure {
        Failure::new(Kind::Config, format!("cannot use {}: {why}", self.origin(at))).hint("ai help policy")
    }

    fn rule(&self, index: usize, at: usize, table: RuleTable) -> Result<PolicyRule> {
        let RuleTable { users, groups, except_users, except_groups, .. } = table;
        for place in table.projects.iter().flatten() {
            self.refuse_no_place(place.span().start, place.get_ref())?;
        }
        for mount in table.mounts.iter().flatten() {
            self.refuse_no_place(mount.span().start, &mount.get_ref().path)?;
            if mount.get_ref().at.is_some() {
                return Err(self.cannot(mount.span().start, "a policy does not say where something is mounted"));
            }
        }
        let names = [&table.tools, &table.images, &table.networks, &table.env];
        if let Some(odd) = names.into_iter().flatten().flatten().find(|name| is_odd(name.get_ref())) {
            return Err(self.cannot(odd.span().start, &format!("`{}` is no name, nor one with `*` at its end", odd.get_ref())));
        }
        let fixed = table.fixed.map(|fixed| self.fixed(&fixed)).transpose()?.unwrap_or_default();
        Ok(PolicyRule {
            name: table.name.unwrap_or_else(|| format!("{}", index + 1)),
            origin: self.origin(at),
            audience: Audience { users, groups, except_users, except_groups },
            tools: plain(table.tools),
            images: plain(table.images),
            networks: plain(table.networks),
            env: plain(table.env),
            projects: plain(table.projects),
            mounts: table.mounts.map(|mounts| mounts.into_iter().map(Spanned::into_inner).collect()),
            clouds: table.clouds,
            forbid: table.forbid.iter().map(|word| self.key(word)).collect::<Result<_>>()?,
            fixed,
            log: table.log,
        })
    }

    fn refuse_no_place(&self, at: usize, text: &str) -> Result<()> {
        let is_fit = is_place(text) && glob::Pattern::new(text).is_ok();
        if is_fit { Ok(()) } else { Err(self.cannot(at, &format!("`{text}` is neither an absolute path nor one below `~`"))) }
    }

    fn fixed(&self, table: &Spanned<ConfigTable>) -> Result<crate::core::config::Layer> {
        let at = table.span().start;
        if !table.get_ref().only_settings() {
            return Err(self.cannot(at, "a policy fixes settings that have one value, and lets nothing in"));
        }
        let layer = table.get_ref().layer(&|at| self.origin(at));
        layer.clone().resolve().check()?;
        Ok(layer)
    }

    /// Returns the key that a word of `forbid` means: a key of the configuration, or its flag.
    fn key(&self, word: &Spanned<String>) -> Result<String> {
        let typed = word.get_ref().trim_start_matches('-').replace('-', "_");
        let key = match typed.as_str() {
            "mount" => "mounts",
            "local" => "native",
            "clouds" => "cloud",
            "secrets" => "secret",
            other => other,
        };
        let known: Vec<String> = KEYS.iter().chain(&WORDS).map(|key| (*key).to_owned()).collect();
        if known.iter().any(|known| known == key) {
            return Ok(key.to_owned());
        }
        let failure = self.cannot(word.span().start, &format!("nothing is called `{}` that could be forbidden", word.get_ref()));
        Err(match nearest(key, &known) {
            Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
            None => failure,
        })
    }
}

/// Returns whether a word is empty, or has a `*` elsewhere than at its end.
fn is_odd(name: &str) -> bool {
    name.is_empty()
        || name.contains(char::is_whitespace)
        || name[..name.len() - name.chars().last().map_or(0, char::len_utf8)].contains('*')
}

#[cfg(test)]
mod tests;

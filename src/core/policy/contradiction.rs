//! A policy that says two things at once: nobody could tell which of them its author meant.

use crate::core::config::{Layer, Settings};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::policy::rule::{PolicyRule, is_meant};

/// Fails for a rule that cannot be obeyed.
pub fn within(rule: &PolicyRule) -> Result<()> {
    let audience = &rule.audience;
    let twice = |of: Option<&Vec<String>>, except: &[String]| of.into_iter().flatten().find(|name| except.contains(name)).cloned();
    let name = twice(audience.users.as_ref(), &audience.except_users).or(twice(audience.groups.as_ref(), &audience.except_groups));
    if let Some(name) = name {
        return Err(failure(rule, &format!("is for `{name}` and not for `{name}`")));
    }
    said(rule, rule)
}

/// Fails for the first two rules that cannot be obeyed together.
pub fn between(rules: &[PolicyRule]) -> Result<()> {
    pairs(rules).into_iter().next().map_or(Ok(()), Err)
}

/// Returns a failure for each two rules that cannot be obeyed together.
pub fn pairs(rules: &[PolicyRule]) -> Vec<Failure> {
    let mut found = Vec::new();
    for (index, one) in rules.iter().enumerate() {
        for other in &rules[index + 1..] {
            found.extend(said(one, other).and_then(|()| said(other, one)).and_then(|()| together(one, other)).err());
        }
    }
    found
}

/// Fails for what `one` fixes and `other` does not allow.
fn said(one: &PolicyRule, other: &PolicyRule) -> Result<()> {
    let fixed = one.fixed.clone().resolve();
    let settings = [
        ("network", one.fixed.network.as_ref().map(|network| network.value.clone()), &other.networks),
        ("image", one.fixed.image.as_ref().and_then(|image| image.value.as_ref()?.name().map(str::to_owned)), &other.images),
    ];
    for (key, value, allowed) in settings {
        let (Some(value), Some(allowed)) = (value, allowed) else { continue };
        let is_allowed = if key == "image" { is_image_of(allowed, &value) } else { allowed.iter().any(|name| is_meant(name, &value)) };
        if !is_allowed {
            return Err(failure(one, &format!("fixes `{key}` to `{value}`, which {} does not allow", other.title())));
        }
    }
    let usual = Layer::default().resolve();
    let is_usual = |key: &str| value(&fixed, key) == value(&usual, key);
    match one.fixed.rows().iter().find(|(key, ..)| other.forbid.iter().any(|word| word == key) && !is_usual(key)) {
        None => Ok(()),
        Some((key, ..)) => Err(failure(one, &format!("fixes `{key}`, which {} forbids", other.title()))),
    }
}

fn together(one: &PolicyRule, other: &PolicyRule) -> Result<()> {
    for (key, value, origin) in one.fixed.rows() {
        let differs = other.fixed.rows().into_iter().find(|(theirs, other, _)| *theirs == key && *other != value);
        if let Some((_, theirs, place)) = differs {
            return Err(failure(one, &format!("fixes `{key}` to {value} ({origin}), {} to {theirs} ({place})", other.title())));
        }
    }
    for (what, ours, theirs) in
        [("tool", &one.tools, &other.tools), ("network", &one.networks, &other.networks), ("image", &one.images, &other.images)]
    {
        let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
        let meet = |a: &str, b: &str| is_meant(a, b) || is_meant(b, a);
        // Names and digests may mean the same image.
        let is_digest = |name: &String| name.starts_with("sha256:");
        let may_meet = ours.iter().any(|a| theirs.iter().any(|b| meet(a, b) || is_digest(a) != is_digest(b)));
        if !may_meet && !ours.is_empty() && !theirs.is_empty() {
            return Err(failure(one, &format!("and {} allow no {what} that both allow", other.title())));
        }
    }
    Ok(())
}

fn value(settings: &Settings, key: &str) -> Option<serde_json::Value> {
    settings.rows().into_iter().find(|(known, ..)| *known == key).map(|(_, value, _)| value)
}

/// Returns whether a list of a policy means this image.
pub fn is_image_of(allowed: &[String], image: &str) -> bool {
    let digest = image.rsplit_once('@').map_or(image, |(_, digest)| digest);
    allowed.iter().any(|name| is_meant(name, image) || (name.starts_with("sha256:") && name == digest))
}

fn failure(rule: &PolicyRule, why: &str) -> Failure {
    Failure::new(Kind::Config, format!("cannot use the policy, which contradicts itself: {} {why}", rule.title()))
        .hint("whoever administers this machine mends it: ai policy check")
}

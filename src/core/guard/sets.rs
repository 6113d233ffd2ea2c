//! Sets of hosts by name.

use std::collections::BTreeMap;

use crate::core::guard::rule::EgressRule;

/// The hosts of the tool's own maker, which its manifest names.
pub const MODEL: &str = "model";

fn table() -> BTreeMap<String, Vec<EgressRule>> {
    // A test reads it.
    toml::from_str(include_str!("sets.toml")).unwrap_or_default()
}

/// Returns the names of all sets.
pub fn names() -> Vec<String> {
    std::iter::once(MODEL.to_owned()).chain(table().into_keys()).collect()
}

/// Returns the rules of a set; `model` are those of the tool's manifest.
pub fn rules(name: &str, model: &[EgressRule]) -> Vec<EgressRule> {
    if name == MODEL { model.to_owned() } else { table().remove(name).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_can_be_read_and_is_narrow() {
        let table: BTreeMap<String, Vec<EgressRule>> = toml::from_str(include_str!("sets.toml")).unwrap();
        assert!(table.len() > 10 && !table.contains_key(MODEL));
        for (name, rules) in &table {
            assert!(!rules.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            for rule in rules {
                let is_exact = matches!(rule.host, crate::core::guard::rule::RuleHost::Exact(_));
                assert!(is_exact && !rule.private, "{name}: {rule}");
            }
        }
    }
}

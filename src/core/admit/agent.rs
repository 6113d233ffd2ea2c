//! `[ssh]`: what of the SSH agent a guarded container has.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::core::config::{Origin, Setting};
use crate::core::guard::order::{AgentOrder, HostKeys};

/// The table as it stands in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentTable {
    keys: Option<Spanned<Vec<String>>>,
    hosts: Option<Spanned<HostKeys>>,
    sign: Option<Spanned<Vec<String>>>,
    confirm: Option<Spanned<bool>>,
}

/// What one layer says, or all of them together. A list takes the place of a lower layer's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentWords {
    /// Files of public keys.
    pub keys: Option<Setting<Vec<String>>>,
    pub hosts: Option<Setting<HostKeys>>,
    /// Namespaces of file signatures.
    pub sign: Option<Setting<Vec<String>>>,
    pub confirm: Option<Setting<bool>>,
}

impl AgentTable {
    /// Returns what the table says, each with the place where it stands.
    pub fn words(&self, origin: &impl Fn(usize) -> Origin) -> AgentWords {
        fn setting<T: Clone>(key: Option<&Spanned<T>>, origin: &impl Fn(usize) -> Origin) -> Option<Setting<T>> {
            key.map(|key| Setting::new(key.get_ref().clone(), origin(key.span().start)))
        }
        AgentWords {
            keys: setting(self.keys.as_ref(), origin),
            hosts: setting(self.hosts.as_ref(), origin),
            sign: setting(self.sign.as_ref(), origin),
            confirm: setting(self.confirm.as_ref(), origin),
        }
    }
}

impl AgentWords {
    /// Returns what this layer says over what a lower one does.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        Self {
            keys: self.keys.or(lower.keys),
            hosts: self.hosts.or(lower.hosts),
            sign: self.sign.or(lower.sign),
            confirm: self.confirm.or(lower.confirm),
        }
    }

    /// Returns what the helper is told, with its home for `~`.
    pub fn order(&self, home: Option<&Path>) -> AgentOrder {
        let path = |word: &String| word.strip_prefix("~/").zip(home).map_or_else(|| PathBuf::from(word), |(below, home)| home.join(below));
        AgentOrder {
            keys: self.keys.as_ref().map(|keys| keys.value.iter().map(path).collect()),
            hosts: self.hosts.as_ref().map(|hosts| hosts.value).unwrap_or_default(),
            sign: self.sign.as_ref().map_or_else(|| vec!["git".into()], |sign| sign.value.clone()),
            confirm: self.confirm.as_ref().is_some_and(|confirm| confirm.value),
        }
    }
}

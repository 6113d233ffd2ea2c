//! `[egress]`: what a guarded container may reach.

use serde::Deserialize;
use toml::Spanned;

use crate::core::config::{Origin, Setting};
use crate::core::guard::rule::{EgressMode, EgressWord};

/// The table as it stands in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressTable {
    allow: Vec<Spanned<EgressWord>>,
    deny: Vec<Spanned<EgressWord>>,
    mode: Option<Spanned<EgressMode>>,
}

/// What one layer says, or all of them together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EgressWords {
    pub allow: Vec<Setting<EgressWord>>,
    /// Taken away from everything that is allowed.
    pub deny: Vec<Setting<EgressWord>>,
    pub mode: Option<Setting<EgressMode>>,
}

impl EgressTable {
    /// Returns what the table says, each with the place where it stands.
    pub fn words(&self, origin: &impl Fn(usize) -> Origin) -> EgressWords {
        let list = |list: &[Spanned<EgressWord>]| {
            list.iter().map(|word| Setting::new(word.get_ref().clone(), origin(word.span().start))).collect()
        };
        let mode = self.mode.as_ref().map(|mode| Setting::new(*mode.get_ref(), origin(mode.span().start)));
        EgressWords { allow: list(&self.allow), deny: list(&self.deny), mode }
    }
}

impl EgressWords {
    /// Returns what this layer says beside what a lower one does.
    #[must_use]
    pub fn over(self, mut lower: Self) -> Self {
        lower.allow.extend(self.allow);
        lower.deny.extend(self.deny);
        Self { mode: self.mode.or(lower.mode), ..lower }
    }
}

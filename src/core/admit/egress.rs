//! `[egress]`: what a guarded container may reach.

use serde::Deserialize;
use toml::Spanned;

use crate::core::config::{Origin, Setting};
use crate::core::guard::key::fields::FieldName;
use crate::core::guard::rule::{EgressMode, EgressWord};

/// The table as it stands in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressTable {
    allow: Vec<Spanned<EgressWord>>,
    deny: Vec<Spanned<EgressWord>>,
    mode: Option<Spanned<EgressMode>>,
    fields: Vec<Spanned<FieldName>>,
}

/// What one layer says, or all of them together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EgressWords {
    pub allow: Vec<Setting<EgressWord>>,
    /// Taken away from everything that is allowed.
    pub deny: Vec<Setting<EgressWord>>,
    pub mode: Option<Setting<EgressMode>>,
    /// Fields that go along with a key that stays outside, beside those of the tool's manifest.
    pub fields: Vec<Setting<FieldName>>,
}

impl EgressTable {
    /// Returns what the table says, each with the place where it stands.
    pub fn words(&self, origin: &impl Fn(usize) -> Origin) -> EgressWords {
        fn list<T: Clone>(list: &[Spanned<T>], origin: &impl Fn(usize) -> Origin) -> Vec<Setting<T>> {
            list.iter().map(|word| Setting::new(word.get_ref().clone(), origin(word.span().start))).collect()
        }
        let mode = self.mode.as_ref().map(|mode| Setting::new(*mode.get_ref(), origin(mode.span().start)));
        EgressWords { allow: list(&self.allow, origin), deny: list(&self.deny, origin), mode, fields: list(&self.fields, origin) }
    }
}

impl EgressWords {
    /// Returns what this layer says beside what a lower one does.
    #[must_use]
    pub fn over(self, mut lower: Self) -> Self {
        lower.allow.extend(self.allow);
        lower.deny.extend(self.deny);
        lower.fields.extend(self.fields);
        Self { mode: self.mode.or(lower.mode), ..lower }
    }
}

//! What a policy of the system fixes.

use serde::Serialize;

use crate::core::config::{Config, Origin, Setting};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::policy::verdict::Rules;

impl Config {
    /// Returns the configuration as it is below the rules that are for this person.
    ///
    /// # Errors
    /// Where a word of this very run says something else than what is fixed.
    pub fn under(mut self, rules: Rules) -> Result<Self> {
        let fixed = rules.fixed();
        self.image_of_tool = fixed.image.as_ref().map(|image| image.origin.clone()).or(self.image_of_tool);
        self.settings.fix(fixed)?;
        self.rules = rules;
        Ok(self)
    }
}

/// Fails for a value that a flag or a variable gives, and that is fixed otherwise.
pub(super) fn refuse_other<T: PartialEq + Serialize>(key: &str, said: &Setting<T>, fixed: &Setting<T>) -> Result<()> {
    let (Origin::Flag(_) | Origin::Env(_)) = said.origin else { return Ok(()) };
    if said.value == fixed.value {
        return Ok(());
    }
    let value = serde_json::json!(fixed.value);
    Err(Failure::new(Kind::NotAllowed, format!("cannot use {}: the policy fixes `{key}` to {value} ({})", said.origin, fixed.origin))
        .hint("ai policy explain"))
}

//! What a configuration lets in, in words, each with what let it in.

use crate::core::config::{Config, Origin};
use crate::core::plan::mount::Access;

impl Config {
    /// Returns a row for each thing that is let in beside the project; no value of a variable is in it.
    pub fn rows_let_in(&self) -> Vec<String> {
        let admitted = &self.admitted;
        let mut rows = Vec::new();
        let mut row = |what: String, origin: &Origin| rows.push(format!("{what} ({origin})"));
        for mount in &admitted.mounts {
            let write = if mount.value.access == Access::ReadWrite { ", writable" } else { "" };
            row(format!("mount {}{write}", mount.value.path), &mount.origin);
        }
        admitted.pass.iter().for_each(|name| row(format!("variable {}", name.value), &name.origin));
        admitted.set.iter().for_each(|(name, value)| row(format!("variable {name}"), &value.origin));
        admitted.publish.iter().for_each(|port| row(format!("publish {}", port.value), &port.origin));
        admitted.cloud.iter().for_each(|cloud| row(format!("cloud {}", cloud.value.name()), &cloud.origin));
        admitted.egress.allow.iter().for_each(|word| row(format!("egress to {}", word.value), &word.origin));
        admitted.egress.fields.iter().for_each(|field| row(format!("field {} beside your key", field.value), &field.origin));
        self.secret.iter().for_each(|(name, rule)| row(format!("secret {name}"), &rule.origin));
        if self.settings.gh_token.value {
            row("GitHub's token".into(), &self.settings.gh_token.origin);
        }
        if self.settings.network.value == "host" {
            row("the host's network".into(), &self.settings.network.origin);
        }
        rows
    }
}

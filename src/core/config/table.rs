//! A table of a configuration file: read, and what it lets in.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::core::admit::Admitted;
use crate::core::config::source::ConfigText;
use crate::core::config::{ConfigTable, Origin, Setting};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::is_mirror;
use crate::core::text::nearest::nearest;
use crate::core::text::visible::toml_complaint;

/// `[build]`: what `ai image build` uses unless its flags say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Build {
    pub base: Option<String>,
    /// A mirror of Docker Hub, from where a base comes that manifests and the program itself name.
    pub mirror: Option<String>,
    /// Network of the build, as the engine spells it.
    pub network: Option<String>,
    /// Versions of the tools, by name.
    pub versions: BTreeMap<String, String>,
}

impl Build {
    /// Fails for a mirror before which no name of an image could stand.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        self.mirror.as_deref().map_or(Ok(()), is_mirror)
    }
}

/// Returns a key that is set, with its place.
pub(super) fn setting<T: Clone>(key: Option<&Spanned<T>>, origin: &impl Fn(usize) -> Origin) -> Option<Setting<T>> {
    key.map(|key| Setting::new(key.get_ref().clone(), origin(key.span().start)))
}

/// Reads a file.
pub(super) fn read(source: &ConfigText) -> Result<ConfigTable> {
    toml::from_str(&source.text).map_err(|error| {
        Failure::new(Kind::Config, format!("cannot read `{}`: it is no valid configuration", source.path))
            .because(toml_complaint(&error))
            .hint(meant(error.message()).or_else(|| one_of_many(source, &error)).unwrap_or_else(|| "ai help config".into()))
    })
}

/// Returns how a rule is written that stands there as if there were one alone.
fn one_of_many(source: &ConfigText, error: &toml::de::Error) -> Option<String> {
    let behind = source.text.get(error.span()?.start..)?;
    behind.starts_with("[route]").then(|| "did you mean `[[route]]`? there may be several".into())
}

/// Returns the known key that is nearest to the unknown one which the parser complains about.
pub(in crate::core) fn meant(complaint: &str) -> Option<String> {
    let mut words = complaint.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2).map(str::to_owned);
    let (typed, known) = (words.next()?, words.collect::<Vec<_>>());
    Some(format!("did you mean `{}`?", nearest(&typed, &known)?))
}

/// Returns the 1-based line of a byte.
pub fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

impl ConfigTable {
    /// Returns whether it holds sections of its own.
    pub(super) fn has_sections(&self) -> bool {
        !(self.tool.is_empty() && self.profile.is_empty() && self.project.is_empty() && self.build.is_none() && self.route.is_empty())
    }

    /// Returns whether it has nothing but settings that have one value.
    pub(in crate::core) fn only_settings(&self) -> bool {
        let admitted = self.admitted(&|_| Origin::Default);
        !self.has_sections() && self.secret.is_empty() && admitted == Admitted::default()
    }

    /// Returns what this table lets in, each with the place where it stands.
    pub(super) fn admitted(&self, origin: &impl Fn(usize) -> Origin) -> Admitted {
        fn named<T: Clone, U>(
            table: &BTreeMap<String, Spanned<T>>,
            origin: &impl Fn(usize) -> Origin,
            text: impl Fn(T) -> U,
        ) -> Vec<(String, Setting<U>)> {
            let entry = |(name, value): (&String, &Spanned<T>)| {
                (name.clone(), Setting::new(text(value.get_ref().clone()), origin(value.span().start)))
            };
            table.iter().map(entry).collect()
        }
        Admitted {
            mounts: list(&self.mounts, origin),
            pass: list(&self.env.pass, origin),
            given: Vec::new(),
            set: named(&self.env.set, origin, |value| value),
            publish: list(&self.publish, origin),
            cache: self.cache.as_ref().map(|cache| list(cache, origin)),
            dns: list(&self.dns, origin),
            hosts: named(&self.hosts, origin, |address| address.to_string()),
            cloud: list(&self.cloud, origin),
            overlay: list(&self.overlay, origin),
            egress: self.egress.words(origin),
            ssh: self.ssh.words(origin),
        }
    }
}

fn list<T: Clone>(list: &[Spanned<T>], origin: &impl Fn(usize) -> Origin) -> Vec<Setting<T>> {
    list.iter().map(|item| Setting::new(item.get_ref().clone(), origin(item.span().start))).collect()
}

//! The person's own files that say how tools run: configuration and manifests.

use std::path::PathBuf;

use crate::core::failure::Result;
use crate::core::policy::verdict::Rules;
use crate::core::tool::manifest::ManifestText;
use crate::core::{config, tool};
use crate::host::Host;
use crate::host::fs::files;
use crate::host::fs::own;

impl Host {
    /// Returns the person's configuration files and the project's own, lowest layer first.
    pub fn config_sources(&self, rules: &Rules) -> Result<Vec<config::source::ConfigText>> {
        let mut sources = self.own_config_sources()?;
        if self.reads_project_file(&sources, rules) {
            sources.extend(self.project_file()?);
        }
        Ok(sources)
    }

    /// A person who wants nothing of a project's file is not kept from working by one that is broken.
    fn reads_project_file(&self, own: &[config::source::ConfigText], rules: &Rules) -> bool {
        if let Some(fixed) = rules.fixed().project_file {
            return fixed.value;
        }
        let config = config::Config::new(config::source::Scope::default(), own, &self.env, config::Layer::default());
        config.map_or(true, |config| config.settings.project_file.value)
    }

    /// Returns the configuration files that exist, lowest layer first.
    pub fn own_config_sources(&self) -> Result<Vec<config::source::ConfigText>> {
        let paths = [PathBuf::from("/etc/ai/config.toml"), self.store.config()];
        let mut sources = Vec::new();
        for path in paths {
            if let Some(text) = files::read_text(&path)? {
                sources.push(config::source::ConfigText::own(path.display().to_string(), text));
            }
        }
        Ok(sources)
    }

    /// Returns a tool's manifest: the user's, else the built-in one.
    pub fn manifest(&self, name: &str) -> Result<Option<ManifestText>> {
        if !tool::is_valid_name(name) {
            return Ok(None);
        }
        let path = self.store.tools().join(format!("{name}.toml"));
        let own = files::read_text(&path)?;
        Ok(own.map(|text| ManifestText::own(&text, path.display().to_string())).or_else(|| tool::built_in(name)))
    }

    /// Manifests under names that no tool can have.
    pub fn ignored_manifests(&self) -> Vec<PathBuf> {
        let entries = own::entries(self.store.tools()).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_named = |path: &PathBuf| path.file_stem().and_then(|name| name.to_str()).is_some_and(tool::is_valid_name);
        let mut ignored: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml") && !is_named(path)).collect();
        ignored.sort_unstable();
        ignored
    }

    /// Returns all tools and profiles by name: the built-in ones, then the user's own, sorted.
    pub fn tool_names(&self) -> Vec<String> {
        let mut names: Vec<String> = tool::built_in_names().map(str::to_owned).collect();
        let Ok(entries) = own::entries(self.store.tools()) else { return names };
        let own = entries.flatten().filter_map(|entry| {
            let path = PathBuf::from(entry.file_name());
            let name = path.file_stem()?.to_str()?.to_owned();
            let is_new = path.extension()? == "toml" && tool::is_valid_name(&name) && name != tool::EXEC && !names.contains(&name);
            is_new.then_some(name)
        });
        let mut own: Vec<String> = own.collect();
        own.sort_unstable();
        names.append(&mut own);
        names
    }
}

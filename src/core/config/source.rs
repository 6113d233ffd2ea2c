//! The files of a configuration, and which parts of them count.

use std::path::Path;

use crate::core::config::table;
use crate::core::failure::Result;
use crate::core::image::{ImageFiles, ImageRecipe};
use crate::core::tool::manifest::LimitRules;

/// A configuration file's text and the path that messages name.
#[derive(Clone, Debug)]
pub struct ConfigText {
    pub path: String,
    pub text: String,
    pub standing: ConfigStanding,
    /// What its image is made from, of a project's file.
    pub files: ImageFiles,
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigStanding {
    /// The person's own, or the system's.
    Own,
    /// The project's: it asks.
    Asks,
    /// The project's, and the person agreed to this very text.
    Agreed,
}

impl ConfigText {
    pub fn own(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), standing: ConfigStanding::Own, files: ImageFiles::default() }
    }

    /// Returns the recipes of images in it, each once. A text that is no configuration has none.
    pub fn recipes(&self) -> Vec<ImageRecipe> {
        // Most files have none, and are not read twice for that.
        if !self.text.contains("image") {
            return Vec::new();
        }
        let Ok(file) = table::read(self) else { return Vec::new() };
        let sections = file.tool.into_values().map(toml::Spanned::into_inner);
        let images = std::iter::once(file.image).chain(sections.map(|section| section.image));
        let mut recipes = Vec::new();
        for image in images.flatten().filter_map(toml::Spanned::into_inner) {
            recipes.extend(image.recipe().filter(|recipe| !recipes.contains(*recipe)).cloned().into_iter().collect::<Vec<_>>());
        }
        recipes
    }

    /// Returns the names of the tools that it has a section for.
    ///
    /// # Errors
    /// Where it is no valid configuration.
    pub fn tools(&self) -> Result<Vec<String>> {
        Ok(table::read(self)?.tool.into_keys().collect())
    }
}

/// Which sections of the files count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    pub tool: &'a str,
    /// The root of the project.
    pub project: Option<&'a Path>,
    pub home: Option<&'a Path>,
    /// The limits of the tool's manifest. A project's own file changes none where they are not known.
    pub limits: Option<&'a LimitRules>,
    /// The network that the tool's manifest names.
    pub network: Option<&'a str>,
}

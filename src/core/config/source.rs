//! The files of a configuration, and which parts of them count.

use std::path::Path;

use crate::core::config::table;
use crate::core::failure::Result;
use crate::core::tool::manifest::LimitRules;

/// A configuration file's text and the path that messages name.
#[derive(Clone, Debug)]
pub struct ConfigText {
    pub path: String,
    pub text: String,
    pub standing: ConfigStanding,
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
        Self { path: path.into(), text: text.into(), standing: ConfigStanding::Own }
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
}

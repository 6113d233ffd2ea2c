//! What a manifest says of settings: which of their places name something, and where the files are.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::core::setup::document::DocumentRule;
use crate::core::setup::{NameKind, values};

/// A place of a settings file whose value names something outside the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameRule {
    /// The file, below the tool's home.
    pub file: String,
    /// Keys from the top, separated by dots; `*` stands for any of a table or list.
    pub at: String,
    pub names: NameKind,
    /// Whether it guards: a run must not go on without it.
    #[serde(default)]
    pub guards: bool,
    /// Whether it is mounted, read-only, where the host has it: what the tool only reads.
    #[serde(default)]
    pub comes: bool,
    /// A key beside the last one, and its value, where the rule holds for such entries alone.
    #[serde(default)]
    pub when: Option<(String, String)>,
    /// A key at the top of the file which, where it is `true`, turns this off.
    #[serde(default)]
    pub unless: Option<String>,
    /// What a person calls it; `*` is the key that the first `*` of the place stands for.
    pub called: String,
}

impl NameRule {
    /// Returns the first key of the place.
    pub fn section(&self) -> &str {
        self.at.split('.').next().unwrap_or_default()
    }
}

/// A settings file of a project.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectSettings {
    /// The file of the home that it is like.
    pub like: String,
    pub read: ReadIn,
}

/// In which directories of a project a tool reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadIn {
    /// The one in which it is started.
    Here,
    /// That, and the root.
    Ends,
    /// The root, and each on the way to where it is started.
    Way,
}

impl ReadIn {
    /// Returns these directories, relative to the root, for a tool that is started `below` it.
    pub fn directories(self, below: &Path) -> Vec<&Path> {
        let all: Vec<&Path> = below.ancestors().collect();
        let count = all.len();
        let is_read = |at: usize| match self {
            Self::Here => at == 0,
            Self::Ends => at == 0 || at + 1 == count,
            Self::Way => true,
        };
        all.into_iter().enumerate().filter(|(at, _)| is_read(*at)).map(|(_, directory)| directory).collect()
    }
}

/// Where a tool's plugins are on the host, each a directory with settings of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginRules {
    /// A file of the tool's home, and the place in it where the directories of the plugins stand, below their names.
    pub list: Option<(String, String)>,
    /// A settings file, and the table in it that says which of them are on.
    pub on: Option<(String, String)>,
    /// A directory below the host's `HOME`, each directory of which is one.
    pub below: Option<String>,
    /// The variable by which a plugin calls its own directory.
    pub root: String,
    /// Its documents.
    pub documents: Vec<DocumentRule>,
    /// What the files of a plugin name.
    pub names: Vec<NameRule>,
}

impl PluginRules {
    /// Returns the name and the directory of each plugin of the list.
    pub fn listed<'a>(&self, list: &'a Value) -> Vec<(&'a str, &'a str)> {
        let keys: Vec<&str> = self.list.iter().flat_map(|(_, at)| at.split('.')).collect();
        values(list, &keys, None).into_iter().filter_map(|found| Some((found.key, found.value.as_str()?))).collect()
    }

    /// Returns whether a plugin is on, as the settings say.
    pub fn is_on(&self, settings: Option<&Value>, name: &str) -> bool {
        self.on
            .as_ref()
            .is_none_or(|(_, table)| settings.is_some_and(|settings| settings[table.as_str()][name].as_bool().unwrap_or_default()))
    }
}

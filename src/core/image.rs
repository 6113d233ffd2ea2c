//! An image of a person or a project: what is said of it, and what it is made from.
//!
//! Nothing here reads a file. What a recipe names is asked for with [`define`], as often as it answers that it needs more.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize, Serializer};

use crate::core::config::value::plain_name;
use crate::core::text::visible::visible;

mod archive;
mod define;
pub mod devcontainer;
pub mod dockerfile;
mod ignore;
mod installed;
mod mirror;
mod render;
mod sbom;
mod source;

pub use archive::{ArchiveEntry, Archived, BLOCK, LISTS};
pub use define::{Below, Definition, Definitive, define};
pub use ignore::IgnoreRules;
pub use installed::{
    DOCKERFILE, InstalledImage, TOOL_IMAGE, build_command, installed_image, installed_tool, is_ours, shared_base, shared_package,
    shared_tools, tools_dockerfile,
};
pub use mirror::{MIRROR, is_mirror, mirrored};
pub use render::{MADE, MadeImage};
pub use sbom::SBOM;
pub use source::{Found, ImageFiles, RecipeBases, SourceFile, WantedSource};

/// Which image a run uses: one that has a name, or one that is made from a recipe.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ImageChoice {
    Named(String),
    Made(Box<ImageRecipe>),
}

/// What an image has beside the tools: `image = { apt = ["gcc"] }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageRecipe {
    /// Image that the tools are put into; the image of the tools itself if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Dockerfile of the image that the tools are put into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// What the Dockerfile copies from; its own directory if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Stage of the Dockerfile; the last if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Build arguments of the Dockerfile.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// The project's `devcontainer.json`, or the path of one.
    #[serde(skip_serializing_if = "Devcontainer::is_off")]
    pub devcontainer: Devcontainer,
    /// Packages of Debian or Ubuntu.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apt: Vec<String>,
    /// Lines for `sh`, run as root while the image is built.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub run: Vec<String>,
}

/// Whether a `devcontainer.json` says how the image is, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Devcontainer {
    #[default]
    Off,
    /// Where tools look for it.
    Usual,
    At(String),
}

impl Devcontainer {
    fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

impl ImageChoice {
    /// Reads the name of an image.
    pub fn named(text: &str) -> Result<Self, String> {
        plain_name(text).map(Self::Named)
    }

    /// Returns the name, if it has one of its own.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Made(_) => None,
        }
    }

    /// Returns the recipe, if it is made from one.
    pub fn recipe(&self) -> Option<&ImageRecipe> {
        match self {
            Self::Named(_) => None,
            Self::Made(recipe) => Some(recipe),
        }
    }

    /// Fails for what no builder could mean, or would take for something else.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Named(name) => plain_name(name).map(drop),
            Self::Made(recipe) => recipe.check(),
        }
    }
}

/// Fails for a name in a Dockerfile's `FROM` that is no image, or none with programs in it.
pub fn is_runnable(from: &str) -> Result<(), String> {
    plain_name(from)?;
    if from.contains(['$', '#', '\\', '"', '\'']) || from == "scratch" {
        return Err(format!("`{from}` is no image that programs could run in"));
    }
    Ok(())
}

/// As text, a name is as it was written; `--explain` and `ai trust` show it so.
impl fmt::Debug for ImageChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => fmt::Debug::fmt(name, f),
            Self::Made(recipe) => f.write_str(&recipe.rows().join(", ")),
        }
    }
}

impl ImageRecipe {
    /// Returns what it says in words, a row each.
    pub fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        rows.extend(self.from.iter().map(|from| format!("image from {}", visible(from))));
        let target = self.target.as_ref().map_or_else(String::new, |target| format!(", target {}", visible(target)));
        rows.extend(self.dockerfile.iter().map(|file| format!("image built by {}{target}", visible(file))));
        match &self.devcontainer {
            Devcontainer::Off => {}
            Devcontainer::Usual => rows.push("image of its devcontainer.json".into()),
            Devcontainer::At(path) => rows.push(format!("image of {}", visible(path))),
        }
        if !self.apt.is_empty() {
            rows.push(format!("image with {}", visible(&self.apt.join(" "))));
        }
        rows.extend(self.run.iter().map(|line| format!("image after `{}`", visible(line))));
        rows
    }

    fn check(&self) -> Result<(), String> {
        let starts = [self.from.is_some(), self.dockerfile.is_some(), self.devcontainer != Devcontainer::Off];
        if starts.iter().filter(|is_set| **is_set).count() > 1 {
            return Err("an image begins with one of `from`, `dockerfile` and `devcontainer`".into());
        }
        if self.dockerfile.is_none() {
            let lost = [("context", self.context.is_some()), ("target", self.target.is_some()), ("args", !self.args.is_empty())];
            if let Some((key, _)) = lost.iter().find(|(_, is_set)| *is_set) {
                return Err(format!("`{key}` needs a `dockerfile`"));
            }
        }
        self.from.as_deref().map_or(Ok(()), is_runnable)?;
        if let Some(odd) = self.apt.iter().find(|name| !is_package(name)) {
            return Err(format!("`{odd}` is no package"));
        }
        if let Some(target) = self.target.as_ref().filter(|target| !is_word(target)) {
            return Err(format!("`{target}` is no stage of a Dockerfile"));
        }
        if let Some((name, _)) = self.args.iter().find(|(name, _)| !is_word(name)) {
            return Err(format!("`{name}` is no build argument"));
        }
        let is_empty = starts.iter().all(|is_set| !is_set) && self.apt.is_empty() && self.run.is_empty();
        if is_empty { Err("an image needs one of `from`, `dockerfile`, `devcontainer`, `apt` and `run`".into()) } else { Ok(()) }
    }
}

/// Returns whether apt takes it for the name of a package, with its architecture and version or not, and a shell for one word.
pub fn is_package(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.:=~_".contains(&byte))
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

impl<'de> Deserialize<'de> for ImageChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ImageVisitor;
        impl<'de> Visitor<'de> for ImageVisitor {
            type Value = ImageChoice;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("the name of an image, or a table such as { apt = [\"gcc\"] }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<ImageChoice, E> {
                Ok(ImageChoice::Named(name.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ImageChoice, A::Error> {
                ImageRecipe::deserialize(MapAccessDeserializer::new(map)).map(|recipe| ImageChoice::Made(Box::new(recipe)))
            }
        }
        deserializer.deserialize_any(ImageVisitor)
    }
}

impl Serialize for Devcontainer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off | Self::Usual => serializer.serialize_bool(*self == Self::Usual),
            Self::At(path) => serializer.serialize_str(path),
        }
    }
}

impl<'de> Deserialize<'de> for Devcontainer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DevcontainerVisitor;
        impl Visitor<'_> for DevcontainerVisitor {
            type Value = Devcontainer;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("true, or the path of a devcontainer.json")
            }

            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<Devcontainer, E> {
                Ok(if is_on { Devcontainer::Usual } else { Devcontainer::Off })
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<Devcontainer, E> {
                Ok(Devcontainer::At(path.into()))
            }
        }
        deserializer.deserialize_any(DevcontainerVisitor)
    }
}

#[cfg(test)]
mod tests;

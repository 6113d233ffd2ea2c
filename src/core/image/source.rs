//! What was read for a recipe, and from where its paths are meant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::core::text::digest::sha256;
use crate::core::text::path::without_dots;
use crate::core::text::visible::visible;

/// From where the paths of a recipe are meant.
#[derive(Clone, Copy, Debug)]
pub struct RecipeBases<'a> {
    pub root: &'a Path,
    /// The person's home, in a recipe of their own. A project's recipe names nothing outside of the project.
    pub home: Option<&'a Path>,
}

/// What was found at a path that a recipe names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Absent,
    File(SourceFile),
    /// A link, and what it says.
    Link(PathBuf),
    /// Why it takes no part.
    Refused(String),
    /// A directory, whose files are there by their own paths.
    Directory,
}

/// A file that a build gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub bytes: Vec<u8>,
    pub is_executable: bool,
}

/// Everything that was read for a recipe, by absolute path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFiles(pub BTreeMap<PathBuf, Found>);

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedSource {
    File(PathBuf),
    /// Everything at and below a path, but for what the rules of a `.dockerignore`, which are about paths below `context`, take out.
    Tree {
        path: PathBuf,
        context: PathBuf,
        ignore: String,
    },
}

impl ImageFiles {
    /// Returns one hash of everything: paths, contents, and what could not be read.
    pub fn digest(&self, root: &Path) -> String {
        let mut text = String::new();
        for (path, found) in &self.0 {
            let what = match found {
                Found::Absent => "absent".to_owned(),
                Found::Directory => "directory".to_owned(),
                Found::Refused(why) => format!("refused {why}"),
                Found::Link(to) => format!("link {}", spelled(to)),
                Found::File(file) => format!("{} {}", u8::from(file.is_executable), sha256(&file.bytes)),
            };
            text.push_str(&format!("{} {what}\n", spelled(path.strip_prefix(root).unwrap_or(path))));
        }
        sha256(text.as_bytes())
    }

    pub(super) fn text(&self, path: &Path) -> Result<Option<&str>, String> {
        let cannot = |why: &str| format!("`{}` {why}", path.display());
        match self.0.get(path) {
            None | Some(Found::Absent) => Ok(None),
            Some(Found::Directory) => Err(cannot("is a directory")),
            Some(Found::Link(_)) => Err(cannot("is a link, and none is followed")),
            Some(Found::Refused(why)) => Err(cannot(why)),
            Some(Found::File(file)) => std::str::from_utf8(&file.bytes).map(Some).map_err(|_| cannot("is not UTF-8")),
        }
    }

    pub(super) fn knows(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }
}

impl RecipeBases<'_> {
    /// Returns the path that is meant, from a directory below the root or the root itself.
    pub(super) fn path(&self, from: &Path, text: &str) -> Result<PathBuf, String> {
        let home = text.strip_prefix("~/").zip(self.home).map(|(below, home)| home.join(below));
        let path = without_dots(&home.unwrap_or_else(|| from.join(text)));
        let is_fit = self.home.is_some() || path.starts_with(self.root);
        if is_fit { Ok(path) } else { Err(format!("`{}` is outside of the project", visible(text))) }
    }
}

/// Returns a path of any bytes as text that no other path has.
pub(super) fn spelled(path: &Path) -> String {
    path.as_os_str().as_encoded_bytes().escape_ascii().to_string()
}

//! What an image of one's own is made from: the files that its recipe names, read once.

use std::path::{Path, PathBuf};

use crate::core::config::source::ConfigText;
use crate::core::config::{Config, Origin};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{
    Definitive, Found, IgnoreRules, ImageFiles, ImageRecipe, MadeImage, RecipeBases, SourceFile, WantedSource, define,
};
use crate::core::plan::tools_image;
use crate::core::sync::{Mode, Reading, Refusal};
use crate::core::tool::Tool;
use crate::host::Host;
use crate::host::fs::Absent;
use crate::host::fs::look::Look;
use crate::host::fs::slot::slot;
use crate::host::fs::tree::{self, EntryKind};
use crate::host::store::image;

/// Most bytes of all files that an image is made from: they are read before every run, which shows whether the image is still the one.
const MOST: u64 = 16 << 20;
/// Most files and directories.
const NODES: usize = 5_000;

impl Host {
    /// Returns a configuration with the image that its recipe makes.
    ///
    /// # Errors
    /// Where no image follows from the recipe.
    pub(super) fn with_made_image(&self, tool: &Tool, mut config: Config, sources: &[ConfigText]) -> Result<Config> {
        let image = &config.settings.image;
        let Some(recipe) = image.value.as_ref().and_then(|image| image.recipe()) else { return Ok(config) };
        let root = self.project_root().unwrap_or_else(|| PathBuf::from("/"));
        let of_project = sources.iter().find(|source| matches!(&image.origin, Origin::File(path, _) if *path == source.path && source.path.ends_with(crate::core::policy::trust::FILE)));
        let home = self.home();
        let mut files = of_project.map(|source| source.files.clone()).unwrap_or_default();
        let bases = RecipeBases { root: &root, home: home.as_deref().filter(|_| of_project.is_none()) };
        if of_project.is_none() {
            gather(recipe, bases, &mut files);
        }
        let cannot = |why: &str| Failure::new(Kind::Config, format!("cannot use {}: {why}", image.origin)).hint("ai help config, `image`");
        let definition = match define(recipe, bases, &files) {
            Definitive::Defined(definition) => *definition,
            Definitive::Fails(why) => return Err(cannot(&why)),
            Definitive::Needs(_) => return Err(cannot("what it is made from changes while it is read")),
        };
        if of_project.is_none() {
            let set = definition.admitted.set.iter().map(|(name, _)| name.clone());
            config.of_project.extend(set.filter(|name| !config.admitted.sets(name)));
            config.admitted = config.admitted.over(definition.admitted.clone());
        }
        let tools = tools_image(tool);
        let content = image::pin(&self.store, &self.engine(config.settings.engine.value), &tools);
        config.made = Some(MadeImage::new(definition, &tools, content.as_deref()));
        Ok(config)
    }
}

/// Reads what a recipe names, until nothing more is wanted. What cannot be read is there as such.
pub(super) fn gather(recipe: &ImageRecipe, bases: RecipeBases, files: &mut ImageFiles) {
    let mut left = MOST;
    // A definition is known after three looks; no file can make it more.
    for _ in 0..8 {
        let Definitive::Needs(wanted) = define(recipe, bases, files) else { return };
        for wanted in wanted {
            match wanted {
                WantedSource::File(path) => {
                    let found = read(bases.root, &path, &mut left);
                    files.0.insert(path, found);
                }
                WantedSource::Tree { path, context, ignore } => {
                    read_tree(bases.root, &path, &context, &IgnoreRules::read(&ignore), &mut left, files);
                }
            }
        }
    }
}

fn read(root: &Path, path: &Path, left: &mut u64) -> Found {
    // Below the project no link is followed; elsewhere the person named the directory.
    let (top, below) = match path.strip_prefix(root) {
        Ok(below) => (root, below),
        Err(_) => (path.parent().unwrap_or(root), Path::new(path.file_name().unwrap_or_default())),
    };
    let reading = match slot(top, below, Absent::Leave) {
        Ok(Some(slot)) => slot.read(*left),
        Ok(None) => Ok(Reading::Absent),
        Err(error) => Err(error),
    };
    match reading {
        Ok(Reading::Absent) => Found::Absent,
        Ok(Reading::File { bytes, mode }) => {
            *left = left.saturating_sub(bytes.len() as u64);
            Found::File(SourceFile { bytes, is_executable: mode == Mode::Executable })
        }
        Ok(Reading::Refused(Refusal::Link)) => path.link_target().map_or_else(|error| Found::Refused(error.to_string()), Found::Link),
        Ok(Reading::Refused(Refusal::NotAFile)) if path.leads_to_directory() => Found::Directory,
        Ok(Reading::Refused(Refusal::TooBig)) => Found::Refused(format!(
            "is too much: an image is made from at most {} MiB of files; a .dockerignore takes some out",
            MOST >> 20
        )),
        Ok(Reading::Refused(why)) => Found::Refused(format!("takes no part: {why}")),
        Err(error) => Found::Refused(format!("cannot be read: {error}")),
    }
}

fn read_tree(root: &Path, path: &Path, context: &Path, ignore: &IgnoreRules, left: &mut u64, files: &mut ImageFiles) {
    if !path.look_at_link().is_ok_and(|found| found.is_dir()) {
        let found = read(root, path, left);
        files.0.insert(path.to_owned(), found);
        return;
    }
    let below_context = |below: &Path| path.join(below).strip_prefix(context).map(Path::to_owned).unwrap_or_default();
    // What git keeps there is of no use in an image, and changes all the time.
    let keep = |below: &Path| !below.ends_with(".git") && !ignore.takes_out_all_of(&below_context(below));
    let entries = match tree::walk_some(path, NODES, &keep) {
        Ok(entries) => entries,
        Err(error) => {
            files.0.insert(path.to_owned(), Found::Refused(format!("is too much for an image: {error}; a .dockerignore takes some out")));
            return;
        }
    };
    for entry in entries {
        let full = if entry.below.as_os_str().is_empty() { path.to_owned() } else { path.join(&entry.below) };
        let found = match entry.kind {
            EntryKind::Directory => Found::Directory,
            _ if ignore.takes_out(&below_context(&entry.below)) => continue,
            EntryKind::File | EntryKind::Link => read(root, &full, left),
            EntryKind::Other => continue,
        };
        files.0.insert(full, found);
    }
}

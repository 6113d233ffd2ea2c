//! What an image is made from, as soon as everything that its recipe names was read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::core::admit::Admitted;
use crate::core::config::{Origin, Setting};
use crate::core::image::devcontainer::{self, DevcontainerFile};
use crate::core::image::dockerfile;
use crate::core::image::source::{Found, ImageFiles, RecipeBases, SourceFile, WantedSource};
use crate::core::image::{Devcontainer, ImageRecipe};
use crate::core::text::path::without_dots;
use crate::core::text::visible::visible;

/// An image, as a recipe and its files define it.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// The image that the tools are put into; that of the tools itself if absent.
    pub from: Option<String>,
    /// The image that is built before, and what from.
    pub below: Option<Below>,
    pub apt: Vec<String>,
    pub run: Vec<String>,
    /// What a `devcontainer.json` lets in.
    pub admitted: Admitted,
    /// Lines for `sh`, each with its key, once the image was built.
    pub after: Vec<(String, String)>,
    /// What is not taken over, in words.
    pub left_out: Vec<String>,
    /// Images that the builder takes from elsewhere.
    pub bases: Vec<String>,
}

/// An image that is built from files.
#[derive(Clone, Debug, Default)]
pub struct Below {
    /// Below the directory that holds the files; so is the context.
    pub dockerfile: PathBuf,
    pub context: PathBuf,
    pub target: Option<String>,
    pub args: BTreeMap<String, String>,
    /// The `devcontainer.json`, where its features need their own program.
    pub features: Option<PathBuf>,
    pub files: Vec<(PathBuf, SourceFile)>,
    pub links: Vec<(PathBuf, PathBuf)>,
}

/// What [`define`] knows.
#[derive(Debug)]
pub enum Definitive {
    /// More must be read.
    Needs(Vec<WantedSource>),
    Defined(Box<Definition>),
    /// No image follows; why, in words.
    Fails(String),
}

impl Definition {
    /// Returns in rows what its files say beyond the recipe: on which images it stands, and what is done in the project once it is built.
    pub fn rows(&self, recipe: &ImageRecipe) -> Vec<String> {
        let bases = self.bases.iter().filter(|base| recipe.from.as_ref() != Some(base));
        let bases = bases.map(|base| format!("+ image that stands on {}", visible(base)));
        let features = self.below.as_ref().and_then(|below| below.features.as_ref());
        let features = features.map(|_| "+ image with the features of its devcontainer.json".to_owned());
        let after = self.after.iter().map(|(key, line)| format!("+ once it is built, {key}: {}", visible(line)));
        bases.chain(features).chain(after).collect()
    }
}

/// Returns the image that a recipe defines, or what must be read first. A file that was not there is asked for once.
pub fn define(recipe: &ImageRecipe, bases: RecipeBases, files: &ImageFiles) -> Definitive {
    match defined(recipe, bases, files) {
        Ok(DefinitionStep::Needs(wanted)) => Definitive::Needs(wanted),
        Ok(DefinitionStep::Is(definition)) => Definitive::Defined(Box::new(definition)),
        Err(why) => Definitive::Fails(why),
    }
}

enum DefinitionStep<T> {
    Needs(Vec<WantedSource>),
    Is(T),
}

fn defined(recipe: &ImageRecipe, bases: RecipeBases, files: &ImageFiles) -> Result<DefinitionStep<Definition>, String> {
    let mut definition =
        Definition { from: recipe.from.clone(), apt: recipe.apt.clone(), run: recipe.run.clone(), ..Definition::default() };
    definition.bases.extend(recipe.from.clone());
    if let Some(dockerfile) = &recipe.dockerfile {
        let path = bases.path(bases.root, dockerfile)?;
        let own = path.parent().unwrap_or(bases.root).to_owned();
        let context = recipe.context.as_ref().map_or(Ok(own), |context| bases.path(bases.root, context))?;
        let asked = DockerfileBuild { dockerfile: path, context, target: recipe.target.clone(), args: recipe.args.clone() };
        return build(asked, None, definition, files);
    }
    let places = match &recipe.devcontainer {
        Devcontainer::Off => return Ok(DefinitionStep::Is(definition)),
        Devcontainer::Usual => vec![bases.root.join(".devcontainer/devcontainer.json"), bases.root.join(".devcontainer.json")],
        Devcontainer::At(path) => vec![bases.path(bases.root, path)?],
    };
    let unread: Vec<_> = places.iter().filter(|place| !files.knows(place)).cloned().map(WantedSource::File).collect();
    if !unread.is_empty() {
        return Ok(DefinitionStep::Needs(unread));
    }
    for place in &places {
        if let Some(text) = files.text(place)? {
            let file = devcontainer::read(text, bases.root).map_err(|why| format!("`{}`: {why}", place.display()))?;
            return of_devcontainer(&file, place, bases, definition, files);
        }
    }
    Err(format!("there is no {}", places.iter().map(|place| format!("`{}`", place.display())).collect::<Vec<_>>().join(" and no ")))
}

fn of_devcontainer(
    file: &DevcontainerFile,
    place: &Path,
    bases: RecipeBases,
    mut definition: Definition,
    files: &ImageFiles,
) -> Result<DefinitionStep<Definition>, String> {
    let origin = || Origin::File(place.display().to_string(), 1);
    definition.admitted = Admitted {
        mounts: settings(&file.mounts, origin),
        pass: settings(&file.pass, origin),
        set: file.set.iter().map(|(name, value)| (name.clone(), Setting::new(value.clone(), origin()))).collect(),
        publish: settings(&file.publish, origin),
        ..Admitted::default()
    };
    definition.after.clone_from(&file.after);
    definition.left_out.clone_from(&file.left_out);
    let directory = place.parent().unwrap_or(bases.root);
    let features = file.has_features.then(|| place.to_owned());
    if let Some(dockerfile) = &file.dockerfile {
        let dockerfile = bases.path(directory, dockerfile)?;
        let context = bases.path(directory, file.context.as_deref().unwrap_or("."))?;
        let asked = DockerfileBuild { dockerfile, context, target: file.target.clone(), args: file.args.clone() };
        return build(asked, features, definition, files);
    }
    let image = file.image.clone().unwrap_or_default();
    definition.bases.push(image.clone());
    match features {
        None => {
            let named = ImageRecipe { from: Some(image.clone()), ..ImageRecipe::default() };
            named.check()?;
            definition.from = Some(image);
            Ok(DefinitionStep::Is(definition))
        }
        Some(features) => with_features(features, definition, files),
    }
}

fn settings<T: Clone>(list: &[T], origin: impl Fn() -> Origin) -> Vec<Setting<T>> {
    list.iter().map(|value| Setting::new(value.clone(), origin())).collect()
}

/// What a Dockerfile is to be built with.
struct DockerfileBuild {
    dockerfile: PathBuf,
    context: PathBuf,
    target: Option<String>,
    args: BTreeMap<String, String>,
}

fn build(
    asked: DockerfileBuild,
    features: Option<PathBuf>,
    mut definition: Definition,
    files: &ImageFiles,
) -> Result<DefinitionStep<Definition>, String> {
    let DockerfileBuild { dockerfile, context, target, args } = asked;
    let ignore_file = context.join(".dockerignore");
    let first: Vec<_> =
        [&dockerfile, &ignore_file].into_iter().filter(|path| !files.knows(path)).cloned().map(WantedSource::File).collect();
    if !first.is_empty() {
        return Ok(DefinitionStep::Needs(first));
    }
    let text = files.text(&dockerfile)?.ok_or_else(|| format!("there is no `{}`", dockerfile.display()))?;
    let parsed = dockerfile::read(text);
    let ignore = files.text(&ignore_file)?.unwrap_or_default();
    let mut trees: Vec<PathBuf> = parsed.copies.iter().map(|source| without_dots(&context.join(source))).collect();
    trees.extend(features.as_ref().and_then(|file| file.parent()).map(Path::to_owned));
    let tree = |path: &PathBuf| WantedSource::Tree { path: path.clone(), context: context.clone(), ignore: ignore.to_owned() };
    let unread: Vec<_> = trees.iter().filter(|path| !files.knows(path)).map(tree).collect();
    if !unread.is_empty() {
        return Ok(DefinitionStep::Needs(unread));
    }
    definition.bases.extend(parsed.from);
    let top = features.iter().chain([&dockerfile]).fold(context.clone(), |top, path| common(&top, path));
    let top = if features.is_some() { workspace_of(&top) } else { &top };
    let mut paths: BTreeSet<&Path> = [dockerfile.as_path(), &ignore_file].into();
    paths.extend(trees.iter().map(PathBuf::as_path));
    let below = Below { dockerfile: below(&dockerfile, top), context: below(&context, top), target, args, ..Below::default() };
    definition.below = Some(below.with(features.as_deref(), &paths, top, files)?);
    Ok(DefinitionStep::Is(definition))
}

fn with_features(file: PathBuf, mut definition: Definition, files: &ImageFiles) -> Result<DefinitionStep<Definition>, String> {
    let own = file.parent().unwrap_or(Path::new("/"));
    let top = workspace_of(own);
    // Features of its own lie beside it in a directory of this name; elsewhere that is the whole project.
    let tree = if top == own { file.clone() } else { own.to_owned() };
    if !files.knows(&tree) {
        return Ok(DefinitionStep::Needs(vec![WantedSource::Tree { path: tree, context: own.to_owned(), ignore: String::new() }]));
    }
    let paths = [tree.as_path(), &file].into();
    definition.below = Some(Below::default().with(Some(&file), &paths, top, files)?);
    Ok(DefinitionStep::Is(definition))
}

/// Returns the directory that a file in `.devcontainer` speaks of.
fn workspace_of(directory: &Path) -> &Path {
    let is_of_it = directory.file_name().is_some_and(|name| name == ".devcontainer");
    directory.parent().filter(|_| is_of_it).unwrap_or(directory)
}

impl Below {
    /// Returns it with the files at and below these paths, each by its path below `top`.
    fn with(mut self, features: Option<&Path>, paths: &BTreeSet<&Path>, top: &Path, files: &ImageFiles) -> Result<Self, String> {
        for (path, found) in files.0.iter().filter(|(path, _)| paths.iter().any(|wanted| path.starts_with(wanted))) {
            match found {
                Found::File(file) => self.files.push((below(path, top), file.clone())),
                Found::Refused(why) => return Err(format!("`{}` {why}", path.display())),
                // A program on the host would follow it; a builder takes it as it is.
                Found::Link(_) if features.is_some() => return Err(format!("`{}` is a link, and none is followed", path.display())),
                Found::Link(to) => self.links.push((below(path, top), to.clone())),
                Found::Absent | Found::Directory => {}
            }
        }
        self.features = features.map(|file| below(file, top));
        Ok(self)
    }
}

fn below(path: &Path, top: &Path) -> PathBuf {
    path.strip_prefix(top).unwrap_or(path).to_owned()
}

/// Returns the nearest directory above both.
fn common(one: &Path, other: &Path) -> PathBuf {
    let same = one.components().zip(other.components()).take_while(|(one, other)| one == other).map(|(part, _)| part);
    same.collect::<Vec<Component>>().iter().collect()
}

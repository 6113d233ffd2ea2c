//! The image of a project: built from its recipe, looked at, and removed once no project has it.

use crate::command::image::BuildAsked;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{ImageRecipe, MadeImage};
use crate::core::plan::RunCommand;
use crate::host::engine::image::Options;
use crate::host::engine::{self, Image, recipe};
use crate::host::fs::files::is_directory;
use crate::host::output;
use crate::host::store::image::{self, MadeRecord};
use crate::session::context::Context;
use crate::session::image::{learn, moved, moved_hint};
use crate::session::run::in_container;

/// Builds the image that the recipe of this project makes, and does in the project what its `devcontainer.json` wants done then.
pub fn build(context: &Context, asked: &BuildAsked) -> Result<u8> {
    let Some(made) = &context.config.made else { return Ok(0) };
    let facts = context.facts(None);
    if let Some((pinned, id)) = engine::pin_mismatch(&context.host.store, &facts.engine, &made.tools, &Image::Present(None))? {
        return Err(Failure::new(Kind::NotAllowed, format!("cannot build on it: {}", moved(&made.tools, &pinned, &id)))
            .hint(moved_hint(&made.tools)));
    }
    tell_left_out(made);
    if asked.no_cache || engine::check(&facts.engine, &made.name)? == Image::Missing {
        let mut options = Options::new(&context.config, &facts, made.name.clone());
        options.network = asked.network.clone().or(options.network);
        options.no_cache = asked.no_cache;
        recipe::build(&context.host, &facts, made, &options)?;
        learn(context, &made.name);
    } else {
        output::note(&format!("{} is built already, and nothing that it is made from changed", made.name));
    }
    remember(context, made, None)?;
    after(context, made)
}

/// Runs in the project what is to be done there once for a new image.
fn after(context: &Context, made: &MadeImage) -> Result<u8> {
    let word = made.after_word();
    if made.after.is_empty() || record(context).is_some_and(|record| record.after.as_ref() == Some(&word)) {
        return Ok(0);
    }
    for (key, line) in &made.after {
        output::note(&format!("{key}: {line}"));
        match in_container(context, RunCommand::Line(line.into()))?.code {
            0 => {}
            code => {
                output::warn(&format!(
                    "{key} ended with {code}; hint: ai image build does it once more; `run = [\"…\"]` puts what it installs into the image"
                ));
                return Ok(code);
            }
        }
    }
    remember(context, made, Some(word))?;
    Ok(0)
}

fn record(context: &Context) -> Option<MadeRecord> {
    let root = context.host.project_root()?;
    image::made(&context.host.store).into_iter().find(|record| record.root == root && record.tool == context.tool.name)
}

fn remember(context: &Context, made: &MadeImage, after: Option<String>) -> Result<()> {
    let after = after.or_else(|| record(context).and_then(|record| record.after));
    let names = made.below.iter().map(|(name, _)| name.clone()).chain([made.name.clone()]).collect();
    let record = MadeRecord { root: context.host.project_root().unwrap_or_default(), tool: context.tool.name.clone(), names, after };
    image::set_made(&context.host.store, record).map_err(|error| Failure::new(Kind::General, "cannot remember the image").because(error))
}

/// Says what a recipe makes, and what it does not take over.
pub fn tell(context: &Context, is_for_programs: bool) {
    let (Some(made), false) = (&context.config.made, is_for_programs) else { return };
    let image = &context.config.settings.image;
    for row in image.value.as_ref().and_then(|image| image.recipe()).map(ImageRecipe::rows).unwrap_or_default() {
        output::note(&format!("{row} ({})", image.origin));
    }
    tell_left_out(made);
}

fn tell_left_out(made: &MadeImage) {
    if !made.left_out.is_empty() {
        output::note(&format!("its devcontainer.json also has {}, which is not taken over", made.left_out.join(", ")));
    }
}

/// Removes the images that no project has: it is gone, or has another since.
pub fn prune(context: &Context, is_dry: bool) -> Result<u8> {
    let (host, facts) = (&context.host, context.facts(None));
    let (kept, gone): (Vec<_>, Vec<_>) = image::made(&host.store).into_iter().partition(|record| is_directory(&record.root));
    let is_wanted = |name: &String| kept.iter().any(|record| record.names.contains(name));
    let old: Vec<String> = recipe::list(host, &facts)?.into_iter().filter(|name| !is_wanted(name)).collect();
    let mut code = 0;
    for name in &old {
        if is_dry {
            output::line(name)?;
            continue;
        }
        match recipe::remove(&facts, name) {
            Ok(()) => output::line(name)?,
            Err(failure) => {
                output::warn_of(&failure);
                code = 1;
            }
        }
    }
    if old.is_empty() {
        output::note("every image that was made is some project's");
    }
    if !is_dry && !gone.is_empty() {
        image::keep_made(&host.store, &kept)
            .map_err(|error| Failure::new(Kind::General, "cannot forget the projects that are gone").because(error))?;
    }
    Ok(code)
}

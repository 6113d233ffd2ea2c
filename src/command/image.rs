//! `ai image`: its arguments. `host::engine::image` builds, from `templates/Dockerfile`.

use crate::command::complete;
use crate::core::config::Layer;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan;
use crate::core::shell::Shell;
use crate::core::text::table::Side;
use crate::core::tool;
use crate::host::engine::image::{self, Options, inspect, remember, versions};
use crate::host::engine::{self, Image};
use crate::host::{self, output};
use crate::session::context::Context;
use crate::session::image::{MOVED, learn, moved, short, way_to};
use clap::{Args, Subcommand};

mod recipe;

#[derive(Debug, Args)]
pub struct ImageArgs {
    #[command(subcommand)]
    pub command: ImageCommand,
}

#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Build the image of the tools, or that of this project where `image` is a recipe
    Build {
        /// Tool whose settings say which image
        tool: Option<String>,
        /// Base image: Debian or Ubuntu with node
        #[arg(long)]
        base: Option<String>,
        /// Version of one tool, such as claude=2.1.330; an empty version leaves the tool out
        #[arg(long = "with", value_name = "TOOL=VERSION")]
        versions: Vec<String>,
        /// Network of the build, as the engine spells it
        #[arg(long)]
        network: Option<String>,
        /// Name of the result
        #[arg(long)]
        tag: Option<String>,
        /// Do not use the layers of an earlier build
        #[arg(long)]
        no_cache: bool,
    },
    /// Which image a run would use, and what is in it
    Status {
        /// Tool whose settings say which image
        tool: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Remove the images that were made for projects and that no project has any more
    Prune {
        /// Only say which
        #[arg(long)]
        dry_run: bool,
    },
    /// Run nothing else under the image's name than what it stands for now
    Pin {
        /// Run whatever the name stands for
        #[arg(long)]
        off: bool,
    },
}

pub fn run(command: ImageCommand) -> Result<u8> {
    let of = |tool: Option<&str>| Context::new(tool.unwrap_or(tool::EXEC), Layer::default());
    match command {
        ImageCommand::Build { tool, base, versions, network, tag, no_cache } => {
            let context = of(tool.as_deref())?;
            context.config.rules.judge_word("build")?;
            let is_about_tools = base.is_some() || !versions.is_empty() || tag.is_some();
            let asked = BuildAsked { base, versions, network, tag, no_cache };
            let Some(made) = &context.config.made else { return tools(&context, asked).map(|()| 0) };
            if !is_about_tools && engine::check(&context.facts(None).engine, &made.tools)? != Image::Missing {
                return recipe::build(&context, &asked);
            }
            let tag = asked.tag.clone().unwrap_or_else(|| made.tools.clone());
            tools(&context, BuildAsked { tag: Some(tag), ..asked.clone() })?;
            // Another image of the tools is below it now.
            recipe::build(&of(tool.as_deref())?, &asked)
        }
        ImageCommand::Status { tool, json } => {
            let context = of(tool.as_deref())?;
            status(&context, &context.facts(None), json)
        }
        ImageCommand::Prune { dry_run } => recipe::prune(&of(None)?, dry_run),
        ImageCommand::Pin { off } => {
            let context = of(None)?;
            pin(&context, &context.facts(None), off)
        }
    }
}

/// What `ai image build` was told.
#[derive(Clone, Debug, Default)]
struct BuildAsked {
    base: Option<String>,
    versions: Vec<String>,
    network: Option<String>,
    tag: Option<String>,
    no_cache: bool,
}

/// Builds the image of the tools.
fn tools(context: &Context, asked: BuildAsked) -> Result<()> {
    let facts = context.facts(None);
    let mut options = Options::new(&context.config, &facts, plan::image(&context.tool, &context.config));
    options.base = asked.base.or(options.base);
    options.network = asked.network.or(options.network);
    options.tag = asked.tag.unwrap_or(options.tag);
    options.no_cache = asked.no_cache;
    for version in &asked.versions {
        let (name, version) = version.split_once('=').ok_or_else(|| {
            Failure::new(Kind::Usage, format!("cannot read `{version}`")).hint("--with TOOL=VERSION, such as --with claude=2.1.330")
        })?;
        options.versions.push((name.into(), version.into()));
    }
    image::build(&context.host, &facts, &options)?;
    learn(context, &options.tag);
    for shell in Shell::ALL {
        complete::refresh_places(&context.host, shell);
    }
    Ok(())
}

/// Makes the image's name stand for what it stands for now, or for whatever it likes.
fn pin(context: &Context, facts: &Facts, off: bool) -> Result<u8> {
    let image = plan::image(&context.tool, &context.config);
    let id = if off { None } else { Some(engine::image_id(&facts.engine, &image)?) };
    host::store::image::set_pin(&context.host.store, &facts.engine, &image, id.as_deref())
        .map_err(|error| Failure::new(Kind::General, format!("cannot pin {image}")).because(error))?;
    output::note(&match id {
        Some(id) => format!("{image} is {}, and nothing else is run under that name", short(&id)),
        None => format!("whatever {image} stands for is run"),
    });
    Ok(0)
}

fn status(context: &Context, facts: &Facts, json: bool) -> Result<u8> {
    let image = plan::image(&context.tool, &context.config);
    recipe::tell(context, json);
    let found = engine::check(&facts.engine, &image)?;
    if found == Image::Missing {
        return Err(Failure::new(Kind::Unavailable, format!("cannot show {image}: the image is not there")).hint(way_to(facts, &image)));
    }
    if let Some((pinned, id)) = engine::pin_mismatch(&context.host.store, &facts.engine, &image, &found)? {
        output::warn(&format!("{}; hint: {MOVED}", moved(&image, &pinned, &id)));
    }
    let details = inspect(facts, &image)?;
    let tools = match &context.config.made {
        // Its labels are those of what it was made from.
        Some(made) if made.name == image => versions(&inspect(facts, &made.tools)?),
        _ => versions(&details),
    };
    remember(&context.host, &image, &tools);
    let size = details["Size"].as_u64().unwrap_or_default();
    if json {
        let pinned = host::store::image::pin(&context.host.store, &facts.engine, &image);
        let (id, created) = (&details["Id"], &details["Created"]);
        let row = serde_json::json!({ "image": image, "id": id, "pinned": pinned, "created": created, "bytes": size, "tools": tools, "made": context.config.made.is_some() });
        output::json(&row)?;
    } else {
        output::line(&format!("{image}  {} MiB  {}", size >> 20, details["Created"].as_str().unwrap_or_default()))?;
        let row = |(name, version): (&String, &serde_json::Value)| [format!("  {name}"), version.as_str().unwrap_or_default().to_owned()];
        output::table([Side::Left; 2], &tools.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(0)
}

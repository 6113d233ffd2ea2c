//! `ai image`: its arguments. `host::engine::image` builds, from `templates/Dockerfile`.

use crate::command::complete;
use crate::core::config::Layer;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan;
use crate::core::shell::Shell;
use crate::core::tool;
use crate::host::engine::image::{self, Options};
use crate::host::engine::{self, Image};
use crate::host::{self, output};
use crate::session::context::Context;
use crate::session::image::{installed, learn, short};
use clap::{Args, Subcommand};
use std::path::PathBuf;

mod recipe;
mod status;
mod transfer;
mod update;

use status::{status, version_in};

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
    /// Build again with the newest version of a tool, or of every tool that was built; one that does not start is not taken
    Update {
        /// Tool to update
        tool: Option<String>,
        /// Only say what is newer
        #[arg(long)]
        dry_run: bool,
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
    /// Write the image that a run would use into a file, for a machine without a network
    Save {
        file: PathBuf,
        /// Tool whose settings say which image
        tool: Option<String>,
    },
    /// Take an image from such a file; one of another name than `ai image build` gives is refused
    Load { file: PathBuf },
    /// Print what is in the image, package by package: a bill of materials as CycloneDX
    Sbom {
        /// Tool whose settings say which image
        tool: Option<String>,
    },
    /// Ask for the newest version of each tool that was built, and remember it
    #[command(hide = true)]
    Newest,
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
            let Some(made) = &context.config.made else { return below(&context, asked).map(|()| 0) };
            if !is_about_tools && engine::check(&context.facts(None).engine, &made.tools)? != Image::Missing {
                return recipe::build(&context, &asked);
            }
            let tag = asked.tag.clone().unwrap_or_else(|| made.tools.clone());
            if context.tool.manifest.install.is_some() {
                below(&context, asked.clone())?;
            } else {
                tools(&context, BuildAsked { tag: Some(tag), ..asked.clone() })?;
            }
            // Another image of the tools is below it now.
            recipe::build(&of(tool.as_deref())?, &asked)
        }
        ImageCommand::Update { tool, dry_run } => update::run(&of(tool.as_deref())?, tool.as_deref(), dry_run),
        ImageCommand::Status { tool, json } => {
            let context = of(tool.as_deref())?;
            status(&context, &context.facts(None), tool.is_none(), json)
        }
        ImageCommand::Save { file, tool } => transfer::save(&of(tool.as_deref())?, &file),
        ImageCommand::Load { file } => transfer::load(&of(None)?, &file),
        ImageCommand::Sbom { tool } => transfer::sbom(&of(tool.as_deref())?),
        ImageCommand::Newest => update::newest(&of(None)?),
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

/// Builds the image that a run of this tool uses, or on which that is made.
fn below(context: &Context, asked: BuildAsked) -> Result<()> {
    let Some(mut own) = installed(context)? else { return tools(context, asked) };
    if asked.tag.is_some() {
        return Err(Failure::new(
            Kind::Usage,
            format!("cannot build {} under another name: it has an image of its own", context.tool.name),
        )
        .hint(format!("ai image build {}", context.tool.name)));
    }
    for (name, version) in with(&asked.versions)? {
        let is_its = name == own.tool;
        let other = if is_its { context.tool.installed_image(Some((version, None))) } else { None };
        own = other.unwrap_or_else(|| Err(format!("the image of {} has no `{name}`", own.tool))).map_err(|why| {
            Failure::new(Kind::Usage, format!("cannot build with `{name}={version}`: {why}"))
                .hint(format!("ai tools show {}", context.tool.name))
        })?;
    }
    let facts = context.facts(None);
    let mut options = Options::of_tool(&context.config, &facts, &own);
    options.base = asked.base.or(options.base);
    options.network = asked.network.or(options.network);
    options.no_cache = asked.no_cache;
    image::build_tool(&context.host, &facts, &own, &options)?;
    learn(context, &own.name());
    refresh(context);
    Ok(())
}

/// Takes the words of `--with` apart.
fn with(words: &[String]) -> Result<Vec<(&str, &str)>> {
    let part = |word: &'_ String| {
        Failure::new(Kind::Usage, format!("cannot read `{word}`")).hint("--with TOOL=VERSION, such as --with claude=2.1.330")
    };
    words.iter().map(|word| word.split_once('=').ok_or_else(|| part(word))).collect()
}

/// Makes the words for completion anew.
fn refresh(context: &Context) {
    for shell in Shell::ALL {
        complete::refresh_places(&context.host, shell);
    }
}

/// Builds the image of the tools.
fn tools(context: &Context, asked: BuildAsked) -> Result<()> {
    let facts = context.facts(None);
    let mut options = Options::new(&context.config, &facts, plan::image(&context.tool, &context.config));
    options.base = asked.base.or(options.base);
    options.network = asked.network.or(options.network);
    options.tag = asked.tag.unwrap_or(options.tag);
    options.no_cache = asked.no_cache;
    options.versions.splice(0..0, update::of_shared(&context.host));
    options.versions.extend(with(&asked.versions)?.into_iter().map(|(name, version)| (name.into(), version.into())));
    image::build(&context.host, &facts, &options)?;
    learn(context, &options.tag);
    refresh(context);
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

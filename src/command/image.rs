//! `ai image`: the image of the tools, built on this machine from the Dockerfile that comes with the program.

use std::ffi::OsString;

use crate::cli::ImageCommand;
use crate::command::Context;
use crate::config::Layer;
use crate::facts::Facts;
use crate::failure::{Failure, Kind, Result};
use crate::host::engine::{self, Image};
use crate::host::{self, Host, process};
use crate::output;
use crate::plan::{self, TOOL_IMAGE};
use crate::tool;

const DOCKERFILE: &str = include_str!("../../templates/Dockerfile");

pub fn run(command: ImageCommand) -> Result<u8> {
    let context = Context::new(tool::EXEC, Layer::default())?;
    let facts = context.facts(None);
    match command {
        ImageCommand::Build { base, versions, network, tag, no_cache } => {
            let mut options = Options::new(&context)?;
            options.base = base.or(options.base);
            options.network = network.or(options.network);
            options.tag = tag.unwrap_or(options.tag);
            options.no_cache = no_cache;
            for version in &versions {
                let (name, version) = version.split_once('=').ok_or_else(|| {
                    Failure::new(Kind::Usage, format!("cannot read `{version}`")).hint("--with TOOL=VERSION, such as --with claude=2.1.330")
                })?;
                options.versions.push((name.into(), version.into()));
            }
            build(&facts, &options)?;
            learn(&context, &options.tag);
            Ok(0)
        }
        ImageCommand::Status { json } => status(&context, &facts, json),
        ImageCommand::Pin { off } => pin(&context, &facts, off),
    }
}

/// What a build is made of.
struct Options {
    tag: String,
    base: Option<String>,
    network: Option<String>,
    versions: Vec<(String, String)>,
    no_cache: bool,
}

impl Options {
    fn new(context: &Context) -> Result<Self> {
        let build = &context.config.build;
        Ok(Self {
            tag: plan::image(&context.tool, &context.config),
            base: build.base.clone(),
            network: build.network.clone(),
            versions: build.versions.clone().into_iter().collect(),
            no_cache: false,
        })
    }

    fn argv(&self, program: OsString) -> Vec<OsString> {
        let mut argv: Vec<OsString> = vec![program, "build".into(), "--tag".into(), self.tag.clone().into()];
        let arg = |name: &str, value: &str| ["--build-arg".into(), format!("{name}={value}").into()];
        if let Some(base) = &self.base {
            argv.extend(arg("BASE", base));
        }
        for (name, version) in &self.versions {
            argv.extend(arg(&format!("{}_VERSION", name.to_ascii_uppercase().replace('-', "_")), version));
        }
        if let Some(network) = &self.network {
            argv.extend(["--network".into(), network.into()]);
        }
        if self.no_cache {
            argv.push("--no-cache".into());
        }
        argv.push("-".into());
        argv
    }
}

/// Builds; the engine's own progress goes to stderr.
fn build(facts: &Facts, options: &Options) -> Result<u8> {
    let program = facts.engine.program.clone().ok_or_else(|| {
        Failure::new(Kind::Unavailable, format!("cannot build: `{}` is not installed", facts.engine.kind.program()))
            .hint("install Docker or podman")
    })?;
    if options.tag.contains('@') {
        return Err(Failure::new(Kind::Usage, format!("cannot build `{}`: a digest names what is there already", options.tag))
            .hint("--tag NAME:TAG"));
    }
    for (name, _) in &options.versions {
        if !DOCKERFILE.contains(&format!("ARG {}_VERSION", name.to_ascii_uppercase().replace('-', "_"))) {
            return Err(Failure::new(Kind::Usage, format!("cannot build with `{name}`: the image has no such tool")).hint("ai tools"));
        }
    }
    output::note(&format!("building {}; this takes a few minutes the first time", options.tag));
    let code = process::feed(&options.argv(program.into_os_string()), DOCKERFILE.as_bytes())?;
    if code != 0 {
        return Err(Failure::new(Kind::Unavailable, format!("cannot build {}: the engine ended with {code}", options.tag))
            .hint("its last lines above say why; the build needs the network and a Debian base image with node (--base)"));
    }
    // Looked at before anything is claimed.
    let details = inspect(facts, &options.tag)?;
    output::note(&format!("built {}", options.tag));
    let host = Host::new()?;
    remember(&host, &options.tag, &versions(&details));
    let id = engine::image_id(&facts.engine, &options.tag)?;
    if let Err(error) = host::image::set_pin(&host.store, &facts.engine, &options.tag, Some(&id)) {
        output::warn(&format!("cannot remember what {} stands for: {error}", options.tag));
    }
    Ok(0)
}

/// Makes the image's name stand for what it stands for now, or for whatever it likes.
fn pin(context: &Context, facts: &Facts, off: bool) -> Result<u8> {
    let image = plan::image(&context.tool, &context.config);
    let id = if off { None } else { Some(engine::image_id(&facts.engine, &image)?) };
    host::image::set_pin(&context.host.store, &facts.engine, &image, id.as_deref())
        .map_err(|error| Failure::new(Kind::General, format!("cannot pin {image}")).because(error))?;
    output::note(&match id {
        Some(id) => format!("{image} is {}, and nothing else is run under that name", short(&id)),
        None => format!("whatever {image} stands for is run"),
    });
    Ok(0)
}

/// A name that was built or pinned, and stands for something else now, is not run: who moved it may not have meant us.
pub fn refuse_moved(context: &Context, facts: &Facts, image: &str, found: &Image) -> Result<()> {
    match engine::moved(&context.host.store, &facts.engine, image, found)? {
        None => Ok(()),
        Some((pinned, id)) => {
            Err(Failure::new(Kind::NotAllowed, format!("cannot run {}: {}", context.tool.name, moved(image, &pinned, &id))).hint(MOVED))
        }
    }
}

pub fn moved(image: &str, pinned: &str, id: &str) -> String {
    format!("the image {image} was built or pinned as {}, and its name stands for {} now", short(pinned), short(id))
}

pub const MOVED: &str = "ai image build makes it anew; ai image pin accepts it as it is";

/// As much of an id as the engines show.
fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.get(..12).unwrap_or(id)
}

/// Records what the tools complete with. An image without that is as good as any other.
fn learn(context: &Context, image: &str) {
    output::note("reading the tools' options for completion");
    if let Err(failure) = super::complete::learn(context, image) {
        output::warn(&failure.to_string());
    }
}

/// The image of a run is missing: on a terminal, offers the build; else says what to do.
pub fn offer(context: &Context, facts: &Facts, image: &str) -> Result<()> {
    let missing = Failure::new(Kind::Unavailable, format!("cannot run {}: the image {image} is not there", context.tool.name));
    if image != TOOL_IMAGE {
        return Err(missing.hint(way_to(facts, image)));
    }
    let terminal = facts.terminal;
    if terminal.stdin && terminal.stderr && output::ask(&format!("the image {image} is not there yet. Build it now?")) {
        build(facts, &Options { tag: image.into(), ..Options::new(context)? })?;
        learn(context, image);
        return Ok(());
    }
    Err(missing.hint(way_to(facts, image)))
}

/// What brings an image that is not there.
fn way_to(facts: &Facts, image: &str) -> String {
    if image == TOOL_IMAGE { "ai image build".into() } else { format!("{} pull {image}", facts.engine.kind.program()) }
}

fn status(context: &Context, facts: &Facts, json: bool) -> Result<u8> {
    let image = plan::image(&context.tool, &context.config);
    let found = engine::check(&facts.engine, &image)?;
    if found == Image::Missing {
        return Err(Failure::new(Kind::Unavailable, format!("cannot show {image}: the image is not there")).hint(way_to(facts, &image)));
    }
    if let Some((pinned, id)) = engine::moved(&context.host.store, &facts.engine, &image, &found)? {
        output::warn(&format!("{}; hint: {MOVED}", moved(&image, &pinned, &id)));
    }
    let details = inspect(facts, &image)?;
    let tools = versions(&details);
    remember(&context.host, &image, &tools);
    let size = details["Size"].as_u64().unwrap_or_default();
    if json {
        let pinned = host::image::pin(&context.host.store, &facts.engine, &image);
        let (id, created) = (&details["Id"], &details["Created"]);
        let row = serde_json::json!({ "image": image, "id": id, "pinned": pinned, "created": created, "bytes": size, "tools": tools });
        output::json(&row)?;
    } else {
        let tools: String = tools.iter().map(|(name, version)| format!("  {name:10} {}\n", version.as_str().unwrap_or_default())).collect();
        let text = format!("{image}  {} MiB  {}\n{tools}", size >> 20, details["Created"].as_str().unwrap_or_default());
        output::data(text.as_bytes())?;
    }
    Ok(0)
}

/// What the engine knows of an image.
fn inspect(facts: &Facts, image: &str) -> Result<serde_json::Value> {
    let program = facts.engine.program.as_ref().ok_or_else(|| Failure::new(Kind::Unavailable, "no engine is installed"))?;
    let (status, stdout, stderr) = process::output(program.as_os_str(), &["image", "inspect", image])?;
    let inspected: serde_json::Value = serde_json::from_slice(&stdout).unwrap_or_default();
    let details = inspected.get(0).filter(|_| status.success()).cloned();
    details.ok_or_else(|| Failure::new(Kind::Unavailable, format!("cannot inspect {image}")).because(String::from_utf8_lossy(&stderr)))
}

/// The tools in an image, with their versions, by its labels.
fn versions(details: &serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    let labels = details.pointer("/Config/Labels").and_then(serde_json::Value::as_object).cloned().unwrap_or_default();
    labels.into_iter().filter_map(|(key, value)| Some((key.strip_prefix("ai.tool.")?.to_owned(), value))).collect()
}

/// A run looks here, so that it need not ask the engine whether a tool may share its login.
fn remember(host: &Host, image: &str, tools: &serde_json::Map<String, serde_json::Value>) {
    if let Err(error) = host::image::remember(&host.store, image, tools) {
        output::warn(&format!("cannot remember the versions in {image}: {error}"));
    }
}

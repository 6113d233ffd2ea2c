//! `ai image update`: the newest version of each tool, which is kept only if it starts.

use std::time::Duration;

use crate::command::image::{BuildAsked, learn, refresh, tools, version_in};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{TOOL_IMAGE, installed_image, shared_package, shared_tools};
use crate::core::newer::NewestVersions;
use crate::core::text::version::is_newer;
use crate::core::tool::Tool;
use crate::core::tool::install::InstallRules;
use crate::host::engine::image::{self, Options, inspect};
use crate::host::engine::registry::{self, Registry};
use crate::host::store::image::{self as store, UpdatedVersion, set_updated, updated};
use crate::host::{Host, output};
use crate::session::context::Context;

/// How long a registry may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where nobody asked for it.
const BRIEFLY: Duration = Duration::from_secs(3);

pub fn run(context: &Context, only: Option<&str>, is_dry: bool) -> Result<u8> {
    context.config.rules.judge_word("build")?;
    let host = &context.host;
    let names = only.map_or_else(|| host.tool_names(), |name| vec![name.to_owned()]);
    let mut code = 0;
    let mut shared = Vec::new();
    for name in &names {
        let Some(tool) = Tool::load(name, |name| host.manifest(name)).ok().flatten() else { continue };
        let is_alone = only.is_some();
        let newer = if tool.manifest.install.is_some() && tool.installed_as == *name {
            own(context, &tool, is_alone, is_dry)
        } else if shared_package(name).is_some() && tool.manifest.image.is_none() {
            let found = newest_shared(context, name, is_alone);
            found.map(|version| shared.extend(version.map(|version| (name.clone(), version))))
        } else if is_alone {
            Err(Failure::new(Kind::Usage, format!("cannot update {name}: it is a profile, or has an image that is not built here"))
                .hint("ai image status"))
        } else {
            Ok(())
        };
        // One tool's failure is no other's.
        if let Err(failure) = newer {
            output::failure(&failure);
            code = failure.kind.exit_code();
        }
    }
    if shared.is_empty() || is_dry {
        return Ok(code);
    }
    let versions = shared.iter().map(|(name, found)| format!("{name}={}", found.version)).collect();
    tools(context, BuildAsked { versions, tag: Some(TOOL_IMAGE.into()), ..BuildAsked::default() })?;
    shared.iter().try_for_each(|(name, found)| remember(host, name, found))?;
    Ok(code)
}

/// Asks for the newest version of each tool that is in an image here, and remembers what was said; nobody waits for it.
pub fn newest(context: &Context) -> Result<u8> {
    let (host, facts) = (&context.host, context.facts(None));
    let mut known = NewestVersions { failed: None, ..store::newest(&host.store) };
    for name in host.tool_names() {
        let Some(tool) = Tool::load(&name, |name| host.manifest(name)).ok().flatten() else { continue };
        let rules = tool.manifest.install.as_ref().filter(|_| tool.installed_as == name);
        let (image, (registry, package)) = match (rules.and_then(package), shared_package(&name)) {
            (Some(package), _) => (installed_image(&name), package),
            (None, Some(package)) if tool.manifest.image.is_none() => (TOOL_IMAGE.to_owned(), (Registry::Npm, package)),
            _ => continue,
        };
        if store::version(&host.store, &image, &name).is_none_or(|version| version.is_empty()) {
            continue;
        }
        match registry::newest(&facts.engine, &image, context.config.build.network.as_deref(), registry, package, BRIEFLY) {
            Ok(found) => {
                known.newest.insert(name, found.version);
            }
            // One that does not answer is asked for nothing more.
            Err(failure) => {
                known.failed = Some(failure.message);
                break;
            }
        }
    }
    let said = |error| Failure::new(Kind::General, "cannot remember the newest versions").because(error);
    store::set_newest(&host.store, &NewestVersions { said: store::newest(&host.store).said, ..known }).map_err(said)?;
    Ok(0)
}

/// Returns the versions that updates chose for the tools of the shared image.
pub fn of_shared(host: &Host) -> Vec<(String, String)> {
    let newer = |name: &'static str, shipped: &str| {
        let found = updated(&host.store, name).filter(|found| is_newer(&found.version, shipped))?;
        Some((name.to_owned(), found.version))
    };
    shared_tools().into_iter().filter_map(|(name, shipped)| newer(name, shipped)).collect()
}

/// Updates a tool that has an image of its own.
fn own(context: &Context, tool: &Tool, is_alone: bool, is_dry: bool) -> Result<()> {
    let (name, image) = (&tool.name, installed_image(&tool.name));
    let facts = context.facts(None);
    let rules = tool.manifest.install.as_ref();
    let Some((registry, package)) = rules.and_then(package) else {
        let cannot = || {
            Failure::new(Kind::Config, format!("cannot update {name}: its manifest says which version"))
                .hint(format!("ai tools show {name}"))
        };
        return if is_alone { Err(cannot()) } else { Ok(()) };
    };
    let Ok(details) = inspect(&facts, &image) else {
        let missing = || {
            Failure::new(Kind::Unavailable, format!("cannot update {name}: its image is not there")).hint(format!("ai image build {name}"))
        };
        return if is_alone { Err(missing()) } else { Ok(()) };
    };
    let found = registry::newest(&facts.engine, &image, context.config.build.network.as_deref(), registry, package, PATIENCE)?;
    if !tell(name, &version_in(&details, name), &found) || is_dry {
        return Ok(());
    }
    let built = tool.installed_image(Some((&found.version, found.integrity.as_deref())));
    let built = built.unwrap_or_else(|| Err("its manifest installs nothing".into()));
    let built = built.map_err(|why| Failure::new(Kind::General, format!("cannot update {name}: {why}")))?;
    image::build_tool(&context.host, &facts, &built, &Options::of_tool(&context.config, &facts, &built))?;
    remember(&context.host, name, &found)?;
    learn(context, &image);
    refresh(context);
    Ok(())
}

/// Returns the registry that has the newest version of a tool, and the name of its package there.
fn package(rules: &InstallRules) -> Option<(Registry, &str)> {
    let npm = rules.npm_name().map(|package| (Registry::Npm, package));
    npm.or_else(|| rules.pip_name().map(|package| (Registry::Pip, package)))
}

/// Returns the newest version of a tool of the shared image, if it is newer than what is there.
fn newest_shared(context: &Context, name: &str, is_alone: bool) -> Result<Option<UpdatedVersion>> {
    let facts = context.facts(None);
    let Some(package) = shared_package(name) else { return Ok(None) };
    let Ok(details) = inspect(&facts, TOOL_IMAGE) else {
        let missing = || Failure::new(Kind::Unavailable, format!("cannot update {name}: {TOOL_IMAGE} is not there")).hint("ai image build");
        return if is_alone { Err(missing()) } else { Ok(None) };
    };
    let current = version_in(&details, name);
    if current.is_empty() {
        return Ok(None);
    }
    let found = registry::newest(&facts.engine, TOOL_IMAGE, context.config.build.network.as_deref(), Registry::Npm, package, PATIENCE)?;
    Ok(tell(name, &current, &found).then_some(found))
}

/// Says what is newer; returns whether it is.
fn tell(name: &str, current: &str, found: &UpdatedVersion) -> bool {
    let is_newer = is_newer(&found.version, current);
    output::note(&if is_newer { format!("{name}: {current} -> {}", found.version) } else { format!("{name}: {current} is the newest") });
    is_newer
}

fn remember(host: &Host, name: &str, found: &UpdatedVersion) -> Result<()> {
    set_updated(&host.store, name, found)
        .map_err(|error| Failure::new(Kind::General, format!("cannot remember the version of {name}")).because(error))
}

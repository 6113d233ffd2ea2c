//! The image of a run: offered where it is missing, refused where its name was moved.

use crate::core::ending;
use crate::core::engine::kind::Engine;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{InstalledImage, TOOL_IMAGE, build_command, is_ours};
use crate::core::lease::Lease;
use crate::core::text::typed::typed;
use crate::core::text::version::is_newer;
use crate::core::tool::install::InstallRules;
use crate::host::engine::image::{self, Options};
use crate::host::engine::{self, Image, vocabulary};
use crate::host::machine::process;
use crate::host::store::image::UpdatedVersion;
use crate::host::{self, Host, output};
use crate::session::context::Context;

/// A name that was built or pinned, and stands for something else now, is not run: who moved it may not have meant us.
pub fn refuse_moved(context: &Context, facts: &Facts, image: &str, found: &Image) -> Result<()> {
    match engine::pin_mismatch(&context.host.store, &facts.engine, image, found)? {
        None => Ok(()),
        Some((pinned, id)) => {
            Err(Failure::new(Kind::NotAllowed, format!("cannot run {}: {}", context.tool.name, moved(image, &pinned, &id)))
                .hint(moved_hint(image)))
        }
    }
}

/// Returns that the engine has the content no more that the image's name was built or pinned as, if that is why a run did not start.
pub fn gone(host: &Host, engine: &Engine, lease: &Lease, code: u8) -> Option<Failure> {
    let pinned = host::store::image::pin_by_id(&host.store, engine, &lease.image).filter(|_| code == ending::REFUSED)?;
    if engine::check(engine, &pinned).ok()? != Image::Missing {
        return None;
    }
    let failed = |why: String| Failure::new(Kind::Unavailable, format!("cannot run {}: {why}", lease.tool));
    let image = &lease.image;
    Some(match engine::pin_mismatch(&host.store, engine, image, &Image::Unknown) {
        Ok(Some((pinned, id))) => failed(moved(image, &pinned, &id)).hint(moved_hint(image)),
        _ => failed(format!("the image {image} is not there")).hint(way_of(engine, image)),
    })
}

pub fn moved(image: &str, pinned: &str, id: &str) -> String {
    format!("the image {image} was built or pinned as {}, and its name stands for {} now", short(pinned), short(id))
}

/// Returns what to do about an image whose name stands for something else now.
pub fn moved_hint(image: &str) -> &'static str {
    if is_ours(image) { "ai image build makes it anew; ai image pin accepts it as it is" } else { "ai image pin accepts it as it is" }
}

/// Returns as much of an id as the engines show.
pub fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.get(..12).unwrap_or(id)
}

/// Returns what brings an image that is not there.
pub fn way_to(facts: &Facts, image: &str) -> String {
    way_of(&facts.engine, image)
}

fn way_of(engine: &Engine, image: &str) -> String {
    if is_ours(image) { build_command(image) } else { format!("{} pull {}", engine.kind.program(), typed(image)) }
}

/// Records what the tools complete with. An image without that is as good as any other.
pub fn learn(context: &Context, image: &str) {
    output::note("reading the tools' options for completion");
    if let Err(failure) = vocabulary::learn(&context.host, &context.facts(None), image) {
        output::warn_of(&failure);
    }
}

/// Returns the image that the tool's manifest installs it into, at the version that is chosen: in the configuration, or by an update.
///
/// # Errors
/// Where a version is chosen that cannot be.
pub fn installed(context: &Context) -> Result<Option<InstalledImage>> {
    let name = &context.tool.installed_as;
    let updated = host::store::image::updated(&context.host.store, name);
    let configured = context.config.build.versions.get(name).map(String::as_str);
    let newer = |updated: &UpdatedVersion| {
        let shipped = context.tool.manifest.install.as_ref().map(InstallRules::version).unwrap_or_default();
        is_newer(&updated.version, shipped)
    };
    let updated = updated.filter(newer);
    let updated = updated.as_ref().map(|updated| (updated.version.as_str(), updated.integrity.as_deref()));
    let version = configured.map(|version| (version, None)).or(updated);
    let image = context.tool.installed_image(version).transpose();
    image.map_err(|why| Failure::new(Kind::Config, format!("cannot install {name}: {why}")).hint("ai help tools"))
}

/// The image of a run is missing: on a terminal, offers the build; else says what to do.
pub fn offer(context: &Context, facts: &Facts, image: &str) -> Result<()> {
    let missing = Failure::new(Kind::Unavailable, format!("cannot run {}: the image {image} is not there", context.tool.name));
    if context.config.made.as_ref().is_some_and(|made| made.name == image) {
        return offer_made(context, facts, missing);
    }
    let own = installed(context)?.filter(|own| own.name() == image);
    if own.is_none() && image != TOOL_IMAGE {
        return Err(missing.hint(way_to(facts, image)));
    }
    let terminal = facts.terminal;
    let may_build = context.config.rules.judge_word("build");
    let what = own.as_ref().map_or_else(String::new, |own| format!(" ({})", own.rules.brings()));
    let question = format!("the image {image}{what} is not there yet. Build it now?");
    if may_build.is_ok() && terminal.stdin && terminal.stderr && output::ask(&question) {
        match &own {
            Some(own) => image::build_tool(&context.host, facts, own, &Options::of_tool(&context.config, facts, own))?,
            None => image::build(&context.host, facts, &Options::new(&context.config, facts, image.into()))?,
        }
        learn(context, image);
        return Ok(());
    }
    Err(missing.hint(way_to(facts, image)))
}

/// Offers to make the image of this project, and begins anew with it: another image of the tools may be below it then.
fn offer_made(context: &Context, facts: &Facts, missing: Failure) -> Result<()> {
    let name = &context.tool.name;
    let command = if context.tool.is_exec() { "ai image build".to_owned() } else { format!("ai image build {name}") };
    let what = context.config.settings.image.value.as_ref().map(|image| format!("{image:?}")).unwrap_or_default();
    let terminal = facts.terminal;
    let may_build = context.config.rules.judge_word("build");
    let question = format!("this project has an {what} ({}), which is not built yet. Build it now?", context.config.settings.image.origin);
    if may_build.is_err() || !terminal.stdin || !terminal.stderr || !output::ask(&question) {
        return Err(missing.hint(may_build.err().map_or(command, |failure| failure.to_string())));
    }
    let exe = facts.exe.clone().into_os_string();
    let words = [exe.clone(), "image".into(), "build".into()].into_iter().chain((!context.tool.is_exec()).then(|| name.into()));
    let profile = context.config.profile.iter().map(|profile| ("AI_PROFILE".to_owned(), profile.into())).collect::<Vec<_>>();
    // What a run prints is the program's that it runs, or the id of a session.
    let mut build = process::prepared(&words.collect::<Vec<_>>(), &profile);
    build.stdout(std::io::stderr());
    let code = process::foreground(build)?;
    if code != 0 {
        return Err(missing.hint(command));
    }
    let again: Vec<_> = std::iter::once(exe).chain(host::args().into_iter().skip(1)).collect();
    Err(process::exec(&again, &[]))
}

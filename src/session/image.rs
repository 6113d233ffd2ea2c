//! The image of a run: offered where it is missing, refused where its name was moved.

use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::TOOL_IMAGE;
use crate::core::text::typed::typed;
use crate::host::engine::image::{self, Options};
use crate::host::engine::{self, Image, vocabulary};
use crate::host::output;
use crate::session::context::Context;

/// A name that was built or pinned, and stands for something else now, is not run: who moved it may not have meant us.
pub fn refuse_moved(context: &Context, facts: &Facts, image: &str, found: &Image) -> Result<()> {
    match engine::pin_mismatch(&context.host.store, &facts.engine, image, found)? {
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

/// Returns as much of an id as the engines show.
pub fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.get(..12).unwrap_or(id)
}

/// Returns what brings an image that is not there.
pub fn way_to(facts: &Facts, image: &str) -> String {
    if image == TOOL_IMAGE { "ai image build".into() } else { format!("{} pull {}", facts.engine.kind.program(), typed(image)) }
}

/// Records what the tools complete with. An image without that is as good as any other.
pub fn learn(context: &Context, image: &str) {
    output::note("reading the tools' options for completion");
    if let Err(failure) = vocabulary::learn(&context.host, &context.facts(None), image) {
        output::warn_of(&failure);
    }
}

/// The image of a run is missing: on a terminal, offers the build; else says what to do.
pub fn offer(context: &Context, facts: &Facts, image: &str) -> Result<()> {
    let missing = Failure::new(Kind::Unavailable, format!("cannot run {}: the image {image} is not there", context.tool.name));
    if image != TOOL_IMAGE {
        return Err(missing.hint(way_to(facts, image)));
    }
    let terminal = facts.terminal;
    let may_build = context.config.rules.judge_word("build");
    if may_build.is_ok() && terminal.stdin && terminal.stderr && output::ask(&format!("the image {image} is not there yet. Build it now?"))
    {
        image::build(&context.host, facts, &Options::new(&context.config, facts, image.into()))?;
        learn(context, image);
        return Ok(());
    }
    Err(missing.hint(way_to(facts, image)))
}

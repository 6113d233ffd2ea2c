//! `ai image save`, `load` and `sbom`: images in files, and what is in them.

use std::path::Path;

use crate::command::image::refresh;
use crate::core::engine::kind::EngineKind;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{MADE, is_ours};
use crate::core::plan;
use crate::core::shell::Shell;
use crate::host::engine::image::{inspect, pin, remember, versions};
use crate::host::engine::{self, Image, archive};
use crate::host::output;
use crate::session::context::Context;
use crate::session::image::{learn, short, way_to};

pub(super) fn save(context: &Context, file: &Path) -> Result<u8> {
    let facts = context.facts(None);
    let image = there(context, "save")?;
    let details = inspect(&facts, &image)?;
    if file == Path::new("-") {
        return Err(Failure::new(Kind::Usage, "cannot save an image to `-`: it needs a file").hint("ai image save tools.tar"));
    }
    archive::save(&facts.engine, &image, details["Size"].as_u64().unwrap_or_default(), file)?;
    let id = details["Id"].as_str().unwrap_or_default();
    let file = Shell::Bash.quote(&file.to_string_lossy());
    // `ai image load` takes no image of a person's own.
    let load = if is_ours(&image) { format!("ai image load {file}") } else { format!("{} load -i {file}", facts.engine.kind.program()) };
    output::note(&format!("saved {image} ({}); on the other machine: {load}", short(id)));
    Ok(0)
}

pub(super) fn load(context: &Context, file: &Path) -> Result<u8> {
    context.config.rules.judge_word("build")?;
    let facts = context.facts(None);
    let archived = archive::look(file)?;
    if let Some(stranger) = archived.names.iter().find(|name| !is_ours(name)) {
        return Err(Failure::new(
            Kind::NotAllowed,
            format!("cannot load `{}`: it brings {stranger}, which is no image of `ai image build`", file.display()),
        )
        .hint(format!("{} load takes it, with everything that its names stand for now", facts.engine.kind.program())));
    }
    archive::load(&facts.engine, file)?;
    for (image, spelled) in archived.names.iter().zip(&archived.spelled) {
        // Podman writes names that are from nowhere so; another engine takes them to the letter.
        if spelled.starts_with("localhost/") && facts.engine.kind != EngineKind::Podman {
            archive::rename(&facts.engine, spelled, image)?;
        }
        let details = inspect(&facts, image)?;
        let id = details["Id"].as_str().unwrap_or_default();
        if !archived.holds(id) {
            return Err(Failure::new(Kind::General, format!("cannot use {image}: it is {}, and that was not in the file", short(id)))
                .hint("did something else build or load it at the same time? ai image load once more"));
        }
        remember(&context.host, image, &versions(&details));
        pin(&context.host, &facts, image)?;
        if !image.starts_with(MADE) {
            learn(context, image);
        }
        output::note(&format!("loaded {image} ({})", short(id)));
    }
    refresh(context);
    Ok(0)
}

pub(super) fn sbom(context: &Context) -> Result<u8> {
    let image = there(context, "read")?;
    let Some(bill) = archive::bill(&context.facts(None).engine, &image)? else {
        return Err(Failure::new(Kind::Unavailable, format!("cannot read what is in {image}: it has no bill of materials")).hint(
            if is_ours(&image) { "one that is built now has it: ai image build" } else { "only images of `ai image build` have one" },
        ));
    };
    output::json(&bill)?;
    Ok(0)
}

/// Returns the image that a run would use, if it is there.
fn there(context: &Context, verb: &str) -> Result<String> {
    let facts = context.facts(None);
    let image = plan::image(&context.tool, &context.config);
    if engine::check(&facts.engine, &image)? == Image::Missing {
        return Err(Failure::new(Kind::Unavailable, format!("cannot {verb} {image}: it is not there")).hint(way_to(&facts, &image)));
    }
    Ok(image)
}

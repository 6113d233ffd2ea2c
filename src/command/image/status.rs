//! `ai image status`: which image a run would use, and what is in it.

use crate::command::image::recipe;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::installed_image;
use crate::core::plan;
use crate::core::text::table::Side;
use crate::core::tool::Tool;
use crate::host::engine::image::{self, inspect, remember, versions};
use crate::host::engine::{self, Image};
use crate::host::{self, Host, output};
use crate::session::context::Context;
use crate::session::image::{installed, moved, moved_hint, way_to};

/// The image of one tool, as `ai image status` shows it.
#[derive(serde::Serialize)]
struct OwnImageRow {
    tool: String,
    image: String,
    /// The version that is in it; absent where it was not built.
    version: Option<String>,
    /// Whether it was built from something else than its manifest says now.
    outdated: bool,
}

/// Returns a row for each tool that has an image of its own.
fn own_images(context: &Context, facts: &Facts) -> Vec<OwnImageRow> {
    let host = &context.host;
    let tools = host.tool_names().into_iter().filter_map(|name| Tool::load(&name, |name| host.manifest(name)).ok().flatten());
    let own = tools.filter(|tool| tool.manifest.install.is_some() && tool.installed_as == tool.name);
    let row = |tool: Tool| {
        let image = installed_image(&tool.name);
        let details = inspect(facts, &image).ok();
        let version = details.as_ref().map(|details| version_in(details, &tool.name));
        let of_tool = Context { host: Host::new().ok()?, tool, config: context.config.clone(), is_changed: context.is_changed };
        let outdated = details.as_ref().is_some_and(|details| is_outdated(&of_tool, details));
        Some(OwnImageRow { tool: of_tool.tool.name, image, version, outdated })
    };
    own.filter_map(row).collect()
}

pub(super) fn version_in(details: &serde_json::Value, tool: &str) -> String {
    versions(details).get(tool).and_then(|version| version.as_str()).unwrap_or_default().to_owned()
}

fn is_outdated(context: &Context, details: &serde_json::Value) -> bool {
    installed(context).ok().flatten().is_some_and(|own| image::is_outdated(details, &own))
}

pub(super) fn status(context: &Context, facts: &Facts, is_of_all: bool, json: bool) -> Result<u8> {
    let image = plan::image(&context.tool, &context.config);
    recipe::tell(context, json);
    let found = engine::check(&facts.engine, &image)?;
    let own = if is_of_all { own_images(context, facts) } else { Vec::new() };
    if found == Image::Missing {
        if !json {
            own_table(&own)?;
        }
        return Err(Failure::new(Kind::Unavailable, format!("cannot show {image}: the image is not there")).hint(way_to(facts, &image)));
    }
    if let Some((pinned, id)) = engine::pin_mismatch(&context.host.store, &facts.engine, &image, &found)? {
        output::warn(&format!("{}; hint: {}", moved(&image, &pinned, &id), moved_hint(&image)));
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
        let row = serde_json::json!({ "image": image, "id": id, "pinned": pinned, "created": created, "bytes": size, "tools": tools, "made": context.config.made.is_some(), "own": own });
        output::json(&row)?;
    } else {
        output::line(&format!("{image}  {} MiB  {}", size >> 20, details["Created"].as_str().unwrap_or_default()))?;
        let row = |(name, version): (&String, &serde_json::Value)| [format!("  {name}"), version.as_str().unwrap_or_default().to_owned()];
        output::table([Side::Left; 2], &tools.iter().map(row).collect::<Vec<_>>())?;
        own_table(&own)?;
        let built: Vec<(String, String)> =
            tools.iter().map(|(tool, version)| (tool.clone(), version.as_str().unwrap_or_default().to_owned())).collect();
        for row in host::store::image::newest(&context.host.store).rows(&built) {
            output::note(&row);
        }
        if context.config.made.is_none() && is_outdated(context, &details) {
            output::note(&format!("it was built before its manifest said what it says now; hint: ai image build {}", context.tool.name));
        }
    }
    Ok(0)
}

fn own_table(rows: &[OwnImageRow]) -> Result<()> {
    let row = |row: &OwnImageRow| {
        let state = match (&row.version, row.outdated) {
            (None, _) => format!("not built; hint: ai image build {}", row.tool),
            (Some(version), true) => format!("{version}, built from another manifest; hint: ai image build {}", row.tool),
            (Some(version), false) => version.clone(),
        };
        [row.image.clone(), state]
    };
    output::table([Side::Left; 2], &rows.iter().map(row).collect::<Vec<_>>())
}

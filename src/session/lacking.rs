//! What settings name and a container lacks: said before a run, which stops where that guards, and by `ai doctor`.

use std::path::{Path, PathBuf};

use crate::core::config::Layer;
use crate::core::doctor::{Finding, setup as judge};
use crate::core::failure::Result;
use crate::core::plan::mount::Mount;
use crate::core::plan::{Part, Plan, RunCommand};
use crate::core::setup::lacking::{hint, refusal, rows};
use crate::core::setup::{Inside, Missing, NameKind, Named, missing};
use crate::core::store::Store;
use crate::core::sync::Direction;
use crate::core::text::digest::sha256;
use crate::core::tool::Tool;
use crate::host::fs::files;
use crate::host::setup::{self, HomeView};
use crate::host::store::image;
use crate::host::{Host, output, sync};
use crate::session::context::Context;
use crate::session::decide::decide;
use crate::session::settings;

/// What the settings of one run name, and what of that its container lacks.
struct Comparison {
    named: usize,
    lacking: Vec<(Named, Missing)>,
    /// Whether programs are named, and which ones the image has is not known.
    is_blind: bool,
}

/// Looks at what the settings of a session that begins name.
///
/// # Errors
/// Where something that guards is not in the container: the tool would go on without it.
pub fn check(context: &Context, plan: &Plan, state: &Store) -> Result<()> {
    let home = state.home(&context.tool.name, &plan.workspace.project);
    let Comparison { lacking, named, .. } = compare(context, plan, &HomeView::new(&home));
    if named == 0 {
        return Ok(());
    }
    let guards = lacking.iter().find(|(named, _)| named.guards);
    if let (Some((named, what)), false) = (guards, context.config.settings.allow_missing_guards.value) {
        return Err(refusal(&context.tool.name, named, what));
    }
    tell(&context.host, state, plan, &context.tool.name, &lacking);
    Ok(())
}

/// Compares what the settings in a home name with what the container of a plan has.
fn compare(context: &Context, plan: &Plan, home: &HomeView) -> Comparison {
    let Context { host, tool, config } = context;
    let mut named = setup::named_in(home, &tool.manifest.names);
    named.extend(setup::named_in_project(&plan.workspace.root, &tool.manifest.project_settings, &tool.manifest.names));
    // A profile has none of the person's own plugins.
    let of_person = host.home().filter(|_| tool.name == tool.base);
    named.extend(of_person.iter().flat_map(|host_home| setup::named_by_plugins(host_home, home, &tool.manifest.plugins)));
    if named.is_empty() {
        return Comparison { named: 0, lacking: Vec::new(), is_blind: false };
    }
    let host_home = host.home();
    let of_host = tool.host_directory().zip(host_home.as_ref()).map(|(below, home)| home.join(below));
    let own = tool.manifest.state.as_ref().map_or_else(PathBuf::new, |state| PathBuf::from(&state.home.at));
    let programs = image::programs(&host.store, &plan.image);
    let of_tool = [of_host.as_deref().unwrap_or(&own), &own];
    let covers = |mount: &Mount, path: &Path| path.starts_with(mount.target.as_path()) && !of_tool.contains(&mount.target.as_path());
    let mounted = |path: &Path| plan.parts.iter().any(|reasoned| matches!(&reasoned.part, Part::Mount(mount) if covers(mount, path)));
    let inside = Inside {
        host_home: host_home.as_deref(),
        tool_directory: (of_tool[0].to_owned(), own.clone()),
        came_along: &|below| home.has(below),
        script: &|path| of_tool.iter().find_map(|own| home.read(path.strip_prefix(own).ok()?.to_str()?)).or_else(|| setup::head(path)),
        mounted: &mounted,
        programs: programs.as_deref(),
        shares_loopback: config.settings.network.value == "host",
    };
    let is_blind = programs.is_none() && named.iter().any(|named| named.kind == NameKind::Program);
    let count = named.len();
    let lacking = named.into_iter().filter_map(|named| missing(&named, &inside).map(|what| (named, what))).collect();
    Comparison { named: count, lacking, is_blind }
}

/// Says once a project what differs, and again when that changes.
fn tell(host: &Host, state: &Store, plan: &Plan, tool: &str, lacking: &[(Named, Missing)]) {
    let text = rows(lacking).join(", ");
    let record = state.project(tool, &plan.workspace.project).join("told");
    let hash = if text.is_empty() { String::new() } else { sha256(text.as_bytes()) };
    let before = files::read_text(&record).ok().flatten().unwrap_or_default();
    if before == hash {
        return;
    }
    if !text.is_empty() {
        output::note(&format!("{tool}: not in the container: {text}; hint: {}", hint(lacking)));
    }
    // Saying it twice does no harm.
    let _ = files::write_private(&host.store.project(tool, &plan.workspace.project).join("told"), hash.as_bytes());
}

/// Returns what the next run of each tool in the project here would lack, every time, as findings; writes nothing.
pub fn findings(tools: &[Tool]) -> Vec<Finding> {
    tools.iter().filter(|tool| !tool.manifest.names.is_empty()).flat_map(of_tool).collect()
}

/// Returns the findings about one tool. Where its configuration cannot be read, or no run would start here, others say why.
fn of_tool(tool: &Tool) -> Vec<Finding> {
    let context = Host::new().and_then(|host| {
        let config = host.config(tool, Layer::default())?;
        Ok(Context { host, tool: tool.clone(), config })
    });
    let Ok(context) = context else { return Vec::new() };
    let Ok(plan) = decide(&context, RunCommand::placeholder(&context.tool), None).map(|decided| decided.plan) else { return Vec::new() };
    let Context { host, tool, config } = &context;
    let places = settings::places(host, tool, &plan.workspace.project);
    let preview = sync::preview(&places, &settings::request(host, tool, config, Direction::In)).ok();
    let home = HomeView::after(&places.project, preview.as_ref());
    let found = compare(&context, &plan, &home);
    judge::examine(&tool.name, found.named, &found.lacking, found.is_blind, config.settings.allow_missing_guards.value)
}

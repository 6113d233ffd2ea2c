//! The person's set-up inside: what their settings name comes along, or is named before the run.

use std::path::{Path, PathBuf};

use crate::core::container::HOME;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::{Part, Plan};
use crate::core::setup::{Inside, Missing, Named, missing};
use crate::core::shell::Shell;
use crate::core::store::Store;
use crate::core::sync::Rule;
use crate::core::text::digest::sha256;
use crate::core::tool::Tool;
use crate::host::fs::files;
use crate::host::store::image;
use crate::host::{Host, output, setup};
use crate::session::context::Context;

/// Most files that settings and instructions may bring along.
const MOST: usize = 64;

/// Returns a rule for each file below the tool's own directory that the host's settings name or its instructions import.
pub fn rules(host: &Host, tool: &Tool) -> Vec<Rule> {
    let (Some(home), Some(below)) = (host.home(), tool.host_directory()) else { return Vec::new() };
    let directory = home.join(below);
    let named = setup::named_by_host(&directory, &tool.manifest.names);
    let words = named.iter().flat_map(|named| &named.words).filter_map(|word| crate::core::setup::program::path(word, Some(&home)));
    let imported = imports(&home, &directory, tool);
    let covered = |path: &str| tool.manifest.sync.iter().any(|rule| Path::new(path).starts_with(&rule.path));
    let mut paths: Vec<String> = words
        .chain(imported)
        .filter_map(|path| path.strip_prefix(&directory).ok()?.to_str().map(str::to_owned))
        .filter(|path| !path.is_empty() && !covered(path) && !is_kept_apart(path, tool))
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths.truncate(MOST);
    paths.into_iter().map(|path| Rule::tree(path.clone(), format!("{below}/{path}"))).collect()
}

/// Logins, histories and what is of one machine never come along, whatever names them.
fn is_kept_apart(path: &str, tool: &Tool) -> bool {
    let Some(state) = &tool.manifest.state else { return false };
    let apart = state.login.files.iter().chain(&state.private).chain(&state.shared);
    apart.into_iter().any(|apart| Path::new(path).starts_with(apart)) || path.starts_with("projects/") || path.ends_with(".jsonl")
}

/// Returns the files outside the tool's own directory that the host's instructions import, with their places in the container.
pub fn imports_from_elsewhere(host: &Host, tool: &Tool) -> Vec<(PathBuf, PathBuf)> {
    let (Some(home), Some(below)) = (host.home(), tool.host_directory()) else { return Vec::new() };
    let directory = home.join(below);
    let elsewhere = imports(&home, &directory, tool).into_iter().filter(|path| !path.starts_with(&directory));
    let at = |path: &Path| path.strip_prefix(&home).map_or_else(|_| path.to_owned(), |below| Path::new(HOME).join(below));
    elsewhere.take(MOST).map(|path| (at(&path), path)).collect()
}

fn imports(home: &Path, directory: &Path, tool: &Tool) -> Vec<PathBuf> {
    setup::imported(home, tool.manifest.imports.iter().map(|file| directory.join(file)))
}

/// Looks at what the settings of a session that begins name.
///
/// # Errors
/// Where something that guards is not in the container: the tool would go on without it.
pub fn check(context: &Context, plan: &Plan, state: &Store) -> Result<()> {
    let Context { host, tool, config } = context;
    let home = state.home(&tool.name, &plan.workspace.project);
    let named = setup::named_by_home(&home, &tool.manifest.names);
    if named.is_empty() {
        return Ok(());
    }
    let host_home = host.home();
    let of_host = tool.host_directory().zip(host_home.as_ref()).map(|(below, home)| home.join(below));
    let own = tool.manifest.state.as_ref().map_or_else(PathBuf::new, |state| PathBuf::from(&state.home.at));
    let programs = image::programs(&host.store, &plan.image);
    let mounted = |path: &Path| {
        plan.parts.iter().any(|reasoned| matches!(&reasoned.part, Part::Mount(mount) if path.starts_with(mount.target.as_path())))
    };
    let inside = Inside {
        host_home: host_home.as_deref(),
        tool_directory: (of_host.unwrap_or_else(|| own.clone()), own),
        came_along: &|below| setup::is_in_home(&home, below),
        mounted: &mounted,
        programs: programs.as_deref(),
        shares_loopback: config.settings.network.value == "host",
    };
    let lacking: Vec<(&Named, Missing)> = named.iter().filter_map(|named| Some((named, missing(named, &inside)?))).collect();
    let guards: Vec<_> = lacking.iter().filter(|(named, _)| named.guards).collect();
    if let (Some((named, what)), false) = (guards.first(), config.settings.allow_missing_guards.value) {
        return Err(refused(&tool.name, named, what));
    }
    tell(host, state, plan, &tool.name, &lacking);
    Ok(())
}

fn refused(tool: &str, named: &Named, what: &Missing) -> Failure {
    let message = format!("cannot start {tool}: its {} guards, and {} is not in the container", named.called, spelled(what));
    let way_in = match what {
        Missing::Path(path) => format!("let it in: AI_MOUNTS={}; ", Shell::Bash.quote(&path.to_string_lossy())),
        Missing::Program(_) | Missing::Address(_) => String::new(),
    };
    Failure::new(Kind::NotAllowed, message).hint(format!("{way_in}or go on without it: AI_ALLOW_MISSING_GUARDS=1"))
}

fn spelled(what: &Missing) -> String {
    match what {
        Missing::Program(name) => format!("the program `{name}`"),
        Missing::Path(path) => format!("`{}`", path.display()),
        Missing::Address(url) => format!("`{url}`, which is your machine's own loopback,"),
    }
}

/// Says once a project what differs, and again when that changes.
fn tell(host: &Host, state: &Store, plan: &Plan, tool: &str, lacking: &[(&Named, Missing)]) {
    let mut rows: Vec<String> = lacking.iter().map(|(named, what)| format!("{} ({})", spelled(what), named.called)).collect();
    rows.sort_unstable();
    rows.dedup();
    let text = rows.join(", ");
    let record = state.project(tool, &plan.workspace.project).join("told");
    let hash = if text.is_empty() { String::new() } else { sha256(text.as_bytes()) };
    let before = files::read_text(&record).ok().flatten().unwrap_or_default();
    if before == hash {
        return;
    }
    if !text.is_empty() {
        let hint = hint(lacking);
        output::note(&format!("{tool}: not in the container: {text}; {hint}"));
    }
    // Saying it twice does no harm.
    let _ = files::write_private(&host.store.project(tool, &plan.workspace.project).join("told"), hash.as_bytes());
}

fn hint(lacking: &[(&Named, Missing)]) -> String {
    let paths: Vec<String> = lacking
        .iter()
        .filter_map(|(_, what)| if let Missing::Path(path) = what { Some(Shell::Bash.quote(&path.to_string_lossy())) } else { None })
        .collect();
    let url = lacking.iter().find_map(|(_, what)| if let Missing::Address(url) = what { Some(url) } else { None });
    match (paths.as_slice(), url) {
        ([], Some(url)) => format!(
            "hint: {} or AI_NETWORK=host",
            url.replace("localhost", "host.docker.internal").replace("127.0.0.1", "host.docker.internal")
        ),
        ([], None) => "hint: ai help environment".into(),
        (paths, _) => format!("hint: mounts = [...] in config.toml, or AI_MOUNTS='{}'", paths.join(" ")),
    }
}

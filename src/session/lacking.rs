//! What settings name and a container lacks: said before a run, which stops where that guards, and by `ai doctor`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::core::config::Layer;
use crate::core::doctor::{Finding, Level, setup as judge};
use crate::core::failure::Result;
use crate::core::image::is_ours;
use crate::core::plan::mount::Mount;
use crate::core::plan::{Part, Plan, RunCommand, Variable, state};
use crate::core::setup::lacking::{hint, listed, refusal, rows};
use crate::core::setup::line::Word;
use crate::core::setup::{Inside, Missing, NameKind, Named, missing, unfit};
use crate::core::store::Store;
use crate::core::sync::{Direction, HostSync};
use crate::core::text::digest::sha256;
use crate::core::tool::Tool;
use crate::host::fs::files;
use crate::host::fs::look::Look;
use crate::host::setup::documents::DocumentNames;
use crate::host::setup::view::HomeView;
use crate::host::setup::{self, SettingsNames};
use crate::host::store::image;
use crate::host::{Host, output, sync};
use crate::session::context::{Context, same_account};
use crate::session::decide::decide;
use crate::session::settings;
use crate::session::setup::{imported, own_settings};

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
    let Context { host, tool, config, .. } = context;
    let rules = &tool.manifest.names;
    let SettingsNames { mut named, mut unread } = setup::named_in(home, rules);
    let documents = &tool.manifest.documents;
    if let Some(directory) = host.home().zip(tool.host_directory()).map(|(home, below)| home.join(below)) {
        let mut found = DocumentNames::new(documents, rules, &directory);
        home.documents(documents, &mut |document| found.add(document));
        let found = found.names();
        named.extend(found.named);
        unread.extend(found.unread);
    }
    let workspace = &plan.workspace;
    let below = workspace.workdir.as_path().strip_prefix(workspace.target.as_path()).unwrap_or(Path::new(""));
    let of_project = setup::named_in_project(&workspace.root, below, &tool.manifest.project_settings, rules);
    let host_sync = config.settings.host_sync.value;
    let of_host = if host_sync == HostSync::Off { SettingsNames::default() } else { own_settings(host, tool) };
    let is_here = |own: &Named| named.iter().any(|here| (&here.called, &here.words) == (&own.called, &own.words));
    let dropped: Vec<Named> = of_host.named.iter().filter(|own| own.guards && !is_here(own)).cloned().collect();
    let mut own = of_host.named;
    if host_sync != HostSync::Off {
        let beside = || imported(host, tool).into_iter().chain(read_at_home(host, tool));
        named.extend(beside());
        own.extend(beside());
    }
    // A container may add to what the person's settings say.
    let is_own = |named: &Named| own.iter().any(|own| (own.kind, &own.words) == (named.kind, &named.words));
    named.extend(of_project.named);
    unread.extend(of_project.unread);
    let of_project = documents_of_project(&workspace.root, tool);
    named.extend(of_project.named);
    unread.extend(of_project.unread);
    unread.extend(of_host.unread);
    // A profile has none of the person's own plugins.
    let of_person = host.home().filter(|_| tool.name == tool.base);
    named.extend(of_person.iter().flat_map(|host_home| setup::named_by_plugins(host_home, home, &tool.manifest.plugins)));
    let unread = unread.into_iter().map(|(file, why)| (Named::settings(), Missing::Unread { file, why }));
    let dropped = dropped.into_iter().map(|named| (named, Missing::Dropped));
    let before: Vec<_> = unread.chain(dropped).collect();
    let started = started(context, plan);
    if named.is_empty() && before.is_empty() && started.is_empty() {
        return Comparison { named: 0, lacking: Vec::new(), is_blind: false };
    }
    let host_home = host.home();
    let mut of_tool = state::host_spellings(tool, host_home.as_deref(), &host.env);
    of_tool.extend(tool.manifest.state.iter().map(|state| PathBuf::from(&state.home.at)));
    let programs = image::programs(&host.store, &plan.image);
    let covers =
        |mount: &Mount, path: &Path| path.starts_with(mount.target.as_path()) && !of_tool.iter().any(|own| own == mount.target.as_path());
    let mounted = |path: &Path| plan.parts.iter().any(|reasoned| matches!(&reasoned.part, Part::Mount(mount) if covers(mount, path)));
    let inside = Inside {
        host_home: host_home.as_deref(),
        tool_directories: &of_tool,
        came_along: &|below| home.has(below),
        script: &|path| of_tool.iter().find_map(|own| home.read(path.strip_prefix(own).ok()?.to_str()?)).or_else(|| setup::head(path)),
        mounted: &mounted,
        programs: programs.as_deref(),
        // An image that was brought under another name has what ours have.
        has_glibc_alone: is_ours(&plan.image) || programs.iter().flatten().any(|program| program == "as-job"),
        lacks_variable: &|name| {
            let is_inside = |part: &Part| matches!(part, Part::Variable(variable) if variable.name() == name);
            host.env.get(name).is_some_and(|value| !value.is_empty()) && !plan.parts.iter().any(|reasoned| is_inside(&reasoned.part))
        },
        shares_loopback: config.settings.network.value == "host",
    };
    let is_blind = programs.is_none() && named.iter().any(|named| named.kind == NameKind::Program);
    let unfit = started.into_iter().filter_map(|(path, called)| {
        let named = Named { guards: false, called: called.into(), ..Named::settings() };
        unfit(path, &inside).map(|what| (named, what))
    });
    let before: Vec<_> = before.into_iter().chain(unfit).collect();
    let count = named.len() + before.len();
    let found = named.into_iter().flat_map(|named| {
        let is_own = is_own(&named);
        let missing = missing(&named, &inside).into_iter().filter_map(|what| on_host(what, named.guards));
        missing.map(|what| (named.clone(), if is_own { what } else { what.of_others() })).collect::<Vec<_>>()
    });
    let lacking = before.into_iter().chain(found).collect();
    Comparison { named: count, lacking, is_blind }
}

/// Returns what may be a program and comes from the host: files that a person lets in, and what they have `ai exec` run.
fn started(context: &Context, plan: &Plan) -> Vec<(PathBuf, &'static str)> {
    // A umask of the person's is set by four words before theirs.
    let is_wrapped = plan.command.get(2).is_some_and(|word| word.as_encoded_bytes().starts_with(b"umask "));
    let typed = plan.command.get(if is_wrapped { 4 } else { 0 }).filter(|_| context.tool.is_exec()).map(Path::new);
    let typed = typed.and_then(|word| match word.components().count() {
        1 if !word.has_root() => let_in(context, plan, word),
        _ => Some(context.host.cwd()?.join(word).components().collect()),
    });
    let mounts = plan.admitted().map(|mount| (mount.source.path().to_owned(), "mount"));
    mounts.chain(typed.map(|path| (path, "command"))).filter(|(path, _)| path.leads_to_file()).collect()
}

/// Returns the program of this name that a PATH of the person's finds first in what they let in.
fn let_in(context: &Context, plan: &Plan, name: &Path) -> Option<PathBuf> {
    let literal = plan.parts.iter().rev().find_map(|reasoned| match &reasoned.part {
        Part::Variable(Variable::Literal(variable, value)) if variable == "PATH" => Some(OsStr::new(value)),
        _ => None,
    });
    let path = context.config.admitted.given.iter().rev().find(|(variable, _)| variable == "PATH");
    let path = path.map(|(_, value)| value.as_os_str()).or(literal)?;
    let on_host = |directory: PathBuf| {
        let mounted = plan.admitted().find_map(|mount| Some((mount, directory.strip_prefix(mount.target.as_path()).ok()?)));
        mounted.map(|(mount, below)| mount.source.path().join(below).join(name))
    };
    std::env::split_paths(path).filter_map(on_host).find(|path| path.leads_to_file())
}

/// Returns the files of the person's home that the tool reads where they are.
fn read_at_home(host: &Host, tool: &Tool) -> Vec<Named> {
    let Some(home) = host.home().filter(|_| tool.name == tool.base) else { return Vec::new() };
    let is_read = |file: &str, other: &str| home.join(file).leads_to_file() && !home.join(other).leads_to_file();
    let files = tool.manifest.reads.iter().filter(|(file, other)| is_read(file, other));
    let words = files.map(|(file, _)| vec![Word::plain(format!("~/{file}"))]);
    words.map(|words| Named { kind: NameKind::File, guards: false, comes: false, called: "variables".into(), words }).collect()
}

/// Returns what the documents of a project name, each called by its file.
fn documents_of_project(root: &Path, tool: &Tool) -> SettingsNames {
    let manifest = &tool.manifest;
    let Some(below) = &manifest.project_documents else { return SettingsNames::default() };
    // A link within the project counts; what it leads to is searched without following any.
    let directory = root.join(below).resolved().ok().filter(|directory| directory.starts_with(root));
    let Some(directory) = directory else { return SettingsNames::default() };
    let mut names = DocumentNames::new(&manifest.documents, &manifest.names, Path::new(below));
    HomeView::new(&directory).documents(&manifest.documents, &mut |found| names.add(found));
    let names = names.names();
    let of_project = |called: String| called.replacen(" of ", &format!(" of {below}/"), 1);
    SettingsNames {
        named: names.named.into_iter().map(|named| Named { called: of_project(named.called), ..named }).collect(),
        unread: names.unread.into_iter().map(|(file, why)| (format!("{below}/{file}"), why)).collect(),
    }
}

/// Returns something that is missing, if natively it is not. What guards is no less missing for that.
fn on_host(what: Missing, guards: bool) -> Option<Missing> {
    match what {
        Missing::Path(path) if path.is_there() => Some(Missing::Path(path)),
        Missing::Path(path) => guards.then_some(Missing::Nowhere(path)),
        other => Some(other),
    }
}

/// Says once a project what differs, and again when that changes.
fn tell(host: &Host, state: &Store, plan: &Plan, tool: &str, lacking: &[(Named, Missing)]) {
    let rows = rows(lacking);
    let text = rows.join(", ");
    let record = state.project(tool, &plan.workspace.project).join("told");
    let hash = if text.is_empty() { String::new() } else { sha256(text.as_bytes()) };
    let before = files::read_text(&record).ok().flatten().unwrap_or_default();
    if before == hash {
        return;
    }
    if !text.is_empty() {
        output::note(&format!("{tool}: not in the container: {}; hint: {}", listed(&rows), hint(lacking)));
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
        Ok(Context { host, tool: tool.clone(), config, is_changed: false })
    });
    let Ok(context) = context else { return Vec::new() };
    if let Err(failure) = same_account(&context.host, &context.tool) {
        let finding = Finding::new(Level::Error, format!("{} settings", tool.name), failure.message);
        return vec![finding.hint(failure.hint.unwrap_or_default())];
    }
    let Ok(plan) = decide(&context, RunCommand::placeholder(&context.tool), None).map(|decided| decided.plan) else { return Vec::new() };
    let Context { host, tool, config, .. } = &context;
    let places = settings::places(host, tool, &plan.workspace.project);
    let preview = sync::preview(&places, &settings::request(host, tool, config, Direction::In)).ok();
    let home = HomeView::after(&places.project, preview.as_ref());
    let found = compare(&context, &plan, &home);
    judge::examine(&tool.name, found.named, &found.lacking, found.is_blind, config.settings.allow_missing_guards.value)
}

//! Everything about one run, as a value: what it needs, and why each part is there.
//!
//! Same facts, same plan. Nothing here touches the machine, and nothing here is text of a shell.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::core::admit::publish::Publish;
use crate::core::config::layers::misspelt;
use crate::core::config::{Config, Origin};
use crate::core::container::{ContainerPath, SECRETS, TREES, container_name};
use crate::core::engine;
use crate::core::engine::agent::Way;
use crate::core::engine::kind::Engine;
use crate::core::facts::{Facts, Terminal};
use crate::core::failure::Result;
use crate::core::image::{ImageChoice, TOOL_IMAGE, installed_image};
use crate::core::lease::SessionId;
use crate::core::planted;
use crate::core::policy::verdict::RunAsked;
use crate::core::store::Store;
use crate::core::store::seen::Seen;
use crate::core::text::digest::sha256;
use crate::core::tool::Tool;
use crate::core::workspace::Workspace;

pub mod account;
mod admit;
mod bytes;
mod command;
mod container;
pub mod desktop;
mod env;
mod errand;
pub mod guard;
mod hardening;
pub mod keys;
pub(in crate::core) mod limits;
pub mod mount;
mod part;
mod paths;
mod places;
pub mod proxy;
mod reach;
pub mod reached;
mod scratch;
mod search;
pub mod secret;
mod spelling;
pub mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod user;
mod verify;

pub use command::RunCommand;
pub use env::Variable;
use guard::GuardPlan;
use keys::KeyPlan;
use mount::{Access, Mount};
pub use part::{Part, Reasoned};
pub use reach::host_name;
use secret::ToolSecrets;
pub use state::{OPTIONAL as OPTIONAL_FILES, login_volume};
pub use user::user_parts;

/// What was asked for.
#[derive(Debug)]
pub struct Request<'a> {
    pub tool: &'a Tool,
    pub config: &'a Config,
    pub facts: &'a Facts,
    pub session: SessionId,
    pub command: RunCommand,
    /// The streams that the engine's client will have; not always our own.
    pub terminal: Terminal,
}

/// One run, decided.
#[derive(Clone, Debug)]
pub struct Plan {
    pub tool: String,
    pub session: SessionId,
    pub container: String,
    pub workspace: Workspace,
    pub engine: Engine,
    /// Words before all others: `ai guard <session> --` where a helper stands beside the run.
    pub beside: Vec<OsString>,
    /// Words before the engine's program: `ai env <tool> --` where a secret must be fetched first.
    pub prefix: Vec<OsString>,
    pub parts: Vec<Reasoned>,
    /// Its name.
    pub image: String,
    /// The content that the name must stand for. The engine is told this one: it runs nothing else then, and nobody has to ask.
    pub image_id: Option<String>,
    pub image_reason: ImageReason,
    /// The tool's own command, then the user's words.
    pub command: Vec<OsString>,
    pub args: Vec<OsString>,
    /// Files of certificate authorities that the container gets as one.
    pub authorities: Vec<PathBuf>,
    /// The rules of the system that it obeys, each with its place.
    pub rules: Vec<(String, Origin)>,
    /// What the helper is told.
    pub guard: Option<GuardPlan>,
    /// The way into a container that waits, where one was taken for this run.
    pub spare: Option<SpareWay>,
    /// What a person should know before the run starts.
    pub notes: Vec<String>,
}

impl Plan {
    pub fn new(request: &Request) -> Result<Self> {
        let Request { tool, config, facts, session, .. } = request;
        let settings = &config.settings;
        if let Some(refusal) = engine::refusal(&facts.engine, settings.allowed()) {
            return Err(refusal);
        }
        let workspace = Workspace::new(facts, settings)?;
        let trusted = facts.named.iter().filter(|named| named.by != planted::AGENT || settings.ssh_agent.value);
        if let Some(refusal) = planted::refusal(trusted, facts.writable.as_deref()) {
            return Err(refusal);
        }
        let container = container_name(&tool.name, &workspace.name, session);
        let image = image(tool, config);
        let judged = RunAsked { tool: &tool.name, is_own: tool.is_own, image: &image, root: &workspace.root, config };
        config.rules.judge(&judged)?;
        let (mut command, args) = request.command.split(request)?;
        account::check(tool, &facts.env, facts.home.as_deref(), &facts.store)?;
        proxy::check(request)?;
        let secrets = secret::decide(tool, config, facts)?;
        let keys = keys::decide(request, &secrets)?;
        if let Some(keys) = &keys {
            command = keys.command(command);
        }
        let command = bytes::deliver(command, &args);

        let mut parts = Parts::default();
        container::push(request, &container, &workspace, &mut parts);
        user::push(&facts.user, &facts.engine, &mut parts);
        hardening::push(config, &mut parts);
        let mut notes = limits::push(request, &mut parts);
        reach::network(request, &mut parts);
        let agent = reach::ssh_agent(request, &mut notes);
        let guard = guard::decide(request, agent.as_ref(), Some(&workspace.project), keys.as_ref())?;
        notes.extend(env::push(request, &secrets.found, keys.as_ref(), agent.as_ref(), &mut parts));
        mounts(request, &workspace, agent, keys.as_ref(), &mut parts);
        guard::push(request, guard.as_ref(), &mut parts);
        admit::push(request, &workspace, &mut parts)?;
        scratch::push(request, &mut parts);
        secret::push(request, &secrets, &mut parts);
        places::check(&parts, facts)?;
        search::check(request, &image, &parts)?;
        notes.extend(config.asked.note());
        notes.extend(misspelt(&facts.env));
        notes.extend(admit::missing_account(request, &parts));
        notes.extend(proxy::note(request));
        notes.extend(desktop::no_pictures(request));
        notes.extend(paths::notes(request, &workspace, &parts));
        let command = guard::behind(verify::behind(command, &parts, facts)?, request, guard.as_ref());
        parts.push(Part::Workdir(workspace.workdir.as_os_str().to_owned()), "the working directory, as seen from inside", Origin::Host);

        notes.extend(workspace.notes.iter().cloned());
        let prefix = fetching(request, &secrets);
        notes.extend(secrets.missing);
        Ok(Self {
            tool: tool.name.clone(),
            session: session.clone(),
            container,
            engine: facts.engine.clone(),
            beside: guard::prefix(request, guard.as_ref()),
            prefix,
            guard,
            spare: None,
            parts: parts.0,
            image_reason: image_reason(tool, config),
            image_id: facts.pinned.clone(),
            image,
            command,
            args,
            workspace,
            authorities: request.authorities(),
            rules: config.rules.rules.iter().map(|rule| (rule.name.clone(), rule.origin.clone())).collect(),
            notes,
        })
    }
}

impl Plan {
    /// Returns the ports that the host reaches.
    pub fn ports(&self) -> impl Iterator<Item = &Publish> {
        self.parts.iter().filter_map(|reasoned| if let Part::Publish(port) = &reasoned.part { Some(port) } else { None })
    }

    /// Returns the mounts that the person let in beside the project.
    pub fn admitted(&self) -> impl Iterator<Item = &Mount> {
        let mounts = self.parts.iter().filter(|reasoned| reasoned.reason == admit::LET_IN);
        mounts.filter_map(|reasoned| if let Part::Mount(mount) = &reasoned.part { Some(mount) } else { None })
    }

    /// Returns what the person let in beside the project, in words.
    pub fn let_in(&self) -> Vec<String> {
        let shown = |mount: &Mount| {
            let end = if mount.access == Access::ReadWrite { " (writable)" } else { "" };
            format!("{}{end}", mount.source.path().display())
        };
        self.admitted().map(shown).collect()
    }

    /// Returns the directory of the files that hold the run's secrets, if there is one.
    pub fn secret_files(&self) -> Option<&Path> {
        let mut mounts = self.parts.iter().filter_map(|reasoned| if let Part::Mount(mount) = &reasoned.part { Some(mount) } else { None });
        mounts.find(|mount| mount.target.as_path() == Path::new(SECRETS)).map(|mount| mount.source.path())
    }

    /// Returns the names of the directories of the store that lie over a part of the project.
    pub fn overlays(&self) -> impl Iterator<Item = &OsStr> {
        let above = |mount: &Mount| {
            mount.source.path().parent().is_some_and(|parent| parent.ends_with(format!("{}/overlay", self.workspace.project)))
        };
        let mounts = self.parts.iter().filter_map(|reasoned| if let Part::Mount(mount) = &reasoned.part { Some(mount) } else { None });
        mounts.filter(move |mount| above(mount)).filter_map(|mount| mount.source.path().file_name())
    }

    pub fn has_terminal(&self) -> bool {
        self.parts.iter().any(|reasoned| reasoned.part == Part::Terminal)
    }

    /// The memory limit, in bytes.
    pub fn memory(&self) -> Option<u64> {
        self.parts.iter().find_map(|part| match part.part {
            Part::Memory(bytes) => Some(bytes),
            _ => None,
        })
    }
}

/// How a run gets into a container that waits.
#[derive(Clone, Debug)]
pub struct SpareWay {
    pub words: Vec<OsString>,
}

/// Why a run uses its image.
#[derive(Clone, Debug)]
pub struct ImageReason {
    pub reason: String,
    pub origin: Origin,
}

pub(in crate::core) fn image_reason(tool: &Tool, config: &Config) -> ImageReason {
    let of = |reason: &str, origin: &Origin| ImageReason { reason: reason.into(), origin: origin.clone() };
    let chosen = &config.settings.image;
    if let Some(recipe) = chosen.value.as_ref().and_then(ImageChoice::recipe) {
        return of(&recipe.rows().join(", "), &chosen.origin);
    }
    if named_image(tool, config).is_some() {
        return of("the image", &chosen.origin);
    }
    let other = if chosen.value.is_some() { format!("; that of {} is for tools without one", chosen.origin) } else { String::new() };
    match &tool.manifest {
        manifest if manifest.image.is_some() => of(&format!("the image{other}"), &Origin::Manifest(tool.name.clone())),
        manifest if manifest.install.is_some() => of(&format!("its own image{other}"), &Origin::Manifest(tool.installed_as.clone())),
        _ => of("the image of the tools", &Origin::Default),
    }
}

/// Returns the image that the configuration names for this tool. One that is named for all has no tool that another image holds.
fn named_image<'a>(tool: &Tool, config: &'a Config) -> Option<&'a str> {
    let chosen = &config.settings.image;
    let has_own = tool.manifest.image.is_some() || tool.manifest.install.is_some();
    let is_of_tool = matches!(chosen.origin, Origin::Flag(_)) || config.image_of_tool.as_ref() == Some(&chosen.origin);
    chosen.value.as_ref().and_then(ImageChoice::name).filter(|_| !has_own || is_of_tool)
}

/// The image that a run uses.
pub fn image(tool: &Tool, config: &Config) -> String {
    let made = config.made.as_ref().map(|made| made.name.as_str());
    named_image(tool, config).or(made).map_or_else(|| tools_image(tool), str::to_owned)
}

/// The image of a tool where no setting speaks of one.
pub fn tools_image(tool: &Tool) -> String {
    let installed = tool.manifest.install.as_ref().map(|_| installed_image(&tool.installed_as));
    tool.manifest.image.clone().or(installed).unwrap_or_else(|| TOOL_IMAGE.into())
}

/// Returns the words before the engine's program where a secret must be fetched first.
fn fetching(request: &Request, secrets: &ToolSecrets) -> Vec<OsString> {
    if !secrets.need_fetching() {
        return Vec::new();
    }
    let mut words: Vec<OsString> = vec![request.facts.exe.clone().into_os_string(), "env".into()];
    if secrets.files().next().is_some() {
        words.extend(["--files".into(), secret::directory(request.facts, &request.session).into_os_string()]);
    }
    words.extend([request.tool.name.clone().into(), "--".into()]);
    words
}

/// The parts of a plan, in the order in which the engine gets them.
#[derive(Debug, Default)]
struct Parts(Vec<Reasoned>);

impl Parts {
    fn push(&mut self, part: Part, reason: impl Into<Cow<'static, str>>, origin: Origin) {
        self.0.push(Reasoned { part, reason: reason.into(), origin });
    }

    fn usual(&mut self, part: Part, reason: &'static str) {
        self.push(part, reason, Origin::Default);
    }
}

fn mounts(request: &Request, workspace: &Workspace, agent: Option<Way>, keys: Option<&KeyPlan>, parts: &mut Parts) {
    let Request { tool, config, facts, .. } = request;
    let root = Mount::bind(&workspace.judged(), workspace.target.clone(), Access::ReadWrite);
    parts.push(Part::Mount(root), "the project", config.settings.workspace.origin.clone());
    for extra in &workspace.extras {
        parts.push(Part::Mount(Mount::bind(&extra.source, extra.target.clone(), extra.access)), extra.reason, Origin::Host);
    }
    let store = Store::new(&facts.state);
    let mut tree = |name: &str, target: ContainerPath, reason: &'static str| {
        let mount = Mount::bind(store.fixed(Seen::Tree(&workspace.project, name)), target, Access::ReadOnly);
        parts.push(Part::Mount(mount), reason, Origin::Host);
    };
    if !workspace.trees.is_empty() {
        tree(&workspace.trees_name(), ContainerPath::new(TREES), "worktrees that are not mounted are said to be there");
    }
    for file in &workspace.trees {
        let reason = "git knows where the worktree is inside, and does not tidy it away";
        tree(&format!("{}/gitdir", file.name), file.target.clone(), reason);
    }
    state::push(tool, &store, &workspace.project, facts, keys, parts);
    if let Some(agent) = agent {
        reach::mount_agent(agent, &config.settings.ssh_agent.origin, parts);
    }
}

/// Whether the store holds the tool's login. A volume shows nothing to the host, and is there to hold one.
fn has_login(request: &Request) -> bool {
    request.tool.login_file().is_some_and(|file| request.facts.engine.locks_fail() || request.facts.has(&file))
}

/// Tells the containers of one store from those of another of the same user.
pub fn store_id(store: &std::path::Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    sha256(store.as_os_str().as_bytes())[..8].to_owned()
}

/// The user's words after `--native` or `--local`, if one of them is the first word.
pub fn native_args(args: &[OsString]) -> Option<&[OsString]> {
    match args {
        [first, rest @ ..] if first == "--native" || first == "--local" => Some(rest),
        _ => None,
    }
}

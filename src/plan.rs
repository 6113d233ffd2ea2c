//! Everything about one run, as a value: which flags the engine gets, and why each is there.
//!
//! Same facts, same plan. Nothing here touches the machine, and nothing here is text of a shell.

use std::borrow::Cow;
use std::ffi::OsString;

use crate::config::{Config, Origin};
use crate::engine::agent::{self, Way};
use crate::engine::{self, Product, version};
use crate::facts::{Engine, EngineKind, Facts, SshAgent, Terminal};
use crate::failure::{Failure, Kind, Result};
use crate::session::{SessionId, container_name};
use crate::store::Store;
use crate::tool::Tool;
use crate::workspace::{ContainerPath, Workspace};

mod apple;
pub mod argv;
mod bytes;
#[cfg(test)]
mod engines;
mod env;
pub mod explain;
mod limits;
pub mod mount;
pub mod secret;
mod state;

pub use env::Variable;
use mount::{Access, Mount};
pub use state::{OPTIONAL as OPTIONAL_FILES, login_volume};

/// Home directory in the container, of whatever user runs there.
pub const HOME: &str = "/home/ai";
/// Where a tool's shared directory is mounted.
pub const SHARED: &str = "/ai/shared";
/// Where the generated user files are mounted, read-only.
pub const USER: &str = "/ai/user";
/// Where the project's own settings of git are mounted.
pub const GIT: &str = "/ai/git";
/// Where the directory of GitHub's command line is mounted. Not below the home: the engine would make `~/.config` as root.
pub const GH: &str = "/ai/gh";
/// Where the SSH agent's socket is mounted.
pub const SSH_AGENT: &str = "/ai/ssh-agent.sock";

/// What was asked for.
#[derive(Debug)]
pub struct Request<'a> {
    pub tool: &'a Tool,
    pub config: &'a Config,
    pub facts: &'a Facts,
    pub session: SessionId,
    pub args: Vec<OsString>,
    /// The streams that the engine's client will have; not always our own.
    pub terminal: Terminal,
}

/// One flag of the engine's `run`.
#[derive(Clone, Debug, PartialEq)]
pub enum Flag {
    Remove,
    Init,
    Interactive,
    Terminal,
    /// The keys that detach; chosen so that nobody types them.
    DetachKeys,
    PullNever,
    LogNone,
    NoCore,
    DropCapabilities,
    NoNewPrivileges,
    ReadOnlyRoot,
    Name(String),
    Hostname(String),
    Label(&'static str, String),
    User {
        uid: u32,
        gid: u32,
    },
    KeepId,
    Variable(Variable),
    Mount(Mount),
    /// A temporary file system; `exec` where programs are run from it.
    Tmpfs {
        target: String,
        exec: bool,
    },
    Workdir(OsString),
    Memory(u64),
    Cpus(f64),
    Pids(u32),
    Network(String),
    /// `host.docker.internal`, as this address.
    HostName(&'static str),
    /// A volume of the engine's own, for what its shared folders cannot keep.
    Volume {
        name: String,
        target: ContainerPath,
    },
    /// `SELinux` lets the container use what is mounted.
    LabelDisable,
    /// One more group of the user, by number.
    GroupAdd(u32),
    /// The engine brings the SSH agent itself.
    SshAgent,
}

/// A flag, why it is there, and which setting put it there.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub flag: Flag,
    pub reason: Cow<'static, str>,
    pub origin: Origin,
}

/// One run, decided.
#[derive(Clone, Debug)]
pub struct Plan {
    pub tool: String,
    pub session: SessionId,
    pub container: String,
    pub workspace: Workspace,
    pub engine: Engine,
    /// Words before the engine's program: `ai env <tool> --` where a secret must be fetched first.
    pub prefix: Vec<OsString>,
    pub parts: Vec<Part>,
    pub image: String,
    /// The tool's own command, then the user's words.
    pub command: Vec<OsString>,
    pub args: Vec<OsString>,
    /// What a person should know before the run starts.
    pub notes: Vec<String>,
}

impl Plan {
    pub fn new(request: &Request) -> Result<Self> {
        let Request { tool, config, facts, session, .. } = request;
        let settings = &config.settings;
        if let Some(refusal) = engine::refusal(&facts.engine.endpoint, settings.allow_insecure_engine.value) {
            return Err(refusal);
        }
        let workspace = Workspace::new(facts, settings.workspace.value, settings.force_workspace.value)?;
        let container = container_name(&tool.name, &workspace.name, session);
        let command = bytes::deliver(command(request)?, if tool.is_exec() { &[] } else { &request.args });
        let secrets = secret::decide(tool, config, facts)?;

        let mut parts = Parts::default();
        life(request, &container, &workspace, &mut parts);
        user(facts, &mut parts);
        hardening(config, tool, &mut parts);
        let mut notes = limits::push(request, &mut parts);
        network(request, &mut parts);
        let agent = ssh_agent(request, &mut notes);
        env::push(request, &secrets, agent.as_ref(), &mut parts);
        mounts(request, &workspace, agent, &mut parts);
        parts.push(Flag::Workdir(workspace.workdir.as_os_str().to_owned()), "the working directory, as seen from inside", Origin::Host);

        notes.extend(workspace.note.clone());
        let prefix = if secrets.iter().any(secret::Found::needs_fetching) {
            vec![facts.exe.clone().into_os_string(), "env".into(), tool.name.clone().into(), "--".into()]
        } else {
            Vec::new()
        };
        Ok(Self {
            tool: tool.name.clone(),
            session: session.clone(),
            container,
            engine: facts.engine.clone(),
            prefix,
            parts: parts.0,
            image: image(tool, config),
            command,
            args: if tool.is_exec() { Vec::new() } else { request.args.clone() },
            workspace,
            notes,
        })
    }
}

impl Plan {
    /// The memory limit, in bytes.
    pub fn memory(&self) -> Option<u64> {
        self.parts.iter().find_map(|part| match part.flag {
            Flag::Memory(bytes) => Some(bytes),
            _ => None,
        })
    }
}

/// The shared image of all tools. The number changes when an older image cannot run what a newer program plans.
pub const TOOL_IMAGE: &str = "ai-tools:1";

/// The image that a run uses.
pub fn image(tool: &Tool, config: &Config) -> String {
    config.settings.image.value.clone().or_else(|| tool.manifest.image.clone()).unwrap_or_else(|| TOOL_IMAGE.into())
}

/// The parts of a plan, in the order in which the engine gets them.
#[derive(Debug, Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn push(&mut self, flag: Flag, reason: impl Into<Cow<'static, str>>, origin: Origin) {
        self.0.push(Part { flag, reason: reason.into(), origin });
    }

    fn usual(&mut self, flag: Flag, reason: &'static str) {
        self.push(flag, reason, Origin::Default);
    }
}

/// The first words in the container. `ai exec` has no program of its own: the user's words are the command.
fn command(request: &Request) -> Result<Vec<OsString>> {
    if !request.tool.is_exec() {
        let command = request.tool.manifest.command.iter().map(OsString::from);
        let before = request.tool.manifest.state.as_ref().and_then(|state| state.before.as_ref());
        let before = before
            .filter(|_| has_login(request))
            .map(|line| ["sh".into(), "-c".into(), format!("{line}; exec \"$@\"").into(), "sh".into()]);
        return Ok(before.into_iter().flatten().chain(command).collect());
    }
    match request.args.as_slice() {
        [flag, line] if flag == "--shell" => Ok(vec!["sh".into(), "-c".into(), line.clone()]),
        [flag, ..] if flag == "--shell" => Err(usage("--shell takes one word, the command line")),
        [] if request.terminal.stdin && request.terminal.stdout => Ok(vec!["sh".into(), "-c".into(), INTERACTIVE_SHELL.into()]),
        [] => Err(usage("there is no command, and no terminal for a shell")),
        words => Ok(words.to_vec()),
    }
}

/// bash where the image has it, since people type into it.
const INTERACTIVE_SHELL: &str = "command -v bash >/dev/null && exec bash; exec sh";

fn usage(why: &str) -> Failure {
    Failure::new(Kind::Usage, format!("cannot run a command in the container: {why}"))
        .hint("gexec CMD ARGS…, or gexec --shell 'CMD | CMD', or gexec alone on a terminal")
}

/// Birth, identity and death of the container.
fn life(request: &Request, container: &str, workspace: &Workspace, parts: &mut Parts) {
    let Request { tool, config, facts, session, terminal, .. } = request;
    if config.settings.keep.value {
        // `--rm` is what makes a run ephemeral; only this one setting takes it away.
    } else {
        parts.usual(Flag::Remove, "the container lives for exactly one run");
    }
    parts.usual(Flag::Init, "as process 1, the tool would ignore signals");
    parts.usual(Flag::Interactive, "standard input reaches the tool, whatever it is");
    if terminal.stdin && terminal.stdout && !asks_for_print_mode(request) {
        parts.push(Flag::Terminal, "standard input and output are terminals", Origin::Host);
        parts.usual(Flag::DetachKeys, "the engine's default keys would swallow Ctrl-P");
    }
    parts.usual(Flag::PullNever, "a run never downloads; `ai image build` does");
    parts.usual(Flag::LogNone, "the engine would keep the whole terminal stream on disk");
    parts.push(Flag::Name(container.into()), "unique for each run", Origin::Default);
    parts.push(Flag::Hostname(format!("{}-dev-env", tool.name)), "stable: some tools derive encryption keys from it", Origin::Default);
    for (key, value) in [
        ("ai.session", session.to_string()),
        ("ai.tool", tool.name.clone()),
        ("ai.project", workspace.project.clone()),
        ("ai.owner", facts.user.uid.to_string()),
        ("ai.store", store_id(&facts.store)),
    ] {
        parts.usual(Flag::Label(key, value), "`ai ps`, `ai stop` and `ai gc` find the container by it");
    }
    if config.settings.keep.value {
        parts.push(Flag::Label("ai.keep", "1".into()), "kept after the run, as asked", config.settings.keep.origin.clone());
    }
}

/// Whether the store holds the tool's login.
fn has_login(request: &Request) -> bool {
    request.tool.login_file().is_some_and(|file| request.facts.has(&file))
}

fn asks_for_print_mode(request: &Request) -> bool {
    let manifest = &request.tool.manifest;
    let is = |word: &OsString, known: &[String]| {
        let word = word.to_str().map(|word| word.split_once('=').filter(|_| word.starts_with("--")).map_or(word, |(flag, _)| flag));
        known.iter().any(|known| word == Some(known.as_str()))
    };
    request.args.first().is_some_and(|first| is(first, &manifest.print_commands))
        || request.args.iter().take_while(|word| *word != "--").any(|word| is(word, &manifest.print))
}

/// The flags that make files inside belong to the caller outside.
pub fn user_flags(facts: &Facts) -> Vec<Flag> {
    let mut parts = Parts::default();
    user(facts, &mut parts);
    parts.0.into_iter().map(|part| part.flag).collect()
}

/// Which user the tool is, so that its files belong to the person who called it.
fn user(facts: &Facts, parts: &mut Parts) {
    let (uid, gid) = (facts.user.uid, facts.user.gid);
    match (facts.engine.kind, facts.engine.rootless) {
        (EngineKind::Podman, true) => {
            parts.push(Flag::KeepId, "rootless podman maps your user to itself this way", Origin::Host);
            parts.push(Flag::User { uid, gid }, "files belong to you", Origin::Host);
        }
        (_, true) => parts.push(Flag::User { uid: 0, gid: 0 }, "in a rootless engine, root in the container is you", Origin::Host),
        (_, false) => parts.push(Flag::User { uid, gid }, "files belong to you", Origin::Host),
    }
}

fn hardening(config: &Config, tool: &Tool, parts: &mut Parts) {
    parts.usual(Flag::DropCapabilities, "no tool needs privileges of the kernel");
    parts.usual(Flag::NoNewPrivileges, "setuid programs gain nothing");
    parts.usual(Flag::NoCore, "a core dump would hold secrets");
    let label = &config.settings.label_disable;
    if label.value {
        parts.push(Flag::LabelDisable, "SELinux would keep the project out; nothing is relabelled", label.origin.clone());
    }
    let hardened = &config.settings.hardened;
    if hardened.value {
        parts.push(Flag::ReadOnlyRoot, "hardened", hardened.origin.clone());
        parts.push(
            Flag::Tmpfs { target: "/tmp".into(), exec: true },
            "hardened: programs need a place for temporary files",
            hardened.origin.clone(),
        );
    }
    if hardened.value || tool.manifest.image.is_some() || config.settings.image.value.is_some() {
        let reason = "a writable home, whatever the image has";
        parts.push(Flag::Tmpfs { target: HOME.into(), exec: true }, reason, hardened.origin.clone());
    }
}

fn network(request: &Request, parts: &mut Parts) {
    let network = &request.config.settings.network;
    if network.value != "bridge" {
        parts.push(Flag::Network(network.value.clone()), "as configured", network.origin.clone());
    }
    if let Some(address) = host_name(&request.facts.engine, &network.value) {
        parts.usual(Flag::HostName(address), "`host.docker.internal` is your machine, as on Docker Desktop");
    }
}

/// What `host.docker.internal` has to stand for, where the engine does not know the name by itself. podman learnt
/// `host-gateway` with 4.7, and has `host.containers.internal` at any rate.
pub fn host_name(engine: &Engine, network: &str) -> Option<&'static str> {
    let knows_gateway = match engine.kind {
        EngineKind::Docker | EngineKind::Nerdctl => true,
        EngineKind::Podman => engine.learnt.as_ref().is_some_and(|learnt| !version::is_below(&learnt.version, &[4, 7])),
        EngineKind::Container => return None,
    };
    match network {
        "none" => None,
        "host" => (engine.product == Product::Native).then_some("127.0.0.1"),
        _ => knows_gateway.then_some("host-gateway"),
    }
}

/// How the SSH agent gets into the container; `None` where it does not.
fn ssh_agent(request: &Request, notes: &mut Vec<String>) -> Option<Way> {
    if !request.config.settings.ssh_agent.value {
        return None;
    }
    match &request.facts.ssh_agent {
        SshAgent::Absent => None,
        SshAgent::Broken(path) => {
            notes.push(format!("no SSH agent: SSH_AUTH_SOCK names `{}`, which is no socket", path.display()));
            None
        }
        SshAgent::Socket(socket) => match agent::way(&request.facts.engine, socket) {
            Way::None(hint) => {
                notes.push(format!("no SSH agent in the container with {}; hint: {hint}", request.facts.engine.product.name()));
                None
            }
            way => Some(way),
        },
    }
}

fn mounts(request: &Request, workspace: &Workspace, agent: Option<Way>, parts: &mut Parts) {
    let Request { tool, config, facts, .. } = request;
    let root = Mount::bind(&workspace.root, workspace.target.clone(), Access::ReadWrite);
    parts.push(Flag::Mount(root), "the project", config.settings.workspace.origin.clone());
    if let Some(common) = &workspace.common {
        let mount = Mount::bind(&common.source, common.target.clone(), Access::ReadWrite);
        parts.push(Flag::Mount(mount), "the repository that this linked worktree belongs to", Origin::Host);
    }
    for objects in &workspace.alternates {
        let mount = Mount::bind(&objects.source, objects.target.clone(), Access::ReadOnly);
        parts.push(Flag::Mount(mount), "the repository borrows objects from there", Origin::Host);
    }
    state::push(tool, &Store::new(&facts.state), &workspace.project, facts, parts);
    let origin = config.settings.ssh_agent.origin.clone();
    match agent {
        Some(Way::Mount { socket, root }) => {
            let mount = Mount::bind(socket, ContainerPath::new(SSH_AGENT), Access::ReadWrite);
            parts.push(Flag::Mount(mount), "your SSH agent", origin.clone());
            if root {
                parts.push(Flag::GroupAdd(0), "in the engine's machine the agent's socket belongs to root's group", origin);
            }
        }
        Some(Way::Flag) => parts.push(Flag::SshAgent, "your SSH agent", origin),
        Some(Way::None(_)) | None => {}
    }
}

/// Tells the containers of one store from those of another of the same user.
pub fn store_id(store: &std::path::Path) -> String {
    use sha2::Digest;
    use std::os::unix::ffi::OsStrExt;
    sha2::Sha256::digest(store.as_os_str().as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The user's words after `--native` or `--local`, if one of them is the first word.
pub fn native_args(args: &[OsString]) -> Option<&[OsString]> {
    match args {
        [first, rest @ ..] if first == "--native" || first == "--local" => Some(rest),
        _ => None,
    }
}

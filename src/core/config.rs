//! Settings: which there are, where they come from, and which layer wins.
//!
//! Built-in < `/etc/ai/config.toml` < the user's `config.toml`, each with its `[tool.NAME]` < `[profile.NAME]` <
//! `[project."PATH"]` < the project's `.ai.toml`, as far as it only tightens or the person agreed to it < `AI_*` variables < flags.
//! What the policy of the system fixes counts more than all of them. Every value keeps its origin, so that `--explain` can name it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use toml::Spanned;

use crate::core::admit::Admitted;
use crate::core::admit::agent::AgentTable;
use crate::core::admit::cache::{Cache, CacheScope};
use crate::core::admit::cloud::Cloud;
use crate::core::admit::egress::EgressTable;
use crate::core::admit::mount::MountRule;
use crate::core::admit::overlay::Overlay;
use crate::core::admit::publish::Publish;
use crate::core::admit::variable::EnvTable;
use crate::core::config::layers::{Layers, admitted_by, unknown_profile};
use crate::core::config::source::{ConfigStanding, ConfigText, Scope};
use crate::core::config::table::{Build, setting};
use crate::core::config::value::{
    ClipboardAccess, KeysPlace, Mapping, at_least_one, one_of, own_directory, parse_bytes, parse_dollars, plain_name, processors, proxy,
    yes_or_no,
};
use crate::core::engine::kind::EngineKind;
use crate::core::facts::Env;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{ImageChoice, MadeImage};
use crate::core::notify::parse_span;
use crate::core::policy::asked::Asked;
use crate::core::policy::trust::{self, Without};
use crate::core::policy::verdict::Rules;
use crate::core::route::RouteRule;
use crate::core::sync::HostSync;
use crate::core::telemetry::Collector;
use crate::core::tool::manifest::SecretRule;

#[macro_use]
mod settings;

pub mod allow;
pub mod begin;
mod check;
mod fixed;
pub mod import;
pub(in crate::core) mod layers;
mod let_in;
pub mod schema;
pub mod source;
pub mod table;
pub mod value;

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    Manifest(String),
    /// File and 1-based line.
    File(String, usize),
    Env(&'static str),
    Flag(&'static str),
    /// What was found on the host.
    Host,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Manifest(tool) => write!(f, "manifest of {tool}"),
            Self::File(path, line) => write!(f, "{path}:{line}"),
            Self::Env(name) => write!(f, "${name}"),
            Self::Flag(name) => write!(f, "{name}"),
            Self::Host => f.write_str("host"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub origin: Origin,
}

impl<T> Setting<T> {
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

settings! {
    /// Program that runs containers.
    engine: Option<EngineKind> = None, env "AI_ENGINE", |text| one_of(text).map(Some);
    /// Image of the tools by its name, or a recipe: what it has beside them.
    image: Option<ImageChoice> = None, env "AI_IMAGE", |text| ImageChoice::named(text).map(Some);
    /// `bridge`, `none`, `host`, `guard` (what is on a list, and nothing else), or a network of the engine; a bridge costs about 0.1 s a start.
    network: String = "bridge".into(), env "AI_NETWORK", plain_name;
    /// `outside`: the container of a guarded network has no key of its tool; the helper puts it in on the way to its vendor.
    keys: KeysPlace = KeysPlace::Inside, env "AI_KEYS", one_of;
    /// `image`: a program inside may read a picture from the clipboard of your desktop, as Ctrl-V in Claude Code and Gemini does.
    clipboard: ClipboardAccess = ClipboardAccess::Off, env "AI_CLIPBOARD", one_of;
    /// Where the project is mounted.
    workspace: Mapping = Mapping::Adaptive, env "AI_WORKSPACE", one_of;
    /// Whether directories that are refused for good reason, such as your home, are mounted all the same.
    force_workspace: bool = false, env "AI_FORCE_WORKSPACE", yes_or_no;
    /// Whether only mounts and scratch can be written in the container.
    read_only_root: bool = true, env "AI_READ_ONLY_ROOT", yes_or_no;
    /// Whether the image's own home is seen, and can be written, instead of an empty one.
    image_home: bool = false, env "AI_IMAGE_HOME", yes_or_no;
    /// Size of `/tmp` and of the home in memory, each.
    scratch: Option<String> = None, env "AI_SCRATCH", |text| parse_bytes(text).map(|_| Some(text.into()));
    /// Read-only root file system in any case, 256 MiB of scratch, 512 processes.
    hardened: bool = false, env "AI_HARDENED", yes_or_no;
    /// Whether the SSH agent is reachable from the container.
    ssh_agent: bool = true, env "AI_SSH_AGENT", yes_or_no;
    /// Most memory, clamped to what the engine has.
    memory: Option<String> = None, env "AI_MEMORY", |text| parse_bytes(text).map(|_| Some(text.into()));
    /// Most processors, clamped to what the engine has.
    cpus: Option<f64> = None, env "AI_CPUS", |text| text.parse().map_err(|_| format!("`{text}` is no number")).and_then(processors).map(Some);
    /// Most processes and threads.
    pids: Option<u32> = None, env "AI_PIDS", |text| text.parse().map_err(|_| format!("`{text}` is no whole number")).and_then(at_least_one).map(Some);
    /// Whether the container survives its run, for looking into it.
    keep: bool = false, env "AI_KEEP", yes_or_no;
    /// Whether, after a run, a container waits for the next one of the same tool here, for half an hour at most.
    spare: bool = false, env "AI_SPARE", yes_or_no;
    /// Whether the engine is started where it is not running, for which a run waits up to 150 s.
    engine_autostart: bool = false, env "AI_ENGINE_AUTOSTART", yes_or_no;
    /// Whole processors of Colima's machine when it is started.
    engine_cpus: Option<u32> = None, env "AI_ENGINE_CPUS", |text| text.parse().map_err(|_| format!("`{text}` is no whole number")).and_then(at_least_one).map(Some);
    /// Memory of Colima's machine when it is started, in whole GiB.
    engine_memory: Option<String> = None, env "AI_ENGINE_MEMORY", |text| parse_bytes(text).map(|_| Some(text.into()));
    /// Whether an engine is used that anybody on its network can use: `tcp://` without TLS.
    allow_insecure_engine: bool = false, env "AI_ALLOW_INSECURE_ENGINE", yes_or_no;
    /// Whether an engine on another machine is used, which has the same files at the same paths.
    engine_remote_paths: bool = false, env "AI_ENGINE_REMOTE_PATHS", yes_or_no;
    /// Whether SELinux lets the container use what is mounted, without relabelling any of it.
    label_disable: bool = false, env "AI_LABEL_DISABLE", yes_or_no;
    /// Whether the token of `gh auth token` is in the container's environment.
    gh_token: bool = false, env "AI_GH_TOKEN", yes_or_no;
    /// Whether a run goes on without a hook that guards and is not in the container.
    allow_missing_guards: bool = false, env "AI_ALLOW_MISSING_GUARDS", yes_or_no;
    /// Which way the host's own settings flow.
    host_sync: HostSync = HostSync::Import, env "AI_HOST_SYNC", one_of;
    /// Whether the project's own `.ai.toml` is read.
    project_file: bool = true, env "AI_PROJECT_FILE", yes_or_no;
    /// Whose caches are used: those of this project, or those of all.
    cache_scope: CacheScope = CacheScope::Project, env "AI_CACHE_SCOPE", one_of;
    /// Size of `/dev/shm`, which browsers and databases need.
    shm: Option<String> = None, env "AI_SHM", |text| parse_bytes(text).map(|_| Some(text.into()));
    /// Graphics processors, as the engine names them: `all`, a count, `device=0`.
    gpus: Option<String> = None, env "AI_GPUS", |text| plain_name(text).map(Some);
    /// `auto` takes the host's own proxy variables over, `off` does not; else a URL without a password.
    proxy: String = "auto".into(), env "AI_PROXY", proxy;
    /// `auto` takes the certificate authorities over that the host names or its administrator added, `off` does not; else a file of them.
    ca: String = "auto".into(), env "AI_CA", |text| Ok(text.into());
    /// Who writes the messages of `ai commit`, in a sentence.
    commit_persona: Option<String> = None, env "AI_COMMIT_PERSONA", |text| Ok(Some(text.into()));
    /// The language of these messages; that of the recent subjects if not set.
    commit_language: Option<String> = None, env "AI_COMMIT_LANGUAGE", |text| Ok(Some(text.into()));
    /// The model that is asked for them.
    commit_model: Option<String> = None, env "AI_COMMIT_MODEL", |text| plain_name(text).map(Some);
    /// Seconds until a tool that does not answer is ended.
    commit_deadline: u32 = 120, env "AI_COMMIT_DEADLINE", |text| text.parse().map_err(|_| format!("`{text}` is no whole number")).and_then(at_least_one);
    /// How long a run takes of whose end a person is told by terminal, desktop or bell.
    notify_after: Option<String> = None, env "AI_NOTIFY_AFTER", |text| parse_span(text).map(|_| Some(text.into()));
    /// USD at list price that all tools in all projects may cost in a day, in UTC.
    budget_day: Option<f64> = None, env "AI_BUDGET_DAY", |text| parse_dollars(text).map(Some);
    /// The same for a month.
    budget_month: Option<f64> = None, env "AI_BUDGET_MONTH", |text| parse_dollars(text).map(Some);
    /// The same for a month in one project.
    budget_project: Option<f64> = None, env "AI_BUDGET_PROJECT", |text| parse_dollars(text).map(Some);
    /// Whether a run is refused once a budget is spent.
    budget_deny: bool = false, env "AI_BUDGET_DENY", yes_or_no;
    /// The OpenTelemetry collector that the tools report to, such as otlp://localhost:4317 or https://otel.example.com:4318.
    telemetry: Option<Collector> = None, env "AI_TELEMETRY", |text| text.parse().map(Some);
    /// Directory of node_exporter's textfile collector in which `ai.prom` is kept as the last run left it.
    metrics_textfile: Option<String> = None, env "AI_METRICS_TEXTFILE", |text| own_directory(text).map(Some);
    /// Whether a commit is offered at a terminal, after a run that changed the project.
    commit_offer: bool = false, env "AI_COMMIT_OFFER", yes_or_no;
    /// Whether the vector of each run is kept, for `ai replay`: the words of the person are in it.
    record_runs: bool = false, env "AI_RECORD_RUNS", yes_or_no;
    /// Whether a newer version of a tool is said after a run at a terminal; the registry is asked at most daily, in the background.
    update_notice: bool = true, env "AI_UPDATE_NOTICE", yes_or_no;
    /// Whether each run is told to the system's log, too: syslog, or journald in its place.
    syslog: bool = false, env "AI_SYSLOG", yes_or_no;
}

/// What all files, variables and flags say about one run of one tool.
#[derive(Clone, Debug)]
pub struct Config {
    pub settings: Settings,
    pub admitted: Admitted,
    pub secret: BTreeMap<String, Setting<SecretRule>>,
    pub build: Build,
    /// Which tool is run where none is named; those of the highest layer first.
    pub route: Vec<Setting<RouteRule>>,
    /// Every `[tool.NAME]` of the files, whether of this tool or not.
    pub sections: Vec<Setting<String>>,
    /// What the project's own file asks for.
    pub asked: Asked,
    /// The profile that was chosen, and the names of all.
    pub profile: Option<String>,
    pub profiles: Vec<String>,
    /// The rules of the system that are for this person.
    pub rules: Rules,
    /// The image that is made for this run, where `image` is a recipe.
    pub made: Option<MadeImage>,
    /// Variables whose value a project says, by its file or by that of its image.
    pub of_project: Vec<String>,
    /// Where a section of this very tool names an image.
    pub image_of_tool: Option<Origin>,
}

impl Default for Config {
    fn default() -> Self {
        let settings = Layer::default().resolve();
        let (admitted, secret, build) = (Admitted::default(), BTreeMap::new(), Build::default());
        Self {
            settings,
            admitted,
            secret,
            build,
            route: Vec::new(),
            sections: Vec::new(),
            asked: Asked::default(),
            profile: None,
            profiles: Vec::new(),
            rules: Rules::default(),
            made: None,
            of_project: Vec::new(),
            image_of_tool: None,
        }
    }
}

impl Config {
    /// Joins all layers: `sources` from the lowest to the highest, `flags` over all.
    ///
    /// # Errors
    /// Where a file is no valid configuration, or a value is none that anybody can mean.
    pub fn new(scope: Scope, sources: &[ConfigText], env: &Env, flags: Layer) -> Result<Self> {
        let mut config = Self::default();
        let own = flags.over(Layer::from_env(env)?);
        let mut layers = Layers { plain: Layer::of_manifest(scope), ..Layers::default() };
        for source in sources.iter().filter(|source| source.standing == ConfigStanding::Own) {
            layers.read(scope, own.profile.as_deref(), source, &mut config)?;
        }
        if let Some(profile) = own.profile.as_ref().filter(|name| !layers.profiles.contains(name)) {
            return Err(unknown_profile(profile, &layers.profiles));
        }
        let mut layer = layers.project.over(layers.profile.over(layers.plain));
        for source in sources.iter().filter(|source| source.standing != ConfigStanding::Own) {
            let (mut asked, refused) = layers::of_project(scope, source)?;
            let of_image = layers::add_of_image(scope, source, &mut asked);
            let without = own.clone().over(layer.clone());
            let (in_force, mut asked) = trust::judge(asked, &Without::new(without, scope), source.standing == ConfigStanding::Agreed);
            asked.refused.extend(refused);
            asked.rows.extend(of_image);
            config.of_project.extend(in_force.admitted.set.iter().map(|(name, _)| name.clone()));
            layer = in_force.over(layer);
            config.asked = asked;
        }
        let layer = own.over(layer);
        config.profile.clone_from(&layer.profile);
        config.profiles = layers.profiles;
        config.admitted = layer.admitted.clone();
        config.settings = layer.resolve();
        config.settings.check()?;
        config.refuse_odd_names()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests;

//! Settings: which there are, where they come from, and which layer wins.
//!
//! Built-in < `/etc/ai/config.toml` < the user's `config.toml` < its `[tool.NAME]` < `AI_*` variables < flags. Every
//! value keeps its origin, so that `--explain` can name it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use crate::core::config::value::{at_least_one, one_of, parse_bytes, plain_name, processors, yes_or_no};
use crate::core::engine::kind::EngineKind;
use crate::core::facts::Env;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::sync::HostSync;
use crate::core::text::nearest::nearest;
use crate::core::tool::manifest::SecretRule;

mod refuse;
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

/// Where the project is mounted in the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// `/workspace/<name>` at the root of the project, `/workspace/<below>` below it
    Adaptive,
    /// always `/workspace/<name>`
    Named,
    /// always `/workspace`
    Flat,
    /// the same path as on the host
    Mirror,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr, env $env:literal, $parse:expr;)*) => {
        /// One layer: what it sets, and nothing else.
        #[derive(Clone, Debug, Default)]
        pub struct Layer { $($(#[$doc])* pub $name: Option<Setting<$type>>,)* }

        /// All settings that have one value, resolved.
        #[derive(Clone, Debug)]
        pub struct Settings { $($(#[$doc])* pub $name: Setting<$type>,)* }

        /// A configuration file. `flatten` would lose the spans, so both tables list the keys.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct File {
            $($name: Option<Spanned<$type>>,)*
            tool: BTreeMap<String, Spanned<Section>>,
            build: Build,
        }

        /// `[tool.NAME]`: settings of one tool or profile, and what only a tool has.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Section {
            $($name: Option<Spanned<$type>>,)*
            /// Literals for the environment, over the manifest's.
            env: BTreeMap<String, Spanned<String>>,
            secret: BTreeMap<String, SecretRule>,
        }

        impl File {
            fn layer(&self, origin: &impl Fn(usize) -> Origin) -> Layer {
                Layer { $($name: setting(self.$name.as_ref(), origin),)* }
            }
        }

        impl Section {
            fn layer(&self, origin: &impl Fn(usize) -> Origin) -> Layer {
                Layer { $($name: setting(self.$name.as_ref(), origin),)* }
            }
        }

        impl Layer {
            /// This layer over a lower one.
            #[must_use]
            pub fn over(self, lower: Self) -> Self {
                Self { $($name: self.$name.or(lower.$name),)* }
            }

            pub fn resolve(self) -> Settings {
                Settings { $($name: self.$name.unwrap_or_else(|| Setting::new($default, Origin::Default)),)* }
            }

            /// The layer of the `AI_*` variables. An empty variable is not set.
            pub fn from_env(env: &Env) -> Result<Self> {
                Ok(Self { $($name: match env.text($env) {
                    None => None,
                    Some(text) => {
                        let parse: fn(&str) -> std::result::Result<$type, String> = $parse;
                        let value = parse(text).map_err(|why| {
                            Failure::new(Kind::Config, format!("cannot use `{}`: {why}", $env)).hint(format!("unset {}", $env))
                        })?;
                        Some(Setting::new(value, Origin::Env($env)))
                    }
                },)* })
            }
        }

        impl Settings {
            /// Key, value and origin of each setting, in the order of the documentation.
            pub fn rows(&self) -> Vec<(&'static str, serde_json::Value, String)> {
                vec![$((stringify!($name), serde_json::json!(self.$name.value), self.$name.origin.to_string()),)*]
            }
        }
    };
}

settings! {
    /// Program that runs containers; the first that is installed if not set.
    engine: Option<EngineKind> = None, env "AI_ENGINE", |text| one_of(text).map(Some);
    /// Image of the tools.
    image: Option<String> = None, env "AI_IMAGE", |text| plain_name(text).map(Some);
    /// `bridge`, `none`, `host`, or the name of a network of the engine.
    network: String = "bridge".into(), env "AI_NETWORK", plain_name;
    workspace: Policy = Policy::Adaptive, env "AI_WORKSPACE", one_of;
    /// Whether directories that are refused for good reason are mounted all the same.
    force_workspace: bool = false, env "AI_FORCE_WORKSPACE", yes_or_no;
    /// Read-only root file system and temporary home.
    hardened: bool = false, env "AI_HARDENED", yes_or_no;
    /// Whether the SSH agent is reachable from the container.
    ssh_agent: bool = true, env "AI_SSH_AGENT", yes_or_no;
    memory: Option<String> = None, env "AI_MEMORY", |text| parse_bytes(text).map(|_| Some(text.into()));
    cpus: Option<f64> = None, env "AI_CPUS", |text| text.parse().map_err(|_| format!("`{text}` is no number")).and_then(processors).map(Some);
    pids: Option<u32> = None, env "AI_PIDS", |text| text.parse().map_err(|_| format!("`{text}` is no whole number")).and_then(at_least_one).map(Some);
    /// Whether the container survives its run, for looking into it.
    keep: bool = false, env "AI_KEEP", yes_or_no;
    /// Whether the engine is started where it is not running.
    engine_autostart: bool = false, env "AI_ENGINE_AUTOSTART", yes_or_no;
    /// Processors and memory of the engine's own machine, where starting it can set them: Colima.
    engine_cpus: Option<u32> = None, env "AI_ENGINE_CPUS", |text| text.parse().map_err(|_| format!("`{text}` is no whole number")).and_then(at_least_one).map(Some);
    engine_memory: Option<String> = None, env "AI_ENGINE_MEMORY", |text| parse_bytes(text).map(|_| Some(text.into()));
    /// Whether an engine is used that anybody on its network can use: `tcp://` without TLS.
    allow_insecure_engine: bool = false, env "AI_ALLOW_INSECURE_ENGINE", yes_or_no;
    /// Whether SELinux lets the container use what is mounted, without relabelling any of it.
    label_disable: bool = false, env "AI_LABEL_DISABLE", yes_or_no;
    /// Whether the token of `gh auth token` is in the container's environment.
    gh_token: bool = false, env "AI_GH_TOKEN", yes_or_no;
    host_sync: HostSync = HostSync::Import, env "AI_HOST_SYNC", one_of;
}

fn setting<T: Clone>(key: Option<&Spanned<T>>, origin: &impl Fn(usize) -> Origin) -> Option<Setting<T>> {
    key.map(|key| Setting::new(key.get_ref().clone(), origin(key.span().start)))
}

/// `[build]`: what `ai image build` uses unless its flags say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Build {
    pub base: Option<String>,
    /// Network of the build, as the engine spells it.
    pub network: Option<String>,
    /// Versions of the tools, by name.
    pub versions: BTreeMap<String, String>,
}

/// What all files, variables and flags say about one run of one tool.
#[derive(Clone, Debug)]
pub struct Config {
    pub settings: Settings,
    pub env: BTreeMap<String, Setting<String>>,
    pub secret: BTreeMap<String, SecretRule>,
    pub build: Build,
    /// Every `[tool.NAME]` of the files, whether of this tool or not.
    pub sections: Vec<Setting<String>>,
}

/// A configuration file's text and the path that messages name.
#[derive(Clone, Debug)]
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Default for Config {
    fn default() -> Self {
        let settings = Layer::default().resolve();
        Self { settings, env: BTreeMap::new(), secret: BTreeMap::new(), build: Build::default(), sections: Vec::new() }
    }
}

impl Config {
    /// `sources` from the lowest to the highest layer; `flags` over all.
    pub fn new(tool: &str, sources: &[Source], env: &Env, flags: Layer) -> Result<Self> {
        let mut settings = Layer::default();
        let mut config = Self::default();
        for source in sources {
            let mut file = read(source)?;
            let origin = |at: usize| Origin::File(source.path.clone(), line_of(&source.text, at));
            settings = file.layer(&origin).over(settings);
            config.sections.extend(file.tool.iter().map(|(name, section)| Setting::new(name.clone(), origin(section.span().start))));
            if let Some(section) = file.tool.remove(tool).map(Spanned::into_inner) {
                settings = section.layer(&origin).over(settings);
                config.env.extend(section.env.into_iter().map(|(name, value)| {
                    let origin = origin(value.span().start);
                    (name, Setting::new(value.into_inner(), origin))
                }));
                config.secret.extend(section.secret);
            }
            config.build.base = file.build.base.or(config.build.base);
            config.build.network = file.build.network.or(config.build.network);
            config.build.versions.extend(file.build.versions);
        }
        config.settings = flags.over(Layer::from_env(env)?.over(settings)).resolve();
        config.settings.refuse_what_cannot_be()?;
        Ok(config)
    }
}

fn read(source: &Source) -> Result<File> {
    toml::from_str(&source.text).map_err(|error| {
        Failure::new(Kind::Config, format!("cannot read `{}`: it is no valid configuration", source.path))
            .because(&error)
            .hint(meant(error.message()).unwrap_or_else(|| "ai help config".into()))
    })
}

/// The known key that is nearest to the unknown one which the parser complains about.
fn meant(complaint: &str) -> Option<String> {
    let mut words = complaint.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2).map(str::to_owned);
    let (typed, known) = (words.next()?, words.collect::<Vec<_>>());
    Some(format!("did you mean `{}`?", nearest(&typed, &known)?))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;

//! Tools are data: a manifest says how to start a program, what it may see, and where its state lives.
//!
//! Built-in manifests are in `tool/*.toml`; the user's are in `<store>/tools/*.toml`, and the file stem is the name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{Failure, Kind, Result};
use crate::plan::SHARED;
use crate::store::Store;
use crate::sync::Rule;

/// The manifests that come with the program, in the order in which people see them.
const BUILT_IN: [(&str, &str); 5] = [
    ("claude", include_str!("tool/claude.toml")),
    ("gemini", include_str!("tool/gemini.toml")),
    ("codex", include_str!("tool/codex.toml")),
    ("glm", include_str!("tool/glm.toml")),
    (EXEC, include_str!("tool/exec.toml")),
];

/// The pseudo tool behind `ai exec`: no program of its own, no state, the user's words are the command.
pub const EXEC: &str = "exec";

/// A manifest as it stands in its file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    pub about: String,
    /// Argument vector in the container, before the user's arguments.
    pub command: Vec<String>,
    /// Program on the host for `--native`; the first word of `command` if absent.
    pub native: Option<String>,
    /// The tool whose program, state layout and sync rules this profile uses.
    pub profile_of: Option<String>,
    /// Image to run; the shared tool image if absent.
    pub image: Option<String>,
    /// Arguments that ask for print mode, so that no terminal is allocated.
    pub print: Vec<String>,
    /// First arguments that ask for print mode.
    pub print_commands: Vec<String>,
    /// Words for completion, beside those that its `--help` shows: `word` or `word  what it means`.
    pub complete: Vec<String>,
    pub login: Vec<String>,
    pub logout: Vec<String>,
    /// Oldest version of the program that may share a login between sessions.
    pub min_version: Option<String>,
    pub limits: LimitRules,
    pub env: EnvRules,
    pub secret: BTreeMap<String, SecretRule>,
    pub state: Option<StateRules>,
    pub sync: Vec<Rule>,
}

/// Default limits, before they are clamped to what the engine has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// Such as `4g`; see [`crate::config::parse_bytes`].
    pub memory: Option<String>,
    pub cpus: Option<f64>,
    pub pids: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnvRules {
    /// Names that are inherited from the host where they are set there.
    pub pass: Vec<String>,
    /// Literals.
    pub set: BTreeMap<String, String>,
    /// Words appended to the host's value.
    pub append: BTreeMap<String, String>,
}

/// Where a secret that the tool cannot do without may come from; the first that is there wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretRule {
    /// Host variables.
    pub env: Vec<String>,
    /// A file below the store.
    pub file: Option<String>,
    /// A command that prints it, such as `["pass", "show", "zai"]`; only from the user's own files.
    pub command: Vec<String>,
}

/// How the program's state maps to the store.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateRules {
    pub home: HomeRules,
    pub login: LoginRules,
    /// Directories of the home that all projects share: `shared/<path>` is mounted over `home/<path>`.
    pub shared: Vec<String>,
    /// Directories of the home that no run should find again: tmpfs.
    pub private: Vec<String>,
    /// Links made in the home before a run: path in the home → container path.
    pub links: BTreeMap<String, String>,
    /// Variables that are set only where the login is there.
    pub login_env: LoginEnv,
    /// A line for `sh`, run in the container before the program where the login is there: what the program itself does
    /// not do to share it.
    pub before: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginEnv {
    pub set: BTreeMap<String, String>,
    /// Not if one of these is set on the host: the user chose another way to log in.
    pub unless: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeRules {
    /// Where the project's home is mounted.
    pub at: String,
    /// The variable that tells the program so.
    pub env: Option<String>,
    /// The value of that variable where it is not `at`.
    pub value: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoginRules {
    pub env: Option<String>,
    /// Container path of the login directory, below `/ai/shared`.
    pub at: String,
    /// The files that hold credentials, the one that says whether there is a login first.
    pub files: Vec<String>,
    /// Directory below the person's home where the host's own program keeps them.
    pub host: Option<String>,
    /// The program's own login and logout replace or unlink these files, so for those two the login directory itself is
    /// mounted as the home.
    pub at_home: bool,
}

/// A tool or profile, ready to plan with.
#[derive(Clone, Debug)]
pub struct Tool {
    pub name: String,
    /// The tool that `name` is a profile of, or `name` itself.
    pub base: String,
    pub manifest: Manifest,
    pub purpose: Purpose,
}

/// What the program is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Work,
    /// Its own login or logout.
    Login,
}

impl Tool {
    /// Reads `name` and, if it is a profile, its parent, through `text`, which knows the user's manifests.
    pub fn load(name: &str, text: impl Fn(&str) -> Result<Option<Source>>) -> Result<Option<Self>> {
        let Some(source) = text(name)? else { return Ok(None) };
        let manifest = parse(&source)?;
        let Some(parent) = manifest.profile_of.clone() else {
            return Ok(Some(Self { name: name.into(), base: name.into(), manifest, purpose: Purpose::Work }));
        };
        let unknown = || {
            Failure::new(Kind::Config, format!("cannot use profile `{name}`: its `profile_of` names no tool: `{parent}`"))
                .because(&source.origin)
        };
        let base = parse(&text(&parent)?.ok_or_else(unknown)?)?;
        if base.profile_of.is_some() {
            return Err(unknown().hint("name the tool itself; a profile cannot stand on another profile"));
        }
        Ok(Some(Self { name: name.into(), base: parent, manifest: on_top_of(base, manifest), purpose: Purpose::Work }))
    }

    pub fn is_exec(&self) -> bool {
        self.name == EXEC
    }

    /// The file that says whether there is a login, relative to the store.
    pub fn login_file(&self) -> Option<PathBuf> {
        let login = &self.manifest.state.as_ref()?.login;
        let below = Path::new(&login.at).strip_prefix(SHARED).ok()?;
        Some(Store::new("").shared(&self.name).join(below).join(login.files.first()?))
    }

    /// The same tool for its own login or logout.
    #[must_use]
    pub fn at_login(&self) -> Self {
        let mut tool = Self { purpose: Purpose::Login, ..self.clone() };
        if let Some(state) = tool.manifest.state.as_mut().filter(|state| state.login.at_home) {
            state.links.clear();
            state.shared.clear();
            state.private.clear();
            state.before = None;
        }
        tool
    }

    /// The host program that `--native` runs.
    pub fn native_program(&self) -> &str {
        self.manifest.native.as_deref().or(self.manifest.command.first().map(String::as_str)).unwrap_or(&self.name)
    }
}

/// A profile over the tool that it names: the tool's program and layout, the profile's own environment and secrets.
fn on_top_of(base: Manifest, profile: Manifest) -> Manifest {
    fn or<T>(profile: Vec<T>, base: Vec<T>) -> Vec<T> {
        if profile.is_empty() { base } else { profile }
    }
    let mut set = base.env.set;
    set.extend(profile.env.set);
    let mut append = base.env.append;
    append.extend(profile.env.append);
    Manifest {
        about: profile.about,
        command: or(profile.command, base.command),
        native: profile.native.or(base.native),
        profile_of: profile.profile_of,
        image: profile.image.or(base.image),
        print: or(profile.print, base.print),
        print_commands: or(profile.print_commands, base.print_commands),
        complete: or(profile.complete, base.complete),
        login: profile.login,
        logout: profile.logout,
        min_version: profile.min_version.or(base.min_version),
        limits: LimitRules {
            memory: profile.limits.memory.or(base.limits.memory),
            cpus: profile.limits.cpus.or(base.limits.cpus),
            pids: profile.limits.pids.or(base.limits.pids),
        },
        env: EnvRules { pass: profile.env.pass, set, append },
        secret: profile.secret,
        state: profile.state.or(base.state),
        sync: or(profile.sync, base.sync),
    }
}

/// The text of a manifest and where it came from.
#[derive(Clone, Debug)]
pub struct Source {
    pub text: String,
    pub origin: String,
}

/// The built-in manifest of this name.
pub fn built_in(name: &str) -> Option<Source> {
    let (_, text) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name)?;
    Some(Source { text: (*text).into(), origin: format!("built-in {name}.toml") })
}

/// Names of the built-in tools and profiles, without the pseudo tool.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).filter(|name| *name != EXEC)
}

/// Whether `name` can be a tool: it becomes a shell function, a directory and part of a container's name.
pub fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && name.len() <= 32
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

fn parse(source: &Source) -> Result<Manifest> {
    let manifest: Manifest = toml::from_str(&source.text)
        .map_err(|error| Failure::new(Kind::Config, format!("cannot read `{}`: it is no valid manifest", source.origin)).because(error))?;
    manifest.check().map_err(|why| Failure::new(Kind::Config, format!("cannot read `{}`: {why}", source.origin)))?;
    Ok(manifest)
}

impl Manifest {
    /// What types cannot say: paths that become mounts must stay where they belong.
    fn check(&self) -> std::result::Result<(), String> {
        let rules = self.sync.iter().map(|rule| &rule.path);
        let mut inside: Vec<&String> = rules.collect();
        if let Some(state) = &self.state {
            if !state.home.at.starts_with("/home/ai/") {
                return Err(format!("`state.home.at` is not below `/home/ai/`: `{}`", state.home.at));
            }
            if !state.login.at.is_empty() && !state.login.at.starts_with("/ai/shared/") {
                return Err(format!("`state.login.at` is not below `/ai/shared/`: `{}`", state.login.at));
            }
            inside.extend(state.shared.iter().chain(&state.private).chain(&state.login.files).chain(&state.login.host));
            inside.extend(state.links.keys());
        }
        match inside.into_iter().find(|path| !is_plain_relative(path)) {
            Some(path) => Err(format!("`{path}` is not a plain relative path")),
            None => Ok(()),
        }
    }
}

fn is_plain_relative(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_manifest_is_valid() {
        for (name, _) in BUILT_IN {
            let tool = Tool::load(name, |name| Ok(built_in(name))).unwrap().unwrap();
            assert!(is_valid_name(&tool.name), "{name}");
        }
    }

    #[test]
    fn a_profile_takes_the_program_but_not_the_keys() {
        let glm = Tool::load("glm", |name| Ok(built_in(name))).unwrap().unwrap();
        assert_eq!((glm.name.as_str(), glm.base.as_str()), ("glm", "claude"));
        assert_eq!(glm.manifest.command, ["claude"]);
        assert!(!glm.manifest.env.pass.iter().any(|name| name == "ANTHROPIC_API_KEY"));
        assert!(glm.manifest.secret.contains_key("ANTHROPIC_AUTH_TOKEN"));
    }

    #[track_caller]
    fn check_name(name: &str, expected: bool) {
        assert_eq!(is_valid_name(name), expected, "{name:?}");
    }

    #[test]
    fn names_are_plain_words() {
        for name in ["claude", "cursor-agent", "x1_y"] {
            check_name(name, true);
        }
        for name in ["", "a b", "rm -rf", "claude();id", "-x", "Claude", "ü", "a/b", "..", "1x"] {
            check_name(name, false);
        }
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let failure = parse(&Source { text: text.into(), origin: "x.toml".into() }).unwrap_err();
        assert_eq!(failure.kind, Kind::Config);
        assert!(failure.to_string().contains(expected), "{failure}");
    }

    #[test]
    fn unknown_keys_are_shown_with_their_place() {
        refused("abuot = 'x'\n", "abuot");
        refused("about = 'x'\n[env]\nsett = {}\n", "3 |");
    }

    #[test]
    fn state_cannot_leave_its_place() {
        refused("[state]\nhome = { at = '/etc' }\n", "/home/ai/");
        refused("[state]\nhome = { at = '/home/ai/.x' }\nprivate = ['../..']\n", "plain relative path");
        refused("[[sync]]\npath = '/etc/passwd'\nclass = 'json'\n", "plain relative path");
    }
}

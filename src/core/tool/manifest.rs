//! What a manifest says, as it stands in its file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::core::admit::path::no_keys;
use crate::core::commit::CommitRules;
use crate::core::config::value::{at_least_one, parse_bytes, plain_name, processors};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::rule::EgressRule;
use crate::core::ledger::TranscriptRules;
use crate::core::setup::document::DocumentRule;
use crate::core::setup::rules::{NameRule, PluginRules, ProjectSettings};
use crate::core::sync::Rule;
use crate::core::telemetry::TelemetryRules;
use crate::core::text::visible::toml_complaint;
use crate::core::tool::install::InstallRules;
use crate::core::tool::keys::KeyRules;
pub use crate::core::tool::source::ManifestText;

/// A tool or a profile of one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct Manifest {
    pub about: String,
    /// Argument vector in the container, before the user's arguments.
    pub command: Vec<String>,
    /// Words between that and the person's; those of a profile stand behind those of its tool, on the host too.
    pub args: Vec<String>,
    /// The network of its runs where no configuration names one.
    pub network: Option<String>,
    /// Program on the host for `--native`; the first word of `command` if absent.
    pub native: Option<String>,
    /// The tool whose program, state layout and sync rules this profile uses.
    pub profile_of: Option<String>,
    /// Image to run; the shared tool image if absent.
    pub image: Option<String>,
    /// What puts the program into an image of its own.
    pub install: Option<InstallRules>,
    /// Arguments that ask for print mode, so that no terminal is allocated.
    pub print: Vec<String>,
    /// First arguments that ask for print mode.
    pub print_commands: Vec<String>,
    /// The variable by which people choose another directory, and so another account, for the program.
    pub account_env: Option<String>,
    /// The exit code by which the program asks to be started again, where a person sits before it.
    pub relaunch: Option<u8>,
    /// Options of the program that are followed by a path of the host.
    pub path_options: Vec<String>,
    /// Words for completion, beside those that its `--help` shows: `word` or `word  what it means`.
    pub complete: Vec<String>,
    pub login: Vec<String>,
    pub logout: Vec<String>,
    /// Oldest version of the program that may share a login between sessions.
    pub min_version: Option<String>,
    pub limits: LimitRules,
    pub egress: HostRules,
    /// How the program works while its key stays outside; it cannot if absent.
    pub keys: KeyRules,
    pub env: EnvRules,
    pub secret: BTreeMap<String, SecretRule>,
    pub state: Option<StateRules>,
    pub sync: Vec<Rule>,
    /// What the settings name outside themselves.
    pub names: Vec<NameRule>,
    /// Settings files of a project: what they name is looked at, too.
    pub project_settings: BTreeMap<String, ProjectSettings>,
    /// Where its plugins are, and what they name.
    pub plugins: PluginRules,
    /// Documents in its own directory.
    pub documents: Vec<DocumentRule>,
    /// The directory of a project in which documents at the same places are read, too.
    pub project_documents: Option<String>,
    /// Files of the person's home that it reads where they are, each unless another one is there. They do not come along.
    pub reads: BTreeMap<String, String>,
    /// Instruction files, below the tool's own directory, whose `@` imports come along.
    pub imports: Vec<String>,
    /// How the program is asked for the message of a commit; it writes none if absent.
    pub commit: Option<CommitRules>,
    /// The arguments with which the program goes on with a conversation; `{id}` stands for its name.
    pub resume: Vec<String>,
    /// How the program is told to report to a collector of the person's own; it does not if absent.
    pub telemetry: Option<TelemetryRules>,
    /// Where the program writes down what was said.
    pub transcripts: Option<TranscriptRules>,
}

/// The hosts of the tool's maker.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostRules {
    /// Without which the tool does not answer, log in, or renew a login: the set `model`.
    pub model: Vec<EgressRule>,
    /// Which the tool asks for and does not miss: nobody is told that they were blocked.
    pub quiet: Vec<EgressRule>,
    /// The same for hosts that people use, too, with how often the tool asks by itself: who asks more often misses them.
    pub at_start: BTreeMap<String, u64>,
    /// Hosts of which the pages of a login are opened in the person's browser.
    pub pages: Vec<String>,
    /// Variables where pages can be opened, for a program that goes by them and calls `xdg-open` instead of what `BROWSER` names.
    pub page_env: BTreeMap<String, String>,
}

/// Default limits, before they are clamped to what the engine has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// Such as `4g`; see [`crate::core::config::value::parse_bytes`].
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
    /// Words put in front of the host's value, which counts more.
    pub append: BTreeMap<String, String>,
    /// Literals that belong to another variable; the first that is there wins.
    pub when: Vec<WhenPassed>,
}

/// Literals for a run that has a variable.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhenPassed {
    pub variable: String,
    pub set: BTreeMap<String, String>,
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
    /// Whether a run goes on without it; it does not if absent.
    pub optional: Option<bool>,
    /// How it reaches the program; in its environment if absent.
    pub deliver: Option<SecretDelivery>,
}

/// How a secret reaches the program in the container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretDelivery {
    /// As a variable, which `docker inspect` shows to whoever can use the engine.
    #[default]
    Env,
    /// As a file in memory, whose path is in the variable with `_FILE` behind its name.
    File,
}

/// How the program's state maps to the store.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateRules {
    pub home: HomeRules,
    pub login: LoginRules,
    /// Directories of the home that all projects share: each is a directory of its own that is mounted over the home's. What one
    /// project writes there is read by all.
    pub shared: Vec<String>,
    /// Directories of the home that no run should find again: tmpfs.
    pub private: Vec<String>,
    /// Directories of the home that are locks, which a killed run leaves: removed before a run that has the home to itself.
    pub stale: Vec<String>,
    /// What the person has beside their settings and a run may read: path below their home, with `/*` at its end for each thing in a
    /// directory → where it is inside. `~` there is the person's home as the host spells it, since their settings name it so.
    pub along: BTreeMap<String, String>,
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
    /// The same directory below the person's home: what settings name by that path is there inside, too.
    pub host: Option<String>,
    /// The value of that variable where it is not `at`.
    pub value: Option<String>,
    /// Whether the program notes what the person agreed to by its own path: a run has it where the host has it, too.
    pub as_on_host: bool,
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
    /// Nothing but tokens of a known shape is a login: the program keeps other things in the same file.
    pub tokens_only: bool,
    /// The program's own login and logout replace or unlink these files, so for those two a link to the login directory stands
    /// where the home would be.
    pub at_home: bool,
}

impl Manifest {
    /// Reads and checks a manifest; an error names its file and line.
    pub fn parse(source: &ManifestText) -> Result<Self> {
        let invalid =
            || Failure::new(Kind::Config, format!("cannot read `{}`: it is no valid manifest", source.origin)).hint("ai help tools");
        let manifest: Self = match source.json() {
            Some(json) => serde_json::from_str(json).map_err(|error| invalid().because(error.to_string()))?,
            None => toml::from_str(source.text()).map_err(|error| invalid().because(toml_complaint(&error)))?,
        };
        manifest
            .check()
            .map_err(|why| Failure::new(Kind::Config, format!("cannot read `{}`: {why}", source.origin)).hint("ai help tools"))?;
        Ok(manifest)
    }

    /// Returns what types cannot say: paths that become mounts must stay where they belong.
    fn check(&self) -> std::result::Result<(), String> {
        let rules = self.sync.iter().map(|rule| &rule.path);
        let mut inside: Vec<&String> = rules.collect();
        if let Some(state) = &self.state {
            let is_below = |path: &str, above: &str| path.strip_prefix(above).is_some_and(is_plain_relative);
            if !is_below(&state.home.at, "/home/ai/") {
                return Err(format!("`state.home.at` is not below `/home/ai/`: `{}`", state.home.at));
            }
            if !state.login.at.is_empty() && !is_below(&state.login.at, "/ai/shared/") {
                return Err(format!("`state.login.at` is not below `/ai/shared/`: `{}`", state.login.at));
            }
            inside.extend(state.shared.iter().chain(&state.private).chain(&state.stale).chain(&state.login.files).chain(&state.login.host));
            inside.extend(state.links.keys());
            for (from, to) in &state.along {
                let is_each = |path: &str| path.ends_with("/*");
                let below = ["/home/ai/", "~/"].iter().find_map(|above| to.strip_prefix(above)).unwrap_or_default();
                let is_sound = |path: &str| is_plain_relative(path.strip_suffix("/*").unwrap_or(path));
                if !is_sound(from) || !is_sound(below) || is_each(from) != is_each(to) {
                    return Err(format!("`state.along` is no path below the home and one below `~/` or `/home/ai/`: `{from}` = `{to}`"));
                }
            }
        }
        let of_host = self.state.iter().flat_map(|state| state.home.host.iter().chain(&state.login.host));
        let of_host: Vec<&String> = of_host.chain(self.sync.iter().filter_map(|rule| rule.host.as_ref())).collect();
        no_keys(&of_host)?;
        inside.extend(of_host);
        inside.extend(self.secret.values().filter_map(|rule| rule.file.as_ref()));
        inside.extend(self.transcripts.iter().flat_map(|rules| std::iter::once(&rules.at).chain(&rules.also)));
        inside.extend(self.commit.iter().flat_map(|commit| commit.files.keys()));
        self.keys.check()?;
        if let Some((host, why)) = self.egress.at_start.keys().find_map(|host| Some((host, host.parse::<EgressRule>().err()?))) {
            return Err(format!("`egress.at_start`: `{host}`: {why}"));
        }
        if self.commit.as_ref().is_some_and(|commit| commit.argv.is_empty()) {
            return Err("`commit.argv` is empty".into());
        }
        self.image.as_deref().map(plain_name).transpose().map_err(|why| format!("`image`: {why}"))?;
        self.network.as_deref().map(plain_name).transpose().map_err(|why| format!("`network`: {why}"))?;
        if let Some(install) = &self.install {
            install.check()?;
            if self.image.is_some() {
                return Err("a tool has one image: either `image` or `install` says which".into());
            }
        }
        self.limits.memory.as_deref().map(parse_bytes).transpose().map_err(|why| format!("`limits.memory`: {why}"))?;
        self.limits.cpus.map(processors).transpose().map_err(|why| format!("`limits.cpus`: {why}"))?;
        self.limits.pids.map(at_least_one).transpose().map_err(|why| format!("`limits.pids`: {why}"))?;
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

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let failure = Manifest::parse(&ManifestText::own(text, "x.toml")).unwrap_err();
        assert_eq!(failure.kind, Kind::Config);
        assert!(failure.to_string().contains(expected), "{failure}");
    }

    #[test]
    fn unknown_keys_are_shown_with_their_place() {
        refused("abuot = 'x'\n", "abuot");
        refused("about = 'x'\n[env]\nsett = {}\n", "3 |");
    }

    #[test]
    fn a_limit_that_limits_nothing_is_none() {
        refused("image = '-v'\n", "`image`: `-v` is no name");
        refused("[limits]\nmemory = 'much'\n", "`limits.memory`: `much` is no size");
        refused("[limits]\ncpus = nan\n", "`limits.cpus`: `NaN` is no number");
        refused("[limits]\npids = 0\n", "`limits.pids`: `0` is too few");
    }

    #[test]
    fn state_cannot_leave_its_place() {
        refused("[state]\nhome = { at = '/etc' }\n", "/home/ai/");
        refused("[state]\nhome = { at = '/home/ai/../../etc' }\n", "/home/ai/");
        refused("[state]\nhome = { at = '/home/ai/.x' }\nlogin = { at = '/ai/shared/../..' }\n", "/ai/shared/");
        refused("[state]\nhome = { at = '/home/ai/.x' }\nprivate = ['../..']\n", "plain relative path");
        refused("[state]\nhome = { at = '/home/ai/.x' }\nalong = { '../x' = '~/x' }\n", "state.along");
        refused("[state]\nhome = { at = '/home/ai/.x' }\nalong = { 'x' = '/etc/x' }\n", "state.along");
        refused("[state]\nhome = { at = '/home/ai/.x' }\nalong = { 'x/*' = '~/x' }\n", "state.along");
        refused("[[sync]]\npath = '/etc/passwd'\nclass = 'json'\n", "plain relative path");
        for from in
            [".ssh/id_rsa", ".SSH", ".s*/id_rsa", ".gnupg/x", ".local", ".docker-ai-config/global_state/codex/shared/login/auth.json"]
        {
            refused(&format!("[[sync]]\npath = 'x'\nclass = 'lines'\nhost = '{from}'\n"), "your keys are there");
            refused(&format!("[state]\nhome = {{ at = '/home/ai/.x', host = '{from}' }}\n"), "your keys are there");
        }
    }
}

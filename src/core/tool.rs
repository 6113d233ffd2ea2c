//! Tools are data: a manifest says how to start a program, what it may see, and where its state lives.
//!
//! Built-in manifests are in `tool/*.toml`; the user's are in `<store>/tools/*.toml`, and the file stem is the name.

use std::path::{Path, PathBuf};

use crate::core::container::{HOME, SHARED};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::InstalledImage;
use crate::core::store::Store;
use crate::core::sync::Rule;
use crate::core::text::from_table::read_from_table;
use crate::core::tool::manifest::{LoginRules, Manifest, ManifestText};

pub mod default;
mod doubts;
pub mod examine;
pub mod install;
pub mod keys;
pub mod local;
pub mod manifest;
mod over;
mod reserved;
pub mod schema;
mod source;

read_from_table!(Manifest);

/// A manifest that comes with the program.
struct BuiltIn {
    name: &'static str,
    /// What it says, as `build.rs` wrote it.
    json: &'static str,
}

/// Makes the list of built-in manifests from their names.
macro_rules! built_in {
    ($($name:literal),*) => {
        [$(BuiltIn {
            name: $name,
            json: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".json")),
        }),*]
    };
}

/// The manifests that come with the program, in the order in which people see them.
const BUILT_IN: [BuiltIn; 5] = built_in!("claude", "gemini", "codex", "glm", "exec");

/// Manifests that come with the program and are tools as soon as a person adds them: nobody's shell pays for what they do not use.
const MORE: [&str; 5] = ["pi", "opencode", "copilot", "qwen", "kimi"];

/// The pseudo tool behind `ai exec`: no program of its own, no state, the user's words are the command.
pub const EXEC: &str = "exec";

/// A tool or profile, ready to plan with.
#[derive(Clone, Debug)]
pub struct Tool {
    pub name: String,
    /// The tool that `name` is a profile of, or `name` itself.
    pub base: String,
    pub manifest: Manifest,
    pub purpose: Purpose,
    /// Whether a manifest of the person's own describes it, or what it is a profile of.
    pub is_own: bool,
    /// The one of `name` and `base` whose `[install]` it is.
    pub installed_as: String,
}

/// What the program is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Work,
    /// Its own login or logout.
    Login,
    /// One question, with nothing but its login.
    Errand,
}

impl Tool {
    /// Reads `name` and, if it is a profile, its parent, through `text`, which knows the user's manifests.
    pub fn load(name: &str, text: impl Fn(&str) -> Result<Option<ManifestText>>) -> Result<Option<Self>> {
        let Some(source) = text(name)? else { return Ok(None) };
        let mut manifest = Manifest::parse(&source)?;
        let is_own = |name: &str, source: &ManifestText| {
            !source.is_shipped()
                && built_in(name).is_none_or(|ours| ours.text() != source.text())
                && adding(name).is_none_or(|ours| ours != source.text())
        };
        let own = is_own(name, &source);
        let Some(parent) = manifest.profile_of.clone() else {
            return Ok(Some(Self {
                name: name.into(),
                base: name.into(),
                manifest,
                purpose: Purpose::Work,
                is_own: own,
                installed_as: name.into(),
            }));
        };
        let unknown = || {
            Failure::new(Kind::Config, format!("cannot use profile `{name}`: its `profile_of` names no tool: `{parent}`"))
                .because(&source.origin)
        };
        if parent == name {
            // More of what the program knows of this tool, with all that is said there.
            let base = Manifest::parse(&shipped(name).ok_or_else(unknown)?)?;
            manifest = manifest.more_of(base);
            return Ok(Some(Self {
                name: name.into(),
                base: name.into(),
                manifest,
                purpose: Purpose::Work,
                is_own: own,
                installed_as: name.into(),
            }));
        }
        let below = text(&parent)?.or_else(|| shipped(&parent)).ok_or_else(unknown)?;
        let own = own || is_own(&parent, &below);
        let mut base = Manifest::parse(&below)?;
        if base.profile_of.as_ref() == Some(&parent) {
            base = base.more_of(Manifest::parse(&shipped(&parent).ok_or_else(unknown)?)?);
        }
        if base.profile_of.is_some() {
            let why = format!("cannot use profile `{name}`: its `profile_of` names `{parent}`: `{parent}` is a profile itself");
            return Err(Failure::new(Kind::Config, why).because(&source.origin).hint("name the tool itself"));
        }
        let installed_as = if manifest.install.is_some() { name.to_owned() } else { parent.clone() };
        let manifest = manifest.on_top_of(base);
        Ok(Some(Self { name: name.into(), base: parent, manifest, purpose: Purpose::Work, is_own: own, installed_as }))
    }

    /// Returns the tool's own directory below the person's home, where it has one.
    pub fn host_directory(&self) -> Option<&str> {
        self.manifest.state.as_ref()?.home.host.as_deref()
    }

    pub fn is_exec(&self) -> bool {
        self.name == EXEC
    }

    /// Returns the file that says whether there is a login, relative to the store.
    pub fn login_file(&self) -> Option<PathBuf> {
        let login = &self.manifest.state.as_ref()?.login;
        let below = Path::new(&login.at).strip_prefix(SHARED).ok()?;
        Some(Store::new("").shared(&self.name).join(below).join(login.files.first()?))
    }

    /// Returns the rules of settings in which its login is: its program keeps no file for that alone.
    pub fn login_settings(&self) -> impl Iterator<Item = &Rule> {
        self.manifest.sync.iter().filter(|rule| !rule.login_keys.is_empty())
    }

    /// Returns the same tool for its own login or logout.
    #[must_use]
    pub fn at_login(&self) -> Self {
        let mut tool = Self { purpose: Purpose::Login, ..self.clone() };
        let files: Vec<String> = self.login_settings().map(|rule| rule.path.clone()).collect();
        if let Some(state) = tool.manifest.state.as_mut().filter(|_| !files.is_empty()) {
            state.login = LoginRules { at: format!("{SHARED}/login"), files, at_home: true, ..LoginRules::default() };
        }
        if let Some(state) = tool.manifest.state.as_mut().filter(|state| state.login.at_home) {
            state.links.clear();
            state.shared.clear();
            state.private.clear();
            state.before = None;
        }
        tool
    }

    /// Returns the same tool as it renews its login: with the login at its usual place, in a home of its own.
    #[must_use]
    pub fn at_renewal(&self) -> Self {
        let mut tool = Self { purpose: Purpose::Login, ..self.clone() };
        tool.manifest.command.clone_from(&self.manifest.keys.renew);
        if let Some(state) = &mut tool.manifest.state {
            state.login.at_home = false;
        }
        tool
    }

    /// Returns the same tool as it is asked for the message of a commit; `None` where its manifest does not say how.
    pub fn at_commit(&self, model: Option<&str>) -> Option<Self> {
        let rules = self.manifest.commit.as_ref()?;
        let home = self.manifest.state.as_ref().map_or(HOME, |state| &state.home.at).to_owned();
        let mut tool = Self { purpose: Purpose::Errand, ..self.clone() };
        tool.manifest.command = rules.words(&home, model);
        tool.manifest.env.set.extend(rules.literals(&home));
        Some(tool)
    }

    /// Whether this is a run for the person's work, with what they agreed to before.
    pub fn is_at_work(&self) -> bool {
        self.purpose == Purpose::Work
    }

    /// Whether this is a login that replaces its files by name: the login's directory stands in for the tool's home then.
    pub fn logs_in_at_home(&self) -> bool {
        self.purpose == Purpose::Login && self.manifest.state.as_ref().is_some_and(|state| state.login.at_home)
    }

    /// Returns the image that its manifest makes, with another version of the program if `version` says so.
    ///
    /// # Errors
    /// Where there is no such version.
    pub fn installed_image(&self, version: Option<(&str, Option<&str>)>) -> Option<std::result::Result<InstalledImage, String>> {
        let rules = self.manifest.install.clone()?;
        let rules = version.map_or_else(|| Ok(rules.clone()), |(version, integrity)| rules.at(version, integrity));
        Some(rules.map(|rules| InstalledImage::new(&self.installed_as, &self.manifest.command, rules)))
    }

    /// Returns the host program that `--native` runs.
    pub fn native_program(&self) -> &str {
        self.manifest.native.as_deref().or(self.manifest.command.first().map(String::as_str)).unwrap_or(&self.name)
    }
}

/// Returns the built-in manifest of this name.
pub fn built_in(name: &str) -> Option<ManifestText> {
    let found = BUILT_IN.iter().find(|built_in| built_in.name == name)?;
    Some(ManifestText::shipped(name, Some(found.json)))
}

/// Returns the manifest that comes with the program under this name, whether or not it is a tool of this person.
pub fn shipped(name: &str) -> Option<ManifestText> {
    let more = || MORE.contains(&name).then(|| ManifestText::shipped(name, None));
    built_in(name).or_else(more)
}

/// Names of the tools that come with the program and must be added.
pub fn more_names() -> impl Iterator<Item = &'static str> {
    MORE.into_iter()
}

/// Returns the manifest of a person's own that adds a tool which comes with the program.
pub fn adding(name: &str) -> Option<String> {
    more_names().any(|known| known == name).then(|| {
        format!("# Comes with ai; `ai tools show {name}` has all of it. What is written here goes before that.\nprofile_of = \"{name}\"\n")
    })
}

/// Names of the built-in tools and profiles, without the pseudo tool.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|built_in| built_in.name).filter(|name| *name != EXEC)
}

/// Whether `name` can be a tool: it becomes a shell function, a directory and part of a container's name.
pub fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && name.len() <= 32
        && !reserved::is_reserved(name)
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

/// Returns why words that begin with `prefix` could not be told from others: those of a shell, or our own.
pub fn taken_prefix(prefix: &str) -> Option<&'static str> {
    if prefix.starts_with("__ai") {
        Some("our own functions begin so")
    } else if is_taken(prefix) {
        Some("it is a word of a shell, of an engine or of ours")
    } else {
        None
    }
}

/// Whether the word is one of a shell, of an engine or of ours.
pub fn is_taken(word: &str) -> bool {
    reserved::is_reserved(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::text::packed;

    #[test]
    fn every_built_in_manifest_is_valid() {
        for BuiltIn { name, .. } in BUILT_IN {
            let tool = Tool::load(name, |name| Ok(built_in(name))).unwrap().unwrap();
            assert!(is_valid_name(&tool.name), "{name}");
        }
    }

    // TO-02
    #[test]
    fn a_tool_that_was_added_is_what_the_program_knows_and_what_is_said_beside() {
        for name in more_names() {
            let load = |text: &str| {
                let texts = |asked: &str| Ok((asked == name).then(|| ManifestText::own(text, "x.toml")));
                Tool::load(name, texts).unwrap().unwrap()
            };
            let added = load(&adding(name).unwrap());
            let known = Manifest::parse(&shipped(name).unwrap()).unwrap();
            assert_eq!(format!("{:?}", added.manifest), format!("{known:?}"), "{name}");
            assert_eq!((added.base.as_str(), added.is_own, is_valid_name(name)), (name, false, true));
            assert!(added.manifest.install.is_some_and(|install| install.integrity.is_some()), "{name}");
            let more = load(&format!("profile_of = '{name}'\n[env]\npass = ['MINE']\nset = {{ X = '1' }}\n"));
            let pass = [known.env.pass, vec!["MINE".into()]].concat();
            assert_eq!((more.manifest.env.pass, more.manifest.login, more.is_own), (pass, known.login, true), "{name}");
            assert!(more.manifest.env.set.contains_key("X"));
        }
        let texts = |asked: &str| Ok((asked == "mine").then(|| ManifestText::own("profile_of = 'pi'\n[env.set]\nX = '1'\n", "x.toml")));
        let mine = Tool::load("mine", texts).unwrap().unwrap();
        assert_eq!((mine.base.as_str(), mine.installed_as.as_str(), mine.manifest.command), ("pi", "pi", vec!["pi".to_owned()]));
        assert!(Tool::load("x", |_| Ok(Some(ManifestText::own("profile_of = 'x'", "x.toml")))).is_err());
    }

    #[test]
    fn what_is_read_at_a_run_is_what_the_manifest_says() {
        for BuiltIn { name, .. } in BUILT_IN {
            let text = packed::text(&format!("{name}.toml"));
            let written = Manifest::parse(&ManifestText::own(text, name)).unwrap();
            assert_eq!(format!("{:?}", Manifest::parse(&built_in(name).unwrap()).unwrap()), format!("{written:?}"));
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
}

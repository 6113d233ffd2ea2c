//! The person's set-up: what their settings name (programs, files, addresses), and whether it is inside.
//!
//! A tool goes on without a hook that it cannot start, so what guards must be told from what decorates.

pub mod document;
pub mod imports;
pub mod lacking;
pub mod line;
pub mod program;
pub mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::core::container::HOME;
use crate::core::engine::is_loopback;
use crate::core::setup::line::{Word, WordRole};
use crate::core::setup::rules::NameRule;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameKind {
    /// A command line, or a list of its words.
    Program,
    File,
    /// A file of the tool's own directory, by its name there.
    Beside,
    Url,
    /// A variable of the environment.
    Variable,
    /// A text with variables in it: `${NAME}`, or `$NAME`.
    Text,
}

/// One thing that a settings file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub kind: NameKind,
    pub guards: bool,
    pub comes: bool,
    pub called: String,
    /// The words: of a command line, or the one path or address.
    pub words: Vec<Word>,
}

/// Returns everything that a settings file names, as its rules say; `given` are variables that are set beside its own.
pub fn named(rules: &[NameRule], file: &str, settings: &Value, given: &[(&str, &str)]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut variables = variables(settings);
    variables.extend(given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let is_off = |rule: &NameRule| rule.unless.as_ref().is_some_and(|key| settings[key.as_str()].as_bool().unwrap_or_default());
    for rule in rules.iter().filter(|rule| rule.file == file && !is_off(rule)) {
        let keys: Vec<&str> = rule.at.split('.').collect();
        for Valued { key, value, beside } in values(settings, &keys, rule.when.as_ref()) {
            let texts = |list: &[Value]| list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
            let arguments = beside.and_then(|table| table.get(ARGUMENTS)).and_then(Value::as_array);
            let words = match (rule.names, value, arguments) {
                (NameKind::Program, Value::String(program), Some(arguments)) => line::started(program, &texts(arguments), &variables),
                (NameKind::Program, Value::String(line), None) => line::words(line, &variables),
                (NameKind::Text, Value::String(text), _) => line::variables(text).into_iter().map(Word::plain).collect(),
                (_, Value::String(text), _) => vec![Word::plain(text)],
                (_, Value::Array(list), _) => texts(list).into_iter().map(Word::plain).collect(),
                _ => continue,
            };
            if !words.is_empty() {
                found.push(Named {
                    kind: rule.names,
                    guards: rule.guards,
                    comes: rule.comes,
                    called: rule.called.replace('*', key),
                    words,
                });
            }
        }
    }
    found
}

impl Named {
    /// Returns a settings file as a whole, of which it is not known what it names.
    pub fn settings() -> Self {
        Self { kind: NameKind::File, guards: true, comes: false, called: "settings".into(), words: Vec::new() }
    }
}

/// The arguments of a program that is started without a shell stand beside it.
const ARGUMENTS: &str = "args";

/// A value at a place: the first key that a `*` stands for, and the table that holds the value.
struct Valued<'a> {
    key: &'a str,
    value: &'a Value,
    beside: Option<&'a Map<String, Value>>,
}

/// Returns the values at a place, where what must stand beside them does.
fn values<'a>(value: &'a Value, keys: &[&str], when: Option<&(String, String)>) -> Vec<Valued<'a>> {
    let Some((key, rest)) = keys.split_first() else { return vec![Valued { key: "", value, beside: None }] };
    match (*key, value) {
        ("*", Value::Array(list)) => list.iter().flat_map(|item| values(item, rest, when)).collect(),
        ("*", Value::Object(table)) => {
            table.iter().flat_map(|(key, item)| values(item, rest, when).into_iter().map(move |found| Valued { key, ..found })).collect()
        }
        (key, Value::Object(table)) => {
            let holds = !rest.is_empty() || when.is_none_or(|(key, value)| table.get(key).is_some_and(|found| found == value));
            let found = table.get(key).filter(|_| holds).map_or_else(Vec::new, |item| values(item, rest, when));
            found.into_iter().map(|found| Valued { beside: found.beside.or(Some(table)), ..found }).collect()
        }
        _ => Vec::new(),
    }
}

/// What is known of the inside of a container.
pub struct Inside<'a> {
    /// The home on the host, and that of the container.
    pub host_home: Option<&'a Path>,
    /// Where the tool's own directory is, as the host spells it and as the container does.
    pub tool_directories: &'a [PathBuf],
    /// Paths below the tool's own directory that came along.
    pub came_along: &'a dyn Fn(&Path) -> bool,
    /// The beginning of a script that came along or is mounted, by its path as the settings spell it.
    pub script: &'a dyn Fn(&Path) -> Option<Vec<u8>>,
    /// Container paths that a mount covers, beside that of the tool's own directory.
    pub mounted: &'a dyn Fn(&Path) -> bool,
    /// The programs of the image by name, where they are known.
    pub programs: Option<&'a [String]>,
    /// Whether the image loads programs by glibc and nothing else.
    pub has_glibc_alone: bool,
    /// Whether a variable is set on the host, and not inside.
    pub lacks_variable: &'a dyn Fn(&str) -> bool,
    /// Whether `localhost` in the container is the person's machine.
    pub shares_loopback: bool,
}

/// Why something that is named is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A program that the image has not.
    Program(String),
    /// A program that a script names in its first line, and the image has not.
    Interpreter { script: PathBuf, name: String },
    /// A program of another system or processor than the container's.
    Foreign(PathBuf),
    /// A path of the host that is not mounted.
    Path(PathBuf),
    /// The same, which no settings of the person's name: what a repository or a container wrote.
    Asked(PathBuf),
    /// A path that is not on the host either, of something that guards.
    Nowhere(PathBuf),
    /// A variable of the host.
    Variable(String),
    /// An address of the host's own loopback.
    Address(String),
    /// A word that only the run knows, of something that guards.
    Unknown(String),
    /// A settings file that its tool reads and we do not, which may name what guards, and why.
    Unread { file: String, why: &'static str },
    /// What the person's own settings name and those of this project do not.
    Dropped,
}

impl Missing {
    /// Says who names it: a path that is not the person's own words is not what they are told to let in.
    #[must_use]
    pub fn of_others(self) -> Self {
        if let Self::Path(path) = self { Self::Asked(path) } else { self }
    }

    /// Returns the path of the host that is missing and that the person's own settings name.
    pub fn path(&self) -> Option<&Path> {
        if let Self::Path(path) = self { Some(path) } else { None }
    }
}

/// Returns what of `named` a container lacks, what is to be let in first.
pub fn missing(named: &Named, inside: &Inside) -> Vec<Missing> {
    let words = || named.words.iter();
    match named.kind {
        NameKind::Url => {
            let local = words().filter(|url| !inside.shares_loopback && is_local(&url.text));
            local.map(|url| Missing::Address(url.text.clone())).collect()
        }
        NameKind::Variable | NameKind::Text => {
            words().filter(|word| (inside.lacks_variable)(&word.text)).map(|word| Missing::Variable(word.text.clone())).collect()
        }
        // What is not there natively is not missing inside.
        NameKind::Beside => Vec::new(),
        NameKind::File => words().filter_map(|word| absent_path(&word.text, inside)).collect(),
        NameKind::Program => {
            let known = words().filter(|word| word.is_known && word.role != WordRole::Target);
            let paths = known.filter_map(|word| absent_path(&word.text, inside));
            let programs = starts(named).filter_map(|word| absent_program(&word.text, inside));
            let interpreters = starts(named).filter_map(|word| absent_interpreter(&word.text, inside));
            let unknown = words().filter(|word| named.guards && is_doubtful(word)).map(|word| Missing::Unknown(word.text.clone()));
            paths.chain(programs).chain(interpreters).chain(unknown).collect()
        }
    }
}

/// Returns the words that start something. A list of words has one.
fn starts(named: &Named) -> impl Iterator<Item = &Word> {
    let is_line = named.words.iter().any(|word| word.role == WordRole::Command);
    let first = named.words.first().filter(|_| !is_line);
    named.words.iter().filter(|word| word.is_known && word.role == WordRole::Command).chain(first)
}

/// Returns whether a word may name a program or script, and which one only the run knows.
fn is_doubtful(word: &Word) -> bool {
    let is_path = word.text.contains('/') && word.text.starts_with(['$', '`', '/', '~']);
    let is_of_run = ["/tmp/", "/dev/", "/proc/"].iter().any(|start| word.text.starts_with(start));
    !word.is_known && !is_of_run && (word.role == WordRole::Command || (word.role == WordRole::Argument && is_path))
}

/// The section of the variables that settings set for what they start.
pub const VARIABLES: &str = "env";

/// Returns the variables that settings set for what they start.
fn variables(settings: &Value) -> BTreeMap<String, String> {
    let table = settings.get(VARIABLES).and_then(Value::as_object).into_iter().flatten();
    table.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

fn is_local(url: &str) -> bool {
    url.split_once("://").is_some_and(|(_, rest)| is_loopback(rest.split(['/', '?', '#']).next().unwrap_or_default()))
}

/// Returns a word that is a path, which nothing brings into the container. What belongs to the system is the image's business.
fn absent_path(word: &str, inside: &Inside) -> Option<Missing> {
    let path = program::path(word, inside.host_home)?;
    // The home has another path inside, where `~` leads.
    let at = program::path(word, Some(Path::new(HOME)))?;
    let of_system = ["/usr", "/bin", "/sbin", "/opt", "/lib", "/etc", "/tmp", "/dev", "/proc", "/var", "/workspace", "/ai"];
    let below = inside.tool_directories.iter().find_map(|own| path.strip_prefix(own).ok());
    let is_there = match below {
        Some(below) => (inside.came_along)(below) || inside.tool_directories.iter().any(|own| (inside.mounted)(&own.join(below))),
        None => {
            let is_own = inside.host_home.is_some_and(|home| path.starts_with(home));
            (inside.mounted)(&at) || (!is_own && of_system.iter().any(|system| path.starts_with(system)))
        }
    };
    (!is_there).then_some(Missing::Path(path))
}

fn absent_program(word: &str, inside: &Inside) -> Option<Missing> {
    let programs = inside.programs?;
    let is_name = !word.contains('/') && !word.contains('$');
    (is_name && !program::is_of_shell(word) && !programs.iter().any(|known| known == word)).then(|| Missing::Program(word.into()))
}

/// Returns what a program or script that is there is run by, where the image has no such thing.
fn absent_interpreter(word: &str, inside: &Inside) -> Option<Missing> {
    unfit(program::path(word, inside.host_home)?, inside)
}

/// Returns why what is at a path of the host does not run in the container, if it is known not to.
pub fn unfit(script: PathBuf, inside: &Inside) -> Option<Missing> {
    let head = (inside.script)(&script)?;
    if program::is_foreign(&head) {
        return Some(Missing::Foreign(script));
    }
    if let Some(loader) = program::loader(&head).filter(|loader| !program::is_of_glibc(loader)) {
        let is_absent = inside.has_glibc_alone && !(inside.mounted)(Path::new(loader));
        return is_absent.then(|| Missing::Interpreter { script, name: loader.to_owned() });
    }
    let name = program::interpreter(&head)?;
    match absent_path(&name, inside) {
        Some(Missing::Path(path)) => Some(Missing::Interpreter { script, name: path.display().to_string() }),
        _ => {
            let name = name.rsplit('/').next().unwrap_or(&name);
            absent_program(name, inside).map(|_| Missing::Interpreter { script, name: name.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    fn inside<'a>(programs: Option<&'a [String]>, came: &'a dyn Fn(&Path) -> bool, mounted: &'a dyn Fn(&Path) -> bool) -> Inside<'a> {
        static DIRECTORIES: LazyLock<[PathBuf; 2]> = LazyLock::new(|| ["/home/u/.claude".into(), "/home/ai/.claude".into()]);
        let directories: &[PathBuf] = &*DIRECTORIES;
        Inside {
            host_home: Some(Path::new("/home/u")),
            tool_directories: directories,
            came_along: came,
            script: &|path| path.ends_with("guard.sh").then(|| b"#!/usr/bin/env -S sh -e\n".to_vec()),
            mounted,
            programs,
            has_glibc_alone: true,
            lacks_variable: &|name| name.starts_with("KEY"),
            shares_loopback: false,
        }
    }

    #[track_caller]
    fn check(command: &str, expected: Option<Missing>) {
        let programs = ["python3", "sh", "jq"].map(str::to_owned);
        let came = |below: &Path| below == Path::new("hooks/guard.sh");
        let mounted = |path: &Path| path.starts_with("/home/u/notes") || path.starts_with("/home/ai/both");
        let named = Named {
            kind: NameKind::Program,
            guards: true,
            comes: false,
            called: "hook".into(),
            words: line::words(command, &BTreeMap::new()),
        };
        assert_eq!(missing(&named, &inside(Some(&programs), &came, &mounted)).into_iter().next(), expected, "{command}");
    }

    #[test]
    fn what_came_along_is_there_under_every_spelling() {
        for command in [
            "/home/u/.claude/hooks/guard.sh",
            "~/.claude/hooks/guard.sh --x",
            "$HOME/.claude/hooks/guard.sh",
            "sh ${HOME}/.claude/hooks/guard.sh",
            "\"$HOME\"/.claude/hooks/guard.sh",
            "A=1 python3 /home/ai/.claude/hooks/guard.sh",
        ] {
            check(command, None);
        }
        check("/home/u/.claude/hooks/other.sh", Some(Missing::Path("/home/u/.claude/hooks/other.sh".into())));
    }

    #[test]
    fn a_script_needs_what_it_is_run_by() {
        let none = |_: &Path| true;
        for (head, expected) in [
            ("#!/usr/bin/env python3\n", None),
            ("#!/usr/bin/env -S uv run --script\n", Some("uv")),
            ("#!/usr/bin/env -S A=1 uv run\n", Some("uv")),
            ("#! /usr/bin/ruby -w\n", Some("ruby")),
            ("#!/bin/sh\n", None),
            ("#!/home/u/.venv/bin/python3\n", Some("/home/u/.venv/bin/python3")),
            ("echo no first line\n", None),
            ("\x7fELF", None),
            ("MZ", Some("foreign")),
            ("", None),
        ] {
            let programs = ["python3", "sh"].map(str::to_owned);
            let script = |_: &Path| Some(head.as_bytes().to_vec());
            let mounted = |path: &Path| path.starts_with("/home/ai/bin") || path.starts_with("/home/u/bin");
            let inside = Inside { script: &script, ..inside(Some(&programs), &none, &mounted) };
            for command in ["~/.claude/hooks/x", "A=1 /home/u/bin/x --y | sh"] {
                let words = line::words(command, &BTreeMap::new());
                let named = Named { kind: NameKind::Program, guards: true, comes: false, called: "hook".into(), words };
                let found = match missing(&named, &inside).into_iter().next() {
                    Some(Missing::Interpreter { name, .. }) => Some(name),
                    Some(Missing::Foreign(_)) => Some("foreign".to_owned()),
                    None => None,
                    Some(other) => panic!("{other:?}"),
                };
                assert_eq!(found.as_deref(), expected, "{head:?} {command}");
            }
        }
    }

    #[test]
    fn what_is_elsewhere_is_named() {
        check("/home/u/bin/guard", Some(Missing::Path("/home/u/bin/guard".into())));
        check("jq . | ~/bin/guard", Some(Missing::Path("/home/u/bin/guard".into())));
        check("bash -c 'true && exec ~/bin/guard'", Some(Missing::Path("/home/u/bin/guard".into())));
        check("python3 ~/bin/guard.py", Some(Missing::Path("/home/u/bin/guard.py".into())));
        check("/home/u/notes/x.sh", None);
        check("~/both/x.sh", None);
        // What is mounted by one spelling is not there by the other.
        check("~/notes/x.sh", Some(Missing::Path("/home/u/notes/x.sh".into())));
        check("/home/u/both/x.sh", Some(Missing::Path("/home/u/both/x.sh".into())));
        check("/usr/bin/notify", None);
        check("notify-send done", Some(Missing::Program("notify-send".into())));
        check("jq . && notify-send x", Some(Missing::Program("notify-send".into())));
        check("echo hi", None);
        check("$CLAUDE_PROJECT_DIR/x.sh", None);
        check("", None);
    }

    #[test]
    fn what_guards_must_be_known_before_the_run() {
        for (command, unknown) in [
            ("$GUARD --strict", "$GUARD"),
            ("${X}/g", "${X}/g"),
            ("\"$(brew --prefix)/bin/guard\"", "$(brew --prefix)/bin/guard"),
            ("python3 \"$DIR/guard.py\"", "$DIR/guard.py"),
            ("sh ~/.claude/$WHICH/guard.sh", "~/.claude/$WHICH/guard.sh"),
        ] {
            check(&command.replace("brew", "jq"), Some(Missing::Unknown(unknown.replace("brew", "jq"))));
        }
        for command in [
            "\"$(git rev-parse --show-toplevel)/guard\"",
            "cmd=$(jq -r .x); case \"$cmd\" in *rm*) exit 2;; esac",
            "[ \"$A\" = b ] && exit 2 || true",
            "D=$HOME/.claude/hooks; sh $D/guard.sh \"$1\"",
            "jq . >> \"$LOG/x\"",
            "echo \"$X\" | jq .",
        ] {
            check(command, None);
        }
        check("cat", Some(Missing::Program("cat".into())));
        let words = line::words("$GUARD", &BTreeMap::new());
        let named = Named { kind: NameKind::Program, guards: false, comes: false, called: "hook".into(), words };
        assert_eq!(missing(&named, &inside(None, &|_| false, &|_| false)), [], "what decorates may be missing");
    }

    #[test]
    fn places_are_found_through_tables_and_lists() {
        let settings = serde_json::json!({"hooks": {"PreToolUse": [{"hooks": [{"command": "a b"}, {"command": "c"}]}], "Stop": [{"hooks": [{"command": "d"}]}]}});
        let rule = |at: &str| NameRule {
            file: "s.json".into(),
            at: at.into(),
            names: NameKind::Program,
            guards: false,
            comes: false,
            when: None,
            unless: None,
            called: "x".into(),
        };
        let words = |at: &str| {
            named(&[rule(at)], "s.json", &settings, &[])
                .into_iter()
                .map(|named| named.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        assert_eq!(words("hooks.PreToolUse.*.hooks.*.command"), ["a b", "c"]);
        assert_eq!(words("hooks.*.*.hooks.*.command"), ["a b", "c", "d"]);
        assert_eq!(words("hooks.Nothing.*.command"), Vec::<String>::new());
        assert!(named(&[rule("hooks")], "other.json", &settings, &[]).is_empty());
    }

    // SE-02, SE-03
    #[test]
    fn variables_that_only_the_host_has_are_named() {
        let settings =
            serde_json::json!({"a": {"env_key": "KEY_A"}, "b": {"env": {"X": "Bearer ${KEY_B}", "Y": "$KEY_C$OTHER", "Z": "KEY_D"}}});
        let rule = |at: &str, names| NameRule {
            file: "s".into(),
            at: at.into(),
            names,
            guards: false,
            comes: false,
            when: None,
            unless: None,
            called: "key".into(),
        };
        let rules = [rule("*.env_key", NameKind::Variable), rule("*.env.*", NameKind::Text)];
        let none = |_: &Path| false;
        let found =
            named(&rules, "s", &settings, &[]).iter().flat_map(|named| missing(named, &inside(None, &none, &none))).collect::<Vec<_>>();
        assert_eq!(found, ["KEY_A", "KEY_B", "KEY_C"].map(|name| Missing::Variable(name.into())));
    }

    #[test]
    fn loopback_of_the_host_is_out_of_reach() {
        let none = |_: &Path| false;
        for (url, is_local) in [
            ("http://localhost:3456", true),
            ("http://127.0.0.1:1/v1", true),
            ("https://[::1]:8080/x", true),
            ("http://host.docker.internal:1", false),
            ("https://localhost.example/x", false),
            ("https://api.example.com/?u=http://localhost", false),
        ] {
            let named =
                Named { kind: NameKind::Url, guards: false, comes: false, called: "base URL".into(), words: vec![Word::plain(url)] };
            assert_eq!(!missing(&named, &inside(None, &none, &none)).is_empty(), is_local, "{url}");
        }
    }
}

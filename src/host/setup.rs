//! The person's set-up on the host: what their settings and instructions name, read where they are.

pub mod documents;
pub mod memory;
pub mod view;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::core::guard::inside;
use crate::core::setup::imports::{self, DEPTH, MOST};
use crate::core::setup::rules::{NameRule, PluginRules, ProjectSettings};
use crate::core::setup::{Named, VARIABLES, named};
use crate::core::sync::json::lenient;
use crate::core::sync::toml::is_crowded;
use crate::host::fs::Trust;
use crate::host::fs::files::{self, read_own, read_within};
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::setup::documents::DocumentNames;
use crate::host::setup::view::HomeView;

/// Largest settings file that is looked into: what syncs.
const LARGEST: u64 = 8 << 20;
/// Most bytes of a program that are read to find what loads it: tools that change that move it to the end.
const MOST_OF_PROGRAM: usize = 64 << 20;

/// What settings files name, and those that their tool reads and we do not, each with the reason.
#[derive(Clone, Debug, Default)]
pub struct SettingsNames {
    pub named: Vec<Named>,
    pub unread: Vec<(String, &'static str)>,
}

/// What a settings file was found to be: its content, or why its tool alone reads it; `None` where that does not either.
type FileContent = Result<Option<Vec<u8>>, &'static str>;

/// Why a settings file that is there is not read.
const TOO_LARGE: &str = "it is larger than 8 MiB";
const TOO_MANY: &str = "it has too many keys";
const TOO_DEEP: &str = "its tables lie in too many others";
const MOVING: &str = "it changes all the time";

/// Returns what the person's own settings name; `at` says where one of the tool's files is on the host.
pub fn named_by_host(rules: &[NameRule], at: impl Fn(&str) -> PathBuf) -> SettingsNames {
    of_files(rules, |file| of_person(&at(file)), &[])
}

/// Reads a file of the person's own.
fn of_person(path: &Path) -> FileContent {
    match read_within(path, LARGEST) {
        Ok(found) => Ok(found.map(|(bytes, _)| bytes)),
        Err(error) if error.kind() == ErrorKind::InvalidData && path.leads_to_file() => Err(TOO_LARGE),
        Err(_) => Ok(None),
    }
}

/// Most files that a directory of scripts may hold to be copied, and the size of the largest.
const FEW: usize = 64;
const SMALL: u64 = 1 << 20;

/// Returns whether a directory holds few small files, however deep they lie.
pub fn is_small(directory: &Path) -> bool {
    let mut count = 0;
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in own::entries(directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            count += 1;
            if count > FEW || metadata.len() > SMALL {
                return false;
            }
            if metadata.is_dir() {
                left.push(entry.path());
            }
        }
    }
    true
}

/// Returns what the settings in a home name.
pub fn named_in(home: &HomeView, rules: &[NameRule]) -> SettingsNames {
    of_files(rules, |file| home.find(file), &[])
}

/// Returns what the plugins of the host that are on in a home name, each called by its plugin.
pub fn named_by_plugins(host_home: &Path, home: &HomeView, rules: &PluginRules) -> Vec<Named> {
    let json = |file: &str| serde_json::from_slice::<Value>(&home.read(file)?).ok();
    let list = rules.list.as_ref().and_then(|(file, _)| json(file));
    // Asked only where there is a plugin: they may be large.
    let settings = OnceCell::new();
    let settings = || settings.get_or_init(|| rules.on.as_ref().and_then(|(file, _)| json(file))).as_ref();
    let listed = list.iter().flat_map(|list| rules.listed(list)).map(|(name, path)| (name.to_owned(), PathBuf::from(path)));
    let below = rules.below.iter().flat_map(|below| each(host_home, below));
    let plugins = listed.chain(below).filter(|(name, path)| path.is_absolute() && rules.is_on(settings(), name)).take(MOST);
    let of_plugin = |(name, path): (String, PathBuf)| {
        let read = |file: &str| read_within(&path.join(file), LARGEST).ok().flatten().map(|(bytes, _)| bytes);
        let found = of_files(&rules.names, |file| Ok(read(file)), &[(&rules.root, &path.to_string_lossy())]);
        let mut documents = DocumentNames::new(&rules.documents, &rules.names, &path);
        documents::documents(&path, Trust::Host, &rules.documents, &mut |found| documents.add(found));
        found
            .named
            .into_iter()
            .chain(documents.names().named)
            .map(move |named| Named { called: format!("{} of {name}", named.called), ..named })
            .collect::<Vec<_>>()
    };
    plugins.flat_map(of_plugin).collect()
}

/// Returns what the settings files of a project name, each called by its file, as its tool finds them from a directory `below` the root.
pub fn named_in_project(root: &Path, below: &Path, files: &BTreeMap<String, ProjectSettings>, rules: &[NameRule]) -> SettingsNames {
    let project = HomeView::new(root);
    let mut found = SettingsNames::default();
    for (file, settings) in files {
        for file in settings.read.directories(below).into_iter().map(|directory| directory.join(file)) {
            let shown = file.display().to_string();
            let content =
                project.find_within(&file).and_then(|bytes| bytes.map_or(Ok(None), |bytes| parsed(&settings.like, &bytes, rules)));
            match content {
                Ok(None) => {}
                Ok(Some(content)) => {
                    let named = named(rules, &settings.like, &content, &[]).into_iter();
                    found.named.extend(named.map(|named| Named { called: format!("{} of {shown}", named.called), ..named }));
                }
                Err(why) if guards(rules, &settings.like) => found.unread.push((shown, why)),
                Err(_) => {}
            }
        }
    }
    found
}

/// Returns whether what such a settings file names may guard.
fn guards(rules: &[NameRule], file: &str) -> bool {
    rules.iter().any(|rule| rule.file == file && rule.guards)
}

/// Reads how a program of the person's own begins, as far as it takes to know what runs it.
pub fn head(path: &Path) -> Option<Vec<u8>> {
    let head = files::head(path, inside::HEAD as u64).ok()?;
    let end = inside::loader_at(&head).flatten().and_then(|(at, length)| at.checked_add(length));
    match end.filter(|end| (head.len()..MOST_OF_PROGRAM).contains(end)) {
        Some(end) => files::head(path, end as u64).ok(),
        None => Some(head),
    }
}

fn of_files(rules: &[NameRule], read: impl Fn(&str) -> FileContent, given: &[(&str, &str)]) -> SettingsNames {
    let mut files: Vec<&str> = rules.iter().map(|rule| rule.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let mut found = SettingsNames::default();
    for file in files {
        match read(file).and_then(|bytes| bytes.map_or(Ok(None), |bytes| parsed(file, &bytes, rules))) {
            Ok(settings) => found.named.extend(settings.iter().flat_map(|settings| named(rules, file, settings, given))),
            Err(why) if guards(rules, file) => found.unread.push((file.to_owned(), why)),
            Err(_) => {}
        }
    }
    found
}

/// Returns of a settings file what its rules look at. One that its tool cannot read either names nothing: what is wrong with it is said
/// elsewhere.
fn parsed(file: &str, bytes: &[u8], rules: &[NameRule]) -> Result<Option<Value>, &'static str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let of_file = rules.iter().filter(|rule| rule.file == file);
    let sections = of_file.flat_map(|rule| [rule.section()].into_iter().chain(rule.unless.as_deref()));
    let sections = Sections(sections.chain([VARIABLES]).collect());
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
    // Most files, and most of a large one, are something else. A backslash may spell a key otherwise.
    let may_have = |key: &str| key == "*" || memmem::find(bytes, key.as_bytes()).is_some();
    let is_of_file = |rule: &&NameRule| rule.file == file;
    if memchr::memchr(b'\\', bytes).is_none() && !rules.iter().filter(is_of_file).any(|rule| may_have(rule.section())) {
        return Ok(None);
    }
    if Path::new(file).extension().is_some_and(|extension| extension == "toml") {
        if is_crowded(text) {
            return Err(TOO_MANY);
        }
        return Ok(toml::Deserializer::parse(text).ok().and_then(|toml| sections.deserialize(toml).ok()));
    }
    // What its tool would not read in it, such as a comment, hides nothing.
    let (plain, _) = lenient::plain(text);
    let mut json = serde_json::Deserializer::from_str(&plain);
    match sections.deserialize(&mut json) {
        Ok(settings) => Ok(json.end().ok().map(|()| settings)),
        Err(error) if error.to_string().starts_with("recursion limit") => Err(TOO_DEEP),
        Err(_) => Ok(None),
    }
}

/// Names of a document's tables that are kept; of all others no value is made.
struct Sections<'a>(Vec<&'a str>);

impl<'de> DeserializeSeed<'de> for Sections<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Sections<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.0.iter().any(|section| *section == name || *section == "*") {
                kept.insert(name, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(kept))
    }
}

/// Returns what is at the paths below a directory of the person's that a pattern means, each with the part that `*` stands for. Hidden
/// things are none of them.
pub fn each(home: &Path, pattern: &str) -> Vec<(String, PathBuf)> {
    let Some(parent) = pattern.strip_suffix("/*") else { return vec![(String::new(), home.join(pattern))] };
    let entries = own::entries(home.join(parent)).into_iter().flatten().flatten().take(MOST);
    let named = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    let mut found: Vec<_> = named.filter(|(name, path)| !name.starts_with('.') && path.leads_to_directory()).collect();
    found.sort_unstable();
    found
}

/// Returns where a path leads, if a directory or file is there.
pub fn real(path: &Path) -> Option<PathBuf> {
    path.resolved().ok().filter(|real| real.leads_to_directory() || real.leads_to_file())
}

/// Returns every file that instructions of the person's import, and those import, each once; the instructions themselves are not
/// among them.
pub fn imported(home: &Path, instructions: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut seen: Vec<PathBuf> = instructions.collect();
    let first = seen.len();
    let (mut from, mut depth) = (0, 0);
    while from < seen.len() && depth < DEPTH && seen.len() < first + MOST {
        let until = seen.len();
        for at in from..until {
            let Ok(Some((bytes, _))) = read_own(&seen[at]) else { continue };
            let directory = seen[at].parent().unwrap_or(home).to_owned();
            for written in imports::written(&String::from_utf8_lossy(&bytes)) {
                let path = imports::absolute(&written, &directory, home);
                if seen.len() < first + MOST && path.leads_to_file() && !seen.contains(&path) {
                    seen.push(path);
                }
            }
        }
        (from, depth) = (until, depth + 1);
    }
    // What is no file of reasonable size is no import; a tool would not read it either.
    seen.into_iter().skip(first).filter(|path| matches!(read_own(path), Ok(Some(_)))).collect()
}

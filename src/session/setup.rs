//! The person's set-up: what their settings and instructions name comes along.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::core::container::HOME;
use crate::core::setup::document::DocumentRule;
use crate::core::setup::line::Word;
use crate::core::setup::{NameKind, Named, program};
use crate::core::sync::Rule;
use crate::core::tool::Tool;
use crate::host::fs::Trust;
use crate::host::setup::SettingsNames;
use crate::host::setup::documents::{self, DocumentNames};
use crate::host::setup::memory::OwnSetup;
use crate::host::{Host, setup};

/// Most files that settings and instructions may bring along.
const MOST: usize = 64;

/// Returns a rule for each file below the tool's own directory that the host's settings name or its instructions import. What is named
/// in a directory of scripts needs what lies beside it, so the directory comes along.
pub fn rules(host: &Host, tool: &Tool) -> Vec<Rule> {
    let (Some(home), Some(below)) = (host.home(), tool.host_directory()) else { return Vec::new() };
    let directory = home.join(below);
    let setup = own_setup(host, tool, &home, &directory);
    let named = &setup.names.named;
    let (scripts, _) = scripts(&home, &directory, tool, named);
    let beside = beside(named);
    let imported = setup.imported.iter().filter_map(|path| path.strip_prefix(&directory).ok()?.to_str().map(str::to_owned));
    let beside = beside.into_iter().filter(|name| !tool.manifest.sync.iter().any(|rule| rule.path == *name));
    let mut paths: Vec<String> = scripts.into_iter().chain(imported.chain(beside).filter(|path| !is_kept_apart(path, tool))).collect();
    paths.sort_unstable();
    paths.dedup_by(|path, above| Path::new(path).starts_with(Path::new(above)));
    paths.truncate(MOST);
    let logs = || LOGS.map(str::to_owned).to_vec();
    paths.into_iter().map(|path| Rule { skip: logs(), ..Rule::tree(path.clone(), format!("{below}/{path}")) }).collect()
}

/// Returns the names of the files of the tool's own directory that settings name.
fn beside(named: &[Named]) -> Vec<String> {
    let words = named.iter().filter(|named| named.kind == NameKind::Beside).flat_map(|named| &named.words);
    words.map(|word| word.text.clone()).filter(|name| Path::new(name).file_name().is_some_and(|file| file == name.as_str())).collect()
}

/// What scripts write beside themselves is of the place where they run.
const LOGS: [&str; 2] = ["*.log", "*.jsonl"];

/// Returns what of `named` lies below the tool's own directory and no rule of the manifest brings: what is copied, and the directories
/// that are too large for that.
fn scripts(home: &Path, directory: &Path, tool: &Tool, named: &[Named]) -> (Vec<String>, Vec<String>) {
    let words = named.iter().flat_map(|named| &named.words).filter_map(|word| program::path(&word.text, Some(home)));
    let state = tool.manifest.state.iter();
    let mounted: Vec<&str> = state.flat_map(|state| state.along.keys()).map(|path| path.trim_end_matches("/*")).collect();
    let is_brought = |below: &Path| {
        tool.manifest.sync.iter().any(|rule| below.starts_with(&rule.path))
            || mounted.iter().any(|path| directory.join(below).starts_with(home.join(path)))
    };
    let (mut copied, mut large) = (Vec::new(), Vec::new());
    for path in words {
        let Some(below) = path.strip_prefix(directory).ok().filter(|below| *below != Path::new("") && !is_brought(below)) else { continue };
        let Some(text) = below.to_str().filter(|text| !is_kept_apart(text, tool)) else { continue };
        match below.parent().and_then(Path::to_str).filter(|parent| !parent.is_empty()) {
            Some(parent) if setup::is_small(&directory.join(parent)) => copied.push(parent.to_owned()),
            Some(parent) => large.push(parent.to_owned()),
            None => copied.push(text.to_owned()),
        }
    }
    (copied, large)
}

/// Returns what the person's own settings name that a run of the tool has. A profile is another account: it has none of them.
pub fn own_settings(host: &Host, tool: &Tool) -> SettingsNames {
    let (Some(home), Some(below)) = (host.home().filter(|_| tool.name == tool.base), tool.host_directory()) else {
        return SettingsNames::default();
    };
    own_setup(host, tool, &home, &home.join(below)).names.clone()
}

/// Returns what the tool's own directory names and imports.
fn own_setup(host: &Host, tool: &Tool, home: &Path, directory: &Path) -> Rc<OwnSetup> {
    host.setups.once(&tool.name, || {
        let names = named_by_host(home, directory, tool);
        let imported = imports(home, directory, tool, &beside(&names.named));
        OwnSetup { names, imported }
    })
}

fn named_by_host(home: &Path, directory: &Path, tool: &Tool) -> SettingsNames {
    let at = |file: &str| {
        let rule = tool.manifest.sync.iter().find(|rule| rule.path == file);
        rule.and_then(|rule| rule.host.as_ref()).map_or_else(|| directory.join(file), |host| home.join(host))
    };
    let mut found = setup::named_by_host(&tool.manifest.names, at);
    let mut documents = DocumentNames::new(&tool.manifest.documents, &tool.manifest.names, directory);
    documents::documents(directory, Trust::Host, &tool.manifest.documents, &mut |found| documents.add(found));
    let documents = documents.names();
    found.named.extend(documents.named);
    found.unread.extend(documents.unread);
    found
}

/// Logins, histories and what is of one machine never come along, whatever names them.
fn is_kept_apart(path: &str, tool: &Tool) -> bool {
    let Some(state) = &tool.manifest.state else { return false };
    let apart = state.login.files.iter().chain(&state.private).chain(&state.shared);
    apart.into_iter().any(|apart| Path::new(path).starts_with(apart)) || path.starts_with("projects/") || path.ends_with(".jsonl")
}

/// Returns what comes along from outside the tool's own directory, read-only: where it is inside, and on the host. That is what the
/// instructions import, what settings name and the tool only reads, and what the manifest says.
pub fn brought(host: &Host, tool: &Tool) -> Vec<(PathBuf, PathBuf)> {
    let (Some(home), Some(below)) = (host.home(), tool.host_directory()) else { return Vec::new() };
    let directory = home.join(below);
    // By the home inside, and by the host's path: an import may be spelled either way.
    let at = |path: PathBuf| {
        let inside = path.strip_prefix(&home).ok().map(|below| Path::new(HOME).join(below));
        inside.into_iter().chain([path.clone()]).map(move |at| (at, path.clone()))
    };
    // A profile is another account: it has neither the settings nor what belongs to them.
    let named = own_settings(host, tool).named;
    let imported = own_setup(host, tool, &home, &directory).imported.clone();
    let mut pairs: Vec<(PathBuf, PathBuf)> = imported.into_iter().flat_map(at).collect();
    if tool.name == tool.base {
        let words = named.iter().filter(|named| named.comes).flat_map(|named| &named.words);
        let pair = |word: &Word| Some((program::path(&word.text, Some(Path::new(HOME)))?, program::path(&word.text, Some(&home))?));
        pairs.extend(words.filter_map(pair));
    }
    pairs.retain(|(_, path)| !path.starts_with(&directory));
    if tool.name == tool.base {
        pairs.extend(along(&home, tool));
        let inside = tool.manifest.state.as_ref().map(|state| Path::new(&state.home.at));
        let (_, large) = scripts(&home, &directory, tool, &named);
        pairs.extend(large.iter().map(|below| directory.join(below)).map(|path| (path.clone(), path)));
        pairs.extend(large.iter().filter_map(|below| Some((inside?.join(below), directory.join(below)))));
    }
    pairs.truncate(2 * MOST);
    let mut found: Vec<_> = pairs.into_iter().filter_map(|(at, path)| Some((at, setup::real(&path)?))).collect();
    found.sort_unstable();
    found.dedup_by(|one, other| one.0 == other.0);
    found
}

/// Returns what the manifest says comes along, without the files beside it that are settings, whatever stands there.
fn along(home: &Path, tool: &Tool) -> Vec<(PathBuf, PathBuf)> {
    let settings: Vec<PathBuf> = tool.manifest.sync.iter().filter_map(|rule| rule.host.as_ref()).map(|host| home.join(host)).collect();
    let own = tool.manifest.state.as_ref().map(|state| Path::new(&state.home.at));
    let on_host = |to: &Path| Some(home.join(tool.host_directory()?).join(to.strip_prefix(own?).ok()?));
    let rules = tool.manifest.state.iter().flat_map(|state| &state.along);
    let pairs = rules.flat_map(|(from, to)| {
        let to = to.strip_suffix("/*").unwrap_or(to);
        let to = to.strip_prefix("~/").map_or_else(|| PathBuf::from(to), |below| home.join(below));
        // What is in the tool's own directory has the host's path, too, as all of it has.
        let both: Vec<PathBuf> = on_host(&to).into_iter().chain([to]).collect();
        let found = setup::each(home, from).into_iter().filter(|(name, path)| name.is_empty() || !settings.contains(path));
        found.flat_map(move |(name, path)| {
            both.clone().into_iter().map(move |to| (if name.is_empty() { to } else { to.join(&name) }, path.clone()))
        })
    });
    pairs.collect()
}

fn imports(home: &Path, directory: &Path, tool: &Tool, beside: &[String]) -> Vec<PathBuf> {
    let rules: Vec<DocumentRule> = tool.manifest.documents.iter().filter(|rule| rule.imports).cloned().collect();
    let documents = documents::paths(directory, Trust::Host, &rules);
    setup::imported(home, tool.manifest.imports.iter().chain(beside).chain(&documents).map(|file| directory.join(file)))
}

/// Returns what the person's instructions and documents import, as files that a run of the tool reads.
pub fn imported(host: &Host, tool: &Tool) -> Vec<Named> {
    let (Some(home), Some(below)) = (host.home(), tool.host_directory()) else { return Vec::new() };
    let imported = own_setup(host, tool, &home, &home.join(below)).imported.clone();
    let words = imported.into_iter().filter_map(|path| path.into_os_string().into_string().ok()).map(Word::plain);
    words.map(|word| Named { kind: NameKind::File, guards: false, comes: true, called: "import".into(), words: vec![word] }).collect()
}

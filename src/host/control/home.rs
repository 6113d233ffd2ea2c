//! What the person's own settings and home bring from a project: hooks by a path below it, settings that are included from it, files of
//! the home that are links into it, directories of it that are on PATH.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::core::control::ControlPath;
use crate::core::control::gitconfig::{GitSetting, parse};
use crate::core::control::kinds::{INCLUDED, OF_THE_HOME};
use crate::core::control::named::{inside, named};
use crate::core::control::record::Tag;
use crate::host::Host;
use crate::host::fs::files::read_within;
use crate::host::fs::look::Look;

/// Largest file of the person's own git settings, in bytes, and how deep these include others: as deep as git goes.
const LARGEST: u64 = 1 << 20;
const DEEPEST: usize = 10;

/// What shells read when they start, and what programs are set up by that people have in a repository of their own.
const OF_SHELLS: [&str; 26] = [
    ".bash_aliases",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".config",
    ".config/direnv",
    ".config/fish",
    ".config/mise",
    ".config/nvim",
    ".config/starship.toml",
    ".config/systemd",
    ".config/zsh",
    ".direnvrc",
    ".local/bin",
    ".profile",
    ".ssh",
    ".ssh/config",
    ".ssh/rc",
    ".tmux.conf",
    ".vimrc",
    ".zlogin",
    ".zprofile",
    ".zshenv",
    ".zshrc",
    "bin",
];

/// Returns what is to be watched in the project for the person's own settings.
pub fn of_person(host: &Host, root: &Path) -> BTreeMap<ControlPath, Tag> {
    let mut found = BTreeMap::new();
    let Some(home) = host.home() else { return found };
    for name in OF_SHELLS {
        if let Some(below) = led_into(root, &home.join(name)) {
            found.insert(ControlPath::new(0, below), OF_THE_HOME.into());
        }
    }
    let config = host.env.get("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map_or_else(|| home.join(".config"), PathBuf::from);
    let global = host.env.get("GIT_CONFIG_GLOBAL").map(PathBuf::from);
    let files = global.map_or_else(|| vec![config.join("git/config"), home.join(".gitconfig")], |file| vec![file]);
    for file in files {
        settings(&home, root, &file, 0, &mut found);
    }
    found
}

/// Returns where a link leads, if that is in the project.
fn led_into(root: &Path, path: &Path) -> Option<PathBuf> {
    path.look_at_link().ok().filter(std::fs::Metadata::is_symlink)?;
    let below = path.resolved().ok()?.strip_prefix(root).ok()?.to_owned();
    (!below.as_os_str().is_empty()).then_some(below)
}

/// Adds what one file of the person's git settings brings, with those that it includes.
fn settings(home: &Path, root: &Path, file: &Path, depth: usize, found: &mut BTreeMap<ControlPath, Tag>) {
    if let Some(below) = file.resolved().ok().and_then(|real| real.strip_prefix(root).map(Path::to_owned).ok()) {
        // What it names is found where it is read.
        found.insert(ControlPath::new(0, below), INCLUDED.into());
        return;
    }
    let Some(bytes) = read_within(file, LARGEST).ok().flatten().map(|(bytes, _)| bytes) else { return };
    let Ok(mut settings_of) = parse(&bytes) else { return };
    for setting in &mut settings_of {
        expand(home, setting);
    }
    for one in named(&settings_of, root, file, root) {
        found.insert(ControlPath::new(0, one.below), one.kind.into());
    }
    let includes =
        settings_of.iter().filter(|setting| ["include", "includeif"].contains(&setting.section.as_str()) && setting.key == "path");
    for path in includes.filter_map(|setting| setting.value.as_deref()).filter(|_| depth < DEEPEST) {
        let path = file.parent().unwrap_or(root).join(OsStr::from_bytes(path));
        settings(home, root, &path, depth + 1, found);
    }
}

/// Spells out the home, as git does for paths.
fn expand(home: &Path, setting: &mut GitSetting) {
    if let Some(below) = setting.value.as_deref().and_then(|value| value.strip_prefix(b"~/")) {
        let path: OsString = home.join(OsStr::from_bytes(below)).into();
        setting.value = Some(path.into_vec());
    }
}

/// Returns the directories of the project that are on PATH.
pub fn on_path(host: &Host, root: &Path) -> BTreeSet<ControlPath> {
    let Some(path) = host.env.get("PATH") else { return BTreeSet::new() };
    let below = |entry: PathBuf| {
        let real = entry.resolved().unwrap_or(entry);
        if real.as_os_str().is_empty() { None } else { inside(root, root, &real) }
    };
    std::env::split_paths(path).filter_map(below).map(|below| ControlPath::new(0, below)).collect()
}

//! The files and directories that git's settings name, and where their content stands in a container.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::core::identity::GitConfigEntry;

/// A key that names a file or a directory.
#[derive(Debug)]
pub struct NamedFile {
    /// As git lists it.
    pub key: &'static str,
    /// What its content is called in the container.
    pub name: &'static str,
    /// Where git looks if the key is not set, below `$XDG_CONFIG_HOME`.
    pub usual: Option<&'static str>,
}

/// Files whose content matters.
pub const FILES: [NamedFile; 7] = [
    NamedFile { key: "core.excludesfile", name: "ignore", usual: Some("git/ignore") },
    NamedFile { key: "core.attributesfile", name: "attributes", usual: Some("git/attributes") },
    NamedFile { key: "commit.template", name: "message", usual: None },
    NamedFile { key: "mailmap.file", name: "mailmap", usual: None },
    NamedFile { key: "blame.ignorerevsfile", name: "ignored-revisions", usual: None },
    NamedFile { key: "gpg.ssh.allowedsignersfile", name: "allowed-signers", usual: None },
    NamedFile { key: "gpg.ssh.revocationfile", name: "revoked", usual: None },
];

/// Directories whose content matters.
pub const DIRECTORIES: [NamedFile; 2] =
    [NamedFile { key: "core.hookspath", name: "hooks", usual: None }, NamedFile { key: "init.templatedir", name: "template", usual: None }];

/// What became of a file that a setting names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Its content is there under this name.
    At(String),
    Failed(String),
}

/// What stands for a file, and what is to be read for it.
#[derive(Debug, PartialEq, Eq)]
pub enum WantedFile {
    File(PathBuf),
    Directory(PathBuf),
    /// The public half of a key; never the other one.
    Key(PathBuf),
}

/// Returns what the person's settings name, by key. What the repository names is its own business: it could name anything.
pub fn wanted(entries: &[GitConfigEntry], home: &Path, xdg: &Path) -> BTreeMap<&'static str, (&'static str, WantedFile)> {
    let last =
        |key: &str| entries.iter().filter(|entry| entry.is_global()).rfind(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let path = |named: &NamedFile| match last(named.key) {
        Some(value) => absolute(value, home),
        None => named.usual.map(|usual| xdg.join(usual)),
    };
    let mut wanted = BTreeMap::new();
    for named in &FILES {
        wanted.extend(path(named).map(|path| (named.key, (named.name, WantedFile::File(path)))));
    }
    for named in &DIRECTORIES {
        wanted.extend(path(named).map(|path| (named.key, (named.name, WantedFile::Directory(path)))));
    }
    if last("gpg.format") == Some("ssh") {
        let key = last("user.signingkey").filter(|key| !is_literal(key)).and_then(|key| absolute(key, home));
        wanted.extend(key.map(|path| ("user.signingkey", ("signing-key.pub", WantedFile::Key(path)))));
    }
    wanted
}

/// Whether a signing key stands there itself.
fn is_literal(key: &str) -> bool {
    ["ssh-", "key::", "ecdsa-", "sk-"].iter().any(|start| key.starts_with(start))
}

/// Returns a path as git reads it. One that is relative is meant inside the project.
fn absolute(value: &str, home: &Path) -> Option<PathBuf> {
    match value.strip_prefix("~/") {
        Some(below) => Some(home.join(below)),
        None => value.starts_with('/').then(|| value.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &[(&str, &str, &str)], key: &str, expected: Option<WantedFile>) {
        let entry = |(scope, key, value): &(&str, &str, &str)| GitConfigEntry {
            scope: (*scope).into(),
            origin: "file:/h/.gitconfig".into(),
            key: (*key).into(),
            value: (*value).into(),
        };
        let entries: Vec<GitConfigEntry> = settings.iter().map(entry).collect();
        let found = wanted(&entries, Path::new("/h"), Path::new("/h/.config")).remove(key).map(|(_, wanted)| wanted);
        assert_eq!(found, expected, "{settings:?}");
    }

    // SE-11
    #[test]
    fn what_the_person_names_is_read_and_nothing_that_a_repository_names() {
        let ignore = "core.excludesfile";
        check(&[], ignore, Some(WantedFile::File("/h/.config/git/ignore".into())));
        check(&[("global", ignore, "~/ig")], ignore, Some(WantedFile::File("/h/ig".into())));
        check(&[("system", ignore, "/etc/ig"), ("local", ignore, "/h/.ssh/id")], ignore, Some(WantedFile::File("/etc/ig".into())));
        check(&[("local", ignore, "/h/.ssh/id")], ignore, Some(WantedFile::File("/h/.config/git/ignore".into())));
        check(&[("global", ignore, "")], ignore, None);
        check(&[("global", "core.hookspath", "~/hooks")], "core.hookspath", Some(WantedFile::Directory("/h/hooks".into())));
        check(&[("global", "core.hookspath", ".githooks")], "core.hookspath", None);
    }

    // SE-11
    #[test]
    fn only_a_key_that_ssh_signs_with_is_looked_for() {
        let key = "user.signingkey";
        check(&[("global", key, "~/.ssh/id")], key, None);
        let ssh = ("global", "gpg.format", "ssh");
        check(&[ssh, ("global", key, "~/.ssh/id")], key, Some(WantedFile::Key("/h/.ssh/id".into())));
        check(&[ssh, ("global", key, "ssh-ed25519 AAAA")], key, None);
        check(&[ssh, ("local", key, "~/.ssh/other")], key, None);
    }
}

//! Who the user is, for git in the container: the settings of the host that mean something there, for one project.

pub mod files;
pub mod git;
pub mod ssh;

use crate::core::container::GIT_HOST;
use git::{GitSettings, line, set};

/// One line of `git config --list --show-scope --show-origin -z`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitConfigEntry {
    pub scope: String,
    /// `file:/path` and the like.
    pub origin: String,
    /// In lower case but for the subsection.
    pub key: String,
    pub value: String,
}

/// Reads git's list. A key without a value counts as true, as for git.
pub fn entries(list: &str) -> Vec<GitConfigEntry> {
    let mut fields = list.split('\0');
    let mut entries = Vec::new();
    while let (Some(scope), Some(origin), Some(pair)) = (fields.next(), fields.next(), fields.next()) {
        let (key, value) = pair.split_once('\n').unwrap_or((pair, "true"));
        entries.push(GitConfigEntry { scope: scope.into(), origin: origin.into(), key: key.into(), value: value.into() });
    }
    entries
}

/// Whether git in the container will trust the project although it sees another owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitTrust {
    /// Owners look as on the host: git decides by itself.
    Git,
    /// The engine's shared folders show owners of their own; the host's said that it is the user's.
    Everything,
}

impl GitConfigEntry {
    /// Whether the person or the machine's administrator set it, and no repository.
    pub fn is_global(&self) -> bool {
        matches!(self.scope.as_str(), "system" | "global")
    }
}

/// Returns the text of the settings that are made from the host's before each run. What the repository itself sets comes with the
/// repository.
pub fn config(entries: &[GitConfigEntry], settings: &GitSettings, trust: GitTrust, root: &str, target: &str) -> String {
    let mut text = String::from("# Made from your own settings before each run.\n");
    text.push_str(&settings.config);
    // Worktrees elsewhere look deleted from inside, and a cleanup would take away what they need.
    set(&mut text, "gc.worktreePruneExpire", "never");
    set(&mut text, "gc.auto", "0");
    // Their reflogs are read-only here, and a `git gc` that tried to shorten them would fail.
    set(&mut text, "gc.reflogExpire", "never");
    set(&mut text, "gc.reflogExpireUnreachable", "never");
    match trust {
        GitTrust::Everything => set(&mut text, "safe.directory", "*"),
        GitTrust::Git if is_trusted(entries, root) => set(&mut text, "safe.directory", target),
        GitTrust::Git => {}
    }
    text
}

/// Returns the text of the file that `git config --global` reads and writes in a container. It holds who the person is, since such a
/// command follows no include, and includes the rest; what a container wrote there stays.
///
/// `before` is who the person was when this was last done: a line that still says so is brought up to date, any other is the
/// container's own by now.
pub fn own_config(current: &str, before: &[(String, String)], now: &[(String, String)]) -> String {
    let mut text = current.replace("[include]\n\tpath = base\n", "");
    let include = format!("[include]\n\tpath = {GIT_HOST}/config\n");
    if !text.contains(&include) {
        text.insert_str(0, &include);
    }
    for (key, value) in before {
        let new = now.iter().find(|(name, _)| name == key).map(|(_, value)| line(key, value)).unwrap_or_default();
        text = text.replacen(&line(key, value), &new, 1);
    }
    for (key, value) in now.iter().rev().filter(|(key, _)| !before.iter().any(|(name, _)| name == key)) {
        text.insert_str(0, &line(key, value));
    }
    text
}

/// Whether the user told the host's git to trust `root` whoever owns it.
pub fn is_trusted(entries: &[GitConfigEntry], root: &str) -> bool {
    let safe = entries.iter().filter(|entry| entry.is_global() && entry.key == "safe.directory");
    // An empty value takes back what was said before it.
    safe.fold(false, |trusted, entry| match entry.value.as_str() {
        "" => false,
        "*" => true,
        path => trusted || path == root || path.strip_suffix('*').is_some_and(|above| above.ends_with('/') && root.starts_with(above)),
    })
}

/// Returns the files that the settings came from.
pub fn sources(entries: &[GitConfigEntry]) -> Vec<&str> {
    let mut files: Vec<&str> = entries.iter().filter_map(|entry| entry.origin.strip_prefix("file:")).collect();
    files.sort_unstable();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(scope: &str, key: &str, value: &str) -> GitConfigEntry {
        GitConfigEntry { scope: scope.into(), origin: "file:/h/.gitconfig".into(), key: key.into(), value: value.into() }
    }

    #[test]
    fn gits_list_is_read_field_by_field() {
        let list = "global\0file:/h/a\0user.name\nJ \"D\"\nx\0system\0file:/etc/gitconfig\0core.bare\0";
        let read = entries(list);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].value.as_str(), read[1].value.as_str()), ("J \"D\"\nx", "true"));
        assert_eq!(sources(&read), ["/etc/gitconfig", "/h/a"]);
    }

    // SE-11
    #[test]
    fn who_the_person_is_stands_where_global_looks_and_follows_the_host() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let jo = [pair("user.name", "Jo"), pair("user.email", "jo@x")];
        let include = "[include]\n\tpath = /ai/git-host/config\n";
        let first = own_config("", &[], &jo);
        assert_eq!(first, format!("[user]\n\tname = \"Jo\"\n[user]\n\temail = \"jo@x\"\n{include}"));
        assert_eq!(own_config(&first, &jo, &jo), first);
        // A container chose another mail, and a setting of its own.
        let theirs = first.replace("\"jo@x\"", "bot@x") + "[a]\n\tb = c\n";
        let ann = [pair("user.name", "Ann"), pair("user.email", "ann@x")];
        let merged = own_config(&theirs, &jo, &ann);
        assert!(merged.contains("name = \"Ann\"") && merged.contains("email = bot@x") && merged.ends_with("[a]\n\tb = c\n"), "{merged}");
        assert!(!own_config(&first, &jo, &jo[..1]).contains("email"));
        // What an older program made.
        assert_eq!(own_config("[include]\n\tpath = base\n[a]\n\tb = c\n", &[], &[]), format!("{include}[a]\n\tb = c\n"));
    }

    // H-10, Z-023
    #[test]
    fn nothing_is_trusted_that_the_host_does_not_trust() {
        let safe = |values: &[&str]| values.iter().map(|value| entry("global", "safe.directory", value)).collect::<Vec<_>>();
        for (values, expected) in
            [(&["/p"][..], true), (&["*"], true), (&["/*"], true), (&["/q"], false), (&["*", ""], false), (&[], false)]
        {
            assert_eq!(is_trusted(&safe(values), "/p"), expected, "{values:?}");
        }
        let none = GitSettings::default();
        assert!(config(&safe(&["/p"]), &none, GitTrust::Git, "/p", "/w").contains("[safe]\n\tdirectory = \"/w\""));
        assert!(config(&[], &none, GitTrust::Everything, "/p", "/w").contains("directory = \"*\""));
        assert!(!config(&[], &none, GitTrust::Git, "/p", "/w").contains("safe"));
    }
}

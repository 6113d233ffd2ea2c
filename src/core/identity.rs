//! Who the user is, for git in the container: the settings of the host that mean something there, for one project.

pub mod ssh;

use std::fmt::Write;

/// Settings that are taken over: identity and habits, but nothing that names a program, a file or a secret of the host.
const TAKEN: [&str; 14] = [
    "user.name",
    "user.email",
    "author.name",
    "author.email",
    "committer.name",
    "committer.email",
    "init.defaultbranch",
    "pull.rebase",
    "pull.ff",
    "push.default",
    "push.autosetupremote",
    "rebase.autosquash",
    "merge.conflictstyle",
    "core.autocrlf",
];

/// One line of `git config --list --show-scope --show-origin -z`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub scope: String,
    /// `file:/path` and the like.
    pub origin: String,
    /// In lower case but for the subsection.
    pub key: String,
    pub value: String,
}

/// Reads git's list. A key without a value counts as true, as for git.
pub fn entries(list: &str) -> Vec<Entry> {
    let mut fields = list.split('\0');
    let mut entries = Vec::new();
    while let (Some(scope), Some(origin), Some(pair)) = (fields.next(), fields.next(), fields.next()) {
        let (key, value) = pair.split_once('\n').unwrap_or((pair, "true"));
        entries.push(Entry { scope: scope.into(), origin: origin.into(), key: key.into(), value: value.into() });
    }
    entries
}

/// Whether git in the container will trust the project although it sees another owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Owners look as on the host: git decides by itself.
    Git,
    /// The engine's shared folders show owners of their own; the host's said that it is the user's.
    Everything,
}

/// The base of the container's global settings. What the repository itself sets comes with the repository.
pub fn config(entries: &[Entry], trust: Trust, root: &str, target: &str) -> String {
    let mut text = String::from("# Made from your own settings before each run; put the container's own into `config` beside this file.\n");
    let global = |entry: &&Entry| matches!(entry.scope.as_str(), "system" | "global");
    for key in TAKEN {
        // The last one wins, as for git.
        if let Some(entry) = entries.iter().filter(global).rfind(|entry| entry.key == key) {
            set(&mut text, key, &entry.value);
        }
    }
    // Worktrees elsewhere look deleted from inside, and a cleanup would take away what they need.
    set(&mut text, "gc.worktreePruneExpire", "never");
    set(&mut text, "gc.auto", "0");
    // Their reflogs are read-only here, and a `git gc` that tried to shorten them would fail.
    set(&mut text, "gc.reflogExpire", "never");
    set(&mut text, "gc.reflogExpireUnreachable", "never");
    match trust {
        Trust::Everything => set(&mut text, "safe.directory", "*"),
        Trust::Git if is_trusted(entries, root) => set(&mut text, "safe.directory", target),
        Trust::Git => {}
    }
    text
}

/// Whether the user told the host's git to trust `root` whoever owns it.
pub fn is_trusted(entries: &[Entry], root: &str) -> bool {
    let safe = entries.iter().filter(|entry| matches!(entry.scope.as_str(), "system" | "global") && entry.key == "safe.directory");
    // An empty value takes back what was said before it.
    safe.fold(false, |trusted, entry| match entry.value.as_str() {
        "" => false,
        "*" => true,
        path => trusted || path == root || path.strip_suffix('*').is_some_and(|above| above.ends_with('/') && root.starts_with(above)),
    })
}

fn set(text: &mut String, key: &str, value: &str) {
    let Some((section, name)) = key.split_once('.') else { return };
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "[{section}]\n\t{name} = \"{value}\"");
}

/// The files that the settings came from.
pub fn sources(entries: &[Entry]) -> Vec<&str> {
    let mut files: Vec<&str> = entries.iter().filter_map(|entry| entry.origin.strip_prefix("file:")).collect();
    files.sort_unstable();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(scope: &str, key: &str, value: &str) -> Entry {
        Entry { scope: scope.into(), origin: "file:/h/.gitconfig".into(), key: key.into(), value: value.into() }
    }

    #[test]
    fn gits_list_is_read_field_by_field() {
        let list = "global\0file:/h/a\0user.name\nJ \"D\"\nx\0system\0file:/etc/gitconfig\0core.bare\0";
        let read = entries(list);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].value.as_str(), read[1].value.as_str()), ("J \"D\"\nx", "true"));
        assert_eq!(sources(&read), ["/etc/gitconfig", "/h/a"]);
    }

    #[test]
    fn identity_comes_along_and_nothing_that_runs() {
        let entries = [
            entry("global", "user.email", "old@x"),
            entry("global", "user.email", "a\"b\\@x"),
            entry("local", "user.email", "repo@x"),
            entry("global", "core.pager", "evil"),
            entry("global", "alias.x", "!evil"),
        ];
        let text = config(&entries, Trust::Git, "/p", "/workspace/p");
        assert!(text.contains("[user]\n\temail = \"a\\\"b\\\\@x\"\n"), "{text}");
        assert!(text.contains("worktreePruneExpire = \"never\"") && text.contains("auto = \"0\""));
        assert!(!text.contains("evil") && !text.contains("repo@x") && !text.contains("safe"), "{text}");
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
        assert!(config(&safe(&["/p"]), Trust::Git, "/p", "/w").contains("[safe]\n\tdirectory = \"/w\""));
        assert!(config(&[], Trust::Everything, "/p", "/w").contains("directory = \"*\""));
    }
}

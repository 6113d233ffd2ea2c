//! The store as one table: every path, who may read it, who writes it, what it is. `ai doctor`, the documentation and the help
//! page are held against it.

/// Who but the person may read a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Nobody; what is below has the modes that tools chose, behind this door.
    Itself,
    /// Nobody, down to the last file.
    Deep,
}

/// Who can change what is below a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Only `ai`, on the host.
    Host,
    /// Containers: it is mounted read-write, and nothing below it is ever a mount's source.
    Containers,
}

/// One place of the store. `<tool>`, `<project>` and `<path>` stand for any name.
#[derive(Clone, Copy, Debug)]
pub struct StoreRow {
    pub path: &'static str,
    pub closed: Closed,
    #[cfg_attr(not(test), expect(dead_code, reason = "what no source may lie below is a matter of the tests"))]
    pub writer: Writer,
    #[cfg_attr(not(test), expect(dead_code, reason = "the documentation is held against it"))]
    pub what: &'static str,
}

const fn row(path: &'static str, closed: Closed, writer: Writer, what: &'static str) -> StoreRow {
    StoreRow { path, closed, writer, what }
}

use Closed::{Deep, Itself};
use Writer::{Containers, Host};

pub const TABLE: [StoreRow; 49] = [
    row("layout", Itself, Host, "the number of this layout; a program that knows only older ones stops at it"),
    row("config.toml", Itself, Host, "your settings"),
    row("consent.json", Itself, Host, "what `ai project allow` let projects have beyond themselves"),
    row("default-tool", Itself, Host, "the tool that `ai use` chose"),
    row("prices.toml", Itself, Host, "your own prices of models"),
    row("tools/", Deep, Host, "your own manifests"),
    row("secrets/", Deep, Host, "keys of profiles"),
    row("sessions/", Deep, Host, "a lease for each running session"),
    row("guard/", Itself, Host, "sockets, rules and record of the helper of each run"),
    row("spare/", Itself, Host, "containers that wait for a run: what each was made for, and the pipes of its gate"),
    row("sync/", Deep, Host, "what makes syncing safe: lock, journal, bases, generations, conflict copies; what was set aside"),
    row("control/", Deep, Host, "how the files were that your machine runs by itself, and what runs changed among them"),
    row(
        "log/",
        Deep,
        Host,
        "a line for each run, warning and error; what was counted of transcripts; vectors of runs, where you keep them",
    ),
    row("engines/", Deep, Host, "what engines said about themselves"),
    row("completions/", Itself, Host, "recorded words of the tools, for completion"),
    row("commit-message", Itself, Host, "the last message of `ai commit` whose commit failed"),
    row("places/", Deep, Host, "what shells complete without asking, made from the words of the tools and of `ai`"),
    row("backups/", Deep, Host, "rc files, manifests and the configuration as they were before they were changed"),
    row("shims/", Itself, Host, "programs named like the tools"),
    row("migrate/", Deep, Host, "what a take-over of old directories needs to be finished or undone"),
    row("images.json", Itself, Host, "versions of the tools in each image"),
    row("made.json", Itself, Host, "the images that were made for projects from recipes"),
    row("pins.json", Itself, Host, "which content an image's name must stand for"),
    row("versions.json", Itself, Host, "versions of tools that `ai image update` chose, with what the registry said of their content"),
    row("newest.json", Itself, Host, "the newest versions of tools, and when registries were last asked"),
    row("global_state/", Itself, Host, "everything that containers see a part of"),
    row("global_state/migrated/", Deep, Host, "files of old directories that no tool reads any more"),
    row("global_state/user/", Itself, Host, "passwd and group as the container sees them; made anew by each run"),
    row("global_state/ssh/", Deep, Host, "SSH settings, public keys and known hosts taken from yours; read-only in containers"),
    row("global_state/gh/", Deep, Host, "a login of GitHub's command line that new projects begin with"),
    row("global_state/cache/", Itself, Host, "caches of package managers"),
    row("global_state/cache/<project>/", Itself, Containers, "those of one project, or of `all`"),
    row("global_state/projects/<project>/", Itself, Host, "what all tools share in one project, and the directory that it belongs to"),
    row(
        "global_state/projects/<project>/git/",
        Itself,
        Containers,
        "git's `--global` file of the project's containers: who you are, and what they set themselves",
    ),
    row(
        "global_state/projects/<project>/git.host/",
        Itself,
        Host,
        "your own settings of git with the files that they name, made anew when they change; read-only inside",
    ),
    row("global_state/projects/<project>/ssh/", Itself, Containers, "known hosts of this project"),
    row("global_state/projects/<project>/gh/", Deep, Containers, "GitHub's command line in this project, its login too"),
    row("global_state/projects/<project>/overlay/", Itself, Host, "directories that the project has to itself inside"),
    row("global_state/projects/<project>/overlay/<path>/", Itself, Containers, "one for each path of `overlay`, such as `node_modules`"),
    row("global_state/projects/<project>/trees/", Itself, Host, "where git finds the project's worktrees inside"),
    row("global_state/<tool>/", Itself, Host, "a tool's state"),
    row("global_state/<tool>/backups/", Deep, Host, "good logins, kept from time to time"),
    row("global_state/<tool>/hub/", Itself, Host, "the settings that all projects share"),
    row(
        "global_state/<tool>/shared/",
        Itself,
        Containers,
        "the login, in `login/`: one directory for all projects, with the tool's own locks",
    ),
    row("global_state/<tool>/plugins/", Itself, Host, "plugins of the first layout, which each project that used them gets a copy of"),
    row("global_state/<tool>/common/", Itself, Host, "what your own manifest shares between projects"),
    row("global_state/<tool>/common/<path>/", Itself, Containers, "one directory for each path that it names"),
    row("global_state/<tool>/projects/<project>/", Itself, Host, "a tool's state in one project, and the directory that it belongs to"),
    row("global_state/<tool>/projects/<project>/home/", Itself, Containers, "the tool's home: settings, history, trust, memory, plugins"),
];

#[cfg(test)]
mod tests {
    use super::*;

    // BO-01
    #[test]
    fn nothing_lies_below_what_containers_write() {
        for above in TABLE.iter().filter(|row| row.writer == Containers) {
            for below in &TABLE {
                assert!(below.path == above.path || !below.path.starts_with(above.path), "{} is below {}", below.path, above.path);
            }
        }
    }

    #[test]
    fn no_place_is_listed_twice() {
        for (at, row) in TABLE.iter().enumerate() {
            assert!(TABLE[at + 1..].iter().all(|other| other.path != row.path), "{}", row.path);
        }
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../../docs/state.md");
        let rows: Vec<&str> =
            page.lines().skip_while(|line| *line != "| path | holds |").skip(2).take_while(|line| line.starts_with('|')).collect();
        let expected: Vec<String> = TABLE.iter().map(|row| format!("| `{}` | {} |", row.path, row.what)).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn the_help_page_names_every_place_of_containers_and_nothing_else() {
        let page = include_str!("../help/state.txt").replace("TOOL", "<tool>").replace("PROJECT", "<project>").replace("PATH", "<path>");
        let named: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("    ")?.split_whitespace().next()).collect();
        let known = |path: &str| TABLE.iter().any(|row| row.path == path);
        assert_eq!(named.iter().find(|path| !known(path)), None);
        let missing = TABLE.iter().find(|row| row.writer == Containers && !named.contains(&row.path));
        assert!(missing.is_none(), "{missing:?}");
    }
}

//! Where everything lives in the store: names only, no file is touched here.

use std::path::{Path, PathBuf};

use crate::core::lease::SessionId;

mod images;
pub mod seen;
mod spares;
pub mod table;

/// The number of the layout that [`table::TABLE`] describes.
pub const LAYOUT: u32 = 2;

/// The store, or the temporary directory that stands in for it where it cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store(PathBuf);

impl Store {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// Returns the name of the tool that `ai use` chose.
    pub fn default_tool(&self) -> PathBuf {
        self.0.join("default-tool")
    }

    /// Returns the recorded words of a tool, for completion.
    pub fn vocabulary(&self, tool: &str) -> PathBuf {
        self.0.join("completions").join(tool)
    }

    /// Returns what shells know without asking, for completion: a directory for each shell and state of what it was made from.
    pub fn places(&self) -> PathBuf {
        self.0.join("places")
    }

    /// Returns where files of a kind, `rc` or `tools`, are kept as they were before they were changed or removed.
    pub fn backups(&self, of: &str) -> PathBuf {
        self.0.join("backups").join(of)
    }

    /// The configuration as it was before each change that we made.
    pub fn config_history(&self) -> PathBuf {
        self.0.join("backups/config")
    }

    /// Links named like the tools, where no other directory is asked for.
    pub fn shims(&self) -> PathBuf {
        self.0.join("shims")
    }

    /// Returns the user's own manifests.
    pub fn tools(&self) -> PathBuf {
        self.0.join("tools")
    }

    /// Returns what the person agreed to, by project.
    pub fn trust(&self) -> PathBuf {
        self.0.join("trust")
    }

    pub fn sessions(&self) -> PathBuf {
        self.0.join("sessions")
    }

    pub fn lease(&self, session: &SessionId) -> PathBuf {
        self.sessions().join(session.as_str())
    }

    pub fn tool(&self, tool: &str) -> PathBuf {
        self.0.join("global_state").join(tool)
    }

    /// Returns what all projects of a tool share: mounted at [`crate::core::container::SHARED`].
    pub fn shared(&self, tool: &str) -> PathBuf {
        self.tool(tool).join("shared")
    }

    /// Returns the settings that all projects of a tool share, as one copy that `sync` keeps.
    pub fn hub(&self, tool: &str) -> PathBuf {
        self.tool(tool).join("hub")
    }

    pub fn project(&self, tool: &str, project: &str) -> PathBuf {
        self.tool(tool).join("projects").join(project)
    }

    /// Returns the tool's home for one project.
    pub fn home(&self, tool: &str, project: &str) -> PathBuf {
        self.project(tool, project).join("home")
    }

    /// Returns what a manifest shares between projects beside the login: one directory for each path, none below another.
    pub fn common(&self, tool: &str, path: &str) -> PathBuf {
        self.tool(tool).join("common").join(path.replace('%', "%25").replace('/', "%2F"))
    }

    /// Generated files that tell programs in the container who the user is: `passwd`, `group`.
    pub fn user(&self) -> PathBuf {
        self.0.join("global_state/user")
    }

    /// Caches of package managers: those of one project, or `all`.
    pub fn cache(&self, scope: &str) -> PathBuf {
        self.0.join("global_state/cache").join(scope)
    }

    /// Returns what all tools share in one project. No container can write the directory itself.
    pub fn own(&self, project: &str) -> PathBuf {
        self.0.join("global_state/projects").join(project)
    }

    /// Returns the settings of git for one project, the container's own among them.
    pub fn git(&self, project: &str) -> PathBuf {
        self.own(project).join("git")
    }

    /// Returns what was made for one project from the host's settings of git. No container can write it.
    pub fn git_host(&self, project: &str) -> PathBuf {
        self.own(project).join("git.host")
    }

    /// Returns the container's `~/.ssh` in one project.
    pub fn ssh_home(&self, project: &str) -> PathBuf {
        self.own(project).join("ssh")
    }

    /// Returns the directory of GitHub's command line in one project.
    pub fn gh_home(&self, project: &str) -> PathBuf {
        self.own(project).join("gh")
    }

    /// Returns where the directories are that one project has to itself inside.
    pub fn overlays(&self, project: &str) -> PathBuf {
        self.own(project).join("overlay")
    }

    /// Files that tell git where the worktrees of one project are inside.
    pub fn trees(&self, project: &str) -> PathBuf {
        self.own(project).join("trees")
    }

    /// SSH settings, public keys and known hosts as the host gives them to all projects.
    pub fn ssh(&self) -> PathBuf {
        self.0.join("global_state/ssh")
    }

    /// Returns the login of GitHub's command line that a new project begins with.
    pub fn gh(&self) -> PathBuf {
        self.0.join("global_state/gh")
    }

    /// Returns the file that holds [`LAYOUT`].
    pub fn layout(&self) -> PathBuf {
        self.0.join("layout")
    }

    /// Returns what projects may have beyond themselves, as the person agreed.
    pub fn consent(&self) -> PathBuf {
        self.0.join("consent.json")
    }

    /// Returns where what a container broke is set aside.
    pub fn aside(&self) -> PathBuf {
        self.0.join("sync/quarantine/aside")
    }

    /// Returns which session of a tool may renew its login, where only one may.
    pub fn turn(&self, tool: &str) -> PathBuf {
        self.0.join("sync").join(format!("turn.{tool}"))
    }

    /// Returns how the control files of a project were, and what runs changed among them. No container sees it.
    pub fn control(&self, project: &str) -> PathBuf {
        self.0.join("control").join(project)
    }

    /// The message of a commit that was not made.
    pub fn commit_message(&self) -> PathBuf {
        self.0.join("commit-message")
    }

    /// Returns the directory of a session's helper: its order and its record.
    pub fn guard(&self, session: &SessionId) -> PathBuf {
        self.guards().join(session.as_str())
    }

    pub fn guards(&self) -> PathBuf {
        self.0.join("guard")
    }

    /// The sockets of a session's helper: the one directory there that a container sees.
    pub fn sockets(&self, session: &SessionId) -> PathBuf {
        self.guard(session).join("sock")
    }

    pub fn log(&self) -> PathBuf {
        self.0.join("log/events.jsonl")
    }

    /// Returns the file that has the digests of the log's end.
    pub fn log_end(&self) -> PathBuf {
        self.0.join("log/events.end")
    }

    /// Returns what was counted of the transcripts of a tool in a project.
    pub fn counted(&self, tool: &str, project: &str) -> PathBuf {
        self.0.join("log/ledger").join(tool).join(project)
    }

    /// Returns where runs are kept as they were started.
    pub fn kept_runs(&self) -> PathBuf {
        self.0.join("log/runs")
    }

    pub fn kept_run(&self, session: &SessionId) -> PathBuf {
        self.kept_runs().join(session.as_str())
    }

    /// Returns the person's own prices of models.
    pub fn prices(&self) -> PathBuf {
        self.0.join("prices.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::seen::Seen;
    use super::table::{TABLE, Writer};
    use super::*;

    /// The path that a row of the table stands for, for one tool and one project.
    fn filled(path: &str) -> PathBuf {
        Path::new("/s").join(path.replace("<tool>", "t").replace("<project>", "p-01234567").replace("<path>", "a").trim_end_matches('/'))
    }

    // BO-01
    #[test]
    fn no_source_of_the_store_lies_below_what_a_container_writes() {
        let store = Store::new("/s");
        let (tool, project) = ("t", "p-01234567");
        let session = "0123456789ab".parse().unwrap();
        let places = [
            Seen::Passwd,
            Seen::Group,
            Seen::User,
            Seen::Ssh,
            Seen::SshHome(project),
            Seen::Gh(project),
            Seen::Git(project),
            Seen::Cache(project),
            Seen::GitHost(project),
            Seen::Tree(project, "x"),
            Seen::Overlay(project, "a"),
            Seen::Shared(tool),
            Seen::Common(tool, "a"),
            Seen::Common(tool, "a/b"),
            Seen::Home(tool, project),
            Seen::Sockets(&session),
            Seen::Opener(&session),
            Seen::Paste(&session),
            Seen::Gate(&session),
        ];
        let open: Vec<PathBuf> = TABLE.iter().filter(|row| row.writer == Writer::Containers).map(|row| filled(row.path)).collect();
        for place in places {
            let fixed = store.fixed(place);
            let above: Vec<_> = open.iter().filter(|open| fixed.as_path() != *open && fixed.as_path().starts_with(open)).collect();
            assert!(above.is_empty(), "{fixed:?} is below {above:?}");
            assert!(TABLE.iter().any(|row| fixed.as_path().starts_with(filled(row.path))), "{fixed:?} is not in the table");
        }
        assert_eq!(store.common(tool, "a/b").parent(), store.common(tool, "a").parent());
        assert_ne!(store.common(tool, "a%2Fb"), store.common(tool, "a/b"));
    }
}

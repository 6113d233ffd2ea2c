//! Where everything lives in the store: names only, no file is touched here.

use std::path::{Path, PathBuf};

use crate::core::lease::SessionId;

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

    /// The name of the tool that `ai use` chose.
    pub fn default_tool(&self) -> PathBuf {
        self.0.join("default-tool")
    }

    /// The recorded words of a tool, for completion.
    pub fn vocabulary(&self, tool: &str) -> PathBuf {
        self.0.join("completions").join(tool)
    }

    /// Rc files as they were before we changed them.
    pub fn rc_backups(&self) -> PathBuf {
        self.0.join("backups/rc")
    }

    /// Links named like the tools, where no other directory is asked for.
    pub fn shims(&self) -> PathBuf {
        self.0.join("shims")
    }

    /// The user's own manifests.
    pub fn tools(&self) -> PathBuf {
        self.0.join("tools")
    }

    /// What the person agreed to, by project.
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

    /// What all projects of a tool share: mounted at [`crate::core::container::SHARED`].
    pub fn shared(&self, tool: &str) -> PathBuf {
        self.tool(tool).join("shared")
    }

    /// The settings that all projects of a tool share, as one copy that `sync` keeps.
    pub fn hub(&self, tool: &str) -> PathBuf {
        self.tool(tool).join("hub")
    }

    pub fn project(&self, tool: &str, project: &str) -> PathBuf {
        self.tool(tool).join("projects").join(project)
    }

    /// The tool's home for one project.
    pub fn home(&self, tool: &str, project: &str) -> PathBuf {
        self.project(tool, project).join("home")
    }

    /// Generated files that tell programs in the container who the user is: `passwd`, `group`.
    pub fn user(&self) -> PathBuf {
        self.0.join("global_state/user")
    }

    /// Caches of package managers: those of one project, or `all`.
    pub fn cache(&self, scope: &str) -> PathBuf {
        self.0.join("global_state/cache").join(scope)
    }

    /// The settings of git for one project, the container's own among them.
    pub fn git(&self, project: &str) -> PathBuf {
        self.0.join("global_state/git").join(project)
    }

    /// What was made for one project from the host's settings of git. No container can write it.
    pub fn git_host(&self, project: &str) -> PathBuf {
        self.0.join("global_state/git").join(format!("{project}.host"))
    }

    pub fn ssh(&self) -> PathBuf {
        self.0.join("global_state/ssh")
    }

    pub fn gh(&self) -> PathBuf {
        self.0.join("global_state/gh")
    }

    /// Which session of a tool may renew its login, where only one may.
    pub fn turn(&self, tool: &str) -> PathBuf {
        self.0.join("sync").join(format!("turn.{tool}"))
    }

    /// What is known of the images: versions of the tools in them.
    pub fn images(&self) -> PathBuf {
        self.0.join("images.json")
    }

    /// Which content an image's name must stand for, by engine.
    pub fn pins(&self) -> PathBuf {
        self.0.join("pins.json")
    }

    /// How the control files of a project were, and what runs changed among them. No container sees it.
    pub fn control(&self, project: &str) -> PathBuf {
        self.0.join("control").join(project)
    }

    pub fn log(&self) -> PathBuf {
        self.0.join("log/events.jsonl")
    }
}

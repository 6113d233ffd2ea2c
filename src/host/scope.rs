//! Where a command was typed: which sections of the configuration count there, and what is at the paths that they name.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::core::admit::path::{self, Bases, Looked};
use crate::core::config::Config;
use crate::core::config::source::Scope;
use crate::host::{Host, machine};

/// Which sections of the configuration count here.
#[derive(Debug)]
pub struct Here<'a> {
    tool: &'a str,
    project: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Here<'_> {
    pub fn borrowed(&self) -> Scope<'_> {
        Scope { tool: self.tool, project: self.project.as_deref(), home: self.home.as_deref() }
    }
}

impl Host {
    /// The root of the project here.
    pub fn project_root(&self) -> Option<PathBuf> {
        self.cwd().map(|cwd| machine::git::root(cwd).unwrap_or(cwd).to_owned())
    }

    /// Which sections of the configuration count for a tool here.
    pub fn scope<'a>(&self, tool: &'a str) -> Here<'a> {
        Here { tool, project: self.project_root(), home: self.home() }
    }

    /// Looks at every path that what is let in names.
    pub(super) fn look(&self, admit: Option<(&Config, &[OsString])>) -> Vec<Looked> {
        let (Some((config, words)), Some(cwd)) = (admit, self.cwd()) else { return Vec::new() };
        let home = self.home();
        let bases = Bases { home: home.as_deref(), cwd, root: machine::git::root(cwd).unwrap_or(cwd) };
        path::wanted(config, &self.env, &bases, words).into_iter().map(machine::look::look).collect()
    }
}

//! Where a command was typed: which sections of the configuration count there, and what is at the paths that they name.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::core::admit::path::{self, Bases, Looked};
use crate::core::config::Config;
use crate::core::config::source::Scope;
use crate::core::config::value::KeysPlace;
use crate::core::facts::{Repo, RepoKind};
use crate::core::plan::desktop::has_desktop;
use crate::core::plan::guard::GUARD;
use crate::core::tool::manifest::Manifest;
use crate::host::fs::look::Look;
use crate::host::store::lease;
use crate::host::{Host, machine};

/// Which sections of the configuration count here.
#[derive(Debug)]
pub struct Here<'a> {
    tool: &'a str,
    project: Option<PathBuf>,
    home: Option<PathBuf>,
    manifest: Option<&'a Manifest>,
}

impl Here<'_> {
    pub fn borrowed(&self) -> Scope<'_> {
        let limits = self.manifest.map(|manifest| &manifest.limits);
        let network = self.manifest.and_then(|manifest| manifest.network.as_deref());
        Scope { tool: self.tool, project: self.project.as_deref(), home: self.home.as_deref(), limits, network }
    }
}

impl Host {
    /// Returns the roots of the projects that sessions have mounted, and the identity of each directory of this repository that
    /// their containers can rename. A lease counts whether or not its owner lives: its container may.
    pub(super) fn renamable(&self, repo: Option<&Repo>) -> (Vec<PathBuf>, Vec<(PathBuf, String)>) {
        let Some(cwd) = self.cwd() else { return (Vec::new(), Vec::new()) };
        let leases = lease::all(&self.store).into_iter().chain(lease::temporary_leases(self));
        let mut roots: Vec<PathBuf> = leases.map(|lease| PathBuf::from(lease.root)).collect();
        roots.sort_unstable();
        roots.dedup();
        let mut paths = vec![repo.map_or(cwd, |repo| repo.root.as_path()).to_owned(), cwd.to_owned()];
        if let Some(repo) = repo {
            paths.extend(repo.alternates.iter().map(|spot| spot.path.clone()));
            match &repo.kind {
                RepoKind::Worktree(spot) | RepoKind::Elsewhere(spot) => paths.push(spot.path.clone()),
                RepoKind::Submodule { superproject, directory, .. } => paths.extend([superproject.clone(), directory.clone()]),
                _ => {}
            }
        }
        paths.retain(|path| roots.iter().any(|root| path != root && path.starts_with(root)));
        let identities = paths.into_iter().filter_map(|path| machine::look::identity(&path, cwd).map(|identity| (path, identity)));
        (roots, identities.collect())
    }

    /// Returns the root of the project here.
    pub fn project_root(&self) -> Option<PathBuf> {
        self.cwd().map(|cwd| machine::git::root(cwd).unwrap_or(cwd).to_owned())
    }

    /// Returns which sections of the configuration count for a tool here; `manifest` is its own.
    pub fn scope<'a>(&self, tool: &'a str, manifest: Option<&'a Manifest>) -> Here<'a> {
        Here { tool, project: self.project_root(), home: self.home(), manifest }
    }

    /// Our own program, links resolved, if a run can mount it: asked for none but a guarded one, and where a login may open a page.
    pub(super) fn inside(&self, config: &Config) -> Option<PathBuf> {
        if config.settings.network.value != GUARD && !has_desktop(&self.env) && !config.settings.spare.value {
            return None;
        }
        self.exe().resolved().ok().filter(|program| machine::look::runs_anywhere(program))
    }

    /// Returns what does TLS for the helper: asked for none but a run whose key stays outside.
    pub(super) fn openssl(&self, config: &Config) -> Option<PathBuf> {
        if config.settings.keys.value == KeysPlace::Outside { self.program("openssl") } else { None }
    }

    /// Looks at every path that what is let in names.
    pub(super) fn look(&self, admit: Option<(&Config, &[OsString])>) -> Vec<Looked> {
        let (Some((config, words)), Some(cwd)) = (admit, self.cwd()) else { return Vec::new() };
        let home = self.home();
        let bases = Bases { home: home.as_deref(), cwd, root: machine::git::root(cwd).unwrap_or(cwd) };
        path::wanted(config, &self.env, &bases, words).into_iter().map(machine::look::look).collect()
    }
}

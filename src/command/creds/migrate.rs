//! `ai creds migrate` and `ai creds prune`: what the old directories hold goes to its place, once.

use std::path::PathBuf;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::login::migrate::{Action, MigrationStep, OldLayout, plan};
use crate::core::text::table::Side;
use crate::host::migrate as host_migrate;
use crate::host::migrate::OldDirectory;
use crate::host::output;
use crate::host::store::hold;
use crate::host::store::project;
use crate::host::{self, Host};

pub fn run(host: &Host, dry_run: bool, json: bool, project: Option<&str>) -> Result<u8> {
    let _lock = if dry_run { None } else { Some(hold::store(&host.store)?) };
    if !dry_run && host_migrate::finish(&host.store).map_err(|error| cannot("finish the last migration", &error))? {
        output::note("finished a migration that was interrupted");
    }
    let mut sources = sources(host);
    let planted = of_projects(host);
    if let Some(project) = project {
        sources.extend(chosen(&planted, project)?);
    }
    for source in planted.iter().filter(|source| !sources.contains(source)) {
        output::note(&format!("`{}` is left alone: it lies in a project", source.path.display()));
    }
    let files = host_migrate::scan(&sources).map_err(|error| cannot("read the old directories", &error))?;
    let done = host_migrate::done(&host.store);
    let steps = plan(&files, |place| host_migrate::there(&host.store, place), &done.files);
    show(host, &steps, json)?;
    if steps.is_empty() {
        output::note("nothing to do: what the old directories hold was taken over, or there are none");
        return Ok(0);
    }
    if dry_run {
        output::note("nothing was changed (--dry-run)");
        return Ok(0);
    }
    let backup = host_migrate::take_over(&host.store, &sources, &steps).map_err(|error| {
        let failure = cannot("migrate", &error);
        if host_migrate::is_committed(&host.store) {
            failure.hint("the migration is prepared and finishes with the next `ai creds migrate`")
        } else {
            failure.hint("nothing was changed; run `ai creds migrate` again when the cause is gone")
        }
    })?;
    output::note(&format!("took over {} of {} files; backup: {}", count(&steps), steps.len(), backup.display()));
    output::note("the old directories are as they were; do not use the logins in them. When all is well: ai creds prune --legacy");
    Ok(0)
}

fn count(steps: &[MigrationStep]) -> usize {
    steps.iter().filter(|step| step.action == Action::Copy).count()
}

/// Returns the person's own old directories. What lies in a project is none: whoever made the project, or a container, may have put it
/// there.
pub fn sources(host: &Host) -> Vec<OldDirectory> {
    host_migrate::sources(host, &[])
}

fn chosen(planted: &[OldDirectory], project: &str) -> Result<Vec<OldDirectory>> {
    let is_of = |source: &&OldDirectory| matches!(&source.origin, OldLayout::Project(id, _) if id == project);
    let found: Vec<OldDirectory> = planted.iter().filter(is_of).cloned().collect();
    if found.is_empty() {
        return Err(Failure::new(Kind::Usage, format!("cannot take over what lies in project `{project}`: there is nothing old in it"))
            .hint("ai project list"));
    }
    Ok(found)
}

/// Returns the old directories in the project here, and in every project that has state.
fn of_projects(host: &Host) -> Vec<OldDirectory> {
    let mut roots: Vec<(String, PathBuf)> = project::partitions(&host.store, project::Sizes::Unknown)
        .into_iter()
        .filter_map(|partition| Some((partition.project, partition.root?)))
        .collect();
    roots.extend(here(host));
    roots.sort_unstable();
    roots.dedup();
    host_migrate::sources(host, &roots).into_iter().filter(|source| matches!(source.origin, OldLayout::Project(..))).collect()
}

/// Returns the project around the working directory, if one can be mounted from there at all.
fn here(host: &Host) -> Option<(String, PathBuf)> {
    let facts = host.facts(&host::Wanted::default());
    let workspace = crate::core::workspace::Workspace::new(&facts, &crate::core::config::Config::default().settings).ok()?;
    Some((workspace.project, workspace.root))
}

fn show(host: &Host, steps: &[MigrationStep], json: bool) -> Result<()> {
    if json {
        return output::json(&steps);
    }
    let row = |step: &MigrationStep| {
        let action = match step.action {
            Action::Copy => "copy",
            Action::Archive => "archive",
            Action::Same => "same",
            Action::Skip => "skip",
        };
        let to = step.to.as_ref().map_or_else(String::new, |to| format!(" -> {}", host.store.root().join(to).display()));
        [action.to_owned(), format!("{}{to}  ({})", step.from.display(), step.why)]
    };
    output::table([Side::Left; 2], &steps.iter().map(row).collect::<Vec<_>>())
}

pub fn undo(host: &Host) -> Result<u8> {
    let _lock = hold::store(&host.store)?;
    host_migrate::finish(&host.store).map_err(|error| cannot("finish the last migration", &error))?;
    let undone = host_migrate::undo(&host.store).map_err(|error| cannot("undo the migration", &error))?;
    let Some(undone) = undone else {
        return Err(Failure::new(Kind::General, "cannot undo a migration: there was none"));
    };
    for path in &undone.restored {
        output::note(&format!("put `{}` back", path.display()));
    }
    for path in &undone.changed {
        output::warn(&format!("`{}` was written to since and stays as it is", path.display()));
    }
    output::note(if undone.changed.is_empty() {
        "the store is as it was before the migration"
    } else {
        "all else in the store is as it was before the migration"
    });
    Ok(0)
}

pub fn prune(host: &Host, yes: bool) -> Result<u8> {
    let _lock = hold::store(&host.store)?;
    let mut sources = sources(host);
    // Of what lies in projects, only what a person had taken over.
    let done = host_migrate::done(&host.store);
    sources.extend(of_projects(host).into_iter().filter(|source| done.files.keys().any(|path| path.starts_with(&source.path))));
    if sources.is_empty() {
        output::note("there are no old directories");
        return Ok(0);
    }
    let files = host_migrate::scan(&sources).map_err(|error| cannot("read the old directories", &error))?;
    if !host_migrate::is_verified(&host.store, &files) {
        return Err(Failure::new(
            Kind::NotAllowed,
            "cannot remove the old directories: not everything in them was taken over and verified",
        )
        .hint("ai creds migrate"));
    }
    for source in &sources {
        output::note(&format!("would remove `{}`", source.path.display()));
    }
    if !yes && !output::ask_for_yes("remove them? The backup of the migration keeps a copy.") {
        output::note("nothing was removed");
        return Ok(0);
    }
    host_migrate::remove(&sources).map_err(|error| cannot("remove the old directories", &error))?;
    output::note("removed; `ai creds migrate --undo` puts them back");
    Ok(0)
}

fn cannot(verb: &str, error: &std::io::Error) -> Failure {
    Failure::new(Kind::General, format!("cannot {verb}")).because(error)
}

//! Control files of the project of a session: the record when it begins, the comparison and what is said when it ends.
//!
//! Nothing here stops a run or changes its exit code: what cannot be done is said.

use std::fmt::Display;

use crate::core::control::record::{Handled, PendingChange};
use crate::core::control::report::{ControlReport, report, short_diff, shown, visible};
use crate::core::control::{ControlPath, Trace};
use crate::core::lease::{Lease, SessionId};
use crate::core::plan::mount::Access;
use crate::core::plan::{Part, Plan};
use crate::core::store::Store;
use crate::host::control::shelf::ControlShelf;
use crate::host::control::{self, Compared, ControlScope, home};
use crate::host::fs::look::Look;
use crate::host::store::lease;
use crate::host::{Host, output};
use crate::session::context::Context;

/// Changed files that are shown with a short diff.
const MOST_SHOWN: usize = 6;
/// Directories beside the project that are looked through. More than these are said.
const MOST_MOUNTED: usize = 200;

/// Takes the record for a session that begins.
pub fn begin(context: &Context, store: &Store, plan: &Plan) {
    let host = &context.host;
    let workspace = &plan.workspace;
    let is_running = |session: &SessionId| lease::read(store, session).is_some_and(|lease| lease::is_owner_alive(&lease));
    let begun = ControlShelf::open(store, &workspace.project).map_err(|error| error.to_string()).and_then(|shelf| {
        let scope = scope(host, store, plan);
        control::begin(&shelf, &scope, &plan.session, is_running).map_err(|error| error.to_string())
    });
    match begun {
        Ok(compared) => tell(compared),
        Err(why) => unwatched(why),
    }
}

/// Takes a session that does not start out of the record.
pub fn forget(store: &Store, project: &str, session: &SessionId) {
    if let Ok(shelf) = ControlShelf::open(store, project) {
        // The next run compares with it and finds nothing.
        let _ = control::forget(&shelf, session);
    }
}

/// Compares for a session that ended, puts back, and says so, with what was put back while it lasted.
pub fn end(store: &Store, lease: &Lease) {
    // A session of an older program, or one whose record could not be taken, which was said.
    if !crate::host::fs::files::is_directory(&store.control(&lease.project)) {
        return;
    }
    let known = |session: &SessionId| lease::read(store, session).is_some();
    let ended = ControlShelf::open(store, &lease.project)
        .map_err(|error| error.to_string())
        .and_then(|shelf| control::end(&shelf, &lease.session, &lease.tool, known).map_err(|error| error.to_string()));
    match ended {
        Ok(compared) => tell(compared),
        Err(why) => uncompared(why),
    }
}

fn scope(host: &Host, store: &Store, plan: &Plan) -> ControlScope {
    let workspace = &plan.workspace;
    // What of the repository lies elsewhere and is written from inside.
    let common = workspace.extras.iter().filter(|extra| extra.access == Access::ReadWrite);
    let mut anchors: Vec<_> = std::iter::once(workspace.root.clone()).chain(common.map(|extra| extra.source.path.clone())).collect();
    anchors.extend(mounted(&[store, &host.store], plan));
    anchors.dedup();
    let below = workspace.workdir.as_path().strip_prefix(workspace.target.as_path()).unwrap_or(std::path::Path::new(""));
    let (with_direnv, leaves) = control::installed(host);
    ControlScope {
        anchors,
        seeds: control::seed(&workspace.root, &workspace.root.join(below)),
        with_direnv,
        with_links: true,
        programs: home::on_path(host, &workspace.root),
        leaves,
        named: home::of_person(host, &workspace.root),
    }
}

/// Returns the directories beside the project that the person mounts to be written: not those of the store.
fn mounted(stores: &[&Store], plan: &Plan) -> Vec<std::path::PathBuf> {
    let written = plan.parts.iter().filter_map(|reasoned| match &reasoned.part {
        Part::Mount(mount) if mount.access == Access::ReadWrite => Some(mount.source.path()),
        _ => None,
    });
    let root = &plan.workspace.root;
    let is_beside = |path: &&std::path::Path| !path.starts_with(root) && !stores.iter().any(|store| path.starts_with(store.root()));
    let is_common = |path: &&std::path::Path| plan.workspace.extras.iter().any(|extra| extra.source.path == **path);
    let mut beside = written.filter(is_beside).filter(|path| !is_common(path) && path.leads_to_directory());
    let most = beside.by_ref().take(MOST_MOUNTED).map(std::path::Path::to_owned).collect();
    if let Some(path) = beside.next() {
        unwatched(format!("`{}` is one directory too many that is mounted to be written", visible(&path.to_string_lossy())));
    }
    most
}

fn unwatched(why: impl Display) {
    output::warn(&format!("files that your machine runs from this project are not compared after this run: {why}"));
}

fn uncompared(why: impl Display) {
    output::warn(&format!("cannot compare the files that your machine runs from this project: {why}; hint: look before you use git there"));
}

/// Says what a comparison found.
fn tell(compared: Option<Compared>) {
    let Some(compared) = compared else { return };
    if let Some(lost) = &compared.lost {
        let lost = visible(&lost.to_string_lossy());
        output::warn(&format!(
            "`{lost}` is gone or another directory since the run began; nothing in it was compared; hint: look before you use git there"
        ));
    }
    let ControlReport { warnings, notes } = report(&compared.changes, &compared.anchors, compared.unseen);
    for warning in &warnings {
        output::warn(warning);
    }
    for note in &notes {
        output::note(note);
    }
    let reported = compared.changes.iter().filter(|change| change.handled == Handled::Reported);
    for change in reported.take(MOST_SHOWN) {
        show(&compared, change);
    }
}

/// Prints a short diff of a file that stays as it is.
fn show(compared: &Compared, change: &PendingChange) {
    let path: &ControlPath = &change.path;
    let content = |trace: &Option<Trace>| match trace {
        Some(Trace::File { hash, .. }) => compared.contents.get(hash).map(Vec::as_slice),
        _ => None,
    };
    for line in short_diff(content(&change.before).unwrap_or_default(), content(&change.after).unwrap_or_default()) {
        output::note(&format!("  {}: {line}", shown(path, &compared.anchors)));
    }
}

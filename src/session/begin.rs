//! A session begins: its lease is written, its state made ready, its settings come in, its login gets its turn.

use std::io::{self, ErrorKind};

use crate::core::engine::kind::Engine;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::{Lease, Process, SessionId};
use crate::core::plan::Plan;
use crate::core::store::Store;
use crate::core::sync::Direction;
use crate::core::text::typed::typed;
use crate::host::engine::image;
use crate::host::fs::shape::{Aside, Shaper};
use crate::host::guard::order;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::git::trees;
use crate::host::machine::process;
use crate::host::store::{admit, lease, outworn, secret_files, state};
use crate::host::{self, Host, output};
use crate::session::context::Context;
use crate::session::{changed, control, foreign, lacking, login_turn, mended, points, settings, spare};

/// A session whose lease is written.
#[derive(Debug)]
pub struct Begun {
    pub lease: Lease,
    /// Where its state is: the store, or a temporary directory where that cannot be written.
    pub state: Store,
}

/// Begins the session of `plan`, which belongs to the process `owner`.
///
/// # Errors
/// Where no state can be made at all, or another session keeps the login; nothing is left of the session then.
pub fn begin(context: &Context, plan: &Plan, engine: &Engine, owner: i32, deadline: &Deadline) -> Result<Begun> {
    let session = &plan.session;
    let mut lease = lease(context, plan, engine, owner);
    trees::mend(&plan.workspace.root, None);
    let planned = points::plan(&context.host.store, plan, &mut lease)?;
    let (state, aside) = prepare(context, plan, engine, &lease)?;
    let made = points::make(&plan.workspace.root, &lease);
    drop(planned);
    mended::tell(&context.host, &context.tool, &state, &aside);
    if !aside.is_empty() {
        // What a container sets up to be set aside, run after run, does not fill the disk. What cannot be removed, `ai gc` names.
        let _ = outworn::outworn(&state, host::now()).iter().try_for_each(outworn::remove);
    }
    control::begin(context, &state, plan);
    if state == context.host.store {
        settings::sync(&context.host, &context.tool, &context.config, &plan.workspace.project, Direction::In, deadline);
    }
    foreign::offer(context, plan, &state);
    match made.and_then(|()| lacking::check(context, plan, &state)).and_then(|()| login_turn::before(context, &state, session, &plan.image))
    {
        Ok(()) => Ok(Begun { lease, state }),
        Err(failure) => {
            control::forget(&state, &plan.workspace.project, session);
            points::end(&state, &lease);
            secret_files::remove(&lease);
            forget(&context.host, &state, session);
            Err(failure)
        }
    }
}

/// The record of a session that begins.
pub fn lease(context: &Context, plan: &Plan, engine: &Engine, owner: i32) -> Lease {
    Lease {
        session: plan.session.clone(),
        tool: context.tool.name.clone(),
        project: plan.workspace.project.clone(),
        root: plan.workspace.root.to_string_lossy().into_owned(),
        container: plan.container.clone(),
        owner: process::look_up(owner).unwrap_or(Process { pid: owner, started: None, boot: None }),
        since: host::now(),
        engine: engine.kind,
        endpoint: engine.endpoint.url(),
        image: plan.image.clone(),
        memory: plan.memory(),
        keep: context.config.settings.keep.value,
        ports: plan.ports().map(ToString::to_string).collect(),
        let_in: plan.let_in(),
        points: Vec::new(),
        tree: changed::before(context),
        secret_files: plan.secret_files().map(|path| path.to_string_lossy().into_owned()),
        waits: spare::is_wanted(context).then(|| plan.has_terminal()),
    }
}

/// Makes the state of a session in the store, or in a temporary directory where the store cannot be written.
fn prepare(context: &Context, plan: &Plan, engine: &Engine, lease: &Lease) -> Result<(Store, Vec<Aside>)> {
    let Context { host, tool, .. } = context;
    let prepare = |store: &Store| {
        let prepared = state::prepare(host, store, engine, tool, &plan.workspace, lease).and_then(|aside| {
            let kept = store.aside();
            let mut shaper = Shaper::new(&kept);
            admit::prepare(store, plan, tool, &mut shaper)?;
            guard(store, plan, engine)?;
            Ok(aside.into_iter().chain(shaper.found).collect())
        });
        // What was made of it may be the lease, which belongs to no session then.
        prepared.inspect_err(|_| forget(host, store, &lease.session))
    };
    let error = match prepare(&host.store) {
        Ok(aside) => return Ok((host.store.clone(), aside)),
        Err(error) => error,
    };
    without_store(&host.store, &error)?;
    let temporary = host.temporary_state(&lease.session);
    match host.in_temporary_root(|| prepare(&temporary)) {
        Ok(aside) => Ok((temporary, aside)),
        Err(error) => Err(Failure::new(Kind::General, format!("cannot make `{}`", temporary.root().display()))
            .because(error)
            .hint("export TMPDIR=DIRECTORY, for one of your own")),
    }
}

/// Writes what the helper of a guarded run will be told.
fn guard(store: &Store, plan: &Plan, engine: &Engine) -> io::Result<()> {
    let Some(guard) = &plan.guard else { return Ok(()) };
    let mut order = guard.order.clone();
    if let Some(keep) = &mut order.keep {
        keep.image_id = plan.image_id.clone().or_else(|| image::content(engine, &keep.image));
    }
    order::prepare(store, &plan.session, &order)
}

/// The session does not start; why is what the caller hears.
fn forget(host: &Host, state: &Store, session: &SessionId) {
    host::spare::forget(&host.store, session);
    order::take(state, session);
    let _ = lease::close(&host.store, state, session);
}

/// Says once that this run keeps nothing, if that is why the store could not be written; fails for any other reason.
fn without_store(store: &Store, error: &io::Error) -> Result<()> {
    let path = store.root().display();
    let fix = match error.kind() {
        ErrorKind::ReadOnlyFilesystem => "make its file system writable".to_owned(),
        ErrorKind::PermissionDenied => match host::closed_directory(store.root()) {
            (closed, true) => format!("open it to yourself: chmod -R u+rwX {}", typed(&closed.to_string_lossy())),
            // What is above the store may be a whole system.
            (closed, false) if closed.starts_with(store.root()) => {
                format!("give it back to you: sudo chown -R \"$USER\" {}", typed(&closed.to_string_lossy()))
            }
            (_, false) => "export AI_HOME=DIRECTORY, for one that you may write".to_owned(),
        },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space".to_owned(),
        _ => return Err(Failure::new(Kind::General, format!("cannot write the store `{path}`")).because(error).hint("ai doctor")),
    };
    output::warn(&format!(
        "cannot write the store `{path}` ({error}): this run starts without login and keeps no settings or history; hint: {fix}"
    ));
    Ok(())
}

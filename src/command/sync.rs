//! `ai sync in` and `ai sync out`: what happens on the host before and after a run.

use std::io::{self, ErrorKind};

use crate::cli::sync::{Sync, SyncCommand};
use crate::command::login::around;
use crate::command::{Context, ended, fallback, image, settings};
use crate::config::Layer;
use crate::failure::{Failure, Kind, Result};
use crate::host::engine::{self, Image, containers};
use crate::host::{self, Host, process, state};
use crate::output;
use crate::plan::{Plan, Request};
use crate::session::{Lease, Process, SessionId};
use crate::store::Store;
use crate::sync::Direction;
use crate::tool::Tool;

pub fn run(sync: Sync) -> Result<u8> {
    match sync.command {
        SyncCommand::In { tool, dry_run: true, .. } => settings::diff(&tool, false)?,
        SyncCommand::Diff { tool, json } => settings::diff(&tool, json)?,
        SyncCommand::Out { session, dry_run: true, .. } => {
            let host = Host::new()?;
            let lease = find(&host, &session)?;
            settings::diff_out(&host, &lease)?;
        }
        SyncCommand::In { tool, owner, dry_run: false } => {
            let context = Context::new(&tool, Layer::default())?;
            let session = open(&context, owner.unwrap_or_else(process::parent))?;
            output::data(format!("{session}\n").as_bytes())?;
        }
        SyncCommand::Out { session, code, dry_run: false } => match close(&Host::new()?, &session, code)? {
            Kept::All => {}
            Kept::Nothing => return Ok(1),
        },
        SyncCommand::Status { tool, json } => settings::status(&tool, json)?,
        SyncCommand::Log { tool, json } => settings::log(&tool, json)?,
        SyncCommand::Undo { tool } => settings::undo(&tool)?,
        SyncCommand::Repair => {
            let (context, failures) = fallback::context()?;
            fallback::tell(failures);
            let settings = settings::repair(&context.host);
            repair(&context.host, &context.facts(None).engine)?;
            if settings? {
                output::note("finished a sync of settings that was interrupted");
            }
        }
    }
    Ok(0)
}

/// Opens a session that belongs to the process `owner`. Everything that can be refused is refused before anything is
/// written.
pub fn open(context: &Context, owner: i32) -> Result<SessionId> {
    let Context { host, tool, config } = context;
    let facts = context.facts(None);
    let session = host::fresh_session()?;
    let args = if tool.is_exec() { vec!["true".into()] } else { Vec::new() };
    let terminal = facts.terminal;
    let plan = Plan::new(&Request { tool, config, facts: &facts, session: session.clone(), args, terminal })?;
    let found = match engine::check(&facts.engine, &plan.image) {
        Err(_) if config.settings.engine_autostart.value && engine::is_down(&facts.engine) => {
            engine::starter::start(host, &facts.engine, &config.settings)?;
            engine::check(&facts.engine, &plan.image)?
        }
        found => found?,
    };
    match found {
        Image::Missing => image::offer(context, &facts, &plan.image)?,
        found => image::refuse_moved(context, &facts, &plan.image, &found)?,
    }
    // Asked once for each start of the engine; every plan until then reads the answer.
    let learnt = match &facts.engine.learnt {
        // An engine that runs containers but does not say what it is gets the plan that its endpoint suggests.
        None if engine::learn::is_cheap(&facts.engine) => engine::learn::learn(&host.store, &facts.engine).ok(),
        known => known.clone(),
    };
    let engine = facts.engine.clone().with(learnt);
    engine::volume::ensure(&engine, &host.store, &plan.image, tool, &facts.user)?;
    repair(host, &facts.engine)?;
    let lease = Lease {
        session: session.clone(),
        tool: tool.name.clone(),
        project: plan.workspace.project.clone(),
        root: plan.workspace.root.to_string_lossy().into_owned(),
        container: plan.container.clone(),
        owner: process::look_up(owner).unwrap_or(Process { pid: owner, started: None, boot: None }),
        since: host::now(),
        engine: engine.kind,
        endpoint: engine.endpoint.url(),
        image: plan.image.clone(),
        memory: plan.memory(),
        keep: config.settings.keep.value,
    };
    let prepared = state::prepare(host, &host.store, &engine, tool, &plan.workspace, &lease);
    if let Err(error) = prepared {
        // What was made of it may be the lease, which belongs to no session then.
        let _ = state::close(&host.store, &host.store, &session);
        let temporary = host.temporary_state(&session);
        without_store(&host.store, &error)?;
        state::prepare(host, &temporary, &engine, tool, &plan.workspace, &lease).map_err(|error| {
            let _ = state::close(&host.store, &temporary, &session);
            Failure::new(Kind::General, format!("cannot make `{}`", temporary.root().display())).because(error)
        })?;
    } else {
        settings::sync(host, tool, config, &plan.workspace.project, Direction::In);
    }
    let store = host.state_of(&session);
    around::before(context, &store, &session, &plan.image).inspect_err(|_| {
        // The session does not start; why is what the caller hears.
        let _ = state::close(&host.store, &store, &session);
    })?;
    Ok(session)
}

/// Says once that this run keeps nothing, if that is why the store could not be written; fails for any other reason.
fn without_store(store: &Store, error: &io::Error) -> Result<()> {
    let path = store.root().display();
    let fix = match error.kind() {
        ErrorKind::ReadOnlyFilesystem => "make its file system writable".to_owned(),
        ErrorKind::PermissionDenied => match host::closed_directory(store.root()) {
            (closed, true) => format!("open it to yourself: chmod -R u+rwX {}", closed.display()),
            (closed, false) => format!("give it back to you: sudo chown -R \"$USER\" {}", closed.display()),
        },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space".to_owned(),
        _ => return Err(Failure::new(Kind::General, format!("cannot write the store `{path}`")).because(error).hint("ai doctor")),
    };
    output::warn(&format!(
        "cannot write the store `{path}` ({error}): this run starts without login and keeps no settings or history; hint: {fix}"
    ));
    Ok(())
}

/// What is left of a session on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    All,
    /// Its state was temporary, as was said when it began.
    Nothing,
}

/// Closes a session: its settings go out, its record goes away. `code` is what the run ended with.
pub fn close(host: &Host, session: &SessionId, code: Option<u8>) -> Result<Kept> {
    let lease = find(host, session)?;
    let state = host.state_of(session);
    match state::claim(&state, session) {
        Some(_claim) => {
            fallback::tell(fallback::config(host, &lease.tool).1);
            finish(host, &state, &lease, code)
        }
        None => Ok(Kept::All),
    }
}

fn find(host: &Host, session: &SessionId) -> Result<Lease> {
    let missing = || Failure::new(Kind::General, format!("cannot close session {session}: there is no such session")).hint("ai ps");
    state::lease(&host.state_of(session), session).ok_or_else(missing)
}

/// The second half of [`close`], for whoever has the claim.
fn finish(host: &Host, state: &Store, lease: &Lease, code: Option<u8>) -> Result<Kept> {
    let session = &lease.session;
    let failed = |error: io::Error| Failure::new(Kind::General, format!("cannot close session {session}")).because(error);
    // The container is gone before its settings are read; what could not be said about it stops nothing.
    if let Some(failure) = code.and_then(|code| ended::tell(host, lease, code).err()) {
        output::failure(&failure);
    }
    if *state != host.store {
        return state::close(&host.store, state, session).map_err(failed).map(|()| Kept::Nothing);
    }
    let is_whole = sync_out(host, lease)?;
    around::after(host, state, &lease.tool);
    let run = [
        ("session", session.as_str().into()),
        ("tool", lease.tool.as_str().into()),
        ("project", lease.project.as_str().into()),
        ("start", lease.since.into()),
        ("end", host::now().into()),
        ("exit", code.into()),
    ];
    let run = run.into_iter().map(|(key, value): (_, serde_json::Value)| (key.to_owned(), value)).collect();
    // A disk that is too full for a line of the log is no reason to keep a lease.
    let logged = host::log::write(host, state, crate::log::Level::of_run(code), "run", run);
    state::close(&host.store, state, session).and(logged).map_err(failed)?;
    if is_whole {
        Ok(Kept::All)
    } else {
        Err(Failure::new(Kind::General, "cannot take over all settings of this run").hint("ai sync status"))
    }
}

/// The settings of a session go out, even if the configuration is broken meanwhile: whoever asked has said so. A manifest that
/// is gone has no settings.
fn sync_out(host: &Host, lease: &Lease) -> Result<bool> {
    let Some(tool) = Tool::load(&lease.tool, |name| host.manifest(name))? else { return Ok(true) };
    let (config, _) = fallback::config(host, &lease.tool);
    Ok(settings::sync(host, &tool, &config, &lease.project, Direction::Out))
}

/// Finishes sessions whose owner died without closing them: their containers stop, their settings go out. Each is finished, and
/// told, by one of those who find it. A session of another engine waits until that is the one in use.
pub fn repair(host: &Host, engine: &crate::facts::Engine) -> Result<()> {
    state::remove_empty_leases(&host.store);
    let leases = state::leases(&host.store).into_iter().chain(state::temporary_leases(host));
    for lease in leases.filter(|lease| !state::is_owner_alive(lease) && lease.is_of(engine)) {
        let state = host.state_of(&lease.session);
        let Some(_claim) = state::claim(&state, &lease.session) else { continue };
        if !lease.keep {
            containers::remove(engine, &lease.container)?;
        }
        let session = format!("session {} of {} in {}, whose shell was gone", lease.session, lease.tool, lease.root);
        match finish(host, &state, &lease, None) {
            Ok(Kept::All) => output::note(&format!("finished {session}")),
            Ok(Kept::Nothing) => output::note(&format!("removed the temporary state of {session}")),
            Err(failure) => output::failure(&failure),
        }
    }
    Ok(())
}

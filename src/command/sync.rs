//! `ai sync in` and `ai sync out`: what happens on the host before and after a run.

use std::io::{self, ErrorKind};

use crate::cli::{Sync, SyncCommand};
use crate::command::login::around;
use crate::command::{Context, ended, image, settings};
use crate::config::{Config, Layer};
use crate::failure::{Failure, Kind, Result};
use crate::host::engine::{self, Image, containers};
use crate::host::{self, Host, process, state};
use crate::output;
use crate::plan::{Plan, Request};
use crate::session::{Lease, Process, SessionId};
use crate::store::Store;
use crate::sync::Direction;
use crate::tool::{self, Tool};

pub fn run(sync: Sync) -> Result<u8> {
    match sync.command {
        SyncCommand::In { tool, dry_run: true, .. } | SyncCommand::Diff { tool } => settings::diff(&tool)?,
        SyncCommand::In { tool, owner, dry_run: false } => {
            let context = Context::new(&tool, Layer::default())?;
            let session = open(&context, owner.unwrap_or_else(process::parent))?;
            output::data(format!("{session}\n").as_bytes())?;
        }
        SyncCommand::Out { session, code } => close(&Host::new()?, &session, code)?,
        SyncCommand::Status { tool, json } => settings::status(&tool, json)?,
        SyncCommand::Log { tool, json } => settings::log(&tool, json)?,
        SyncCommand::Undo { tool } => settings::undo(&tool)?,
        SyncCommand::Repair => {
            let context = Context::new(tool::EXEC, Layer::default())?;
            if settings::repair(&context.host)? {
                output::note("finished a sync of settings that was interrupted");
            }
            repair(&context.host, &context.facts(None).engine)?;
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
            engine::starter::start(host, &facts.engine)?;
            engine::check(&facts.engine, &plan.image)?
        }
        found => found?,
    };
    if found == Image::Missing {
        image::offer(context, &facts, &plan.image)?;
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
        let temporary = host.temporary_state(&session);
        without_store(&host.store, &error)?;
        state::prepare(host, &temporary, &engine, tool, &plan.workspace, &lease)
            .map_err(|error| Failure::new(Kind::General, format!("cannot make `{}`", temporary.root().display())).because(error))?;
    } else {
        settings::sync(host, tool, config, &plan.workspace.project, Direction::In);
    }
    let store = host.state_of(&session);
    around::before(context, &store, &session, &plan.image).inspect_err(|_| {
        // The session does not start; why is what the caller hears.
        let _ = state::close(host, &session);
    })?;
    Ok(session)
}

/// Says once that this run keeps nothing, if that is why the store could not be written; fails for any other reason.
fn without_store(store: &Store, error: &io::Error) -> Result<()> {
    let path = store.root().display();
    let fix = match error.kind() {
        ErrorKind::ReadOnlyFilesystem => "make its file system writable".to_owned(),
        ErrorKind::PermissionDenied => format!("give it back to you: sudo chown -R \"$USER\" {path}"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space".to_owned(),
        _ => return Err(Failure::new(Kind::General, format!("cannot write the store `{path}`")).because(error).hint("ai doctor")),
    };
    output::warn(&format!(
        "cannot write the store `{path}` ({error}): this run starts without login and keeps no settings or history; hint: {fix}"
    ));
    Ok(())
}

/// Closes a session: its settings go out, its record goes away. `code` is what the run ended with.
pub fn close(host: &Host, session: &SessionId, code: Option<u8>) -> Result<()> {
    let store = host.state_of(session);
    let Some(lease) = state::lease(&store, session) else {
        return Err(Failure::new(Kind::General, format!("cannot close session {session}: there is no such session")).hint("ai ps"));
    };
    // The container is gone before its settings are read; what could not be said about it stops nothing.
    if let Some(failure) = code.and_then(|code| ended::tell(host, &lease, code).err()) {
        output::failure(&failure);
    }
    let is_whole = store != host.store || sync_out(host, &lease)?;
    let failed = |error: io::Error| Failure::new(Kind::General, format!("cannot close session {session}")).because(error);
    if store == host.store {
        around::after(host, &store, &lease.tool);
        let event = serde_json::json!({
            "session": session, "tool": lease.tool, "project": lease.project, "start": lease.since, "end": host::now(), "exit": code,
        });
        state::log(&store, &event).map_err(failed)?;
    }
    state::close(host, session).map_err(failed)?;
    if is_whole { Ok(()) } else { Err(Failure::new(Kind::General, "cannot take over all settings of this run").hint("ai sync status")) }
}

/// The settings of a session go out. A manifest that is gone meanwhile has no settings.
fn sync_out(host: &Host, lease: &Lease) -> Result<bool> {
    let Some(tool) = Tool::load(&lease.tool, |name| host.manifest(name))? else { return Ok(true) };
    let config = Config::new(&lease.tool, &host.config_sources()?, &host.env, Layer::default())?;
    Ok(settings::sync(host, &tool, &config, &lease.project, Direction::Out))
}

/// Finishes sessions whose owner died without closing them: their containers stop, their settings go out. A session
/// of another engine waits until that is the one in use.
pub fn repair(host: &Host, engine: &crate::facts::Engine) -> Result<()> {
    let leases = state::leases(&host.store);
    for lease in leases.iter().filter(|lease| !state::is_owner_alive(lease) && lease.is_of(engine)) {
        if !lease.keep {
            containers::remove(engine, &lease.container)?;
        }
        match close(host, &lease.session, None) {
            Ok(()) => {
                output::note(&format!("finished session {} of {} in {}, whose shell was gone", lease.session, lease.tool, lease.root));
            }
            Err(failure) => output::failure(&failure),
        }
    }
    Ok(())
}

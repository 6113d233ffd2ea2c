//! Spares: a container that waits for the next run of a tool in a project. Made when a run has ended, taken by at most one, and whatever
//! is not equal to the last byte is a run as any other.

use std::ffi::OsString;
use std::time::Duration;

use crate::core::config::Origin;
use crate::core::engine::Address;
use crate::core::facts::{Facts, Terminal};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::{Lease, Process, SessionId};
use crate::core::plan::{Plan, RunCommand, SpareWay, store_id};
use crate::core::shell::Shell;
use crate::core::spare::{self, GateOrder, MOST, Spare};
use crate::core::store::Store;
use crate::host::doctor::checkup;
use crate::host::engine::{api, containers, image};
use crate::host::guard::order;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::{clock, power, process};
use crate::host::spare::client::{self, Passed};
use crate::host::store::lease;
use crate::host::{self, Host, output};
use crate::session::context::Context;
use crate::session::decide::{self, Decided};

/// How long the engine may take to make a container, and this to come to its gate.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes below which nothing is made in advance.
const ROOM: u64 = 1 << 30;

/// Whether runs of this context take containers that wait. One that was changed by flags is like no other.
pub fn is_wanted(context: &Context) -> bool {
    context.config.settings.spare.value && !context.is_changed && !context.host.is_machine()
}

/// Takes the container that waits for this run, which has its session from then on. One that waits for such a run and is not equal goes
/// away.
pub fn claim(context: &Context, decided: &mut Decided) -> Result<()> {
    let store = &context.host.store;
    if !is_wanted(context) {
        let spare = &context.config.settings.spare;
        if !spare.value && spare.origin != Origin::Default {
            // Whoever says no has no use for the one of an earlier run.
            for spare in host::spare::waiting(store).into_iter().filter(|spare| spare.is_for(&decided.plan)) {
                host::spare::dismiss(store, &spare.session);
            }
        }
        return Ok(());
    }
    let mut key = None;
    for spare in host::spare::waiting(store).into_iter().filter(|spare| spare.is_for(&decided.plan)) {
        let key = key.get_or_insert_with(|| key_of(&decided.plan, decided));
        if key.as_ref() != Some(&spare.key) || !host::spare::is_alive(store, &spare.session) {
            host::spare::dismiss(store, &spare.session);
        } else if host::spare::take(store, &spare.session) {
            return decided.adopt(context, spare.session, spare.container);
        }
    }
    Ok(())
}

fn key_of(plan: &Plan, decided: &Decided) -> Option<String> {
    spare::key(plan, &decided.facts, &host::spare::grounds(plan, &decided.facts))
}

/// Leads a plan to the container that was taken for its session, if it is still equal to what that was made for.
pub fn lead(context: &Context, facts: &Facts, plan: &mut Plan, command: &RunCommand) {
    if !is_wanted(context) {
        return;
    }
    let Some(taken) = host::spare::taken(&context.host.store, &plan.session) else { return };
    if spare::key(plan, facts, &host::spare::grounds(plan, facts)).as_ref() == Some(&taken.key) {
        let own = [facts.exe.clone().into_os_string(), "go".into(), plan.session.as_str().into(), "--".into(), plan.tool.clone().into()];
        plan.spare = Some(SpareWay { words: own.into_iter().chain(command.typed()).collect() });
        plan.container = taken.container;
    }
}

/// Is the run of a session for which a container was taken. Where nothing started in that, it is one as any other.
pub fn go(context: &Context, session: SessionId, command: RunCommand) -> Result<u8> {
    let store = &context.host.store;
    let facts = context.facts_of(&command, Some(&session));
    let mut plan = decide::plan(context, &facts, session, command.clone(), facts.terminal)?;
    let cold = plan.cold();
    lead(context, &facts, &mut plan, &command);
    let (Some(_), Address::Socket { path, .. }) = (&plan.spare, &facts.engine.endpoint.address) else {
        return Err(process::exec(&cold, &[]));
    };
    let failed = |error: std::io::Error| Failure::new(Kind::NotStarted, "cannot run in the container that waited").because(error);
    let Some(taken) = host::spare::taken(store, &plan.session) else { return Err(process::exec(&cold, &[])) };
    let order = GateOrder::of(&plan, &context.host.env, &host::spare::grounds(&plan, &facts));
    let keys = facts.engine.kind.traits().detach_keys.last().copied().unwrap_or_default();
    match client::run(store, &taken, path, &order.bytes(), keys).map_err(failed)? {
        Passed::Ended(code) => Ok(code),
        Passed::Never(why) => {
            output::note(&format!("the container that waited was not used ({why}); this run has one of its own"));
            Err(process::exec(&cold, &[]))
        }
    }
}

/// Has the next container made by somebody whom nobody waits for, after a run that ended by itself.
pub fn after(host: &Host, lease: &Lease, code: u8) {
    let Some(terminal) = lease.waits.filter(|_| code < 125) else { return };
    let exe = host.exe().into_os_string();
    let words: [OsString; 4] = [exe.clone(), "__alone".into(), exe, "spare".into()];
    let terminal = terminal.then(|| "--terminal".into());
    // Without one the next run is as any other.
    let _ = process::background(&words.into_iter().chain(terminal).chain(["--".into(), lease.tool.clone().into()]).collect::<Vec<_>>());
}

/// Returns why no container is made in advance for runs like this one; `None` where one is.
fn hindrance(context: &Context, facts: &Facts, plan: &Plan) -> Option<&'static str> {
    let has_room = || checkup::disk(context.host.store.root()).is_none_or(|(_, free)| free >= ROOM);
    match () {
        () if !context.config.settings.spare.value => Some("spare = true in config.toml, or AI_SPARE=1, asks for one"),
        () if context.is_changed => Some("flags have changed its configuration"),
        () if context.host.is_machine() => Some("CI is set"),
        () if power::is_saved(&power::devices(&context.host.env)) => Some("the machine saves its battery"),
        () if !has_room() => Some("less than 1 GiB is free on the disk of the store"),
        () => spare::refusal(plan, &context.tool, facts),
    }
}

/// What became of the wish for a container.
#[derive(Debug)]
pub enum SpareMade {
    Waits(String),
    /// There is none, and why.
    None(&'static str),
}

/// Makes a container that waits for the next run of the context's tool here.
///
/// # Errors
/// Where the engine does not make it; nothing is left of it then.
pub fn make(context: &Context, terminal: bool, seconds: u32) -> Result<SpareMade> {
    let (host, store) = (&context.host, &context.host.store);
    let streams = Terminal { stdin: terminal, stdout: terminal, stderr: terminal, in_front: true };
    let decided = decide::decide(context, RunCommand::placeholder(&context.tool), Some(streams))?;
    let plan = &decided.plan;
    if let Some(why) = hindrance(context, &decided.facts, plan) {
        return Ok(SpareMade::None(why));
    }
    let failed = |error: std::io::Error| Failure::new(Kind::General, "cannot make a container that waits").because(error);
    let Some(_lock) = host::spare::lock(store).map_err(failed)? else { return Ok(SpareMade::None("another one is being made")) };
    for session in tidy(store) {
        containers::remove_of(&decided.facts.engine, &session, host::uid(), &store_id(store.root()))?;
    }
    let Some(key) = key_of(plan, &decided) else { return Ok(SpareMade::None("not everything that a run mounts is there")) };
    let waiting = host::spare::waiting(store);
    if waiting.iter().any(|spare| spare.is_for(plan) && spare.key == key) {
        return Ok(SpareMade::None("one waits already"));
    }
    let (same, others): (Vec<&Spare>, Vec<&Spare>) = waiting.iter().partition(|spare| spare.is_for(plan));
    let too_many = (others.len() + 1).saturating_sub(MOST);
    for spare in same.into_iter().chain(others.into_iter().take(too_many)) {
        host::spare::dismiss(store, &spare.session);
    }
    let me = process::me();
    let spare = Spare {
        session: plan.session.clone(),
        tool: plan.tool.clone(),
        project: plan.workspace.project.clone(),
        root: plan.workspace.root.to_string_lossy().into_owned(),
        container: format!("{}-spare", plan.container),
        terminal,
        key,
        maker: process::look_up(me).unwrap_or(Process { pid: me, started: None, boot: None }),
        since: host::now(),
    };
    let made = begin(host, &decided, &spare, seconds);
    if made.is_err() {
        // The engine may have begun.
        let _ = containers::remove_of(&decided.facts.engine, &spare.session, host::uid(), &store_id(store.root()));
        host::spare::forget(store, &spare.session);
        host::spare::forget_sockets(store, &spare.session);
    }
    made.map(|()| SpareMade::Waits(spare.container))
}

/// Makes the container, waits until it is at its gate, and offers it, if all is as it was.
fn begin(host: &Host, decided: &Decided, spare: &Spare, seconds: u32) -> Result<()> {
    let (store, plan, engine) = (&host.store, &decided.plan, &decided.facts.engine);
    let failed = |why: String| Failure::new(Kind::General, format!("cannot make {}", spare.container)).because(why);
    let io = |error: std::io::Error| failed(error.to_string());
    host::spare::prepare(store, spare).map_err(io)?;
    if let Some(guard) = &plan.guard {
        order::prepare(store, &plan.session, &guard.order).map_err(io)?;
    }
    if !speaks_as_docker(&engine.endpoint.address) {
        return Err(failed("it is no Docker that answers at its socket".into()));
    }
    let entry = image::entry(&decided.facts, plan.image_word())?;
    let own = decided.facts.inside.as_deref().ok_or_else(|| failed("no program".into()))?;
    let argv = plan.waiting(&spare.container, store, own, entry, seconds);
    let (program, args) = argv.split_first().ok_or_else(|| failed("no words".into()))?;
    for args in [args, &["start".into(), OsString::from(&spare.container)]] {
        let (status, _, stderr) = process::output_within(program, args, PATIENCE)?;
        if !status.success() {
            return Err(failed(String::from_utf8_lossy(&stderr).into_owned()));
        }
    }
    let deadline = Deadline::after(PATIENCE);
    while !host::spare::is_alive(store, &spare.session) {
        if deadline.is_over() {
            return Err(failed("it does not come to its gate".into()));
        }
        clock::pause(Duration::from_millis(5));
    }
    // What the engine mounted is what was looked at before, and is still there.
    if key_of(plan, decided).as_ref() != Some(&spare.key) {
        return Err(failed("what it mounts was changed meanwhile".into()));
    }
    host::spare::offer(store, &spare.session).map_err(io)
}

/// Whether it is Docker that answers, and not another engine in its words.
fn speaks_as_docker(address: &Address) -> bool {
    let Address::Socket { path, .. } = address else { return false };
    api::get(path, "/_ping").is_ok_and(|answer| answer.head.lines().any(|line| line.to_ascii_lowercase().starts_with("server: docker/")))
}

/// Forgets what is left of containers that no run can take.
pub fn tidy(store: &Store) -> Vec<SessionId> {
    let left = host::spare::left(store, |session| lease::read(store, session).is_some());
    for session in &left {
        host::spare::forget(store, session);
        host::spare::forget_sockets(store, session);
    }
    left
}

/// Keeps runs from taking what waits: it is about to be removed.
pub fn take_all(store: &Store) {
    for spare in host::spare::waiting(store) {
        host::spare::take(store, &spare.session);
    }
}

/// Ends the wait of all containers, or of those of one tool: what they were made with is about to change.
pub fn dismiss(store: &Store, tool: Option<&str>) {
    host::spare::dismiss_all(store, tool);
}

/// Says what stands in the way of a container that waits, where one is wanted.
pub fn explained(context: &Context, facts: &Facts, plan: &Plan) -> Option<[String; 2]> {
    if !context.config.settings.spare.value {
        return None;
    }
    let origin = &context.config.settings.spare.origin;
    let (words, said) = match (&plan.spare, hindrance(context, facts, plan)) {
        (Some(way), _) => {
            let words: Vec<_> = way.words.iter().map(|word| Shell::Bash.quote(&word.to_string_lossy())).collect();
            (words.join(" "), "instead of all of this: a container that waits is equal to the last byte".to_owned())
        }
        (None, Some(why)) => ("spare".to_owned(), format!("after such a run no container waits for the next: {why}")),
        (None, None) => ("spare".to_owned(), "after such a run a container waits for the next".to_owned()),
    };
    Some([words, format!("{said} ({origin})")])
}

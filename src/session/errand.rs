//! An errand: one question to a tool, in a container that sees its login and nothing else. It has a lease like any session, so that
//! whoever comes next ends what outlived us.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::engine::kind::Engine;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::Lease;
use crate::core::plan::secret;
use crate::core::plan::{Plan, store_id};
use crate::host::engine::containers;
use crate::host::guard::order;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::interrupt::Interrupt;
use crate::host::machine::piped::{self, End, Piped};
use crate::host::machine::process;
use crate::host::store::{admit, layout, lease, state};
use crate::host::sync::PATIENCE;
use crate::host::{self, output};
use crate::session::begin::lease;
use crate::session::context::Context;
use crate::session::{decide, login_turn, mended, ready, repair, secrets};

/// What is asked.
#[derive(Debug)]
pub struct Errand<'a> {
    /// Files in the tool's home: path → text.
    pub files: &'a BTreeMap<String, String>,
    /// Its standard input.
    pub input: &'a str,
    pub patience: Duration,
    pub interrupt: &'a Interrupt,
}

/// Largest answer, in bytes.
const LARGEST: usize = 4 << 20;

/// Runs an errand of `context`'s tool, and returns what it left.
///
/// # Errors
/// Where it cannot be started. How it ended is the caller's to judge.
pub fn run(context: &Context, errand: &Errand) -> Result<Piped> {
    let host = &context.host;
    let mut decided = decide::errand(context, errand.files)?;
    let engine = ready::ready(context, &decided)?;
    layout::upgrade(&host.store)?;
    let deadline = Deadline::after(PATIENCE);
    let dead = repair::stop(host, &decided.facts.engine)?;
    let lease = lease(context, &decided.plan, &engine, process::me());
    // From here on something must be put away.
    let asked = errand.interrupt.held(|| {
        let asked = begin(context, &decided.plan, &engine, &lease).and_then(|()| {
            let plan = decided.errand_again(context, errand.files)?;
            let mut env = secrets::fetch(context, secret::decide(&context.tool, &context.config, &decided.facts)?.found, None)?;
            env.extend(context.config.admitted.given.iter().cloned());
            let input = errand.input.as_bytes().to_vec();
            piped::run(process::prepared(&plan.vector(), &env), input, errand.patience, LARGEST, Some(errand.interrupt))
        });
        login_turn::after(host, &host.store, &context.tool);
        let has_ended = matches!(asked, Ok(Piped { end: End::Code(_), .. }));
        forget(context, &engine, &lease, has_ended);
        asked
    });
    repair::finish_all(host, dead, &deadline);
    asked
}

/// Writes the lease, makes the login's directory, and waits for the login's turn.
fn begin(context: &Context, plan: &Plan, engine: &Engine, lease: &Lease) -> Result<()> {
    let Context { host, tool, .. } = context;
    let failed = |error: std::io::Error| {
        Failure::new(Kind::General, format!("cannot write the store `{}`", host.store.root().display())).because(error).hint("ai doctor")
    };
    let aside = state::prepare_errand(host, &host.store, engine, tool, lease).map_err(failed)?;
    admit::of_plan(&host.store, plan).map_err(failed)?;
    if let Some(guard) = &plan.guard {
        order::prepare(&host.store, &plan.session, &guard.order).map_err(failed)?;
    }
    mended::tell(host, tool, &host.store, &aside);
    login_turn::before(context, &host.store, &lease.session, &plan.image)
}

/// Ends the record of an errand. Where its client was killed its container need not be gone; one that cannot be removed now is left to
/// whoever comes next.
fn forget(context: &Context, engine: &Engine, lease: &Lease, has_ended: bool) {
    let store = &context.host.store;
    let removed = if has_ended { Ok(()) } else { containers::remove_of(engine, &lease.session, host::uid(), &store_id(store.root())) };
    order::take(store, &lease.session);
    // Where the lease could not be written there is nothing to forget.
    let _ = match removed {
        Ok(()) => lease::close(store, store, &lease.session),
        Err(failure) => {
            output::warn_of(&failure);
            lease::abandon(store, lease)
        }
    };
}

//! The life of one run, read from top to bottom.
//!
//! ```text
//! Context ─ decide ─► Decided ─ ready ─► Engine ─ begin ─► Begun ─ run ─► exit code ─ close ─► Saved
//! ```
//!
//! `ai run` does all of it in one process. The shell functions do the same in three: `ai sync in` is [`open`], `ai resolve` plans
//! once more with the words of the person, `ai sync out` is [`close`]. Who dies in the middle is finished by [`repair`].

pub mod begin;
pub mod budget;
pub mod changed;
pub mod close;
pub mod context;
pub mod control;
pub mod decide;
pub mod ending;
pub mod errand;
pub mod foreign;
pub mod guard;
pub mod history;
pub mod image;
pub mod lacking;
pub mod live;
pub mod login_turn;
pub mod mended;
pub mod metrics;
pub mod native;
pub mod newer;
pub mod notify;
pub mod points;
pub mod ready;
pub mod renew;
pub mod repair;
pub mod run;
pub mod secrets;
pub mod settings;
pub mod setup;
pub mod spare;
pub mod suggest;
pub mod tolerant;
pub mod tree;

use crate::core::failure::Result;
use crate::core::plan::Plan;
use crate::core::tool::EXEC;
use crate::host::machine::deadline::Deadline;
use crate::host::policy;
use crate::host::store::layout;
use crate::host::sync::PATIENCE;
use begin::Begun;
use context::Context;
use decide::Decided;

/// Tells the system's log of a run, where its policy wants that.
fn tell_system(context: &Context, plan: &Plan) -> Result<()> {
    if !context.config.rules.logs() {
        return Ok(());
    }
    policy::log(&serde_json::json!({
        "event": "run",
        "tool": plan.tool,
        "session": plan.session.to_string(),
        "root": plan.workspace.root,
        "image": plan.image,
        "network": context.config.settings.network.value,
    }))
}

/// Opens the session of a decided run, which belongs to the process `owner`. Everything that can be refused is refused before
/// anything is written.
pub fn open(context: &Context, decided: &mut Decided, owner: i32) -> Result<Begun> {
    let engine = ready::ready(context, decided)?;
    if context.tool.name != EXEC {
        budget::before(&context.host, &context.config.settings, &decided.plan.workspace.project)?;
    }
    spare::claim(context, decided)?;
    tell_system(context, &decided.plan)?;
    layout::upgrade(&context.host.store)?;
    tree::separate(&context.host, &decided.plan.workspace, Some(&decided.plan.session))?;
    // Before the clock runs: a person may take their time.
    history::offer(context, &decided.plan);
    let deadline = Deadline::after(PATIENCE);
    // What others left must not run beside this session; what it wrote can wait until this session has what it needs.
    let dead = repair::stop(&context.host, &decided.facts.engine)?;
    let begun = begin::begin(context, &decided.plan, &engine, owner, &deadline);
    repair::finish_all(&context.host, dead, &deadline);
    begun
}

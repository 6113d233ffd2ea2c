//! What a run would be: facts, read once, and the plan that follows from them. Writes nothing, asks no engine.

use std::collections::BTreeMap;

use crate::core::facts::{Facts, Terminal};
use crate::core::failure::Result;
use crate::core::lease::SessionId;
use crate::core::plan::guard::{GUARD, GuardPlan};
use crate::core::plan::{Plan, Request, RunCommand, reached};
use crate::core::render;
use crate::core::store::Store;
use crate::host;
use crate::session::context::Context;
use crate::session::spare;

/// One run, decided: what was true, and what follows from it.
#[derive(Debug)]
pub struct Decided {
    pub facts: Facts,
    pub plan: Plan,
    command: RunCommand,
}

/// Decides a run under a fresh session id, at a terminal that is ours unless another one is given.
pub fn decide(context: &Context, command: RunCommand, terminal: Option<Terminal>) -> Result<Decided> {
    let mut facts = context.facts_of(&command, None);
    facts.terminal = terminal.unwrap_or(facts.terminal);
    let plan = plan(context, &facts, host::fresh_session()?, command.clone(), facts.terminal)?;
    Ok(Decided { facts, plan, command })
}

/// Decides an errand of `context`'s tool, which was made ready for it.
pub fn errand(context: &Context, files: &BTreeMap<String, String>) -> Result<Decided> {
    let command = RunCommand::Tool(Vec::new());
    let facts = context.facts_of(&command, None);
    let plan = plan_errand(context, &facts, host::fresh_session()?, files)?;
    Ok(Decided { facts, plan, command })
}

/// Plans an errand from facts that were gathered.
fn plan_errand(context: &Context, facts: &Facts, session: SessionId, files: &BTreeMap<String, String>) -> Result<Plan> {
    let terminal = Terminal { stdin: false, stdout: false, stderr: false, in_front: false };
    let command = RunCommand::Tool(Vec::new());
    let request = Request { tool: &context.tool, config: &context.config, facts, session, command, terminal };
    let plan = Plan::errand(&request, files)?;
    render::refuse_unsayable(plan.parts.iter().map(|reasoned| &reasoned.part), plan.engine.kind)?;
    Ok(plan)
}

impl Decided {
    /// Plans again for another session, which it is from now on, and whose container is there.
    pub fn adopt(&mut self, context: &Context, session: SessionId, container: String) -> Result<()> {
        let plan = plan(context, &self.facts, session, self.command.clone(), self.facts.terminal)?;
        self.plan = Plan { container, ..plan };
        Ok(())
    }

    /// Plans again as [`Decided::again`], for an errand.
    pub fn errand_again(&mut self, context: &Context, files: &BTreeMap<String, String>) -> Result<Plan> {
        context.look_again(&mut self.facts, &context.host.store);
        plan_errand(context, &self.facts, self.plan.session.clone(), files)
    }

    /// Returns the plan as it stands now that `state` is made and the engine has said what it is. Only what [`begin`] may have
    /// changed is looked at again.
    ///
    /// [`begin`]: crate::session::begin::begin
    pub fn again(mut self, context: &Context, state: &Store) -> Result<Plan> {
        context.look_again(&mut self.facts, state);
        let mut plan = plan(context, &self.facts, self.plan.session, self.command.clone(), self.facts.terminal)?;
        spare::lead(context, &self.facts, &mut plan, &self.command);
        Ok(plan)
    }
}

/// Decides what a run of `context`'s tool may reach if its network is guarded, whatever the network is that it would have.
///
/// # Errors
/// Where its key is to stay outside and cannot: nothing would run.
pub fn reached(mut context: Context) -> Result<GuardPlan> {
    GUARD.clone_into(&mut context.config.settings.network.value);
    let command = RunCommand::Tool(Vec::new());
    let facts = context.facts_of(&command, None);
    let (tool, config, session, terminal) = (&context.tool, &context.config, host::fresh_session()?, facts.terminal);
    reached::rules(&Request { tool, config, facts: &facts, session, command, terminal })
}

/// Plans a run of `context`'s tool from facts that were gathered.
///
/// # Errors
/// Where the run must be refused, or the engine has no words for what it needs.
pub fn plan(context: &Context, facts: &Facts, session: SessionId, command: RunCommand, terminal: Terminal) -> Result<Plan> {
    let request = Request { tool: &context.tool, config: &context.config, facts, session, command, terminal };
    let plan = Plan::new(&request)?;
    render::refuse_unsayable(plan.parts.iter().map(|reasoned| &reasoned.part), plan.engine.kind)?;
    Ok(plan)
}

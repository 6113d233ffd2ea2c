//! A whole run in one process: what the shell functions do in three steps.

use crate::core::failure::Result;
use crate::core::lease::Lease;
use crate::core::plan::RunCommand;
use crate::core::plan::secret;
use crate::core::render;
use crate::host::machine::process;
use crate::host::output;
use crate::host::restore;
use crate::session::close::Known;
use crate::session::context::Context;
use crate::session::{close, decide, open, secrets};

/// A run that has ended.
#[derive(Debug)]
pub struct EndedRun {
    pub code: u8,
    pub lease: Lease,
}

/// Runs a command in a container.
pub fn in_container(context: &Context, command: RunCommand) -> Result<EndedRun> {
    // Mistakes in the words are told before anything is opened.
    let mut decided = decide::decide(context, command, None)?;
    let begun = open(context, &mut decided, process::me())?;
    restore::keep_title(&context.host);
    let facts = decided.facts.clone();
    let result = decided.again(context, &begun.state).and_then(|plan| {
        for note in &plan.notes {
            output::note(note);
        }
        let mut secrets = secrets::fetch(context, secret::decide(&context.tool, &context.config, &facts)?.found, plan.secret_files())?;
        secrets.extend(context.config.admitted.given.iter().cloned());
        process::run(&plan.vector(), &secrets, &render::program(&plan.engine), &plan.container)
    });
    restore::restore(&context.host);
    restore::bring_title(&context.host);
    // A run that never began has no code, and nothing to explain or clear away.
    let code = result.as_ref().ok().copied();
    let known = Known { tool: Some(context.tool.clone()), config: context.config.clone() };
    if let Err(failure) = close::close_known(&context.host, &begun.lease, &known, code) {
        output::failure(&failure);
    }
    result.map(|code| EndedRun { code, lease: begun.lease })
}

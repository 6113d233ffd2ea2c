//! Whether a run changed what git sees in the project, where the person wants a commit offered then.

use crate::core::lease::Lease;
use crate::host::commit::Repository;
use crate::host::commit::tree_state::TreeState;
use crate::host::{self, Host};
use crate::session::context::Context;

/// Returns what git sees before a run; nothing where no commit will be offered.
pub fn before(context: &Context) -> Option<String> {
    // A shell reads what we print before a run.
    let terminal = host::terminal();
    let is_there = terminal.stdin && terminal.stderr && !context.host.is_machine();
    let is_wanted = context.config.settings.commit_offer.value && !context.tool.is_exec() && is_there;
    is_wanted.then(|| state(&context.host)).flatten().map(|state| state.word)
}

/// Returns whether there is something to commit that was not there before, and somebody who can be asked about it.
pub fn after(host: &Host, lease: &Lease) -> bool {
    let terminal = host::terminal();
    let can_ask = terminal.stdin && terminal.stdout && terminal.in_front && !host.is_machine();
    let Some(before) = lease.tree.as_ref().filter(|_| can_ask) else { return false };
    state(host).is_some_and(|now| now.has_changes && now.word != *before)
}

fn state(host: &Host) -> Option<TreeState> {
    Repository::here(host).ok()?.tree_state().ok()
}

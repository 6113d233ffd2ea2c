//! The container's birth, names and end.

use crate::core::config::Origin;
use crate::core::plan::{Part, Parts, Request, store_id, terminal};
use crate::core::workspace::Workspace;

/// Adds the container's names and labels, and that it is gone when its run is over.
pub(super) fn push(request: &Request, container: &str, workspace: &Workspace, parts: &mut Parts) {
    let Request { tool, config, facts, session, .. } = request;
    if config.settings.keep.value {
        // `--rm` is what makes a run ephemeral; only this one setting takes it away.
    } else {
        parts.usual(Part::Ephemeral, "the container lives for exactly one run");
    }
    parts.usual(Part::Reaper, "as process 1, the tool would ignore signals");
    terminal::push(request, parts);
    parts.usual(Part::NoDownload, "a run never downloads; `ai image build` does");
    parts.usual(Part::NoLog, "the engine would keep the whole terminal stream on disk");
    parts.push(Part::Name(container.into()), "unique for each run", Origin::Default);
    parts.push(Part::Hostname(format!("{}-dev-env", tool.name)), "stable: some tools derive encryption keys from it", Origin::Default);
    for (key, value) in [
        ("ai.session", session.to_string()),
        ("ai.tool", tool.name.clone()),
        ("ai.project", workspace.project.clone()),
        ("ai.owner", facts.user.uid.to_string()),
        ("ai.store", store_id(&facts.store)),
    ] {
        parts.usual(Part::Label(key, value), "`ai ps`, `ai stop` and `ai gc` find the container by it");
    }
    if config.settings.keep.value {
        parts.push(Part::Label("ai.keep", "1".into()), "kept after the run, as asked", config.settings.keep.origin.clone());
    }
}

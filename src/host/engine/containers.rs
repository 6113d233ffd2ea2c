//! Our containers, as the engine lists them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::core::census::Container;
use crate::core::engine::kind::Engine;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::host::machine::clock;
use crate::host::machine::process;

/// Longest time that listing may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns all containers of this owner that carry our labels, running or not.
pub fn list(engine: &Engine, owner: u32) -> Result<Vec<Container>> {
    if !engine.kind.traits().lists_by_label {
        let program = engine.kind.program();
        return Err(Failure::new(Kind::General, format!("cannot list containers by label: `{program}` has no such filter"))
            .hint(format!("{program} list")));
    }
    let filter = format!("label=ai.owner={owner}");
    let ids = text(engine, &["ps", "--all", "--quiet", "--no-trunc", "--filter", "label=ai.session", "--filter", &filter])?;
    let ids: Vec<&str> = ids.split_whitespace().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // One that ends meanwhile makes `inspect` fail, but the others are printed all the same.
    let args: Vec<&str> = ["container", "inspect"].into_iter().chain(ids).collect();
    let (_, stdout, _) = process::output_within(super::program(engine)?.as_os_str(), &args, PATIENCE)?;
    let inspected: Vec<Value> = serde_json::from_slice(&stdout).unwrap_or_default();
    let mut containers: Vec<Container> = inspected.iter().filter_map(Container::from_inspect).collect();
    containers.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(containers)
}

/// Processor and memory of running containers, by name, as the engine words them.
pub fn usage(engine: &Engine, names: &[&str]) -> Result<BTreeMap<String, (String, String)>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let args: Vec<&str> =
        ["stats", "--no-stream", "--format", "{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}"].into_iter().chain(names.iter().copied()).collect();
    let (_, stdout, _) = process::output_within(super::program(engine)?.as_os_str(), &args, PATIENCE)?;
    let row = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        Some((fields.next()?, (fields.next()?, fields.next()?)))
    };
    Ok(String::from_utf8_lossy(&stdout).lines().filter_map(row).collect())
}

/// How long a container may take to end by itself, in seconds.
const GRACE: &str = "10";

/// Asks containers to end, and ends those that do not.
pub fn stop(engine: &Engine, names: &[&str]) -> Result<()> {
    let args: Vec<&str> = ["stop", "-t", GRACE].into_iter().chain(names.iter().copied()).collect();
    let (status, _, stderr) = process::output(super::program(engine)?.as_os_str(), &args)?;
    let stderr = String::from_utf8_lossy(&stderr);
    if status.success() || says_gone(&stderr) {
        return Ok(());
    }
    Err(Failure::new(Kind::General, "cannot stop every container").because(stderr).hint("ai ps"))
}

/// Removes the container of a session, running or not: the one whose own labels name the session, its owner and the store. What a
/// lease calls it counts for nothing, for a lease may have been written by somebody else.
pub fn remove_of(engine: &Engine, session: &SessionId, owner: u32, store: &str) -> Result<()> {
    let labels = [format!("label=ai.session={session}"), format!("label=ai.owner={owner}"), format!("label=ai.store={store}")];
    let filters = labels.iter().flat_map(|label| ["--filter", label]);
    let args: Vec<&str> = ["ps", "--all", "--quiet", "--no-trunc"].into_iter().chain(filters).collect();
    text(engine, &args)?.split_whitespace().try_for_each(|id| remove(engine, id))
}

/// Removes a container, running or not. One that is gone, or that the engine is removing already, is what was wanted.
pub fn remove(engine: &Engine, name: &str) -> Result<()> {
    let (status, _, stderr) = process::output(super::program(engine)?.as_os_str(), &["rm", "--force", name])?;
    let stderr = String::from_utf8_lossy(&stderr);
    if status.success() || says_gone(&stderr) {
        return Ok(());
    }
    Err(Failure::new(Kind::General, format!("cannot remove the container {name}")).because(stderr).hint("ai ps"))
}

/// Whether an engine complains of nothing but containers that are not there any more: docker's words, podman's, and those of a
/// removal that `--rm` has begun.
fn says_gone(stderr: &str) -> bool {
    let gone = ["no such container", "no container with name or id", "is already in progress"];
    let mut lines = stderr.lines().filter(|line| !line.trim().is_empty()).map(str::to_ascii_lowercase).peekable();
    lines.peek().is_some() && lines.all(|line| gone.iter().any(|words| line.contains(words)))
}

/// Returns what happened to a container since `since`, in seconds since 1970: words such as `start`, `oom`, `die`, in order. The
/// engine remembers that for a while, also of containers that are gone.
pub fn history(engine: &Engine, name: &str, since: u64) -> Result<Vec<String>> {
    let now = clock::since_1970();
    // A bound in the future would make the engine wait for it.
    let (since, until) = (since.saturating_sub(1).to_string(), format!("{}.{:09}", now.as_secs(), now.subsec_nanos()));
    let filter = format!("container={name}");
    let mut args = vec!["events", "--since", &since, "--until", &until, "--filter", &filter];
    args.extend(engine.kind.traits().events);
    Ok(text(engine, &args)?.lines().map(|line| line.trim().to_owned()).collect())
}

fn text(engine: &Engine, args: &[&str]) -> Result<String> {
    let (status, stdout, stderr) = process::output_within(super::program(engine)?.as_os_str(), args, PATIENCE)?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    Err(Failure::new(Kind::Unavailable, format!("cannot ask the engine at {}", engine.endpoint.shown()))
        .because(String::from_utf8_lossy(&stderr)))
}

#[cfg(test)]
mod tests {
    use super::says_gone;

    #[test]
    fn only_what_is_gone_is_no_trouble() {
        for stderr in [
            "Error response from daemon: No such container: x\n",
            "Error: no container with name or ID \"x\" found: no such container\n",
            "Error response from daemon: removal of container x is already in progress\n",
        ] {
            assert!(says_gone(stderr), "{stderr}");
        }
        for stderr in ["", "permission denied\n", "Error: No such container: x\nError: cannot kill y: device busy\n"] {
            assert!(!says_gone(stderr), "{stderr}");
        }
    }
}

//! After a run: what its exit code means where that is not obvious, and where a kept container is.

use crate::core::config::Origin;
use crate::core::ending::{self, Ending};
use crate::core::engine::kind::Engine;
use crate::core::failure::Result;
use crate::core::image::is_ours;
use crate::core::lease::Lease;
use crate::core::plan::store_id;
use crate::core::text::typed::typed;
use crate::core::tool;
use crate::host::Host;
use crate::host::engine::containers;
use crate::host::fs::files;
use crate::host::output;
use crate::session::close::Known;
use crate::session::image;

/// Says on stderr what a person should know about a run that ended with `code`, and makes sure that nothing is left.
///
/// # Errors
/// Where the engine cannot be asked whether it still has the container, or does not remove it.
pub fn tell(host: &Host, lease: &Lease, known: &Known, code: u8) -> Result<()> {
    let engine = host.engine(Some(lease.engine));
    if !lease.is_of(&engine) {
        return Ok(());
    }
    let name = &lease.container;
    let program = engine.kind.program();
    if ending::is_worth_explaining(code) {
        let history = history(&engine, lease, code);
        let command = known.tool.as_ref().and_then(|tool| tool.manifest.command.first());
        let ending = Ending {
            code,
            program: command.map_or("the command", String::as_str),
            image: &lease.image,
            engine: engine.kind,
            memory: lease.memory,
            history: history.as_deref(),
        };
        // What `ai exec` runs is the user's own word; the shell inside has said what was wrong with it.
        let is_own_word = lease.tool == tool::EXEC && matches!(code, 126 | 127);
        if let Some(failure) = image::gone(host, &engine, lease, code) {
            output::warn_of(&failure);
        } else if let (Some((text, hint)), false) = (ending::explain(&ending), is_own_word) {
            output::warn(&format!("{text}; hint: {hint}"));
        }
    }
    if matches!(code, 1..125 | 127) {
        tell_of_read_only_root(host, lease, known);
    }
    if lease.keep {
        let word = typed(name);
        output::note(&format!("kept the container {name}; to look into it: {program} start -ai {word}; to remove it: {program} rm {word}"));
    } else if matches!(code, 1 | 125 | 129..) {
        // A client that died of a signal, ended with 1 because its reader went away, or with 125 because the engine did, may have left
        // its container running.
        containers::remove_of(&engine, &lease.session, crate::host::uid(), &store_id(host.store.root()))?;
    }
    Ok(())
}

/// Says once for each image of the person's own in a project that its root file system was read-only: whoever made the image may have
/// meant it to write there. Who chose that by a word of their own knows.
fn tell_of_read_only_root(host: &Host, lease: &Lease, known: &Known) {
    let is_chosen = known.config.settings.read_only_root.origin != Origin::Default || known.config.settings.hardened.value || lease.keep;
    if is_chosen || lease.image.is_empty() || is_ours(&lease.image) {
        return;
    }
    let told = host.store.own(&lease.project).join("told");
    if files::read_text(&told).ok().flatten().is_some_and(|image| image == lease.image) {
        return;
    }
    output::note(&format!(
        "{} ran with a read-only root file system and an empty home; hint: if it must write outside of /tmp, /run, /var/tmp, its home and \
         what is mounted: AI_READ_ONLY_ROOT=0, or `read_only_root = false` in config.toml; if it has programs in its home: AI_IMAGE_HOME=1",
        lease.image
    ));
    // Saying it twice does no harm.
    let _ = files::write_private(&told, lease.image.as_bytes());
}

/// Returns what the engine remembers of the container. A busy engine notes that memory ran out a moment after the end; of a container that
/// was told to end it has nothing more to say.
fn history(engine: &Engine, lease: &Lease, code: u8) -> Option<Vec<String>> {
    let ask = || containers::history(engine, &lease.container, lease.since).ok();
    let history = ask()?;
    let is_known = history.is_empty() || history.iter().any(|event| matches!(event.as_str(), "oom" | "kill"));
    if code != ending::KILLED || lease.memory.is_none() || is_known {
        return Some(history);
    }
    crate::host::pause(1);
    ask()
}

//! `ai tools remove`: a tool of the person's own is none any more.

use crate::command::tools::own_manifest;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::installed_image;
use crate::core::tool::{Tool, built_in, shipped};
use crate::host::machine::rc;
use crate::host::store::lease;
use crate::host::{Host, output};
use crate::session::context::unknown_tool;

pub(super) fn run(host: &Host, name: &str) -> Result<u8> {
    let path = own_manifest(host, name);
    let cannot = |why: String| Failure::new(Kind::Config, format!("cannot remove {name}: {why}"));
    let manifest = rc::read(&path)?;
    if manifest.content.is_none() {
        return Err(match built_in(name) {
            Some(_) => cannot("it is a part of ai".into()).hint("ai init --only NAME,… in your rc file leaves out the words of all others"),
            None => unknown_tool(name, host),
        });
    }
    if let Some(why) = manifest.managed {
        return Err(cannot(format!("`{}`: {why}", path.display())).hint("remove it where it is made"));
    }
    let tools = host.tool_names().into_iter().filter(|other| other != name && shipped(name).is_none());
    let mut loaded = tools.filter_map(|other| Tool::load(&other, |name| host.manifest(name)).ok().flatten());
    if let Some(profile) = loaded.find(|other| other.base == name) {
        return Err(cannot(format!("{} is a profile of it", profile.name)).hint(format!("ai tools remove {}", profile.name)));
    }
    if let Some(lease) = lease::all(&host.store).into_iter().find(|lease| lease.tool == name && lease::is_owner_alive(lease)) {
        return Err(Failure::new(Kind::Busy, format!("cannot remove {name}: it runs in {}", lease.root)).hint(format!("ai stop {name}")));
    }
    let kept = rc::back_up(&manifest, &host.store.backups("tools")).and_then(|kept| rc::write(&manifest, None).map(|()| kept));
    let kept = kept.map_err(|error| Failure::new(Kind::General, format!("cannot remove `{}`", path.display())).because(error))?;
    let kept = kept.map(|path| path.display().to_string()).unwrap_or_default();
    if built_in(name).is_some() {
        output::note(&format!("{name} is again what comes with ai; its manifest of yours is kept: {kept}"));
        return Ok(0);
    }
    output::note(&format!("{name} is no tool any more, from the next shell on; its manifest is kept: {kept}"));
    let state = host.store.tool(name);
    output::note(&format!(
        "its login and conversations, if any, stay in {}, and {} with the engine",
        state.display(),
        installed_image(name)
    ));
    Ok(0)
}

//! The notice of a newer version: said after a run, asked for by a process of its own that nobody waits for.

use std::ffi::OsString;

use crate::core::config::Config;
use crate::core::plan;
use crate::core::tool::Tool;
use crate::host::machine::process;
use crate::host::store::image;
use crate::host::{self, Host, output};

/// Says at a terminal what is newer, and has it asked for where that is due.
pub fn after(host: &Host, config: &Config, tool: &Tool) {
    let terminal = host::terminal();
    if !config.settings.update_notice.value || !terminal.stdin || !terminal.stderr || host.is_machine() {
        return;
    }
    let version = image::version(&host.store, &plan::image(tool, config), &tool.installed_as);
    let step = image::newest(&host.store).after(&tool.installed_as, version.as_deref(), host::now());
    if let Some(line) = &step.say {
        output::note(line);
    }
    // Kept before it is asked: a question that dies is not asked again at each run. What cannot be kept is not asked for.
    let is_kept = step.keep.is_some_and(|keep| image::set_newest(&host.store, &keep).is_ok());
    if step.ask && is_kept {
        ask();
    }
}

fn ask() {
    let Ok(exe) = process::this_program() else { return };
    let words: [OsString; 3] = [exe.into(), "image".into(), "newest".into()];
    let _ = process::detached(&words);
}

//! The store: whether it can be written, who can read it, how full its disk is.

use crate::core::doctor::{Checkup, Finding, Level};
use crate::core::text::typed::typed;

/// Percent.
const MOST_USED: u8 = 80;

pub(super) fn examine(checkup: &Checkup, findings: &mut Vec<Finding>) {
    let path = checkup.facts.store.display().to_string();
    findings.push(match &checkup.writable {
        Ok(()) => Finding::new(Level::Ok, "store", path.clone()),
        Err(why) => {
            let cause = format!("`{path}` cannot be written ({why}): runs keep no login and no history");
            let word = typed(&path);
            Finding::new(Level::Error, "store", cause).hint(format!("sudo chown -R \"$USER\" {word}; chmod u+rwx {word}"))
        }
    });
    if let Some(first) = checkup.open.first() {
        let cause = format!("{} files or directories are open to others, such as `{}`", checkup.open.len(), first.display());
        findings.push(Finding::new(Level::Warning, "store", cause).hint("ai doctor --fix"));
    }
    for (path, what) in &checkup.broken {
        let cause = format!("`{}` is {what}, where a directory of the store must be", path.display());
        findings.push(Finding::new(Level::Warning, "store", cause).hint("ai doctor --fix"));
    }
    if checkup.repaired > 0 {
        findings.push(Finding::new(Level::Ok, "store", format!("closed {} files or directories to others", checkup.repaired)));
    }
    if let Some((used, free)) = checkup.disk.filter(|(used, _)| *used > MOST_USED) {
        let cause = format!("its disk is {used} % full: {} MiB are free", free >> 20);
        findings.push(Finding::new(Level::Warning, "store", cause).hint("docker system df; docker image prune"));
    }
}

//! How little the container may do.

use crate::core::config::{Config, Origin};
use crate::core::plan::{Part, Parts};

/// Adds what takes rights away.
pub(super) fn push(config: &Config, parts: &mut Parts) {
    parts.usual(Part::NoCapabilities, "no tool needs privileges of the kernel");
    parts.usual(Part::NoNewPrivileges, "setuid programs gain nothing");
    parts.usual(Part::NoCoreDump, "a core dump would hold secrets");
    let label = &config.settings.label_disable;
    if label.value {
        parts.push(Part::NoFileLabels, "SELinux would keep the project out; nothing is relabelled", label.origin.clone());
    }
    if let Some(origin) = read_only(config) {
        let reason = "on disk, a run writes the project and its own state, and nothing else";
        parts.push(Part::ReadOnlyRoot, reason, origin);
    }
}

/// Returns what makes the root file system read-only, if anything does. A container that is kept is kept for what was written in it, and the home of an image
/// lies there.
pub(super) fn read_only(config: &Config) -> Option<Origin> {
    let settings = &config.settings;
    let (hardened, chosen) = (&settings.hardened, &settings.read_only_root);
    if hardened.value {
        return Some(hardened.origin.clone());
    }
    let is_open = (settings.keep.value || settings.image_home.value) && chosen.origin == Origin::Default;
    (chosen.value && !is_open).then(|| chosen.origin.clone())
}

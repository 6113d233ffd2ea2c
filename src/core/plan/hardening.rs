//! How little the container may do.

use crate::core::config::Config;
use crate::core::container::HOME;
use crate::core::plan::{Part, Parts};
use crate::core::tool::Tool;

/// Adds what takes rights away, and the places that stay writable.
pub(super) fn push(config: &Config, tool: &Tool, parts: &mut Parts) {
    parts.usual(Part::NoCapabilities, "no tool needs privileges of the kernel");
    parts.usual(Part::NoNewPrivileges, "setuid programs gain nothing");
    parts.usual(Part::NoCoreDump, "a core dump would hold secrets");
    let label = &config.settings.label_disable;
    if label.value {
        parts.push(Part::NoFileLabels, "SELinux would keep the project out; nothing is relabelled", label.origin.clone());
    }
    let hardened = &config.settings.hardened;
    if hardened.value {
        parts.push(Part::ReadOnlyRoot, "hardened", hardened.origin.clone());
        parts.push(
            Part::Scratch { target: "/tmp".into(), exec: true },
            "hardened: programs need a place for temporary files",
            hardened.origin.clone(),
        );
    }
    if hardened.value || tool.manifest.image.is_some() || config.settings.image.value.is_some() {
        let reason = "a writable home, whatever the image has";
        parts.push(Part::Scratch { target: HOME.into(), exec: true }, reason, hardened.origin.clone());
    }
}

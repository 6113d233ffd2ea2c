//! Where programs write what nobody keeps: in memory, bounded, and gone with the container.

use std::path::Path;

use crate::core::config::value::parse_bytes;
use crate::core::config::{Origin, Setting};
use crate::core::container::HOME;
use crate::core::plan::{Part, Parts, Request, hardening};

/// Bytes of each place where no limit of memory says more.
const USUAL: u64 = 2 << 30;
/// Bytes of each place in a hardened run.
const LITTLE: u64 = 256 << 20;
/// Bytes of what holds sockets and process ids.
const RUNTIME: u64 = 64 << 20;

/// Adds the places that can be written although the root file system cannot, and a home where the image may have none.
pub(super) fn push(request: &Request, parts: &mut Parts) {
    let config = request.config;
    let size = size(request, parts);
    let mut place = |target: &str, size: &Setting<u64>, reason: &'static str| {
        // What the person lets in at this place is there instead.
        if !parts.0.iter().any(|known| matches!(&known.part, Part::Mount(mount) if mount.target.as_path() == Path::new(target))) {
            let part = Part::Scratch { target: target.into(), exec: true, size: size.value };
            parts.push(part, reason, size.origin.clone());
        }
    };
    let has_own_image = request.tool.manifest.image.is_some() || config.settings.image.value.is_some();
    let read_only = hardening::read_only(config);
    if let Some(origin) = &read_only {
        place("/tmp", &size, "temporary files, in memory");
        place("/var/tmp", &size, "temporary files, in memory");
        place("/run", &Setting::new(RUNTIME, origin.clone()), "sockets and process ids");
    }
    match (config.settings.image_home.value, read_only) {
        (true, _) => {}
        (false, Some(_)) => place(HOME, &size, "what is no tool's state is gone after the run"),
        (false, None) if has_own_image => place(HOME, &size, "a writable home, whatever the image has"),
        (false, None) => {}
    }
}

/// Adds a home that ends with the container, where there is none yet.
pub(super) fn home(request: &Request, parts: &mut Parts) {
    if !parts.0.iter().any(|known| matches!(&known.part, Part::Scratch { target, .. } if target == HOME)) {
        let size = size(request, parts);
        let part = Part::Scratch { target: HOME.into(), exec: true, size: size.value };
        parts.push(part, "a home that ends with the container", size.origin);
    }
}

/// Returns how large each place is. They fill the same memory as programs, so that half of the limit leaves these the other half.
fn size(request: &Request, parts: &Parts) -> Setting<u64> {
    let settings = &request.config.settings;
    let memory = parts.0.iter().find_map(|reasoned| match reasoned.part {
        Part::Memory(bytes) => Some(Setting::new(bytes / 2, reasoned.origin.clone())),
        _ => None,
    });
    let chosen = settings.scratch.value.as_deref().and_then(|size| parse_bytes(size).ok());
    let size = match chosen {
        Some(chosen) => Setting::new(chosen, settings.scratch.origin.clone()),
        None => memory.unwrap_or(Setting::new(USUAL, Origin::Default)),
    };
    if settings.hardened.value && size.value > LITTLE { Setting::new(LITTLE, settings.hardened.origin.clone()) } else { size }
}

//! What of the person's desktop a program inside may use: the pages of a login in the browser, pictures of the clipboard.

use crate::core::config::Origin;
use crate::core::config::value::ClipboardAccess;
use crate::core::container::{ContainerPath, SOCKETS};
use crate::core::facts::Env;
use crate::core::guard::clipboard::PASTE_INSIDE;
use crate::core::guard::order::{GuardOrder, OPEN, XDG_OPEN_INSIDE};
use crate::core::plan::env::Variables;
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Parts, Request, reach};
use crate::core::store::Store;
use crate::core::store::seen::Seen;

pub(super) const PICTURES: &str = "a program inside may read pictures from your clipboard";

/// Returns whether pages can be opened on the desktop of whoever has this environment.
pub fn has_desktop(env: &Env) -> bool {
    ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| env.is_set(name))
}

/// Returns whether a login inside is one of the person's browser: there is a desktop, and the container's loopback is not this machine's.
pub(super) fn opens_pages(request: &Request) -> bool {
    let Request { tool, config, facts, .. } = request;
    let network = config.settings.network.value.as_str();
    let is_apart = network != "host" && network != "none";
    has_desktop(&facts.env)
        && is_apart
        && !tool.manifest.egress.pages.is_empty()
        && reach::shares_sockets(&facts.engine)
        && facts.inside.is_some()
}

/// Returns whether programs inside may have pictures of the person's clipboard: it is asked for, there is a desktop, and sockets are shared.
pub(super) fn reads_pictures(request: &Request) -> bool {
    let Request { config, facts, .. } = request;
    let has_screen = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| facts.env.is_set(name));
    config.settings.clipboard.value == ClipboardAccess::Image
        && has_screen
        && reach::shares_sockets(&facts.engine)
        && facts.inside.is_some()
}

/// Returns why there are no pictures though they are asked for.
pub(super) fn no_pictures(request: &Request) -> Option<String> {
    let Request { config, facts, .. } = request;
    let setting = &config.settings.clipboard;
    let why = match () {
        () if setting.value == ClipboardAccess::Off || reads_pictures(request) => return None,
        () if !reach::shares_sockets(&facts.engine) => "containers of this engine do not reach sockets of this machine",
        () if facts.env.is_set("DISPLAY") || facts.env.is_set("WAYLAND_DISPLAY") => {
            "this `ai` is not a program that every Linux image can run"
        }
        () => "there is no desktop here (DISPLAY, WAYLAND_DISPLAY)",
    };
    Some(format!("no picture can be pasted ({}): {why}", setting.origin))
}

/// Mounts the programs by which others inside ask for pages and pictures.
pub(super) fn push(request: &Request, order: &GuardOrder, parts: &mut Parts) {
    let settings = &request.config.settings;
    for inside in PASTE_INSIDE.iter().filter(|_| order.clipboard) {
        let source = Store::new(&request.facts.state).fixed(Seen::Paste(&request.session));
        let paste = Mount::bind(source, ContainerPath::new(*inside), Access::ReadOnly);
        parts.push(Part::Mount(paste), PICTURES, settings.clipboard.origin.clone());
    }
    if !order.pages.is_empty() && !request.tool.manifest.egress.page_env.is_empty() {
        let source = Store::new(&request.facts.state).fixed(Seen::Opener(&request.session));
        let opener = Mount::bind(source, ContainerPath::new(XDG_OPEN_INSIDE), Access::ReadOnly);
        parts.push(Part::Mount(opener), "opens the pages of a login in your browser", Origin::Manifest(request.tool.name.clone()));
    }
}

/// Adds the variable by which programs find what opens pages.
pub(super) fn page_variables(request: &Request, variables: &mut Variables) {
    if opens_pages(request) {
        let origin = Origin::Manifest(request.tool.name.clone());
        let reason = "opens the pages of a login in your browser";
        variables.literal("BROWSER", &format!("{SOCKETS}/{OPEN}"), reason, origin.clone());
        for (name, value) in &request.tool.manifest.egress.page_env {
            variables.literal(name, value, reason, origin.clone());
        }
    }
}

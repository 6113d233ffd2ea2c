//! What starts an engine that is not running: for the hint, and for whoever lets us do it.

use super::{Chosen, Product};
use crate::facts::{Engine, EngineKind};

/// A command that starts an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    pub argv: Vec<String>,
    /// Only root may do it.
    pub root: bool,
}

/// The command for `engine`; `None` where the endpoint does not show what is behind it.
pub fn starter(engine: &Engine) -> Option<Starter> {
    let context = match &engine.endpoint.chosen {
        Chosen::Context(name) => name.as_str(),
        _ => "",
    };
    let plain = |words: &[&str]| Some(Starter { argv: words.iter().map(|word| (*word).to_owned()).collect(), root: false });
    match (engine.product, engine.kind) {
        // Without the agent at the start, no container of this machine can ever use it.
        (Product::Colima, _) => {
            let profile = context.strip_prefix("colima-").unwrap_or("default");
            plain(&["colima", "start", "--ssh-agent", "--profile", profile])
        }
        (Product::DockerDesktop, _) if cfg!(target_os = "macos") => plain(&["open", "-a", "Docker"]),
        (Product::DockerDesktop, _) => plain(&["systemctl", "--user", "start", "docker-desktop"]),
        (Product::OrbStack, _) => plain(&["orb", "start"]),
        (Product::RancherDesktop, _) => plain(&["rdctl", "start"]),
        (Product::Lima, _) => plain(&["limactl", "start", context.strip_prefix("lima-").unwrap_or("default")]),
        (Product::PodmanMachine, _) => plain(&["podman", "machine", "start"]),
        (Product::Apple, _) => plain(&["container", "system", "start"]),
        (Product::Native, EngineKind::Docker) if engine.rootless => plain(&["systemctl", "--user", "start", "docker"]),
        (Product::Native, EngineKind::Docker) => {
            Some(Starter { argv: ["systemctl", "start", "docker"].map(str::to_owned).into(), root: true })
        }
        (Product::Native | Product::Elsewhere, _) => None,
    }
}

/// The next command of a person whose engine is not running.
pub fn hint(engine: &Engine) -> String {
    match starter(engine) {
        Some(Starter { argv, root: true }) => format!("sudo {}", argv.join(" ")),
        Some(Starter { argv, .. }) => argv.join(" "),
        None if cfg!(target_os = "macos") => "start Docker Desktop, OrbStack or `colima start --ssh-agent`".into(),
        None => format!("start the engine, or point {} at one that runs", engine.kind.program()),
    }
}

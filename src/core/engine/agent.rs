//! The SSH agent's way into a container, which differs with each engine.

use std::path::{Path, PathBuf};

use crate::core::engine::Product;
use crate::core::engine::kind::Engine;

/// How the agent reaches a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// This socket, as the engine sees it, is mounted. `root`: it belongs to root's group there.
    Mount { socket: PathBuf, root: bool },
    /// The run's helper filters it, and its socket is among the helper's.
    Helper,
    /// The engine has a flag for it.
    Flag,
    /// There is none; what the user can do about it.
    None(&'static str),
}

/// The socket that the machines of Docker Desktop and `OrbStack` offer; the host's own path does not exist in them.
const HOST_SERVICE: &str = "/run/host-services/ssh-auth.sock";

/// Returns the way for `engine`, where `socket` is the agent on the host.
pub fn way(engine: &Engine, socket: &Path) -> Way {
    if engine.kind.traits().brings_ssh_agent {
        return Way::Flag;
    }
    let offered = || engine.report.as_ref().and_then(|report| report.agent.clone());
    match engine.product {
        Product::Native => Way::Mount { socket: socket.to_owned(), root: false },
        Product::DockerDesktop | Product::OrbStack => Way::Mount { socket: HOST_SERVICE.into(), root: true },
        Product::Colima => match offered() {
            Some(socket) => Way::Mount { socket, root: false },
            None => Way::None("stop Colima and start it with `colima start --ssh-agent`"),
        },
        Product::Lima => match offered() {
            Some(socket) => Way::Mount { socket, root: false },
            None => Way::None("set `ssh: {forwardAgent: true}` in the configuration of the Lima instance"),
        },
        Product::RancherDesktop => Way::None("set `ssh: {forwardAgent: true}` in Rancher Desktop's override.yaml, or use an https remote"),
        Product::PodmanMachine => Way::None("a podman machine cannot mount sockets of the host; use an https remote"),
        Product::Elsewhere | Product::Apple => Way::None("the engine is on another machine; use an https remote"),
    }
}

/// Whether an agent is to be filled from the keychain: Apple's starts empty and keeps the passphrases there. `keys` are
/// those that it holds, if it answered; it is tried once for each agent, since one that stays empty has nothing there.
pub fn loads_keychain(os: &str, keys: Option<u32>, was_tried: bool) -> bool {
    os == "macos" && keys == Some(0) && !was_tried
}

#[cfg(test)]
mod tests {
    use super::*;

    // H-03
    #[test]
    fn only_an_empty_agent_of_apples_is_filled_and_only_once() {
        for (os, keys, was_tried, expected) in [
            ("macos", Some(0), false, true),
            ("macos", Some(0), true, false),
            ("macos", Some(1), false, false),
            ("macos", None, false, false),
            ("linux", Some(0), false, false),
        ] {
            assert_eq!(loads_keychain(os, keys, was_tried), expected, "{os} {keys:?} {was_tried}");
        }
    }
}

//! What the container can reach of the world: a network, the host by name, the SSH agent.

use crate::core::config::Origin;
use crate::core::container::ContainerPath;
use crate::core::container::SSH_AGENT;
use crate::core::engine::Product;
use crate::core::engine::agent::{self, Way};
use crate::core::engine::kind::Engine;
use crate::core::engine::traits::{HostGateway, Rootless};
use crate::core::facts::SshAgent;
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Parts, Request};
use crate::core::store::seen::Fixed;
use crate::core::text::version;

pub(super) fn network(request: &Request, parts: &mut Parts) {
    let network = &request.config.settings.network;
    if request.is_guarded() {
        parts.push(Part::Network("none".into()), "guarded: there is no way out but the helper's", network.origin.clone());
        return;
    }
    if network.value != "bridge" {
        parts.push(Part::Network(network.value.clone()), "as configured", network.origin.clone());
    }
    let is_named = request.config.admitted.hosts.iter().any(|(name, _)| name == "host.docker.internal");
    if let Some(address) = host_name(&request.facts.engine, &network.value).filter(|_| !is_named) {
        parts.usual(Part::HostAddress(address), "`host.docker.internal` is your machine, as on Docker Desktop");
    }
}

/// The host as slirp4netns shows it (slirp4netns(1)), where rootlesskit was not told `--disable-host-loopback`.
const SLIRP_HOST: &str = "10.0.2.2";

/// Returns what `host.docker.internal` has to stand for, where the engine does not know the name by itself. podman learnt
/// `host-gateway` with 4.7, and has `host.containers.internal` at any rate. Docker without root is in a network of its
/// own, where both `host-gateway` and loopback are that network's: the machine is [`SLIRP_HOST`].
pub fn host_name(engine: &Engine, network: &str) -> Option<&'static str> {
    let traits = engine.kind.traits();
    let knows_gateway = match traits.host_gateway {
        HostGateway::Always => true,
        HostGateway::Since(first) => engine.report.as_ref().is_some_and(|report| !version::is_below(&report.version, first)),
        HostGateway::Never => return None,
    };
    match network {
        "none" => None,
        _ if engine.rootless && traits.rootless == Rootless::BySocket => Some(SLIRP_HOST),
        "host" => (engine.product == Product::Native).then_some("127.0.0.1"),
        _ => knows_gateway.then_some("host-gateway"),
    }
}

/// Returns whether containers reach sockets of this machine: those of engines on this kernel do, unless they were seen not to.
pub(super) fn shares_sockets(engine: &Engine) -> bool {
    engine.product == Product::Native && !engine.sockets_fail()
}

/// Returns how the SSH agent gets into the container; `None` where it does not.
pub(super) fn ssh_agent(request: &Request, notes: &mut Vec<String>) -> Option<Way> {
    if !request.config.settings.ssh_agent.value {
        return None;
    }
    match &request.facts.ssh_agent {
        SshAgent::Absent => None,
        SshAgent::Broken(path) => {
            notes.push(format!("no SSH agent: SSH_AUTH_SOCK names `{}`, which is no socket", path.display()));
            None
        }
        SshAgent::Socket(socket) => match agent::way(&request.facts.engine, socket) {
            Way::None(hint) => {
                notes.push(format!("no SSH agent in the container with {}; hint: {hint}", request.facts.engine.product.name()));
                None
            }
            Way::Mount { .. } if shares_sockets(&request.facts.engine) => Some(Way::Helper),
            way => Some(way),
        },
    }
}

/// Mounts the agent's socket, or has the engine bring it.
pub(super) fn mount_agent(agent: Way, origin: &Origin, parts: &mut Parts) {
    match agent {
        Way::Mount { socket, root } => {
            let mount = Mount::bind(Fixed::of_person(socket), ContainerPath::new(SSH_AGENT), Access::ReadWrite);
            parts.push(Part::Mount(mount), "your SSH agent", origin.clone());
            if root {
                let reason = "in the engine's machine the agent's socket belongs to root's group";
                parts.push(Part::Group(0), reason, origin.clone());
            }
        }
        Way::Flag => parts.push(Part::SshAgent, "your SSH agent", origin.clone()),
        Way::Helper | Way::None(_) => {}
    }
}

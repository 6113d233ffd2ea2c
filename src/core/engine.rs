//! Engines as data: where the client connects, what stands behind it, and what each is known to do.
//!
//! Pure: `host::engine` reads sockets, contexts and answers; here they become values.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::engine::traits::{Dialect, Rootless};
use crate::core::failure::{Failure, Kind};
use crate::core::text::digest::sha256;

pub mod agent;
pub mod kind;
pub mod proof;
pub mod report;
pub mod start;
pub mod traits;

/// Where the engine's client will connect, by the client's own rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: Address,
    pub chosen: Chosen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket, and the file that it is when its links are followed.
    Socket { path: PathBuf, real: PathBuf },
    /// `tcp://` or `http://`; `tls` where the client will insist on it.
    Tcp { host: String, tls: bool },
    /// Anything else that leads to another machine: `ssh://`.
    Remote(String),
    /// The engine works in the client's own process.
    InProcess,
    /// The context that was asked for does not exist.
    NoContext,
}

/// Who chose the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    Default,
    /// A variable of the environment.
    Variable(&'static str),
    Context(String),
}

/// What stands behind an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// On this very kernel.
    Native,
    DockerDesktop,
    OrbStack,
    Colima,
    Lima,
    RancherDesktop,
    PodmanMachine,
    /// Apple's `container`: one small machine for each container.
    Apple,
    /// On another machine, or in one that we do not recognise.
    Elsewhere,
}

impl Product {
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::DockerDesktop => "Docker Desktop",
            Self::OrbStack => "OrbStack",
            Self::Colima => "Colima",
            Self::Lima => "Lima",
            Self::RancherDesktop => "Rancher Desktop",
            Self::PodmanMachine => "podman machine",
            Self::Apple => "Apple container",
            Self::Elsewhere => "remote",
        }
    }

    /// Whether containers run in a machine of their own that shares files with this one.
    pub fn is_machine(self) -> bool {
        !matches!(self, Self::Native | Self::Elsewhere)
    }
}

impl Endpoint {
    pub fn default_socket(real: PathBuf) -> Self {
        Self { address: Address::Socket { path: "/var/run/docker.sock".into(), real }, chosen: Chosen::Default }
    }

    /// Spells it as the client does.
    pub fn url(&self) -> String {
        match &self.address {
            Address::Socket { path, .. } => format!("unix://{}", path.display()),
            Address::Tcp { host, .. } => format!("tcp://{host}"),
            Address::Remote(url) => url.clone(),
            Address::InProcess => "this process".into(),
            Address::NoContext => "nowhere".into(),
        }
    }

    /// Returns the address and who chose it, for people.
    pub fn shown(&self) -> String {
        match &self.chosen {
            Chosen::Default => self.url(),
            Chosen::Variable(name) => format!("{} ({name})", self.url()),
            Chosen::Context(name) => format!("{} (context {name})", self.url()),
        }
    }

    /// Returns where the store keeps what was learnt about this endpoint, below `engines/`.
    pub fn file(&self, kind: EngineKind) -> PathBuf {
        let hash = sha256(format!("{} {}", kind.program(), self.url()).as_bytes());
        Path::new("engines").join(format!("{}.json", &hash[..16]))
    }
}

/// Marks of a product: a part of its socket's path, and the beginning of its contexts' names.
const MARKS: [(&str, &str, Product); 6] = [
    ("/.orbstack/", "orbstack", Product::OrbStack),
    ("/.colima/", "colima", Product::Colima),
    ("/.config/colima/", "colima", Product::Colima),
    ("/.lima/", "lima-", Product::Lima),
    ("/.rd/", "rancher-desktop", Product::RancherDesktop),
    ("/.docker/", "desktop-", Product::DockerDesktop),
];

/// Returns what stands behind an endpoint, as far as its address shows. `linux`: whether this system runs containers itself.
pub fn product(kind: EngineKind, endpoint: &Endpoint, linux: bool) -> Product {
    let traits = kind.traits();
    if traits.dialect == Dialect::Apple || endpoint.address == Address::InProcess {
        let (on_linux, elsewhere) = traits.in_process;
        return if linux { on_linux } else { elsewhere };
    }
    let in_path = |path: &Path, mark: &str| path.to_str().is_some_and(|path| path.contains(mark));
    let found = MARKS.iter().find(|(mark, name, _)| {
        let by_path = matches!(&endpoint.address, Address::Socket { path, real } if in_path(path, mark) || in_path(real, mark));
        by_path || matches!(&endpoint.chosen, Chosen::Context(context) if context.starts_with(name))
    });
    match (found, &endpoint.address) {
        (Some((.., product)), _) => *product,
        (None, Address::Socket { real, .. }) if in_path(real, "podman") && !linux => Product::PodmanMachine,
        (None, Address::Socket { .. } | Address::InProcess) if linux => Product::Native,
        (None, Address::Tcp { host, .. }) if linux && is_loopback(host) => Product::Native,
        _ => Product::Elsewhere,
    }
}

/// Whether container root is the calling user, as far as the endpoint shows: rootless Docker listens in the user's
/// runtime directory; podman and nerdctl take the rights of whoever calls them.
pub fn is_rootless(kind: EngineKind, endpoint: &Endpoint, product: Product, uid: u32) -> bool {
    let of_user = |path: &Path| path.starts_with(format!("/run/user/{uid}"));
    match kind.traits().rootless {
        Rootless::BySocket => {
            product == Product::Native && matches!(&endpoint.address, Address::Socket { path, real } if of_user(path) || of_user(real))
        }
        Rootless::ByCaller => product == Product::PodmanMachine || uid != 0,
        Rootless::Never => false,
    }
}

/// Whether a host and port are of this very machine.
pub fn is_loopback(host: &str) -> bool {
    let name = host.split('/').next().unwrap_or_default();
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    name == "localhost"
        || name == "[::1]"
        || name.strip_prefix("127.").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// What the person allows of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// One that everybody on its network can use.
    pub insecure: bool,
    /// One on another machine, which has the same files at the same paths.
    pub remote_paths: bool,
}

/// Returns why this engine must not be used, if it must not.
pub fn refusal(engine: &Engine, allowed: Allowed) -> Option<Failure> {
    let endpoint = &engine.endpoint;
    if is_on_another_machine(engine) && !allowed.remote_paths {
        let message =
            format!("cannot use the engine at {}: on another machine, the paths of this one mean something else", endpoint.shown());
        let allow = "where both machines share the paths: AI_ENGINE_REMOTE_PATHS=1 (`engine_remote_paths = true`)";
        let hint = match &endpoint.chosen {
            Chosen::Variable(name) => format!("unset {name}; {allow}"),
            Chosen::Context(_) | Chosen::Default => format!("docker context use default; {allow}"),
        };
        return Some(Failure::new(Kind::Config, message).hint(hint));
    }
    match (&endpoint.address, &endpoint.chosen) {
        (Address::NoContext, Chosen::Context(name)) => {
            let message = format!("cannot use the Docker context `{name}`: there is no such context");
            Some(Failure::new(Kind::Unavailable, message).hint("docker context ls; then docker context use NAME, or unset DOCKER_CONTEXT"))
        }
        (Address::Tcp { host, tls: false }, _) if !allowed.insecure && !is_loopback(host) => {
            let message = format!("cannot use the engine at `tcp://{host}`: without TLS, everybody who reaches it is root on its machine");
            Some(
                Failure::new(Kind::NotAllowed, message)
                    .hint("set DOCKER_TLS_VERIFY=1, use ssh://, or allow it: AI_ALLOW_INSECURE_ENGINE=1 (`allow_insecure_engine = true`)"),
            )
        }
        _ => None,
    }
}

/// Whether the engine is reached across a network, and is not one that we know to run in a machine of this one's own.
fn is_on_another_machine(engine: &Engine) -> bool {
    let is_far = match &engine.endpoint.address {
        Address::Tcp { host, .. } => !is_loopback(host),
        Address::Remote(_) => true,
        Address::Socket { .. } | Address::InProcess | Address::NoContext => false,
    };
    is_far && !engine.product.is_machine()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: Address, chosen: Chosen) -> Engine {
        let endpoint = Endpoint { address, chosen };
        let product = product(EngineKind::Docker, &endpoint, true);
        Engine { kind: EngineKind::Docker, program: None, rootless: false, endpoint, product, report: None }
    }

    const ALL: Allowed = Allowed { insecure: true, remote_paths: true };

    // BO-20
    #[test]
    fn an_engine_on_another_machine_is_refused() {
        let by_variable = |address| at(address, Chosen::Variable("DOCKER_HOST"));
        let tcp = |host: &str| Address::Tcp { host: host.into(), tls: true };
        let allowed = Allowed { insecure: true, remote_paths: false };
        for address in [tcp("h:2376"), tcp("127.0.0.1.evil:1"), Address::Remote("ssh://u@h".into()), Address::Remote("npipe://x".into())] {
            let engine = by_variable(address);
            assert_eq!(refusal(&engine, allowed).unwrap().kind, Kind::Config, "{engine:?}");
            assert!(refusal(&engine, ALL).is_none(), "{engine:?}");
        }
        let context = |name: &str| at(Address::Remote("ssh://h".into()), Chosen::Context(name.into()));
        assert!(refusal(&context("lab"), allowed).unwrap().hint.unwrap().starts_with("docker context use default"));
        for engine in [by_variable(tcp("localhost:2376")), context("colima-work"), at(Address::InProcess, Chosen::Default)] {
            assert!(refusal(&engine, allowed).is_none(), "{engine:?}");
        }
    }

    fn socket(path: &str) -> Endpoint {
        Endpoint { address: Address::Socket { path: path.into(), real: path.into() }, chosen: Chosen::Variable("DOCKER_HOST") }
    }

    #[track_caller]
    fn check(endpoint: &Endpoint, linux: bool, expected: Product) {
        assert_eq!(product(EngineKind::Docker, endpoint, linux), expected, "{}", endpoint.shown());
    }

    #[test]
    fn products_are_recognised_by_their_sockets() {
        check(&Endpoint::default_socket("/run/docker.sock".into()), true, Product::Native);
        check(&Endpoint::default_socket("/Users/u/.docker/run/docker.sock".into()), false, Product::DockerDesktop);
        check(&Endpoint::default_socket("/Users/u/.orbstack/run/docker.sock".into()), false, Product::OrbStack);
        check(&socket("/home/u/.docker/desktop/docker.sock"), true, Product::DockerDesktop);
        check(&socket("/Users/u/.colima/default/docker.sock"), false, Product::Colima);
        check(&socket("/Users/u/.rd/docker.sock"), false, Product::RancherDesktop);
        check(&socket("/Users/u/.lima/x/sock/docker.sock"), false, Product::Lima);
        check(&socket("/run/user/1000/docker.sock"), true, Product::Native);
        check(&socket("/var/run/docker.sock"), false, Product::Elsewhere);
    }

    #[test]
    fn products_are_recognised_by_their_contexts() {
        let context = |name: &str| Endpoint { address: Address::Remote("ssh://x".into()), chosen: Chosen::Context(name.into()) };
        check(&context("colima-work"), false, Product::Colima);
        check(&context("desktop-linux"), true, Product::DockerDesktop);
        check(&context("lab"), true, Product::Elsewhere);
    }

    #[test]
    fn only_engines_without_root_map_the_user_to_root() {
        let rootless = |kind, endpoint: &Endpoint, uid| is_rootless(kind, endpoint, product(kind, endpoint, true), uid);
        assert!(rootless(EngineKind::Docker, &socket("/run/user/1000/docker.sock"), 1000));
        assert!(!rootless(EngineKind::Docker, &socket("/run/user/1001/docker.sock"), 1000));
        assert!(!rootless(EngineKind::Docker, &socket("/home/u/.docker/desktop/docker.sock"), 1000));
        assert!(rootless(EngineKind::Podman, &Endpoint { address: Address::InProcess, chosen: Chosen::Default }, 1000));
        assert!(!rootless(EngineKind::Podman, &Endpoint { address: Address::InProcess, chosen: Chosen::Default }, 0));
    }

    // M-03
    #[test]
    fn an_engine_that_everybody_can_use_is_refused() {
        let tcp = |tls| at(Address::Tcp { host: "h:2375".into(), tls }, Chosen::Variable("DOCKER_HOST"));
        let secure = Allowed { insecure: false, remote_paths: true };
        assert_eq!(refusal(&tcp(false), secure).unwrap().kind, Kind::NotAllowed);
        assert!(refusal(&tcp(false), ALL).is_none() && refusal(&tcp(true), secure).is_none());
        for (host, local) in [("127.0.0.1:2375", true), ("localhost:1", true), ("[::1]:1", true), ("127.0.0.1.evil:1", false), ("", false)]
        {
            assert_eq!(is_loopback(host), local, "{host}");
        }
        let gone = at(Address::NoContext, Chosen::Context("lab".into()));
        assert!(refusal(&gone, ALL).unwrap().message.contains("`lab`"));
    }

    #[test]
    fn each_endpoint_has_its_own_file() {
        let file = |kind, path| socket(path).file(kind);
        assert_ne!(file(EngineKind::Docker, "/a"), file(EngineKind::Docker, "/b"));
        assert_ne!(file(EngineKind::Docker, "/a"), file(EngineKind::Podman, "/a"));
    }
}

//! What each engine's client can do and how it differs from the others: the one table. Sources of the facts are the clients' own
//! references: `docker run`, `podman run`, `nerdctl run`, and the command reference of Apple's `container`.

use crate::core::engine::Product;
use crate::core::engine::kind::EngineKind;

/// Everything in which engines differ, as far as a run, a question or a name is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// The client's program.
    pub program: &'static str,
    /// Whose flags it takes.
    pub dialect: Dialect,
    /// The words that switch its detaching keys off.
    pub detach_keys: &'static [&'static str],
    /// How an engine without root gives files to the person.
    pub rootless_user: RootlessUser,
    /// What tells that an engine works without root.
    pub rootless: Rootless,
    /// Whether `host-gateway` may stand for the address of the host.
    pub host_gateway: HostGateway,
    /// How the presence of an image is asked for.
    pub image: ImageQuestion,
    /// How the engine says what it is.
    pub info: Info,
    /// The words behind `events` that end it at its bound and print one word an event; empty where it has no such question.
    pub events: &'static [&'static str],
    /// Whether its events tell that memory ran out.
    pub tells_oom: bool,
    /// Whether containers can be listed by their labels.
    pub lists_by_label: bool,
    /// Whether a flag brings the SSH agent.
    pub brings_ssh_agent: bool,
    /// What runs the containers where the client works in its own process: on Linux, elsewhere.
    pub in_process: (Product, Product),
}

/// Whose flags a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Docker,
    Apple,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootlessUser {
    /// Root in the container is the person.
    Root,
    /// `--userns keep-id` maps the person to themselves.
    KeepId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rootless {
    /// The socket lies in the person's runtime directory.
    BySocket,
    /// The client takes the rights of whoever calls it.
    ByCaller,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostGateway {
    Always,
    /// From this version on.
    Since(&'static [u32]),
    /// The engine has a name of its own for the host.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageQuestion {
    /// A request to the engine's socket.
    Request,
    /// `image exists`, by its exit code.
    Exists,
    /// The client has no cheap question.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Info {
    /// A request to the socket, or these words to the client where there is no local one; in Docker's form.
    Docker(&'static [&'static str]),
    /// These words to the client; in podman's form.
    Podman(&'static [&'static str]),
    /// It says nothing but its version.
    Version,
}

impl EngineKind {
    /// Returns what this engine can do.
    pub const fn traits(self) -> Traits {
        match self {
            Self::Docker => DOCKER,
            Self::Podman => Traits {
                program: "podman",
                detach_keys: &["--detach-keys="],
                rootless_user: RootlessUser::KeepId,
                rootless: Rootless::ByCaller,
                host_gateway: HostGateway::Since(&[4, 7]),
                image: ImageQuestion::Exists,
                info: Info::Podman(&["info", "--format", "json"]),
                events: &["--stream=false", "--format", "{{.Status}}"],
                tells_oom: false,
                in_process: (Product::Native, Product::PodmanMachine),
                ..DOCKER
            },
            Self::Nerdctl => Traits {
                program: "nerdctl",
                rootless: Rootless::ByCaller,
                image: ImageQuestion::None,
                in_process: (Product::Native, Product::Lima),
                ..DOCKER
            },
            Self::Container => Traits {
                program: "container",
                dialect: Dialect::Apple,
                detach_keys: &[],
                rootless_user: RootlessUser::Root,
                rootless: Rootless::Never,
                host_gateway: HostGateway::Never,
                image: ImageQuestion::None,
                info: Info::Version,
                events: &[],
                tells_oom: false,
                lists_by_label: false,
                brings_ssh_agent: true,
                in_process: (Product::Apple, Product::Apple),
            },
        }
    }
}

const DOCKER: Traits = Traits {
    program: "docker",
    dialect: Dialect::Docker,
    // Nobody types these; an empty value would mean the default.
    detach_keys: &["--detach-keys", "ctrl-^,ctrl-@,ctrl-^,ctrl-_"],
    rootless_user: RootlessUser::Root,
    rootless: Rootless::BySocket,
    host_gateway: HostGateway::Always,
    image: ImageQuestion::Request,
    info: Info::Docker(&["info", "--format", "{{json .}}"]),
    events: &["--format", "{{.Action}}"],
    tells_oom: true,
    lists_by_label: true,
    brings_ssh_agent: false,
    in_process: (Product::Native, Product::Elsewhere),
};

//! Where the engine's client will connect: read from the same places as the client reads it from.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::core::engine::kind::EngineKind;
use crate::core::engine::{Address, Chosen, Endpoint};
use crate::core::facts::Env;
use crate::host::fs::look::Look;
use crate::host::fs::own;

/// Returns the endpoint of an engine's client in this environment.
pub fn find(kind: EngineKind, env: &Env, home: Option<&Path>) -> Endpoint {
    match kind {
        EngineKind::Docker => docker(env, home),
        EngineKind::Podman => match env.text("CONTAINER_HOST") {
            Some(url) => Endpoint { address: address(url), chosen: Chosen::Variable("CONTAINER_HOST") },
            None => Endpoint { address: Address::InProcess, chosen: Chosen::Default },
        },
        EngineKind::Nerdctl | EngineKind::Container => Endpoint { address: Address::InProcess, chosen: Chosen::Default },
    }
}

/// `DOCKER_HOST`, then the context by `DOCKER_CONTEXT` or by configuration, then the default socket.
fn docker(env: &Env, home: Option<&Path>) -> Endpoint {
    if let Some(url) = env.text("DOCKER_HOST") {
        let tls = env.text("DOCKER_TLS_VERIFY").is_some() || env.text("DOCKER_TLS").is_some();
        return Endpoint { address: secured(address(url), tls), chosen: Chosen::Variable("DOCKER_HOST") };
    }
    let config = env.get("DOCKER_CONFIG").map(PathBuf::from).or_else(|| home.map(|home| home.join(".docker")));
    let of_config = || json(&config.as_ref()?.join("config.json"))?.get("currentContext")?.as_str().map(str::to_owned);
    let context = env.text("DOCKER_CONTEXT").map(str::to_owned).or_else(of_config).filter(|name| name != "default" && !name.is_empty());
    let Some(context) = context else { return Endpoint::default_socket(real(Path::new("/var/run/docker.sock"))) };
    let address = config.and_then(|config| of_context(&config.join("contexts"), &context)).unwrap_or(Address::NoContext);
    Endpoint { address, chosen: Chosen::Context(context) }
}

/// A context is kept under the hash of its name; keys and certificates of one that uses TLS are beside it.
fn of_context(contexts: &Path, name: &str) -> Option<Address> {
    use sha2::Digest;
    let id: String = sha2::Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let meta = json(&contexts.join("meta").join(&id).join("meta.json"))?;
    let url = meta.pointer("/Endpoints/docker/Host")?.as_str()?;
    Some(secured(address(url), contexts.join("tls").join(id).join("docker").leads_to_directory()))
}

fn secured(address: Address, tls: bool) -> Address {
    if let Address::Tcp { host, .. } = address { Address::Tcp { host, tls } } else { address }
}

fn address(url: &str) -> Address {
    if let Some(path) = url.strip_prefix("unix://") {
        return Address::Socket { path: path.into(), real: real(Path::new(path)) };
    }
    match url.strip_prefix("tcp://").or_else(|| url.strip_prefix("http://")) {
        Some(host) => Address::Tcp { host: host.into(), tls: false },
        None => Address::Remote(url.into()),
    }
}

fn real(path: &Path) -> PathBuf {
    path.resolved().unwrap_or_else(|_| path.to_owned())
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&own::read(path).ok()?).ok()
}

/// Returns what changes whenever an engine is started anew: its socket is another file then. For an engine without a socket,
/// its program.
pub fn stamp(endpoint: &Endpoint, program: Option<&Path>) -> String {
    use std::os::unix::fs::MetadataExt;
    let path = match &endpoint.address {
        Address::Socket { real, .. } => Some(real.as_path()),
        _ => program,
    };
    let metadata = path.and_then(|path| path.look().ok());
    metadata.map_or_else(String::new, |metadata| format!("{}:{}:{}", metadata.dev(), metadata.ino(), metadata.ctime()))
}

//! The engine: where it listens, whether it answers, and what it has. Asked before a run starts, never by `resolve`.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::facts::{Engine, EngineKind, Env};
use crate::failure::{Failure, Kind, Result};
use crate::host::process;

/// Longest time that a local engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether an image is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    Present,
    Missing,
    /// The engine is not one that we can ask cheaply; `--pull never` will tell.
    Unknown,
}

/// Checks that `engine` is installed and answers, and looks for `image`. Costs about a millisecond: one request on the
/// local socket, no process.
pub fn check(engine: &Engine, env: &Env, home: Option<&Path>, image: &str) -> Result<Image> {
    let Some(program) = &engine.program else {
        return Err(Failure::new(Kind::Unavailable, format!("cannot run containers: `{}` is not installed", engine.kind.program()))
            .hint("install Docker or podman, or run the tool without a container: --native as the first argument"));
    };
    match engine.kind {
        EngineKind::Docker => match endpoint(env, home) {
            Endpoint::Socket(socket) => ask(&socket, image),
            Endpoint::Elsewhere => Ok(Image::Unknown),
        },
        EngineKind::Podman => podman(program, image),
        EngineKind::Nerdctl => Ok(Image::Unknown),
    }
}

/// Where the docker client will connect to.
enum Endpoint {
    Socket(PathBuf),
    Elsewhere,
}

/// The same rules as the client's: `DOCKER_HOST`, then the context by `DOCKER_CONTEXT` or configuration, then the
/// default socket.
fn endpoint(env: &Env, home: Option<&Path>) -> Endpoint {
    let parse = |host: &str| host.strip_prefix("unix://").map_or(Endpoint::Elsewhere, |path| Endpoint::Socket(path.into()));
    if let Some(host) = env.text("DOCKER_HOST") {
        return parse(host);
    }
    let config = env.get("DOCKER_CONFIG").map(PathBuf::from).or_else(|| home.map(|home| home.join(".docker")));
    let json = |path: PathBuf| std::fs::read(path).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let of_config = || {
        let config = json(config.as_ref()?.join("config.json"))?;
        Some(config.get("currentContext")?.as_str()?.to_owned())
    };
    let context = env.text("DOCKER_CONTEXT").map(str::to_owned).or_else(of_config).filter(|name| name != "default" && !name.is_empty());
    let Some(context) = context else { return Endpoint::Socket("/var/run/docker.sock".into()) };
    let host = || {
        use sha2::Digest;
        let id: String = sha2::Sha256::digest(context.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = json(config.as_ref()?.join("contexts/meta").join(id).join("meta.json"))?;
        Some(meta.pointer("/Endpoints/docker/Host")?.as_str()?.to_owned())
    };
    host().map_or(Endpoint::Elsewhere, |host| parse(&host))
}

/// One request of the Engine API (`GET /images/{name}/json`), as short as HTTP allows.
fn ask(socket: &Path, image: &str) -> Result<Image> {
    let answer = UnixStream::connect(socket).and_then(|mut stream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(stream, "GET /images/{}/json HTTP/1.0\r\nHost: docker\r\n\r\n", encoded(image))?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status)
    });
    match answer {
        Ok(status) => Ok(match &status[9..] {
            b"200" => Image::Present,
            b"404" => Image::Missing,
            _ => Image::Unknown,
        }),
        Err(error) => Err(unreachable(socket, &error)),
    }
}

/// An image's name as one segment of a URL.
fn encoded(image: &str) -> String {
    let mut text = String::new();
    for byte in image.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b':' | b'/' | b'@' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn unreachable(socket: &Path, error: &io::Error) -> Failure {
    let failure =
        |why: &str| Failure::new(Kind::Unavailable, format!("cannot reach Docker at `{}`: {why}", socket.display())).because(error);
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            failure("you may not use it").hint("sudo usermod -aG docker \"$USER\", then log in again; or use rootless Docker or podman")
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => failure("the daemon is not running").hint(start_hint()),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => failure("it does not answer").hint("docker info"),
        _ => failure("the connection failed").hint("docker info"),
    }
}

fn start_hint() -> &'static str {
    if cfg!(target_os = "macos") { "start Docker Desktop, OrbStack or `colima start --ssh-agent`" } else { "sudo systemctl start docker" }
}

fn podman(program: &Path, image: &str) -> Result<Image> {
    let (status, _, stderr) = process::output(program.as_os_str(), &["image", "exists", image])?;
    match status.code() {
        Some(0) => Ok(Image::Present),
        Some(1) => Ok(Image::Missing),
        _ => Err(Failure::new(Kind::Unavailable, "cannot use podman").because(String::from_utf8_lossy(&stderr)).hint("podman info")),
    }
}

/// Whether this engine runs without root. Only what the environment shows; `doctor` asks the engine itself.
pub fn is_rootless(kind: EngineKind, env: &Env) -> bool {
    match kind {
        EngineKind::Docker => env.get("DOCKER_HOST").is_some_and(|host| is_of_user(host)),
        EngineKind::Podman | EngineKind::Nerdctl => !rustix::process::getuid().is_root(),
    }
}

/// Rootless Docker listens in the user's runtime directory.
fn is_of_user(host: &OsStr) -> bool {
    host.to_str().is_some_and(|host| host.starts_with("unix:///run/user/"))
}

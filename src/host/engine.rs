//! The engine: whether it answers, and what it has. Asked before a run starts, never by `resolve`.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::engine::traits::ImageQuestion;
use crate::core::engine::{Address, start};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::store::Store;
use crate::host::machine::process;

pub mod api;
pub mod archive;
pub mod containers;
pub mod endpoint;
pub mod image;
pub mod learn;
pub mod recipe;
pub mod registry;
pub mod starter;
pub mod vocabulary;
pub mod volume;

/// Whether an image is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// Its content's id, where that came with the answer.
    Present(Option<String>),
    Missing,
    /// The engine is not one that we can ask cheaply; `--pull never` will tell.
    Unknown,
}

/// Returns the engine's client, or that there is none.
pub fn program(engine: &Engine) -> Result<&PathBuf> {
    engine.program.as_ref().ok_or_else(|| {
        Failure::new(Kind::Unavailable, format!("cannot run containers: `{}` is not installed", engine.kind.program()))
            .hint("install Docker or podman, or run the tool without a container: --native as the first argument")
    })
}

/// Checks that `engine` is installed and answers, and looks for `image`. Where the engine has a local socket this costs
/// about a millisecond: one request, no process.
pub fn check(engine: &Engine, image: &str) -> Result<Image> {
    let program = program(engine)?;
    match (engine.kind.traits().image, &engine.endpoint.address) {
        (ImageQuestion::Request, Address::Socket { path, .. }) => {
            let answer = api::get(path, &format!("/images/{}/json", api::encoded(image)));
            let answer = answer.map_err(|error| unreachable_by(engine, path, &error))?;
            Ok(match answer.status {
                200 => Image::Present(id(&answer.body)),
                404 => Image::Missing,
                _ => Image::Unknown,
            })
        }
        (ImageQuestion::Exists, _) => exists(program, image),
        _ => Ok(Image::Unknown),
    }
}

/// Checks that `engine` is installed and answers, as far as that costs no process.
pub fn answers(engine: &Engine) -> Result<()> {
    program(engine)?;
    match (engine.kind.traits().image, &engine.endpoint.address) {
        (ImageQuestion::Request, Address::Socket { path, .. }) => {
            api::get(path, "/_ping").map(drop).map_err(|error| unreachable_by(engine, path, &error))
        }
        _ => Ok(()),
    }
}

fn id(body: &[u8]) -> Option<String> {
    let image: serde_json::Value = serde_json::from_slice(body).ok()?;
    image.get("Id")?.as_str().map(str::to_owned)
}

/// Returns the `(pinned, current)` ids if the image's name no longer means the pinned image. An engine across a network is not
/// asked twice.
pub fn pin_mismatch(store: &Store, engine: &Engine, image: &str, found: &Image) -> Result<Option<(String, String)>> {
    let Some(pinned) = crate::host::store::image::pin(store, engine, image).filter(|_| learn::is_cheap(engine)) else { return Ok(None) };
    let id = match found {
        Image::Present(Some(id)) => id.clone(),
        _ => image_id(engine, image)?,
    };
    Ok((id != pinned).then_some((pinned, id)))
}

/// Returns the id of the content that an image's name stands for, as `sha256:<64 hex>`.
pub fn image_id(engine: &Engine, image: &str) -> Result<String> {
    let args = ["image", "inspect", "--format", "{{.Id}}", image];
    let (status, stdout, stderr) = process::output(program(engine)?.as_os_str(), &args)?;
    let id = String::from_utf8_lossy(&stdout).trim().to_owned();
    if !status.success() || id.is_empty() {
        return Err(Failure::new(Kind::Unavailable, format!("cannot inspect {image}")).because(String::from_utf8_lossy(&stderr)));
    }
    // podman leaves out how the id was made.
    Ok(if id.contains(':') { id } else { format!("sha256:{id}") })
}

/// Whether nobody listens where the engine should: the one trouble that starting it cures.
pub fn is_down(engine: &Engine) -> bool {
    match &engine.endpoint.address {
        Address::Socket { path, .. } => {
            UnixStream::connect(path).is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused))
        }
        _ => false,
    }
}

fn unreachable_by(engine: &Engine, socket: &Path, error: &io::Error) -> Failure {
    let failure = unreachable(socket, error);
    if is_podman(engine) {
        let why = "`docker` is podman on this machine";
        return Failure::new(Kind::Unavailable, format!("cannot reach Docker at `{}`: {why}", socket.display()))
            .because(error)
            .hint("export AI_ENGINE=podman, or engine = \"podman\" in config.toml: ai config edit");
    }
    if is_snap(engine) {
        return failure
            .hint("Docker from snap sees no hidden directories, and the store is one: AI_HOME=\"$HOME/docker-ai-config\"; ai doctor");
    }
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => failure.hint(start::hint(engine)),
        _ => failure,
    }
}

/// Whether the client called `docker` is podman's, as Fedora's package `podman-docker` has it.
fn is_podman(engine: &Engine) -> bool {
    let Some(program) = engine.program.as_ref().filter(|_| engine.kind == EngineKind::Docker) else { return false };
    process::output_within(program.as_os_str(), &["--version"], PATIENCE)
        .is_ok_and(|(_, stdout, _)| String::from_utf8_lossy(&stdout).to_ascii_lowercase().contains("podman"))
}

/// How long a client may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the client is from a snap.
fn is_snap(engine: &Engine) -> bool {
    engine.program.as_ref().is_some_and(|program| program.starts_with("/snap") || program.starts_with("/var/lib/snapd"))
}

fn unreachable(socket: &Path, error: &io::Error) -> Failure {
    let failure =
        |why: &str| Failure::new(Kind::Unavailable, format!("cannot reach Docker at `{}`: {why}", socket.display())).because(error);
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            failure("you may not use it").hint("sudo usermod -aG docker \"$USER\", then log in again; or use rootless Docker or podman")
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => failure("the daemon is not running"),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => failure("it does not answer").hint("docker info"),
        _ => failure("the connection failed").hint("docker info"),
    }
}

fn exists(program: &Path, image: &str) -> Result<Image> {
    let (status, _, stderr) = process::output(program.as_os_str(), &["image", "exists", image])?;
    match status.code() {
        Some(0) => Ok(Image::Present(None)),
        Some(1) => Ok(Image::Missing),
        _ => Err(Failure::new(Kind::Unavailable, "cannot use podman").because(String::from_utf8_lossy(&stderr)).hint("podman info")),
    }
}

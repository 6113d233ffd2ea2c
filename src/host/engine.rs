//! The engine: whether it answers, and what it has. Asked before a run starts, never by `resolve`.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::engine::{Address, start};
use crate::facts::{Engine, EngineKind};
use crate::failure::{Failure, Kind, Result};
use crate::host::process;

mod api;
pub mod containers;
pub mod endpoint;
pub mod learn;
pub mod starter;
pub mod volume;

/// Whether an image is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    Present,
    Missing,
    /// The engine is not one that we can ask cheaply; `--pull never` will tell.
    Unknown,
}

/// The engine's client, or that there is none.
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
    match (engine.kind, &engine.endpoint.address) {
        (EngineKind::Docker, Address::Socket { path, .. }) => {
            let answer = api::get(path, &format!("/images/{}/json", api::encoded(image)));
            Ok(match answer.map_err(|error| unreachable_by(engine, path, &error))?.status {
                200 => Image::Present,
                404 => Image::Missing,
                _ => Image::Unknown,
            })
        }
        (EngineKind::Podman, _) => podman(program, image),
        _ => Ok(Image::Unknown),
    }
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
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => failure.hint(start::hint(engine)),
        _ => failure,
    }
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

fn podman(program: &Path, image: &str) -> Result<Image> {
    let (status, _, stderr) = process::output(program.as_os_str(), &["image", "exists", image])?;
    match status.code() {
        Some(0) => Ok(Image::Present),
        Some(1) => Ok(Image::Missing),
        _ => Err(Failure::new(Kind::Unavailable, "cannot use podman").because(String::from_utf8_lossy(&stderr)).hint("podman info")),
    }
}

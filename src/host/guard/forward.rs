//! In the container: from a port of its loopback to a socket of the host's, and one connection by hand.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fd::{AsFd, OwnedFd};

use crate::core::container::SOCKETS;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::order::EGRESS;
use crate::core::guard::peer::Peer;
use crate::host::guard::dial::AT_ONCE;
use crate::host::guard::relay;
use crate::host::machine::{clock, process};

/// Listens on a port of loopback, leaves somebody behind who passes on what comes there, and becomes `argv`; returns only if that
/// fails.
pub fn become_behind(port: u16, way: &PortTarget, argv: &[OsString]) -> Failure {
    match leave_behind(port, way) {
        Ok(()) => process::exec(argv, &[]),
        Err(error) => Failure::new(Kind::NotStarted, format!("cannot lead port {port} out of the container")).because(error),
    }
}

/// Where what comes to a port is led.
#[derive(Clone, Debug)]
pub struct PortTarget {
    pub socket: PathBuf,
    /// The host and port beyond, where the program that connects knows of no proxy.
    pub to: Option<Peer>,
}

impl PortTarget {
    fn words(&self) -> Vec<OsString> {
        let to = self.to.iter().flat_map(|peer| ["--to".into(), peer.to_string().into()]);
        [self.socket.clone().into_os_string()].into_iter().chain(to).collect()
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let mut up = UnixStream::connect(&self.socket)?;
        if let Some(peer) = &self.to {
            ask(&mut up, peer)?.map_err(io::Error::other)?;
        }
        Ok(up)
    }
}

fn leave_behind(port: u16, way: &PortTarget) -> io::Result<()> {
    let listener: OwnedFd = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.into();
    // In two steps, so that it is no child of the tool's: one that waits for any child would meet a stranger.
    let mut command = process::command("/proc/self/exe");
    command.arg0("ai forward").args(["forward", "--leave"]).args(way.words());
    command.stdin(listener).stdout(Stdio::null()).stderr(Stdio::null()).env_clear();
    let status = command.spawn()?.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("what passes things on ended with {status}"))) }
}

/// The step between: starts the one who stays, and ends.
pub fn leave(way: &PortTarget) -> Result<()> {
    let listener = io::stdin().as_fd().try_clone_to_owned()?;
    let mut command = process::command("/proc/self/exe");
    // A group of its own: what the terminal sends to the tool's is not for it.
    command.arg0("ai forward").args(["forward", "--stay"]).args(way.words()).process_group(0);
    drop(command.stdin(listener).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    Ok(())
}

/// Passes on what comes to the listener that is its standard input, for as long as the container lives.
pub fn stay(way: &PortTarget) -> Result<()> {
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            clock::pause(Duration::from_millis(20));
            continue;
        };
        let way = way.clone();
        let pass = move || {
            // A helper that is gone is a connection that ends.
            let _ = stream.set_nodelay(AT_ONCE);
            let _ = way.connect().and_then(|up| relay::both(stream, up));
        };
        let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(pass);
    }
    Ok(())
}

/// Asks the helper for a tunnel; what it answers instead of one is the error within.
fn ask(up: &mut UnixStream, peer: &impl std::fmt::Display) -> io::Result<std::result::Result<(), String>> {
    up.write_all(format!("CONNECT {peer} HTTP/1.1\r\n\r\n").as_bytes())?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 && up.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    if head.starts_with(b"HTTP/1.1 200") {
        return Ok(Ok(()));
    }
    let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    Ok(Err(line.splitn(3, ' ').nth(2).unwrap_or("nobody answered").to_owned()))
}

/// Is a tunnel to a host and port between its standard input and output: what ssh calls a ProxyCommand.
pub fn dial(host: &str, port: u16) -> Result<()> {
    let failed = |why: String| Failure::new(Kind::General, format!("cannot reach {host}:{port}: {why}"));
    let mut up =
        UnixStream::connect(Path::new(SOCKETS).join(EGRESS)).map_err(|error| failed(format!("no way out of this container ({error})")))?;
    ask(&mut up, &format_args!("{host}:{port}"))?.map_err(failed)?;
    let mut out = up.try_clone()?;
    std::thread::spawn(move || {
        let _ = relay::copy(&mut io::stdin().lock(), &mut out);
        let _ = out.shutdown(std::net::Shutdown::Write);
    });
    // A reader that has gone away is no failure of ours.
    let _ = relay::copy(&mut up, &mut io::stdout().lock());
    Ok(())
}

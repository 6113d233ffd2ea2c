//! In the container: from a port of its loopback to a socket of the host's, and one connection by hand.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::fd::{AsFd, OwnedFd};

use crate::core::container::SOCKETS;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::order::EGRESS;
use crate::host::guard::dial::AT_ONCE;
use crate::host::guard::relay;
use crate::host::machine::{clock, process};

/// Listens on a port of loopback, leaves somebody behind who passes on what comes there, and becomes `argv`; returns only if that
/// fails.
pub fn become_behind(port: u16, socket: &Path, argv: &[OsString]) -> Failure {
    match leave_behind(port, socket) {
        Ok(()) => process::exec(argv, &[]),
        Err(error) => Failure::new(Kind::NotStarted, format!("cannot lead port {port} out of the container")).because(error),
    }
}

fn leave_behind(port: u16, socket: &Path) -> io::Result<()> {
    let listener: OwnedFd = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.into();
    // In two steps, so that it is no child of the tool's: one that waits for any child would meet a stranger.
    let mut command = process::command("/proc/self/exe");
    command.arg0("ai forward").args(["forward".as_ref(), "--leave".as_ref(), socket.as_os_str()]);
    command.stdin(listener).stdout(Stdio::null()).stderr(Stdio::null()).env_clear();
    let status = command.spawn()?.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("what passes things on ended with {status}"))) }
}

/// The step between: starts the one who stays, and ends.
pub fn leave(socket: &Path) -> Result<()> {
    let listener = io::stdin().as_fd().try_clone_to_owned()?;
    let mut command = process::command("/proc/self/exe");
    // A group of its own: what the terminal sends to the tool's is not for it.
    command.arg0("ai forward").args(["forward".as_ref(), "--stay".as_ref(), socket.as_os_str()]).process_group(0);
    drop(command.stdin(listener).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    Ok(())
}

/// Passes on what comes to the listener that is its standard input, for as long as the container lives.
pub fn stay(socket: &Path) -> Result<()> {
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            clock::pause(Duration::from_millis(20));
            continue;
        };
        let socket = socket.to_owned();
        let pass = move || {
            // A helper that is gone is a connection that ends.
            let _ = stream.set_nodelay(AT_ONCE);
            let _ = UnixStream::connect(socket).and_then(|up| relay::both(stream, up));
        };
        let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(pass);
    }
    Ok(())
}

/// Is a tunnel to a host and port between its standard input and output: what ssh calls a ProxyCommand.
pub fn dial(host: &str, port: u16) -> Result<()> {
    let failed = |why: String| Failure::new(Kind::General, format!("cannot reach {host}:{port}: {why}"));
    let mut up =
        UnixStream::connect(Path::new(SOCKETS).join(EGRESS)).map_err(|error| failed(format!("no way out of this container ({error})")))?;
    up.write_all(format!("CONNECT {host}:{port} HTTP/1.1\r\n\r\n").as_bytes())?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 && up.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    if !head.starts_with(b"HTTP/1.1 200") {
        let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
        return Err(failed(line.splitn(3, ' ').nth(2).unwrap_or("nobody answered").to_owned()));
    }
    let mut out = up.try_clone()?;
    std::thread::spawn(move || {
        let _ = relay::copy(&mut io::stdin().lock(), &mut out);
        let _ = out.shutdown(std::net::Shutdown::Write);
    });
    // A reader that has gone away is no failure of ours.
    let _ = relay::copy(&mut up, &mut io::stdout().lock());
    Ok(())
}

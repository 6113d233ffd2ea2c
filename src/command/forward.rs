//! `ai forward PORT=SOCKET -- CMD…`, in the container: leads a port of its loopback to a socket, and becomes the command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::peer::{Peer, parse_port};
use crate::host::guard::forward::{self, PortTarget};

#[derive(Debug, Args)]
pub struct ForwardArgs {
    /// The port and the socket, as PORT=SOCKET
    #[arg(required_unless_present_any = ["leave", "stay"])]
    pub way: Option<OsString>,
    /// Leave somebody behind who serves the listener on standard input
    #[arg(long, value_name = "SOCKET")]
    pub leave: Option<PathBuf>,
    /// Serve it
    #[arg(long, value_name = "SOCKET")]
    pub stay: Option<PathBuf>,
    /// The host and port beyond the socket, for programs that know of no proxy
    #[arg(long, value_name = "HOST:PORT")]
    pub to: Option<String>,
    #[arg(last = true, value_name = "CMD")]
    pub words: Vec<OsString>,
}

pub fn run(forward: &ForwardArgs) -> Result<u8> {
    let usage = || Failure::new(Kind::Usage, "cannot forward: it takes PORT=SOCKET and a command");
    let to = forward.to.as_ref().map(|to| Peer::parse(to.as_bytes(), None).map_err(|_| usage())).transpose()?;
    let way = |socket: PathBuf| PortTarget { socket, to };
    match forward {
        ForwardArgs { leave: Some(socket), .. } => forward::leave(&way(socket.clone())).map(|()| 0),
        ForwardArgs { stay: Some(socket), .. } => forward::stay(&way(socket.clone())).map(|()| 0),
        ForwardArgs { way: pair, words, .. } => {
            let pair = pair.as_ref().and_then(|pair| pair.to_str()?.split_once('='));
            let pair = pair.and_then(|(port, socket)| Some((parse_port(port.as_bytes())?, PathBuf::from(socket))));
            let (port, socket) = pair.ok_or_else(usage)?;
            Err(forward::become_behind(port, &way(socket), words))
        }
    }
}

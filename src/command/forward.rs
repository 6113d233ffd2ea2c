//! `ai forward PORT=SOCKET -- CMD…`, in the container: leads a port of its loopback to a socket, and becomes the command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::peer::parse_port;
use crate::host::guard::forward;

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
    #[arg(last = true, value_name = "CMD")]
    pub words: Vec<OsString>,
}

pub fn run(forward: &ForwardArgs) -> Result<u8> {
    match forward {
        ForwardArgs { leave: Some(socket), .. } => forward::leave(socket).map(|()| 0),
        ForwardArgs { stay: Some(socket), .. } => forward::stay(socket).map(|()| 0),
        ForwardArgs { way, words, .. } => {
            let way = way.as_ref().and_then(|way| way.to_str()?.split_once('='));
            let way = way.and_then(|(port, socket)| Some((parse_port(port.as_bytes())?, PathBuf::from(socket))));
            let (port, socket) = way.ok_or_else(|| Failure::new(Kind::Usage, "cannot forward: it takes PORT=SOCKET and a command"))?;
            Err(forward::become_behind(port, &socket, words))
        }
    }
}

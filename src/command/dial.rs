//! `ai dial HOST PORT`, in the container: a tunnel out, for ssh.

use clap::Args;

use crate::core::failure::Result;
use crate::host::guard::forward;

#[derive(Debug, Args)]
pub struct DialArgs {
    pub host: String,
    pub port: u16,
}

pub fn run(dial: &DialArgs) -> Result<u8> {
    forward::dial(&dial.host, dial.port).map(|()| 0)
}

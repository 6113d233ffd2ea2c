//! `ai guard SESSION -- CMD…`: starts the helper of a guarded run beside itself, and becomes the command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::host::Host;
use crate::host::guard::helper;
use crate::session::{renew, secrets};

#[derive(Debug, Args)]
pub struct GuardArgs {
    /// Become the client without a helper where the session was not begun, or none starts
    #[arg(long)]
    pub optional: bool,
    pub session: SessionId,
    /// The engine's client with its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub words: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct HelperArgs {
    /// Renew a login instead: the place is its tool
    #[arg(long)]
    pub renew: bool,
    pub place: PathBuf,
}

pub fn run(guard: &GuardArgs) -> Result<u8> {
    let host = Host::new().map_err(|failure| Failure { kind: Kind::NotStarted, ..failure })?;
    Err(helper::beside(&host, &guard.session, &guard.words, guard.optional, secrets::value))
}

/// Is the helper, or renews a login for one.
pub fn serve(helper: &HelperArgs) -> Result<u8> {
    if helper.renew {
        return renew::renew(&helper.place.to_string_lossy()).map(|()| 0);
    }
    helper::serve(&Host::new()?, &helper.place).map(|()| 0)
}

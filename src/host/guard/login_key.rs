//! The token of a login that stays outside: read for each request, renewed by the tool itself before it ends.

use std::collections::BTreeMap;
use std::io;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::core::guard::key::{Credential, LoginPlaces, NEAR};
use crate::core::tool::Tool;
use crate::host::machine::process;
use crate::host::store::login::LoginStore;
use crate::host::{Host, now};

/// How long a renewal may take, its wait for those of other sessions included.
const PATIENCE: Duration = Duration::from_secs(120);
/// Seconds until a renewal that changed nothing is tried again.
const PAUSE: u64 = 5;

pub struct LoginKey {
    tool: String,
    at: LoginPlaces,
    place: LoginStore,
    renews: bool,
    /// When a renewal was tried last.
    tried: Mutex<u64>,
}

impl LoginKey {
    pub fn new(host: &Host, tool: &str, at: &LoginPlaces) -> io::Result<Self> {
        let gone = || io::Error::other(format!("{tool} has no login any more"));
        let known = Tool::load(tool, |name| host.manifest(name)).ok().flatten().ok_or_else(gone)?;
        let place = LoginStore::of(&known, host, &host.store).ok_or_else(gone)?;
        let renews = !known.manifest.keys.renew.is_empty();
        Ok(Self { tool: tool.to_owned(), at: at.clone(), place, renews, tried: Mutex::default() })
    }

    /// Returns what is put in now, renewed if it is near its end; `None` where there is none that is good.
    pub fn credential(&self) -> Option<Credential> {
        if self.renews && ends_within(&self.place, NEAR) {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            // Who waited finds it done.
            if ends_within(&self.place, NEAR) && now() >= *tried + PAUSE {
                let mut command = process::command(process::this_program().ok()?);
                command.args(["__guard", "--renew", &self.tool]).stderr(Stdio::null());
                // What became of it is what is there now.
                let _ = process::wait_within(command, PATIENCE);
                *tried = now();
            }
        }
        let document = self.place.files().ok()?.remove(self.place.main())?;
        self.at.find(&document).filter(|_| !ends_within(&self.place, 0))
    }
}

/// Returns the places of a tool's login at which a token is, of those that its manifest names.
pub fn held(host: &Host, tool: &Tool) -> Vec<String> {
    let places: Vec<&String> = tool.manifest.keys.from.iter().map(|way| &way.login).filter(|at| !at.is_empty()).collect();
    let document = || {
        let place = LoginStore::of(tool, host, &host.store)?;
        place.files().ok()?.remove(place.main())
    };
    let Some(document) = (!places.is_empty()).then(document).flatten() else { return Vec::new() };
    let has = |at: &&&String| LoginPlaces { token: (**at).clone(), also: BTreeMap::new() }.find(&document).is_some();
    places.iter().filter(has).map(|at| (*at).clone()).collect()
}

/// Returns whether a login ends in so many seconds, as far as it says so.
pub fn ends_within(place: &LoginStore, seconds: u64) -> bool {
    let found = place.look().ok().flatten();
    found.and_then(|found| found.login.expires).is_some_and(|end| end <= now() + seconds)
}

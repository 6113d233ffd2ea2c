//! What is done for a tool's login before and after each run. Never changes the login, and never takes away a tool's lock.

use std::time::Duration;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::{Lease, SessionId};
use crate::core::login::backup::By;
use crate::core::login::{Validity, turn};
use crate::core::store::Store;
use crate::core::tool::{Purpose, Tool};
use crate::host::output;
use crate::host::store::hold;
use crate::host::store::lease;
use crate::host::store::login::LoginStore;
use crate::host::{self, Host};
use crate::session::context::Context;

/// Before a run whose lease is written: warns about a broken login, and waits for the session's turn where it needs one.
pub fn before(context: &Context, store: &Store, session: &SessionId, image: &str) -> Result<()> {
    let Context { host, tool, .. } = context;
    let Some(place) = LoginStore::of(tool, host, store) else { return Ok(()) };
    if tool.purpose != Purpose::Login {
        warn(&tool.name, &place);
    }
    let version = host::store::image::version(store, image, &tool.base);
    let login = place.look().ok().flatten().map(|found| found.login);
    if !login.is_some_and(|login| turn::is_needed(&tool.manifest, version.as_deref(), &login)) {
        return Ok(());
    }
    let Some(holder) = hold::retry_until_free(PATIENCE, || take(store, &tool.name, session))? else { return Ok(()) };
    let (version, oldest) = (version.unwrap_or_default(), tool.manifest.min_version.as_deref().unwrap_or_default());
    Err(Failure::new(Kind::Busy, format!("cannot start {}: session {} in {} is running", tool.name, holder.session, holder.root))
        .because(format!("{} {version} loses a login that two sessions share; {oldest} does not", tool.name))
        .hint("end the other session, or update the image: ai image build"))
}

/// How long a session waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes the turn of this tool, or names the live session that has it.
fn take(store: &Store, tool: &str, session: &SessionId) -> Result<Option<Lease>> {
    let _lock = hold::store(store)?;
    let path = store.turn(tool);
    let holder =
        host::fs::files::read_text(&path)?.and_then(|text| text.trim().parse().ok()).and_then(|holder| lease::read(store, &holder));
    match holder.filter(|holder| holder.session != *session && lease::is_owner_alive(holder)) {
        Some(holder) => Ok(Some(holder)),
        None => {
            host::fs::files::write_private(&path, session.as_str().as_bytes())?;
            Ok(None)
        }
    }
}

/// Names each file of the login that the tool will not be able to read.
fn warn(tool: &str, place: &LoginStore) {
    let files = match place.files() {
        Ok(files) => files,
        Err(error) => return output::warn(&format!("cannot read the login of {tool} in `{}`: {error}", place.directory().display())),
    };
    for (name, bytes) in &files {
        let path = place.directory().join(name);
        let is_main = name == place.main();
        let login = place.read(bytes);
        let bad = match login.validity {
            _ if place.is_blank(&login) => continue,
            Validity::Torn if name.ends_with(".json") => "is no valid JSON",
            Validity::Empty if is_main || bytes.is_empty() => "holds no login",
            _ => continue,
        };
        let fix = if is_main {
            format!("ai creds restore {tool} --last-good, or ai login {tool}")
        } else {
            "remove it; the tool makes a new one".into()
        };
        output::warn(&format!("`{}` of {tool} {bad}; hint: {fix}", path.display()));
    }
}

/// After a run: keeps the login if it is good and was renewed. What `ai login` left is kept by `ai login`, as the person's own.
pub fn after(host: &Host, store: &Store, tool: &Tool) {
    if tool.purpose == Purpose::Login {
        return;
    }
    let Some(place) = LoginStore::of(tool, host, store) else { return };
    if let Err(error) = place.keep_good(By::Run) {
        output::warn(&format!("cannot keep a backup of the login of {}: {error}", tool.name));
    }
}

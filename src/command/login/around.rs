//! What is done for a tool's login before and after each run. Never changes the login, and never takes away a tool's lock.

use std::time::Duration;

use crate::command::Context;
use crate::creds::turn::{self, Turn};
use crate::creds::{Login, Validity};
use crate::failure::{Failure, Kind, Result};
use crate::host::guard::{self, Guard};
use crate::host::login::Place;
use crate::host::{self, Host, state};
use crate::output;
use crate::session::{Lease, SessionId};
use crate::store::Store;
use crate::tool::Tool;

/// Before a run whose lease is written: warns about a broken login, and waits for the session's turn where it needs one.
pub fn before(context: &Context, store: &Store, session: &SessionId, image: &str) -> Result<()> {
    let Context { host, tool, .. } = context;
    let Some(place) = Place::of(tool, host, store) else { return Ok(()) };
    warn(&tool.name, &place);
    let turn = || {
        let login = place.look().ok().flatten()?.login;
        let version = host::image_version(store, image, &tool.base);
        turn::needed(&tool.manifest, version.as_deref(), &login, host::now())
    };
    let Some(first) = turn() else { return Ok(()) };
    let waited = guard::wait(PATIENCE, || {
        let Some(now) = turn() else { return Ok(None) };
        take(store, &tool.name, session).map(|holder| holder.map(|holder| (now, holder)))
    })?;
    let Some((_, holder)) = waited else { return Ok(()) };
    match first {
        Turn::Alone => {
            Err(Failure::new(Kind::Busy, format!("cannot start {}: session {} in {} is running", tool.name, holder.session, holder.root))
                .because(format!("the image has a version that loses a shared login; from {} on it does not", oldest(tool)))
                .hint("end the other session, or update the image: ai image build"))
        }
        Turn::Renewal => {
            output::warn(&format!("the login of {} is due, and session {} has not renewed it yet; going on", tool.name, holder.session));
            Ok(())
        }
    }
}

/// How long a session waits for another one. A renewal takes a second or two.
const PATIENCE: Duration = Duration::from_secs(20);

fn oldest(tool: &Tool) -> &str {
    tool.manifest.min_version.as_deref().unwrap_or("a later one")
}

/// Takes the turn of this tool, or names the live session that has it.
fn take(store: &Store, tool: &str, session: &SessionId) -> Result<Option<Lease>> {
    let _guard = Guard::acquire(store)?;
    let path = store.turn(tool);
    let holder = host::files::read_text(&path)?.and_then(|text| text.trim().parse().ok()).and_then(|holder| state::lease(store, &holder));
    match holder.filter(|holder| holder.session != *session && state::is_live(holder)) {
        Some(holder) => Ok(Some(holder)),
        None => {
            host::files::write_private(&path, session.as_str().as_bytes())?;
            Ok(None)
        }
    }
}

/// Names each file of the login that the tool will not be able to read.
fn warn(tool: &str, place: &Place) {
    let files = match place.files() {
        Ok(files) => files,
        Err(error) => return output::warn(&format!("cannot read the login of {tool} in `{}`: {error}", place.directory().display())),
    };
    for (name, bytes) in &files {
        let path = place.directory().join(name);
        let is_main = name == place.main();
        let bad = match Login::read(bytes).validity {
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

/// After a run: keeps the login if it is good and was renewed.
pub fn after(host: &Host, store: &Store, tool: &str) {
    let Ok(Some(tool)) = Tool::load(tool, |name| host.manifest(name)) else { return };
    let Some(place) = Place::of(&tool, host, store) else { return };
    // Sessions that end together would take one number twice; who comes second finds nothing new to keep.
    let kept = Guard::acquire(store).and_then(|_guard| Ok(place.keep_good()?));
    if let Err(failure) = kept {
        output::warn(&format!("cannot keep a backup of the login of {}: {failure}", tool.name));
    }
}

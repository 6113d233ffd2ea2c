//! The volume for a login, on engines where locks on shared folders were seen to fail.

use std::ffi::OsString;
use std::time::Duration;

use crate::facts::{Engine, User};
use crate::failure::{Failure, Kind, Result};
use crate::host::process;
use crate::plan::mount::{Access, Mount};
use crate::plan::{Flag, SHARED, argv, login_volume};
use crate::store::Store;
use crate::tool::Tool;
use crate::workspace::ContainerPath;

/// Makes the volume of `tool`, labelled as ours, unless it is there. A new one belongs to root: a container makes the
/// login's directory in it, gives it to the user, and takes over the login that the store has, which nobody uses then.
pub fn ensure(engine: &Engine, store: &Store, image: &str, tool: &Tool, user: &User) -> Result<()> {
    let (Some(state), true) = (&tool.manifest.state, engine.locks_fail()) else { return Ok(()) };
    let program = super::program(engine)?.as_os_str();
    let name = login_volume(&tool.name);
    if process::output(program, &["volume", "inspect", &name])?.0.success() {
        return Ok(());
    }
    let failed = |stderr: &[u8]| {
        Failure::new(Kind::Unavailable, format!("cannot make the volume {name}")).because(String::from_utf8_lossy(stderr)).hint("ai doctor")
    };
    let labels = [format!("ai.owner={}", user.uid), format!("ai.tool={}", tool.name)];
    let (status, _, stderr) = process::output(program, &["volume", "create", "--label", &labels[0], "--label", &labels[1], &name])?;
    if !status.success() {
        return Err(failed(&stderr));
    }
    let mut argv: Vec<OsString> =
        ["run", "--rm", "--pull", "never", "--network", "none", "--log-driver", "none", "--user", "0:0"].map(OsString::from).into();
    argv.extend(argv::words(&Flag::Volume { name: name.clone(), target: ContainerPath::new(SHARED) }, engine.kind));
    let shared = store.shared(&tool.name);
    if shared.is_dir() {
        argv.extend(argv::words(&Flag::Mount(Mount::bind(shared, ContainerPath::new(FROM), Access::ReadOnly)), engine.kind));
    }
    let script =
        "mkdir -p \"$1\" && { [ ! -d \"$3\" ] || cp -a \"$3/.\" \"$1/\"; } && chown -Rh \"$2\" /ai/shared && chmod 0700 /ai/shared \"$1\"";
    argv.extend(["--entrypoint", "sh", image, "-c", script, "sh", &state.login.at].map(OsString::from));
    let from = state.login.at.strip_prefix(SHARED).unwrap_or_default();
    argv.extend([format!("{}:{}", user.uid, user.gid), format!("{FROM}{from}")].map(OsString::from));
    let (status, _, stderr) = process::output_within(program, &argv, PATIENCE)?;
    if status.success() {
        return Ok(());
    }
    // Half a volume would be taken for a whole one by the next run.
    process::output(program, &["volume", "rm", "--force", &name])?;
    Err(failed(&stderr))
}

/// Where the store's own directory is, while the volume is filled.
const FROM: &str = "/from";
/// Longest time that filling may take.
const PATIENCE: Duration = Duration::from_secs(60);

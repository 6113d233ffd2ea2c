//! The volume for a login, on engines where locks on shared folders were seen to fail.

use std::path::PathBuf;

use crate::facts::Engine;
use crate::failure::{Failure, Kind, Result};
use crate::host::process;
use crate::plan::{SHARED, login_volume};
use crate::tool::Tool;

/// Makes the volume of `tool`, labelled as ours, unless it is there. A new one belongs to root: a container makes the
/// directories that the tool will look for, and gives them to the user.
pub fn ensure(engine: &Engine, image: &str, tool: &Tool, uid: u32, gid: u32) -> Result<()> {
    let (Some(state), true) = (&tool.manifest.state, engine.locks_fail()) else { return Ok(()) };
    let program = super::program(engine)?.as_os_str();
    let name = login_volume(&tool.name);
    if process::output(program, &["volume", "inspect", &name])?.0.success() {
        return Ok(());
    }
    let failed = |stderr: &[u8]| {
        Failure::new(Kind::Unavailable, format!("cannot make the volume {name}")).because(String::from_utf8_lossy(stderr)).hint("ai doctor")
    };
    let owner = format!("ai.owner={uid}");
    let label = format!("ai.tool={}", tool.name);
    let (status, _, stderr) = process::output(program, &["volume", "create", "--label", &owner, "--label", &label, &name])?;
    if !status.success() {
        return Err(failed(&stderr));
    }
    let login = PathBuf::from(&state.login.at);
    let directories = state.over.iter().map(|path| login.join(path)).chain([login.clone()]);
    let links = state.login_links.iter().map(|(link, target)| (login.join(link), target));
    let mut script = String::from("set -e; owner=$1; shift; while [ \"$1\" != -- ]; do mkdir -p \"$1\"; shift; done; shift\n");
    script.push_str("while [ $# -gt 0 ]; do ln -s \"$2\" \"$1\"; shift 2; done; chown -Rh \"$owner\" /ai/shared; chmod 0700 /ai/shared");
    let mount = format!("type=volume,source={name},target={SHARED}");
    let mut args: Vec<String> =
        ["run", "--rm", "--pull", "never", "--network", "none", "--log-driver", "none", "--user", "0:0"].map(str::to_owned).into();
    args.extend([
        "--mount".into(),
        mount,
        "--entrypoint".into(),
        "sh".into(),
        image.into(),
        "-c".into(),
        script,
        "sh".into(),
        format!("{uid}:{gid}"),
    ]);
    args.extend(directories.map(|path| path.display().to_string()));
    args.push("--".into());
    args.extend(links.flat_map(|(link, target)| [link.display().to_string(), target.clone()]));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (status, _, stderr) = process::output(program, &args)?;
    if status.success() {
        return Ok(());
    }
    // Half a volume would be taken for a whole one by the next run.
    process::output(program, &["volume", "rm", "--force", &name])?;
    Err(failed(&stderr))
}

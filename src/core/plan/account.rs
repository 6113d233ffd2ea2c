//! Whose account a run uses: a variable by which the caller chooses another one is never passed over.

use std::path::Path;

use crate::core::facts::Env;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::tool::Tool;

/// Fails where the caller's environment moves the tool's own directory: settings and login there are of another account than the
/// store's. A profile is an account of its own, which its name has chosen.
pub fn check(tool: &Tool, env: &Env, home: Option<&Path>, store: &Path) -> Result<()> {
    let Some(name) = tool.manifest.account_env.as_deref().filter(|_| tool.name == tool.base) else { return Ok(()) };
    let (Some(value), Some(home)) = (env.text(name), home) else { return Ok(()) };
    let usual = tool.host_directory().map(|below| home.join(below));
    // Gemini's variable names the directory above its own.
    if usual.is_some_and(|usual| Path::new(value) == usual || usual.parent() == Some(Path::new(value))) {
        return Ok(());
    }
    let store = store.join("tools").join(format!("{}-NAME.toml", tool.name));
    let failure = Failure::new(Kind::Config, format!("cannot tell whose account {} is to use: {name} is `{value}`", tool.name));
    Err(failure.because("containers use the store's own login and settings, which are of another directory").hint(format!(
        "unset {name}; for an account of its own write profile_of = \"{}\" into {}, then ai login {}-NAME",
        tool.name,
        store.display(),
        tool.name
    )))
}

//! What is left to a race: a directory that another session's container can rename may be exchanged after it was looked at. It is
//! compared by device and inode from inside, before anything of the tool or the project runs; another one ends the run.

use std::ffi::OsString;
use std::path::Path;

use crate::core::engine::Product;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::mount::MountSource;
use crate::core::plan::{Part, Parts};

/// Compares each place with what it must be, then becomes the command. An image without `stat` starts nothing.
const SCRIPT: &str = r#"while [ "$1" != -- ]; do
if [ "$(stat -c %d:%i "$2")" != "$1" ]; then echo "ai: cannot start: $2 is not the directory that was looked at; hint: end the other session (ai ps), and look at the project" >&2; exit 78; fi
shift 2; done; shift; exec "$@""#;

/// Returns the command behind the comparison that these mounts need; the command itself where no session can rename a source.
///
/// # Errors
/// Where a source that could be renamed was not there to be looked at.
pub(super) fn behind(command: Vec<OsString>, parts: &Parts, facts: &Facts) -> Result<Vec<OsString>> {
    // In a machine of its own, an engine shows numbers of its own file system.
    if facts.engine.product != Product::Native {
        return Ok(command);
    }
    let mut words: Vec<OsString> = vec!["sh".into(), "-c".into(), SCRIPT.into(), "sh".into()];
    let plain = words.len();
    for reasoned in &parts.0 {
        let Part::Mount(mount) = &reasoned.part else { continue };
        let MountSource::Workspace(judged) = &mount.source else { continue };
        if !can_be_renamed(&judged.path, facts) {
            continue;
        }
        let identity = facts.identity(&judged.path).ok_or_else(|| {
            Failure::new(Kind::Config, format!("cannot mount `{}`: it went away while it was looked at", judged.path.display()))
                .hint("ai ps")
        })?;
        words.extend([identity.into(), mount.target.as_os_str().to_owned()]);
    }
    if words.len() == plain {
        return Ok(command);
    }
    words.push("--".into());
    words.extend(command);
    Ok(words)
}

/// Whether a container that may still run has a directory above this one.
pub fn can_be_renamed(path: &Path, facts: &Facts) -> bool {
    facts.session_roots.iter().any(|root| path != root && path.starts_with(root))
}

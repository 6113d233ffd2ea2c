//! Programs named like the tools, for what knows no functions.

use std::path::{Path, PathBuf};

use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::visible::visible;
use crate::host::Host;
use crate::host::fs::files;
use crate::host::machine::{rc, shim};
use crate::host::output;

fn named(host: &Host, wanted: Option<&Path>) -> PathBuf {
    wanted.map_or_else(|| host.store.shims(), rc::absolute)
}

pub fn make(host: &Host, wanted: Option<&Path>, dry_run: bool) -> Result<u8> {
    let directory = named(host, wanted);
    let exe = host.exe();
    let name = super::exe(host)?;
    let failed = |error: std::io::Error| Failure::new(Kind::General, format!("cannot write in `{}`", directory.display())).because(error);
    if !dry_run {
        files::private_dir(&directory).map_err(failed)?;
    }
    for tool in host.tool_names() {
        let path = directory.join(&tool);
        if dry_run {
            output::line(&visible(&format!("{}: {name} run {tool}", path.display())))?;
        } else if !shim::make(&path, &exe, &shim::script(&name, &tool)).map_err(failed)? {
            output::warn(&format!("`{}` is something else and stays", path.display()));
        }
    }
    if !dry_run {
        output::note(&format!("put {} first on the PATH of what should run the tools in containers", directory.display()));
    }
    Ok(0)
}

pub fn remove(host: &Host, wanted: Option<&Path>, dry_run: bool) -> Result<u8> {
    let directory = named(host, wanted);
    let exe = host.exe();
    let shims = shim::all(&directory, &exe);
    if shims.is_empty() {
        output::note(&format!("nothing to do: nothing in {} leads to ai", directory.display()));
    }
    for path in shims {
        if dry_run {
            output::line(&visible(&path.display().to_string()))?;
        } else {
            shim::remove(&path)
                .map_err(|error| Failure::new(Kind::General, format!("cannot remove `{}`", path.display())).because(error))?;
            output::note(&format!("removed {}", path.display()));
        }
    }
    Ok(0)
}

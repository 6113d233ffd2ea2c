//! Links named like the tools, for what knows no functions.

use std::path::{Path, PathBuf};

use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::visible::visible;
use crate::host::Host;
use crate::host::fs::files;
use crate::host::machine::rc;
use crate::host::output;

fn named(host: &Host, wanted: Option<&Path>) -> PathBuf {
    wanted.map_or_else(|| host.store.shims(), rc::absolute)
}

pub fn make(host: &Host, wanted: Option<&Path>, dry_run: bool) -> Result<u8> {
    let directory = named(host, wanted);
    let exe = host.exe();
    let failed =
        |error: std::io::Error| Failure::new(Kind::General, format!("cannot make links in `{}`", directory.display())).because(error);
    if !dry_run {
        files::private_dir(&directory).map_err(failed)?;
    }
    for tool in host.tool_names() {
        let link = directory.join(&tool);
        if dry_run {
            output::line(&visible(&format!("{} -> {}", link.display(), exe.display())))?;
        } else if !rc::make_link(&link, &exe).map_err(failed)? {
            output::warn(&format!("`{}` is something else and stays", link.display()));
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
    let links = rc::links_to(&directory, &exe);
    if links.is_empty() {
        output::note(&format!("nothing to do: no link in {} leads to ai", directory.display()));
    }
    for link in links {
        if dry_run {
            output::line(&visible(&link.display().to_string()))?;
        } else {
            rc::remove_link(&link)
                .map_err(|error| Failure::new(Kind::General, format!("cannot remove `{}`", link.display())).because(error))?;
            output::note(&format!("removed {}", link.display()));
        }
    }
    Ok(0)
}

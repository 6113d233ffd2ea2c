//! `ai creds import`: the host's own login goes into the store, once.

use std::path::{Path, PathBuf};

use super::{cannot, load, nobody_runs, place};
use crate::core::failure::Result;
use crate::core::login::backup::{By, Why};
use crate::core::login::import::{self, Decision, ImportReason};
use crate::host::fs::files;
use crate::host::store::hold;
use crate::host::{Host, output};
use crate::session::context::same_account;

pub fn import(host: &Host, name: &str, from: Option<PathBuf>, replace: bool) -> Result<u8> {
    let place = place(host, name)?;
    if from.is_none() {
        same_account(host, &load(host, name)?)?;
    }
    let _lock = hold::store(&host.store)?;
    let path = match (from, place.host_directory()) {
        (Some(path), _) if !files::is_directory(&path) => path,
        (Some(directory), _) => directory.join(place.main()),
        (None, Some(directory)) => directory.join(place.main()),
        (None, None) => return Err(cannot("import", name, "it is not known where the host keeps it").hint("--from PATH")),
    };
    let found = place.look_at(&path).map_err(|error| cannot("import", name, format!("`{}`: {error}", path.display())))?;
    let Some(found) = found else {
        return Err(cannot("import", name, format!("`{}` is not there", path.display())).hint(format!("ai login {name}")));
    };
    let store = place.look().map_err(|error| cannot("read", name, error))?;
    let kept = place.backups().map_err(|error| cannot("read", name, error))?;
    let parent = path.parent().unwrap_or(Path::new("/")).to_owned();
    // A file of another name is by itself: what is beside it may be anybody's.
    let is_alone = path.file_name().is_none_or(|name| name != place.main());
    let files = || -> std::io::Result<_> {
        let mut files = std::collections::BTreeMap::new();
        for name in place.names().iter().filter(|name| !is_alone || *name == place.main()) {
            let from = if is_alone { path.clone() } else { parent.join(name) };
            files.extend(files::read_own(&from)?.map(|(bytes, _)| (name.clone(), bytes)));
        }
        Ok(files)
    };
    match import::decide(&found.login, store.as_ref().map(|store| &store.login), &kept, replace) {
        Decision::Same => output::note(&format!("the store has this login of {name} already; {}", only_once(&path))),
        Decision::Refuse(reason) => return Err(cannot("import", name, refusal(reason)).hint(way_out(reason, name))),
        Decision::Keep(_) => {
            let backup =
                files().and_then(|files| place.keep(&files, Why::Loser, By::Person, &kept)).map_err(|error| cannot("keep", name, error))?;
            output::note(&format!(
                "the store's login of {name} is newer and stays; the host's is kept as {backup}; --replace takes it anyway"
            ));
        }
        Decision::Adopt => {
            nobody_runs(host, name, "import")?;
            let failed = |error| cannot("import", name, error);
            place.keep_good(By::Run).map_err(failed)?;
            let before = place.snapshot().map_err(failed)?;
            place.replace(&files().map_err(failed)?).map_err(failed)?;
            place.keep_good(By::Person).map_err(failed)?;
            if let Some(before) = before {
                output::note(&format!("what the store had is kept as {before}"));
            }
            output::note(&format!("the login of {name} is now the store's own; {}", only_once(&path)));
        }
    }
    Ok(0)
}

/// Refresh tokens work once: whoever renews first logs the other out.
fn only_once(path: &Path) -> String {
    format!("do not use `{}` any more: the first of two copies that renews logs the other out", path.display())
}

fn refusal(reason: ImportReason) -> String {
    match reason {
        ImportReason::HostIsNotGood(validity) => format!("the host's holds none ({validity:?})").to_lowercase(),
        ImportReason::HostIsOlder => {
            "the store's came out of it and has been renewed since; the host's would be refused by its server".into()
        }
        ImportReason::OtherAccount => "it is of another account than the store's".into(),
        ImportReason::StoreIsNewer => "the store's is newer".into(),
    }
}

fn way_out(reason: ImportReason, name: &str) -> String {
    match reason {
        ImportReason::OtherAccount | ImportReason::StoreIsNewer => format!("ai creds import {name} --replace"),
        ImportReason::HostIsNotGood(_) | ImportReason::HostIsOlder => format!("ai login {name}"),
    }
}

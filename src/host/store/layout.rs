//! The layout of the store: which one is there, and how an older one becomes this one.
//!
//! Every step is a rename, and finds out by itself whether it was done: whoever dies in the middle is finished by the next. The number
//! is written last. One process at a time does it, under the store's lock.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, RenameFlags};
use rustix::io::Errno;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::store::{LAYOUT, Store};
use crate::core::sync::Reading;
use crate::host::fs::files::{private_dir, write_private};
use crate::host::fs::lock::{self, LockError};
use crate::host::fs::look::Look;
use crate::host::fs::{self, Absent, slot::slot, tree};
use crate::host::output;

/// What of the first layout is set aside: containers of every project could write it.
const FIRST: &str = "sync/quarantine/layout-1";

/// Returns the number of the layout that the store has; 1 where nobody wrote one.
fn number(store: &Store) -> u32 {
    let slot = slot(store.root(), Path::new("layout"), Absent::Leave).ok().flatten();
    match slot.map(|slot| slot.read(64)) {
        Some(Ok(Reading::File { bytes, .. })) => String::from_utf8_lossy(&bytes).trim().parse().unwrap_or(1),
        _ => 1,
    }
}

/// Fails if a newer program made the store.
pub fn check(store: &Store) -> Result<()> {
    let number = number(store);
    if number <= LAYOUT {
        return Ok(());
    }
    let path = store.root().display();
    let message = format!("cannot use the store `{path}`: a newer `ai` made it (layout {number}, and this program knows {LAYOUT})");
    Err(Failure::new(Kind::Config, message).hint("use the newer program, or another store: AI_HOME=/an/absolute/path"))
}

/// Brings an older store to this layout. A store that cannot be written stays as it is: whoever prepares a run says so.
pub fn upgrade(store: &Store) -> Result<()> {
    check(store)?;
    if number(store) == LAYOUT {
        return Ok(());
    }
    // A new store has nothing to bring over.
    if !store.root().join("global_state").is_there() {
        return begin(store).or_else(|error| if is_closed(&error) { Ok(()) } else { Err(cannot(store, &error)) });
    }
    let _lock = match lock::acquire(&store.root().join("sync"), lock::WAIT) {
        Ok(lock) => lock,
        Err(busy @ LockError::Busy { .. }) => return Err(Failure::new(Kind::Busy, busy.to_string()).hint("try again in a moment")),
        Err(_) => return Ok(()),
    };
    if number(store) == LAYOUT {
        return Ok(());
    }
    match steps(store) {
        Ok(()) => Ok(()),
        Err(error) if is_closed(&error) => Ok(()),
        Err(error) => Err(cannot(store, &error)),
    }
}

fn cannot(store: &Store, error: &io::Error) -> Failure {
    let message = format!("cannot bring the store `{}` to its new layout", store.root().display());
    Failure::new(Kind::General, message).because(error).hint("ai doctor")
}

fn begin(store: &Store) -> io::Result<()> {
    private_dir(store.root())?;
    write_private(&store.layout(), format!("{LAYOUT}\n").as_bytes())
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | StorageFull | QuotaExceeded)
}

fn steps(store: &Store) -> io::Result<()> {
    let known_hosts = Path::new("global_state/ssh/known_hosts");
    let had_hosts =
        matches!(slot(store.root(), known_hosts, Absent::Leave)?.map(|slot| slot.read(1 << 20)), Some(Ok(Reading::File { .. })));
    for (name, aside) in [("global_state/ssh", "ssh"), ("global_state/gh", "gh")] {
        move_to(store, name, &format!("{FIRST}/{aside}"))?;
    }
    // A login of gh's goes on; what else a container may have written beside it, such as an alias that runs something, does not.
    let gh = slot(store.root(), &Path::new(FIRST).join("gh/hosts.yml"), Absent::Leave)?;
    if let Some(Ok(Reading::File { bytes, .. })) = gh.map(|slot| slot.read(1 << 20)) {
        private_dir(&store.gh())?;
        write_private(&store.gh().join("hosts.yml"), &bytes)?;
    }
    // What is made from the host's own settings is made anew.
    for project in names(store, "global_state/git")?.into_iter().filter(|name| !name.ends_with(".host")) {
        move_to(store, &format!("global_state/git/{project}"), &format!("global_state/projects/{project}/git"))?;
    }
    for tool in names(store, "global_state")? {
        for name in ["cache", "marketplaces"] {
            let plugins = format!("global_state/{tool}/shared/plugins/{name}");
            move_to(store, &plugins, &format!("global_state/{tool}/plugins/{name}"))?;
        }
    }
    begin(store)?;
    if had_hosts {
        output::note(&format!(
            "hosts that containers came to know are of one project each from now on; those of before are in `{FIRST}/ssh`"
        ));
    }
    Ok(())
}

/// Names of the directories in a directory of the store. A link is none.
fn names(store: &Store, below: &str) -> io::Result<Vec<String>> {
    let Some(dir) = fs::enter(store.root(), Path::new(below), Absent::Leave)? else { return Ok(Vec::new()) };
    let names = fs::names(&dir, &store.root().join(below))?;
    Ok(names.into_iter().filter(|name| kind(&dir, name) == Some(FileType::Directory)).filter_map(|name| name.into_string().ok()).collect())
}

fn kind(dir: &rustix::fd::OwnedFd, name: &OsStr) -> Option<FileType> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok().map(|stat| FileType::from_raw_mode(stat.st_mode))
}

/// Renames a directory of the store, following no link, unless it is not there or something has the new name.
pub fn move_to(store: &Store, from: &str, to: &str) -> io::Result<()> {
    let (from, to) = (Path::new(from), Path::new(to));
    let (Some(parent), Some(name), Some(new_parent), Some(new)) = (from.parent(), from.file_name(), to.parent(), to.file_name()) else {
        return Ok(());
    };
    // What is no directory on the way was put there by a container, and is of no use to anybody.
    let Ok(Some(source)) = fs::enter(store.root(), parent, Absent::Leave) else { return Ok(()) };
    if kind(&source, name) != Some(FileType::Directory) {
        return Ok(());
    }
    let Some(target) = fs::enter(store.root(), new_parent, Absent::Make)? else { return Ok(()) };
    match rustix::fs::renameat_with(&source, name, &target, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if kind(&target, new).is_none() => {
            Ok(rustix::fs::renameat(&source, name, &target, new)?)
        }
        Ok(()) | Err(Errno::EXIST | Errno::NOENT | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Gives a project that had plugins in the first layout, where all projects had the same, a copy of its own.
pub fn take_plugins(store: &Store, tool: &str, project: &str) -> io::Result<()> {
    let old = store.tool(tool).join("plugins");
    let (partition, home) = (store.project(tool, project), Path::new("home/plugins"));
    if !old.leads_to_directory() || !has_plugins(&partition)? {
        return Ok(());
    }
    for name in names(store, &format!("global_state/{tool}/plugins"))? {
        let Ok(Some(dir)) = fs::enter(&partition, home, Absent::Leave) else { return Ok(()) };
        let staged = tempfile::Builder::new().prefix(".plugins-").tempdir_in(&partition)?;
        tree::copy(&old.join(&name), &staged.path().join(&name))?;
        // Only an empty directory is replaced; another run of this project may have been quicker.
        match rustix::fs::renameat(rustix::fs::CWD, staged.path().join(&name), &dir, &name) {
            Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::ISDIR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether a project has plugins and none of their programs.
fn has_plugins(partition: &Path) -> io::Result<bool> {
    let Ok(Some(dir)) = fs::enter(partition, Path::new("home/plugins"), Absent::Leave) else { return Ok(false) };
    let is_empty = match fs::enter(partition, Path::new("home/plugins/cache"), Absent::Leave) {
        Ok(Some(cache)) => fs::names(&cache, partition)?.is_empty(),
        Ok(None) => true,
        Err(_) => false,
    };
    Ok(is_empty && kind(&dir, OsStr::new("installed_plugins.json")) == Some(FileType::RegularFile))
}

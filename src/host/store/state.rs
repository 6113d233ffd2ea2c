//! Makes a tool's state ready for a run: directories and links as the user, before the engine could make them as root.

use std::io;
use std::path::Path;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::core::container::{HOME, SHARED};
use crate::core::engine::kind::Engine;
use crate::core::facts::User;
use crate::core::lease::Lease;
use crate::core::person::is_plain;
use crate::core::store::Store;
use crate::core::tool::Tool;
use crate::core::workspace::Workspace;
use crate::host::fs::files::{private_dir, write, write_unsynced};
use crate::host::fs::shape::{Aside, Shaper};
use crate::host::fs::{self, Absent, open_to_all};
use crate::host::store::{layout, lease, project};
use crate::host::{Host, identity, person};

/// Makes everything that the plan of `tool` in `workspace` mounts, and writes the session's lease. Returns what was in the way.
pub fn prepare(host: &Host, store: &Store, engine: &Engine, tool: &Tool, workspace: &Workspace, lease: &Lease) -> io::Result<Vec<Aside>> {
    private_dir(&store.sessions())?;
    // First, so that what comes after it is found if we die.
    write_unsynced(&store.lease(&lease.session), &serde_json::to_vec(lease)?)?;
    let aside = store.aside();
    let mut shaper = Shaper::new(&aside);
    user_files(store, &person::user(&host.env, engine))?;
    own_state(store, &workspace.project, &workspace.root, &mut shaper)?;
    identity::prepare(host, store, workspace, engine)?;
    if tool.manifest.state.is_some() {
        tool_state(store, tool, workspace, &mut shaper)?;
        remove_stale(host, store, tool, lease);
    }
    Ok(shaper.found)
}

/// Makes the tool's home of a project alone, before any run. Returns what was in the way.
pub fn prepare_home(store: &Store, tool: &str, workspace: &Workspace) -> io::Result<Vec<Aside>> {
    let aside = store.aside();
    let mut shaper = Shaper::new(&aside);
    let (own, partition) = (store.own(&workspace.project), store.project(tool, &workspace.project));
    private_dir(&own)?;
    project::record(&own, &workspace.root)?;
    shaper.directory(&partition, "home")?;
    project::record(&partition, &workspace.root)?;
    Ok(shaper.found)
}

/// Makes what the errand of `tool` mounts, and writes its lease. Returns what was in the way.
pub fn prepare_errand(host: &Host, store: &Store, engine: &Engine, tool: &Tool, lease: &Lease) -> io::Result<Vec<Aside>> {
    private_dir(&store.sessions())?;
    // First, so that what comes after it is found if we die.
    write_unsynced(&store.lease(&lease.session), &serde_json::to_vec(lease)?)?;
    let aside = store.aside();
    let mut shaper = Shaper::new(&aside);
    user_files(store, &person::user(&host.env, engine))?;
    login(store, tool, &mut shaper)?;
    Ok(shaper.found)
}

/// Returns what the containers of one project may write of git, ssh and gh.
fn own_state(store: &Store, project: &str, root: &Path, shaper: &mut Shaper) -> io::Result<()> {
    let own = store.own(project);
    private_dir(&own)?;
    project::record(&own, root)?;
    for (name, files) in [("git", &["config"][..]), ("ssh", &["config", "known_hosts"])] {
        let dir = shaper.directory(&own, name)?;
        for file in files {
            shaper.file(&dir, file, &own.join(name).join(file))?;
        }
    }
    identity::gh(store, project, shaper)
}

fn tool_state(store: &Store, tool: &Tool, workspace: &Workspace, shaper: &mut Shaper) -> io::Result<()> {
    let Some(state) = &tool.manifest.state else { return Ok(()) };
    let (name, project) = (&tool.name, &workspace.project);
    login(store, tool, shaper)?;
    let (partition, at) = (store.project(name, project), store.home(name, project));
    let home = shaper.directory(&partition, "home")?;
    for path in &state.shared {
        shaper.below(home.try_clone()?, &at, path)?;
    }
    for path in &state.private {
        open_to_all(&shaper.below(home.try_clone()?, &at, path)?)?;
    }
    for path in &state.shared {
        common(store, name, path, shaper)?;
    }
    for (link, target) in &state.links {
        let path = Path::new(link);
        let dir = shaper.below(home.try_clone()?, &at, path.parent().unwrap_or(Path::new("")))?;
        // A file that a tool put in the place of a link stays: it may hold what nobody else has.
        match rustix::fs::symlinkat(target, &dir, path.file_name().unwrap_or_default()) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    layout::take_plugins(store, name, project)?;
    project::record(&partition, &workspace.root)
}

/// Removes locks that killed runs left in the home of a session, where no other one has that home: the tool would wait for them.
fn remove_stale(host: &Host, store: &Store, tool: &Tool, own: &Lease) {
    let paths = tool.manifest.state.iter().flat_map(|state| &state.stale);
    let is_another = |lease: &Lease| {
        (&lease.tool, &lease.project) == (&own.tool, &own.project) && lease.session != own.session && lease::is_owner_alive(lease)
    };
    for path in paths.map(Path::new).filter(|_| !lease::all(&host.store).iter().any(is_another)) {
        let parent = fs::enter(&store.home(&own.tool, &own.project), path.parent().unwrap_or(Path::new("")), Absent::Leave);
        if let (Ok(Some(parent)), Some(name)) = (parent, path.file_name()) {
            // Where it is none, or one that holds something, it is no lock, and the tool finds it.
            let _ = rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR);
        }
    }
}

/// The directory of a tool's login.
fn login(store: &Store, tool: &Tool, shaper: &mut Shaper) -> io::Result<()> {
    let Some(state) = &tool.manifest.state else { return Ok(()) };
    let root = store.tool(&tool.name);
    let login = state.login.at.strip_prefix(SHARED).map(|below| Path::new("shared").join(below.trim_start_matches('/')));
    let login = login.unwrap_or_else(|| "shared".into());
    let dir = shaper.directory(&root, &login)?;
    state.login.files.iter().try_for_each(|file| shaper.file(&dir, file, &root.join(&login).join(file)))
}

/// Returns a directory that a manifest shares between projects. In the first layout it was below what containers write.
fn common(store: &Store, tool: &str, path: &str, shaper: &mut Shaper) -> io::Result<()> {
    let common = store.common(tool, path);
    let below = |path: &Path| path.strip_prefix(store.root()).unwrap_or(path).to_string_lossy().into_owned();
    layout::move_to(store, &below(&store.shared(tool).join(path)), &below(&common))?;
    let (Some(parent), Some(name)) = (common.parent(), common.file_name()) else { return Ok(()) };
    shaper.directory(parent, name).map(drop)
}

/// passwd and group of the user in the container.
fn user_files(store: &Store, user: &User) -> io::Result<()> {
    let directory = store.user();
    private_dir(&directory)?;
    let User { uid, gid, name, groups, .. } = user;
    let mut passwd = format!("root:x:0:0:root:{}:/bin/sh\n", if *uid == 0 { HOME } else { "/root" });
    passwd.push_str("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
    if *uid != 0 {
        passwd.push_str(&format!("{name}:x:{uid}:{gid}:{name}:{HOME}:/bin/sh\n"));
    }
    let mut group = "root:x:0:\nnogroup:x:65534:\n".to_owned();
    if *gid != 0 {
        group.push_str(&format!("{name}:x:{gid}:\n"));
    }
    for other in groups {
        let other_name = other.name.clone().filter(|other| is_plain(other) && other != name);
        group.push_str(&format!("{}:x:{}:{name}\n", other_name.unwrap_or_else(|| format!("group-{}", other.id)), other.id));
    }
    // Readable by all, as everywhere: the engine's root reads them, and nothing secret is in them.
    write(&directory.join("passwd"), passwd.as_bytes(), 0o644)?;
    write(&directory.join("group"), group.as_bytes(), 0o644)?;
    Ok(())
}

//! What is let in and has a place in the store: caches of package managers, certificate authorities.

use std::io;
use std::path::{Path, PathBuf};

use crate::core::admit::authority;
use crate::core::admit::path::SYSTEM_AUTHORITIES;
use crate::core::container::CACHE;
use crate::core::plan::proxy::AUTHORITIES;
use crate::core::plan::{Part, Plan};
use crate::core::store::Store;
use crate::core::tool::Tool;
use crate::host::fs::files::{private_dir, read_own, write_private};
use crate::host::fs::look::Look;
use crate::host::fs::shape::{Shaper, empty_file};
use crate::host::machine::look;

/// Bundles of a system, by where it keeps them: Debian and Alpine, Fedora, macOS.
const SYSTEM: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Makes what `plan` mounts of these, and in a home that containers write the places of what is mounted over a part of it: the engine
/// would make them as root.
pub fn prepare(store: &Store, plan: &Plan, tool: &Tool, shaper: &mut Shaper) -> io::Result<()> {
    mount_points(store, plan, tool, shaper)?;
    of_plan(store, plan)
}

/// Makes the caches, the overlays and the bundle of authorities that `plan` mounts.
pub fn of_plan(store: &Store, plan: &Plan) -> io::Result<()> {
    let is_cache = |part: &Part| matches!(part, Part::Mount(mount) if mount.target.as_path() == Path::new(CACHE));
    for reasoned in plan.parts.iter().filter(|reasoned| is_cache(&reasoned.part)) {
        if let Part::Mount(mount) = &reasoned.part {
            // In the state of this run, which is not the plan's where the store cannot be written.
            let scope = mount.source.path().file_name().unwrap_or_default();
            private_dir(&store.cache(&scope.to_string_lossy()))?;
        }
    }
    for name in plan.overlays() {
        private_dir(&store.overlays(&plan.workspace.project).join(name))?;
    }
    if plan.authorities.is_empty() {
        return Ok(());
    }
    write_private(&store.user().join(AUTHORITIES), &bundle(&plan.authorities)?)
}

fn mount_points(store: &Store, plan: &Plan, tool: &Tool, shaper: &mut Shaper) -> io::Result<()> {
    let home = store.home(&tool.name, &plan.workspace.project);
    let mounts = || plan.parts.iter().filter_map(|reasoned| if let Part::Mount(mount) = &reasoned.part { Some(mount) } else { None });
    // The plan's store is not this one where that cannot be written.
    let of_home = Path::new(&tool.name).join("projects").join(&plan.workspace.project).join("home");
    let homes: Vec<&Path> = mounts().filter(|mount| mount.source.path().ends_with(&of_home)).map(|mount| mount.target.as_path()).collect();
    for mount in mounts() {
        let below = homes.iter().find_map(|home| mount.target.as_path().strip_prefix(home).ok());
        let Some((parent, name)) = below.and_then(|below| below.parent().zip(below.file_name())) else { continue };
        let dir = shaper.directory(&home, parent)?;
        if mount.source.path().leads_to_file() {
            empty_file(&dir, name)?;
        } else {
            shaper.below(dir, &home.join(parent), name)?;
        }
    }
    Ok(())
}

/// Returns the named authorities and those that the system trusts, as one bundle: a program that is told of a file asks no other.
pub fn bundle(named: &[PathBuf]) -> io::Result<Vec<u8>> {
    let system = SYSTEM.iter().map(PathBuf::from).find(|path| path.leads_to_file());
    let mut bundle = Vec::new();
    for path in named.iter().chain(system.iter().filter(|system| !named.contains(system))) {
        let bytes = read_own(path)?.map(|(bytes, _)| bytes).unwrap_or_default();
        // One file that holds none would spoil it for all.
        bundle.extend_from_slice(&authority::pem(&bytes).unwrap_or_default());
        if !bundle.ends_with(b"\n") {
            bundle.push(b'\n');
        }
    }
    Ok(bundle)
}

/// Returns the first of these files that holds no certificate.
pub fn without_certificate(named: &[PathBuf]) -> Option<&PathBuf> {
    named.iter().find(|path| read_own(path).ok().flatten().is_none_or(|(bytes, _)| authority::pem(&bytes).is_none()))
}

/// Returns the certificates that the build of an image must trust beside its own: those of the named files; of a whole system only
/// those that its administrator added.
pub fn certificates(named: &[PathBuf]) -> Vec<String> {
    let mut found = Vec::new();
    for path in named {
        let added = SYSTEM_AUTHORITIES.iter().find(|(_, bundle)| Path::new(bundle) == path).map(|(added, _)| Path::new(added));
        let files = match added {
            Some(directory) => look::files(directory),
            None => vec![path.clone()],
        };
        let texts = files.iter().filter_map(|file| read_own(file).ok().flatten());
        let certificates = |(bytes, _): (Vec<u8>, u32)| authority::certificates(&String::from_utf8_lossy(&authority::pem(&bytes)?)).into();
        found.extend(texts.filter_map(certificates).flat_map(|some: Vec<String>| some));
    }
    found.dedup();
    found
}

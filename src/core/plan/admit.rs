//! What the person lets in: directories, variables, ports, caches, names, accounts.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::core::admit::cache::{Cache, CacheScope};
use crate::core::admit::cloud::Cloud;
use crate::core::admit::mount::MountRule;
use crate::core::admit::overlay::Overlay;
use crate::core::admit::path::{Bases, PathKind, refusal, takes_mounts};
use crate::core::admit::publish::Publish;
use crate::core::admit::{last_of_each, variable};
use crate::core::config::value::parse_bytes;
use crate::core::config::{Origin, Setting};
use crate::core::container::{CACHE, ContainerPath};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::env::Variables;
use crate::core::plan::guard::GUARD;
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::verify::can_be_renamed;
use crate::core::plan::{Part, Parts, Request, keys, places, spelling};
use crate::core::store::Store;
use crate::core::store::seen::{Fixed, Seen};
use crate::core::workspace::Workspace;

/// Why something is mounted that the person named.
pub(super) const LET_IN: &str = "let in by you";

/// Adds the mounts, ports, names and limits that are let in.
///
/// # Errors
/// Where a path is not there or must stay outside, or the network has no room for a port.
pub(super) fn push(request: &Request, workspace: &Workspace, parts: &mut Parts) -> Result<()> {
    let config = request.config;
    mounts(request, workspace, parts)?;
    clouds(request, parts);
    brought(request, workspace, parts);
    caches(request, workspace, parts);
    overlays(request, workspace, parts)?;
    spelling::push(request.facts, parts);
    network(request, parts)?;
    let settings = &config.settings;
    if let Some(bytes) = settings.shm.value.as_deref().and_then(|size| parse_bytes(size).ok()) {
        parts.push(Part::SharedMemory(bytes), "browsers and databases share memory there", settings.shm.origin.clone());
    }
    if let Some(gpus) = &settings.gpus.value {
        parts.push(Part::Gpus(gpus.clone()), "as configured", settings.gpus.origin.clone());
    }
    Ok(())
}

/// Returns the bases from which the paths of a run are meant.
pub(super) fn bases<'a>(request: &'a Request, root: &'a Path) -> Bases<'a> {
    Bases { home: request.facts.home.as_deref(), cwd: request.facts.cwd.as_deref().unwrap_or(root), root }
}

fn mounts(request: &Request, workspace: &Workspace, parts: &mut Parts) -> Result<()> {
    let bases = bases(request, &workspace.root);
    let rules = &request.config.admitted.mounts;
    // Of two words for one path the later counts, and so does what the command line says of a place.
    for rule in last_of_each(rules, |rule| bases.absolute(rule)) {
        let cannot = |why: &str| cannot_mount(rule, why);
        if rule.value.path.is_empty() {
            return Err(cannot("it names nothing").hint("such as ~/notes, or ~/notes:rw"));
        }
        let path = bases.absolute(rule).ok_or_else(|| cannot("your home directory is not known").hint("export HOME"))?;
        let thing = request
            .facts
            .look(&path)
            .ok_or_else(|| cannot(&request.facts.absence(&path)).hint(format!("make it, or take it out of {}", rule.origin)))?;
        if thing.kind == PathKind::Special {
            return Err(cannot("it is neither a directory nor a file").hint("name one of these; sockets, pipes and devices stay outside"));
        }
        if let Some(why) = refusal(&thing.real, request.facts) {
            return Err(Failure { kind: Kind::NotAllowed, ..cannot(&why) }.hint("name the directories that are needed below it"));
        }
        request.config.rules.judge_mount(&thing.real, rule.value.access, &rule.origin)?;
        if thing.real.starts_with(&workspace.root) {
            let failure = cannot("it is in the project, which is mounted already");
            return Err(failure.hint(format!(
                "take it out of {}; it is at `{}` inside",
                rule.origin,
                inside(workspace, &thing.real).display()
            )));
        }
        if rule.value.access == Access::ReadWrite && workspace.root.starts_with(&thing.real) {
            return Err(cannot("the project is below it").hint("let it in without `write`"));
        }
        let at = rule.value.place(&path);
        if !takes_mounts(&at) {
            let at = rule.value.at.as_deref().map_or(at.as_path(), Path::new);
            let why = if at.as_os_str().as_encoded_bytes().iter().any(u8::is_ascii_control) {
                ": its name has a line break, or the like"
            } else {
                ""
            };
            return Err(cannot(&format!("nothing can be mounted at `{}`{why}", at.display())).hint("choose another place with `at`"));
        }
        parts.push(
            Part::Mount(Mount::bind(Fixed::of_person(&thing.real), ContainerPath::new(at), rule.value.access)),
            LET_IN,
            rule.origin.clone(),
        );
    }
    Ok(())
}

/// Mounts what the person's instructions import and their settings read from outside the tool's own directory. What a container could
/// lead elsewhere, and what holds more than itself, is left out.
fn brought(request: &Request, workspace: &Workspace, parts: &mut Parts) {
    let facts = request.facts;
    let holds = |path: &Path, inner: Option<&Path>| inner.is_some_and(|inner| inner.starts_with(path));
    let keys_stay = keys::stay_outside(request.tool, request.config);
    for (at, path) in &facts.brought {
        // Where keys are that stay outside.
        if keys_stay && path.file_name().is_some_and(|name| name == ".env") {
            continue;
        }
        let is_wide = holds(path, facts.home.as_deref()) || holds(path, Some(&workspace.root));
        let is_of_session = path.starts_with(&workspace.root) || can_be_renamed(path, facts);
        let is_allowed = request.config.rules.judge_mount(path, Access::ReadOnly, &Origin::Host).is_ok();
        let is_free = places::of(parts, at).is_none();
        if is_allowed && is_free && !is_wide && !is_of_session && refusal(path, facts).is_none() && takes_mounts(at) {
            let mount = Mount::bind(Fixed::of_person(path), ContainerPath::new(at), Access::ReadOnly);
            parts.push(Part::Mount(mount), "your instructions or settings name it", Origin::Host);
        }
    }
}

fn inside(workspace: &Workspace, real: &Path) -> PathBuf {
    let below = real.strip_prefix(&workspace.root).unwrap_or(Path::new(""));
    workspace.target.join(below).as_path().to_owned()
}

fn cannot_mount(rule: &Setting<MountRule>, why: &str) -> Failure {
    Failure::new(Kind::Config, format!("cannot mount `{}` ({}): {why}", rule.value.path, rule.origin))
}

fn clouds(request: &Request, parts: &mut Parts) {
    let facts = request.facts;
    for cloud in last_of_each(&request.config.admitted.cloud, |cloud| cloud.value) {
        for piece in cloud.value.pieces() {
            let path = facts.home.as_ref().map(|home| home.join(piece.below_home));
            let Some(thing) = path.and_then(|path| facts.look(&path)).filter(|thing| thing.kind == PathKind::Directory) else { continue };
            // What the person mounts there by name counts more.
            if places::of(parts, Path::new(piece.at)).is_some() {
                continue;
            }
            let mount = Mount::bind(Fixed::of_person(&thing.real), ContainerPath::new(piece.at), piece.access);
            parts.push(Part::Mount(mount), "your account of this cloud", cloud.origin.clone());
        }
        for path in cloud.value.files().iter().filter_map(|name| facts.env.text(name)).flat_map(|value| value.split(':')) {
            let Some(thing) = facts.look(Path::new(path)).filter(|thing| thing.kind == PathKind::File) else { continue };
            if places::of(parts, Path::new(path)).is_none() && takes_mounts(Path::new(path)) {
                let mount = Mount::bind(Fixed::of_person(&thing.real), ContainerPath::new(path), Access::ReadOnly);
                parts.push(Part::Mount(mount), "a variable of your account names it", cloud.origin.clone());
            }
        }
    }
}

/// Names the account through which the tool is told to go, where it is not let in.
pub(super) fn missing_account(request: &Request, parts: &Parts) -> Option<String> {
    let has = |name: &str| parts.0.iter().any(|known| matches!(&known.part, Part::Variable(variable) if variable.name() == name));
    Cloud::value_variants().iter().find_map(|cloud| {
        let chosen = cloud.chosen_by().iter().find(|name| has(name))?;
        let is_there = request.config.admitted.cloud.iter().any(|known| known.value == *cloud)
            || cloud.pieces().iter().any(|piece| places::of(parts, Path::new(piece.at)).is_some())
            || cloud.instead().iter().any(|name| has(name));
        let name = cloud.name();
        (!is_there).then(|| {
            format!("{chosen} is set, and your account of {name} is not let in; hint: AI_CLOUD={name}, or ai config allow cloud {name}")
        })
    })
}

/// Returns the caches of a run, each with what put it there.
pub(super) fn chosen_caches(request: &Request) -> Vec<Setting<Cache>> {
    match &request.config.admitted.cache {
        Some(chosen) => last_of_each(chosen, |cache| cache.value).into_iter().cloned().collect(),
        None => Cache::usual().map(|cache| Setting::new(cache, Origin::Default)).collect(),
    }
}

fn caches(request: &Request, workspace: &Workspace, parts: &mut Parts) {
    let Some(origin) = chosen_caches(request).into_iter().map(|cache| cache.origin).next_back() else { return };
    let source = Store::new(&request.facts.state).fixed(Seen::Cache(scope(request, workspace)));
    let mount = Mount::bind(source, ContainerPath::new(CACHE), Access::ReadWrite);
    parts.push(Part::Mount(mount), "package managers find there what earlier runs downloaded", origin);
}

/// Puts a directory of the store over each that the project is to have to itself inside.
fn overlays(request: &Request, workspace: &Workspace, parts: &mut Parts) -> Result<()> {
    let overlays = last_of_each(&request.config.admitted.overlay, |overlay| overlay.value.clone());
    for overlay in &overlays {
        let path = overlay.value.path();
        let is_below = |other: &&&Setting<Overlay>| other.value != overlay.value && Path::new(path).starts_with(other.value.path());
        if let Some(other) = overlays.iter().find(is_below) {
            let why = format!(
                "cannot lay anything over `{path}` ({}): it is in `{}` ({}), which is empty inside",
                overlay.origin,
                other.value.path(),
                other.origin
            );
            return Err(Failure::new(Kind::Config, why).hint("one of the two is enough"));
        }
        let place = Seen::Overlay(&workspace.project, &overlay.value.name());
        let mount =
            Mount::bind(Store::new(&request.facts.state).fixed(place), workspace.target.join(overlay.value.path()), Access::ReadWrite);
        parts.push(Part::Mount(mount), "what is installed there for the container is not the host's", overlay.origin.clone());
    }
    Ok(())
}

/// Returns whose caches are used: the project's, or `all`.
pub fn scope<'a>(request: &Request, workspace: &'a Workspace) -> &'a str {
    match request.config.settings.cache_scope.value {
        CacheScope::Project => &workspace.project,
        CacheScope::All => "all",
    }
}

/// Adds ports, servers that answer for names, and names with their addresses.
pub(super) fn network(request: &Request, parts: &mut Parts) -> Result<()> {
    let admitted = &request.config.admitted;
    let network = &request.config.settings.network;
    let key = |port: &Setting<Publish>| (port.value.address, port.value.host, port.value.protocol);
    // Of two layers the later counts; who says both in one breath means both.
    let contradicts = |port: &Setting<Publish>, other: &Setting<Publish>| {
        key(port) == key(other) && port.origin == other.origin && port.value.inside != other.value.inside
    };
    let mut seen = admitted.publish.iter().enumerate();
    let twice = seen.find_map(|(at, port)| Some((port, admitted.publish[..at].iter().find(|other| contradicts(port, other))?)));
    if let Some((port, other)) = twice {
        let why = format!("cannot publish {} ({}): {} has this port of your machine", port.value, port.origin, other.value);
        return Err(Failure::new(Kind::Config, why).hint(format!(
            "another one: {}:{}",
            port.value.host.wrapping_add(1),
            port.value.inside
        )));
    }
    let ports = last_of_each(&admitted.publish, key);
    for port in &ports {
        if let Some(other) = ports.iter().find(|other| port.value.covers(&other.value)) {
            let why = format!(
                "cannot publish {} ({}): {} ({}) has this port for all addresses",
                other.value, other.origin, port.value, port.origin
            );
            return Err(Failure::new(Kind::Config, why).hint("publish it once"));
        }
    }
    for port in ports {
        if matches!(network.value.as_str(), "none" | "host" | GUARD) {
            let (text, origin) = (&port.value, &port.origin);
            let why = format!("cannot publish {text} ({origin}): the network is `{}`", network.value);
            return Err(Failure::new(Kind::Config, why).hint("AI_NETWORK=bridge; with `host` every port is reachable as it is"));
        }
        parts.push(Part::Publish(port.value.clone()), "a port that you let out", port.origin.clone());
    }
    for server in last_of_each(&admitted.dns, |server| server.value) {
        parts.push(Part::Dns(server.value), "answers for names", server.origin.clone());
    }
    for (name, address) in last_of_each(&admitted.hosts, |(name, _)| name.clone()) {
        let part = Part::Host { name: name.clone(), address: address.value.clone() };
        parts.push(part, "a name with its address", address.origin.clone());
    }
    Ok(())
}

/// Adds the variables that are let in.
pub(super) fn variables(request: &Request, variables: &mut Variables) {
    let facts = request.facts;
    let names: Vec<&str> = facts.env.names().filter_map(|name| name.to_str()).filter(|name| variable::refusal(name).is_none()).collect();
    let mut inherit = |pattern: &str, reason: &'static str, origin: &Origin| {
        let is_exact = !pattern.ends_with('*');
        for name in names.iter().filter(|name| variable::is_meant(pattern, name) && (is_exact || !variable::is_of_host(name))) {
            variables.inherited(name, reason, origin.clone());
        }
    };
    for pattern in &request.config.admitted.pass {
        inherit(&pattern.value, "let in by you", &pattern.origin);
    }
    for cloud in &request.config.admitted.cloud {
        for pattern in cloud.value.variables().iter().chain(cloud.value.files()) {
            inherit(pattern, "your account of this cloud", &cloud.origin);
        }
    }
    for (cloud, (name, value)) in
        request.config.admitted.cloud.iter().flat_map(|cloud| cloud.value.set().iter().map(move |pair| (cloud, pair)))
    {
        variables.literal(name, value, "your account is there", cloud.origin.clone());
    }
    for cache in chosen_caches(request) {
        let directory = format!("{CACHE}/{}", cache.value.name());
        for (name, value) in cache.value.variables(&directory) {
            variables.literal(name, &value, "keeps downloads for the next run", cache.origin.clone());
        }
    }
}

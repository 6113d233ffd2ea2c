//! Makes the settings of git for a container from the host's, for one project.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::public_half;
use crate::core::engine::kind::Engine;
use crate::core::facts::SshAgent;
use crate::core::identity::files::{Delivery, WantedFile, wanted};
use crate::core::identity::{self, GitTrust};
use crate::core::store::Store;
use crate::core::sync::Reading;
use crate::core::text::digest::hex;
use crate::core::text::typed::typed;
use crate::core::workspace::Workspace;
use crate::host::fs::Absent;
use crate::host::fs::files::{private_dir, read_own, write_private};
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::fs::slot::slot;
use crate::host::machine::process;
use crate::host::{Host, output};

mod directory;

/// What the settings were made from, kept outside of what the container can write.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Made {
    files: Vec<PathBuf>,
    hash: String,
    /// Whether git refuses the project, since it belongs to somebody else.
    refused: bool,
    /// Who the person was.
    identity: Vec<(String, String)>,
    /// What was said about the settings.
    notes: Vec<String>,
}

/// Makes them, unless nothing has changed that they are made from.
pub fn prepare(host: &Host, store: &Store, workspace: &Workspace, engine: &Engine) -> io::Result<()> {
    let directory = store.git(&workspace.project);
    private_dir(&directory)?;
    private_dir(&store.git_host(&workspace.project))?;
    let record = directory.with_extension("json");
    let known: Made = own::read(&record).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let is_ours = workspace.root.look().is_ok_and(|metadata| metadata.uid() == crate::host::uid());
    let trust = if engine.product.is_machine() && is_ours { GitTrust::Everything } else { GitTrust::Git };
    let agent = matches!(host.ssh_agent(), SshAgent::Socket(_));
    let salt = format!("{LAYOUT} {trust:?} {is_ours} {agent} {:?}", workspace.target);
    let is_known = known.hash == hash(&known.files, &salt) && store.git_host(&workspace.project).join("config").is_there();
    let made = if is_known { known } else { make(host, store, workspace, trust, &salt, &known)? };
    if made.refused {
        let root = workspace.root.to_string_lossy();
        let word = typed(&root);
        output::warn(&format!(
            "git will refuse `{root}`: it belongs to another user; hint: git config --global --add safe.directory {word}"
        ));
    }
    own_config(&directory, &made)
}

/// Changes when the same files come to mean other settings.
const LAYOUT: u8 = 2;

fn make(host: &Host, store: &Store, workspace: &Workspace, trust: GitTrust, salt: &str, known: &Made) -> io::Result<Made> {
    let root = &workspace.root;
    let to = store.git_host(&workspace.project);
    let entries = host_settings(host, root);
    let mut files = inputs(host, root, &identity::sources(&entries));
    let delivered = deliver(host, &entries, &to, &mut files)?;
    let settings = identity::git::settings(&entries, &delivered, matches!(host.ssh_agent(), SshAgent::Socket(_)));
    for note in settings.notes.iter().filter(|note| !known.notes.contains(note)) {
        output::note(note);
    }
    let (spelled, target) = (root.to_string_lossy(), workspace.target.as_os_str().to_string_lossy());
    write_private(&to.join("config"), identity::config(&entries, &settings, trust, &spelled, &target).as_bytes())?;
    directory::keep_only(&to, &delivered);
    let is_ours = root.look().is_ok_and(|metadata| metadata.uid() == crate::host::uid());
    let refused = !is_ours && root.join(".git").is_there() && !identity::is_trusted(&entries, &spelled);
    let own = store.git(&workspace.project);
    let made = Made { hash: hash(&files, salt), files, refused, identity: settings.identity, notes: settings.notes };
    // With who the person was before: that is what stands in the container's file.
    rewrite(&own, &known.identity, &made.identity)?;
    write_private(&own.with_extension("json"), &serde_json::to_vec(&made)?)?;
    Ok(made)
}

/// A container may have removed its own file, or what stands in it.
fn own_config(directory: &Path, made: &Made) -> io::Result<()> {
    rewrite(directory, &made.identity, &made.identity)
}

/// Largest file that a container may have made of its settings, in bytes.
const LARGEST: u64 = 1 << 20;

/// Brings the container's own file up to date, without following what stands in its place.
fn rewrite(directory: &Path, before: &[(String, String)], now: &[(String, String)]) -> io::Result<()> {
    let Some(slot) = slot(directory, Path::new("config"), Absent::Make)? else { return Ok(()) };
    let current = match slot.read(LARGEST) {
        Ok(Reading::File { bytes, .. }) => String::from_utf8(bytes).ok(),
        _ => None,
    };
    // Without a file, there is nothing that says who the person was.
    let text = match &current {
        Some(current) => identity::own_config(current, before, now),
        None => identity::own_config("", &[], now),
    };
    if current.as_ref() != Some(&text) {
        slot.write_at_once(text.as_bytes())?;
    }
    Ok(())
}

/// Writes the content of what the settings name, and adds what was read to `files`.
fn deliver(
    host: &Host,
    entries: &[identity::GitConfigEntry],
    to: &Path,
    files: &mut Vec<PathBuf>,
) -> io::Result<BTreeMap<&'static str, Delivery>> {
    let home = host.home().unwrap_or_default();
    let mut delivered = BTreeMap::new();
    for (key, (name, wanted)) in wanted(entries, &home, &xdg(host)) {
        let delivery = match &wanted {
            WantedFile::File(path) => {
                files.push(path.clone());
                match read_own(path) {
                    Ok(None) => None,
                    Ok(Some((content, _))) => Some(file(to, name, &content)?),
                    Err(error) => Some(Delivery::Failed(format!("`{}`: {error}", path.display()))),
                }
            }
            WantedFile::Key(path) => {
                files.extend([path.clone(), path.with_extension("pub")]);
                Some(match public_half(&home, &path.to_string_lossy()) {
                    Some(public) => file(to, name, public.as_bytes())?,
                    None => Delivery::Failed(format!("there is no public half of `{}`", path.display())),
                })
            }
            WantedFile::Directory(path) => directory::deliver(path, name, to, files)?,
        };
        delivered.extend(delivery.map(|delivery| (key, delivery)));
    }
    Ok(delivered)
}

fn file(to: &Path, name: &str, content: &[u8]) -> io::Result<Delivery> {
    write_private(&to.join(name), content)?;
    Ok(Delivery::At(name.into()))
}

/// Returns every file whose content may change what git says: those that it named, and those that it looks into by itself.
fn inputs(host: &Host, root: &Path, named: &[&str]) -> Vec<PathBuf> {
    let home = host.home().unwrap_or_default();
    let mut files = vec![
        home.join(".gitconfig"),
        xdg(host).join("git/config"),
        "/etc/gitconfig".into(),
        root.join(".git/config"),
        root.join(".git/HEAD"),
        root.join(".git"),
    ];
    files.extend(named.iter().map(|name| root.join(name)));
    files.sort_unstable();
    files.dedup();
    files
}

/// Returns where programs look for their settings, beside the home itself.
fn xdg(host: &Host) -> PathBuf {
    let set = host.env.get("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    set.unwrap_or_else(|| host.home().unwrap_or_default().join(".config"))
}

fn hash(files: &[PathBuf], salt: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(salt);
    for file in files {
        hash.update([0]);
        // What cannot be read counts as absent: git will not have read it either. A directory counts by its names.
        let (content, mode) = read_own(file).ok().flatten().unwrap_or_else(|| (directory::names(file), 0));
        hash.update(mode.to_le_bytes());
        hash.update(content);
    }
    hex(&hash.finalize())
}

/// Returns the host's settings as they are for a project: `includeIf` may give each directory its own identity.
fn host_settings(host: &Host, root: &Path) -> Vec<identity::GitConfigEntry> {
    let Some(git) = host.program("git") else { return Vec::new() };
    let list = |directory: &Path| {
        let args = ["config", "--list", "--includes", "--show-scope", "--show-origin", "-z"];
        let (status, stdout, _) = process::git(git.as_os_str(), directory, &host.env, &args).ok()?;
        status.success().then(|| identity::entries(&String::from_utf8_lossy(&stdout)))
    };
    list(root).or_else(|| list(Path::new("/"))).unwrap_or_default()
}

//! Makes the files that say who the user is, for git and ssh in the container.

mod keychain;

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::core::container::HOME;
use crate::core::engine::kind::Engine;
use crate::core::identity::ssh::{self, Files, Wanted};
use crate::core::identity::{self, Trust};
use crate::core::store::Store;
use crate::core::text::digest::hex;
use crate::core::workspace::Workspace;
use crate::host::Host;
use crate::host::fs::files::{private_dir, read_text, write_private};
use crate::host::machine::process;
use crate::host::output;

pub fn prepare(host: &Host, store: &Store, workspace: &Workspace, engine: &Engine) -> io::Result<()> {
    git(host, store, workspace, engine)?;
    keychain::load(std::env::consts::OS, &host.ssh_agent(), store, Path::new(keychain::SSH_ADD));
    ssh(host, store)
}

/// What the generated settings were made from, kept outside of what the container can write.
#[derive(Default, Serialize, Deserialize)]
struct Made {
    files: Vec<PathBuf>,
    hash: String,
    /// Whether git refuses the project, since it belongs to somebody else.
    refused: bool,
}

/// `base` is ours and follows the host; `config` is the container's own and includes it.
fn git(host: &Host, store: &Store, workspace: &Workspace, engine: &Engine) -> io::Result<()> {
    let directory = store.git(&workspace.project);
    private_dir(&directory)?;
    let own = directory.join("config");
    if !own.exists() {
        write_private(&own, b"[include]\n\tpath = base\n")?;
    }
    if workspace.own.is_some() {
        let place = [workspace.target.as_os_str().as_encoded_bytes(), b"/.git\n"].concat();
        write_private(&directory.join(workspace.place_file()), &place)?;
    }
    let record = directory.with_extension("json");
    let is_ours = workspace.root.metadata().is_ok_and(|metadata| metadata.uid() == rustix::process::getuid().as_raw());
    let trust = if engine.product.is_machine() && is_ours { Trust::Everything } else { Trust::Git };
    let salt = format!("{trust:?} {is_ours} {:?}", workspace.target);
    let known: Made = std::fs::read(&record).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let base = directory.join("base");
    let made = if known.hash == hash(&known.files, &salt) && base.exists() {
        known
    } else {
        let entries = host_settings(host, &workspace.root);
        let (root, target) = (workspace.root.to_string_lossy(), workspace.target.as_os_str().to_string_lossy());
        write_private(&base, identity::config(&entries, trust, &root, &target).as_bytes())?;
        let files = inputs(host, &workspace.root, &identity::sources(&entries));
        let refused = !is_ours && workspace.root.join(".git").exists() && !identity::is_trusted(&entries, &root);
        let made = Made { hash: hash(&files, &salt), files, refused };
        write_private(&record, &serde_json::to_vec(&made)?)?;
        made
    };
    if made.refused {
        let root = workspace.root.display();
        output::warn(&format!(
            "git will refuse `{root}`: it belongs to another user; hint: git config --global --add safe.directory {root}"
        ));
    }
    Ok(())
}

/// Every file whose content may change what git says: those that it named, and those that it looks into by itself.
fn inputs(host: &Host, root: &Path, named: &[&str]) -> Vec<PathBuf> {
    let home = host.home().unwrap_or_default();
    let xdg = host.env.get("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let mut files = vec![
        home.join(".gitconfig"),
        xdg.join("git/config"),
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

fn hash(files: &[PathBuf], salt: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(salt);
    for file in files {
        hash.update([0]);
        // What cannot be read counts as absent: git will not have read it either.
        hash.update(read_text(file).ok().flatten().unwrap_or_default());
    }
    hex(&hash.finalize())
}

/// The host's settings as they are for a project: `includeIf` may give each directory its own identity.
fn host_settings(host: &Host, root: &Path) -> Vec<identity::Entry> {
    let Some(git) = host.program("git") else { return Vec::new() };
    let list = |directory: &Path| {
        let args = ["config", "--list", "--includes", "--show-scope", "--show-origin", "-z"];
        let (status, stdout, _) = process::git(git.as_os_str(), directory, &host.env, &args).ok()?;
        status.success().then(|| identity::entries(&String::from_utf8_lossy(&stdout)))
    };
    list(root).or_else(|| list(Path::new("/"))).unwrap_or_default()
}

/// Most files that SSH settings may consist of.
const MOST: usize = 64;

fn ssh(host: &Host, store: &Store) -> io::Result<()> {
    let directory = store.ssh();
    let Some(home) = host.home() else { return Ok(()) };
    let own = home.join(".ssh");
    let known_hosts = directory.join("known_hosts");
    if !known_hosts.exists() {
        // Hosts that are known already need no question; what is added from now on stays here.
        write_private(&known_hosts, &std::fs::read(own.join("known_hosts")).unwrap_or_default())?;
    }
    let text = read_text(&own.join("config")).ok().flatten().unwrap_or_default();
    let mut files = Files::default();
    let mut texts = vec![text.clone()];
    while let Some(text) = texts.pop() {
        for wanted in ssh::wanted(&text) {
            match wanted {
                Wanted::Include(name) if files.includes.len() < MOST && !files.includes.contains_key(&name) => {
                    let found: Vec<String> =
                        included(&own, &home, &name).iter().filter_map(|path| read_text(path).ok().flatten()).collect();
                    texts.extend(found.iter().cloned());
                    files.includes.insert(name, found);
                }
                Wanted::Key(name) => {
                    if let Some(public) = public_half(&home, &name) {
                        let file = format!("{}.pub", &hash(&[], &name)[..12]);
                        private_dir(&directory.join("keys"))?;
                        write_private(&directory.join("keys").join(&file), public.as_bytes())?;
                        files.keys.insert(name, format!("{HOME}/.ssh/keys/{file}"));
                    }
                }
                Wanted::Include(_) => {}
            }
        }
    }
    let text = ssh::rewrite(&text, &files, &format!("{HOME}/.ssh/known_hosts"));
    write_private(&directory.join("config"), text.as_bytes())
}

/// The files that an `Include` names: relative to `~/.ssh`, with `*` and `?` in the last component.
fn included(own: &Path, home: &Path, name: &str) -> Vec<PathBuf> {
    let path = own.join(tilde(home, name));
    let (Some(parent), Some(pattern)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return Vec::new() };
    if !pattern.contains(['*', '?']) {
        return vec![path];
    }
    let names = std::fs::read_dir(parent).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.') && matches(pattern.as_bytes(), name.as_bytes())).collect();
    names.sort_unstable();
    names.into_iter().map(|name| parent.join(name)).collect()
}

fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        ([b'?', rest @ ..], [_, name @ ..]) => matches(rest, name),
        ([a, rest @ ..], [b, name @ ..]) => a == b && matches(rest, name),
        ([], []) => true,
        _ => false,
    }
}

fn tilde(home: &Path, name: &str) -> PathBuf {
    let below = name.strip_prefix("~/").or_else(|| name.strip_prefix("%d/"));
    below.map_or_else(|| name.into(), |below| home.join(below))
}

/// The public half of a key. Only what begins like one is ever copied.
fn public_half(home: &Path, name: &str) -> Option<String> {
    let name = if name.ends_with(".pub") { name.to_owned() } else { format!("{name}.pub") };
    let text = read_text(&tilde(home, &name)).ok()??;
    let is_public = ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| text.starts_with(kind)) && !text.contains("PRIVATE");
    is_public.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*", "x", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*", "abc", true),
            ("b", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}

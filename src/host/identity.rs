//! Makes the files that say who the user is, for git and ssh in the container.

mod git;
mod keychain;

use std::io;
use std::path::{Path, PathBuf};

use crate::core::container::{HOME, SOCKETS, SSH};
use crate::core::engine::kind::Engine;
use crate::core::guard::order;
use crate::core::identity::ssh::{self, SshFile, SshFiles};
use crate::core::store::Store;
use crate::core::sync::Reading;
use crate::core::text::digest::sha256;
use crate::core::workspace::Workspace;
use crate::host::Host;
use crate::host::fs::files::{private_dir, read_own, read_text, write_private};
use crate::host::fs::own;
use crate::host::fs::shape::Shaper;
use crate::host::fs::slot::slot;
use crate::host::fs::{self, Absent};

pub fn prepare(host: &Host, store: &Store, workspace: &Workspace, engine: &Engine) -> io::Result<()> {
    git::prepare(host, store, workspace, engine)?;
    keychain::load(std::env::consts::OS, &host.ssh_agent(), store, Path::new(keychain::SSH_ADD));
    trees(store, workspace)?;
    ssh(host, store, &workspace.project)
}

/// Returns the files that tell git inside where worktrees are. Git writes such a file anew when it is a day old, and fails where it cannot:
/// so they are from the future.
fn trees(store: &Store, workspace: &Workspace) -> io::Result<()> {
    let root = store.trees(&workspace.project);
    for tree in &workspace.trees {
        let directory = root.join(&tree.name);
        private_dir(&directory)?;
        write_private(&directory.join(".git"), b"")?;
        let file = directory.join("gitdir");
        write_private(&file, &[tree.content.as_os_str().as_encoded_bytes(), b"\n"].concat())?;
        own::open(&file)?.set_modified(std::time::UNIX_EPOCH + FAR)?;
    }
    Ok(())
}

/// Beyond the end of any run, and before the end of a 32 bit clock.
const FAR: std::time::Duration = std::time::Duration::from_secs(0x7000_0000);

/// Writes a file of ours into a directory that containers write, whatever stands there; no link is followed.
fn own_file(directory: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let Some(slot) = slot(directory, Path::new(name), Absent::Make)? else { return Ok(()) };
    if matches!(slot.read(LARGEST), Ok(Reading::File { bytes, .. }) if bytes == content) {
        return Ok(());
    }
    Ok(slot.write_at_once(content)?)
}

/// No file that we make for a container is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// Returns the project's directory of GitHub's command line. A new one begins with the login that the store has; what a project does with
/// it stays there.
pub fn gh(store: &Store, project: &str, shaper: &mut Shaper) -> io::Result<()> {
    private_dir(&store.gh())?;
    let own = store.own(project);
    if matches!(fs::enter(&own, Path::new("gh"), Absent::Leave), Ok(None))
        && let Ok(Some((login, _))) = read_own(&store.gh().join("hosts.yml"))
    {
        private_dir(&own)?;
        let staged = tempfile::Builder::new().prefix(".gh-").tempdir_in(&own)?;
        let new = staged.path().join("gh");
        private_dir(&new)?;
        write_private(&new.join("hosts.yml"), &login)?;
        // Another run of this project may have been quicker.
        let _ = own::rename(&new, own.join("gh"));
    }
    shaper.directory(&own, "gh").map(drop)
}

/// Most files that SSH settings may consist of.
const MOST: usize = 64;

/// Returns what the host gives to all projects, and the project's own `~/.ssh`, which begins with it.
fn ssh(host: &Host, store: &Store, project: &str) -> io::Result<()> {
    let directory = store.ssh();
    private_dir(&directory)?;
    own_file(&store.ssh_home(project), "config", format!("Include {SSH}/config\nInclude {SOCKETS}/{}\n", order::SSH).as_bytes())?;
    let Some(home) = host.home() else { return Ok(()) };
    let own = home.join(".ssh");
    // Hosts that are known already need no question; what is added from now on stays with the project.
    let known = read_own(&own.join("known_hosts")).ok().flatten().unwrap_or_default().0;
    write_private(&directory.join("known_hosts"), &known)?;
    let text = read_text(&own.join("config")).ok().flatten().unwrap_or_default();
    let mut files = SshFiles::default();
    let mut texts = vec![text.clone()];
    while let Some(text) = texts.pop() {
        for wanted in ssh::wanted(&text) {
            match wanted {
                SshFile::Include(name) if files.includes.len() < MOST && !files.includes.contains_key(&name) => {
                    let found: Vec<String> =
                        included(&own, &home, &name).iter().filter_map(|path| read_text(path).ok().flatten()).collect();
                    texts.extend(found.iter().cloned());
                    files.includes.insert(name, found);
                }
                SshFile::Key(name) => {
                    if let Some(public) = public_half(&home, &name) {
                        let file = format!("{}.pub", &sha256(name.as_bytes())[..12]);
                        private_dir(&directory.join("keys"))?;
                        write_private(&directory.join("keys").join(&file), public.as_bytes())?;
                        files.keys.insert(name, format!("{SSH}/keys/{file}"));
                    }
                }
                SshFile::Include(_) => {}
            }
        }
    }
    let text = ssh::rewrite(&text, &files, &format!("{HOME}/.ssh/known_hosts {SSH}/known_hosts"));
    write_private(&directory.join("config"), text.as_bytes())
}

/// Returns the files that an `Include` names: relative to `~/.ssh`, with `*` and `?` in the last component.
fn included(own: &Path, home: &Path, name: &str) -> Vec<PathBuf> {
    let path = own.join(tilde(home, name));
    let (Some(parent), Some(pattern)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return Vec::new() };
    if !pattern.contains(['*', '?']) {
        return vec![path];
    }
    let names = own::entries(parent).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
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

/// Returns the public half of a key. Only what begins like one is ever copied.
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

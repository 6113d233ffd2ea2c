//! Fills an empty SSH agent from Apple's keychain: one attempt for each agent, and never a word about it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::core::engine::agent::loads_keychain;
use crate::core::facts::SshAgent;
use crate::core::store::Store;
use crate::host::doctor::checkup::agent_keys;
use crate::host::fs::files::{read_text, write_private};
use crate::host::fs::look::Look;
use crate::host::machine::process;

/// Apple's own; another one on PATH does not know the keychain.
pub const SSH_ADD: &str = "/usr/bin/ssh-add";
/// Longest time that it may take, since a locked keychain asks on the screen.
const PATIENCE: Duration = Duration::from_secs(5);

/// Loads the keys of the keychain. A failure is no worse than before, and `ai doctor` tells of an empty agent.
pub fn load(os: &str, agent: &SshAgent, store: &Store, ssh_add: &Path) {
    // Elsewhere the agent is not even asked.
    if os != "macos" {
        return;
    }
    let SshAgent::Socket(socket) = agent else { return };
    // Another socket is another agent: each login has one.
    let stamp = socket.look().map_or_else(|_| String::new(), |found| format!("{}:{}:{}", socket.display(), found.ino(), found.ctime()));
    let record = store.root().join("keychain");
    let was_tried = read_text(&record).ok().flatten().is_some_and(|tried| tried == stamp);
    if loads_keychain(os, agent_keys(agent), was_tried) {
        let _ = write_private(&record, stamp.as_bytes());
        let _ = process::output_within(ssh_add.as_os_str(), &["--apple-load-keychain"], PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// An agent that answers every question for its identities with this many.
    fn agent(path: &Path, keys: u8) -> SshAgent {
        let listener = UnixListener::bind(path).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 5];
                stream.read_exact(&mut request).unwrap();
                assert_eq!(request, [0, 0, 0, 1, 11]);
                stream.write_all(&[0, 0, 0, 5, 12, 0, 0, 0, keys]).unwrap();
            }
        });
        SshAgent::Socket(path.into())
    }

    // H-03
    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests set up files")]
    fn an_empty_agent_is_filled_once_and_a_failure_is_silent() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let (log, ssh_add) = (path("log"), path("ssh-add"));
        std::fs::write(&ssh_add, format!("#!/bin/sh\necho \"$@\" >>{}\nexit 1\n", log.display())).unwrap();
        std::fs::set_permissions(&ssh_add, std::fs::Permissions::from_mode(0o755)).unwrap();
        let store = Store::new(path("store"));
        std::fs::create_dir(store.root()).unwrap();
        let calls = || std::fs::read_to_string(&log).unwrap_or_default();

        let empty = agent(&path("empty"), 0);
        load("linux", &empty, &store, &ssh_add);
        load("macos", &SshAgent::Absent, &store, &ssh_add);
        load("macos", &SshAgent::Broken(path("none")), &store, &ssh_add);
        load("macos", &agent(&path("full"), 2), &store, &ssh_add);
        assert_eq!(calls(), "");
        load("macos", &empty, &store, &ssh_add);
        assert_eq!(calls(), "--apple-load-keychain\n");
        load("macos", &empty, &store, &ssh_add);
        assert_eq!(calls(), "--apple-load-keychain\n");
        load("macos", &agent(&path("next"), 0), &store, &ssh_add);
        assert_eq!(calls(), "--apple-load-keychain\n--apple-load-keychain\n");
    }
}

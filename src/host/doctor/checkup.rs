//! What `ai doctor` looks at beside the facts of every run.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::core::facts::{Facts, SshAgent};
use crate::host::Host;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::process;

/// Returns the system's own name and kind of machine.
pub fn system() -> String {
    let release = own::read_text("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"').to_owned());
    format!("{} ({})", name.unwrap_or_else(|| std::env::consts::OS.into()), std::env::consts::ARCH)
}

/// Returns the first line of what a program says of its version.
pub fn version(program: &Path) -> String {
    let asked = process::output_within(program.as_os_str(), &["--version"], Duration::from_secs(5));
    let said = asked.map_or_else(|failure| failure.to_string(), |(_, stdout, _)| String::from_utf8_lossy(&stdout).into_owned());
    format!("{}: {}", program.display(), said.lines().next().unwrap_or_default())
}

/// Returns a line for each thing in a directory: what it is, who may touch it, how large it is. Nothing is read.
pub fn listing(directory: &Path) -> Vec<String> {
    let entries = match own::entries(directory) {
        Ok(entries) => entries,
        Err(error) => return vec![format!("{}: {error}", directory.display())],
    };
    let line = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.look_at_link()
            .map_or_else(|error| format!("{name}: {error}"), |found| format!("{:o} {} {} {name}", found.mode(), found.uid(), found.len()))
    };
    let mut lines: Vec<String> = entries.flatten().map(|entry| line(entry.path())).collect();
    lines.sort();
    lines
}

pub fn is_wsl() -> bool {
    own::read_text("/proc/version").is_ok_and(|version| version.to_ascii_lowercase().contains("microsoft"))
}

/// Whether a file can be made in the store, or where it will be.
pub fn is_writable(store: &Path) -> Result<(), String> {
    let directory = store.ancestors().find(|path| path.leads_to_directory()).unwrap_or(store);
    tempfile::tempfile_in(directory).map(drop).map_err(|error| error.to_string())
}

/// Percent used and bytes free of the file system that holds `path`.
pub fn disk(path: &Path) -> Option<(u8, u64)> {
    let there = path.ancestors().find(|path| path.is_there())?;
    let status = rustix::fs::statvfs(there).ok()?;
    let used = status.f_blocks - status.f_bfree;
    let percent = (used * 100).checked_div(used + status.f_bavail)?;
    Some((u8::try_from(percent).ok()?, status.f_bavail * status.f_frsize))
}

/// Returns how many keys the agent holds; `None` if it does not answer.
pub fn agent_keys(agent: &SshAgent) -> Option<u32> {
    let SshAgent::Socket(path) = agent else { return None };
    let mut stream = UnixStream::connect(path).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    // SSH_AGENTC_REQUEST_IDENTITIES (11), answered by SSH_AGENT_IDENTITIES_ANSWER (12) and a count: OpenSSH, PROTOCOL.agent.
    stream.write_all(&[0, 0, 0, 1, 11]).ok()?;
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).ok()?;
    let [.., kind, a, b, c, d] = answer;
    (kind == 12).then(|| u32::from_be_bytes([a, b, c, d]))
}

/// Returns the project's remotes that want a user name and a token, without what stands before the `@`.
pub fn https_remotes(host: &Host, facts: &Facts) -> Vec<String> {
    let (Some(git), Some(repo)) = (host.program("git"), &facts.repo) else { return Vec::new() };
    let args = ["config", "--local", "--get-regexp", r"^remote\..*\.url$"];
    let Ok((_, stdout, _)) = process::git(git.as_os_str(), &repo.root, &host.env, &args) else { return Vec::new() };
    let text = String::from_utf8_lossy(&stdout).into_owned();
    let urls = text.lines().filter_map(|line| line.split_once(' ')?.1.strip_prefix("https://"));
    urls.map(|url| format!("https://{}", url.rsplit_once('@').map_or(url, |(_, url)| url))).collect()
}

//! Programs named like the tools, for what knows no functions: scripts that run a tool through us. A bare link to us would be passed over
//! by whoever looks along PATH once we are gone, and the host's own tool would run.

use std::io;
use std::path::{Path, PathBuf};

use crate::core::shell::Shell;
use crate::host::fs::look::Look;
use crate::host::fs::{files, own};

/// How each of them begins.
const MARK: &str = "#!/bin/sh\n# Runs a tool in its container; made by `ai install --shims`.\n";

/// Bytes of the longest of them: a path, twice.
const LONGEST: u64 = 16 << 10;

/// Returns the script that runs `tool` through the program `exe`.
pub fn script(exe: &str, tool: &str) -> String {
    let program = Shell::Bash.quote(exe);
    let missing =
        Shell::Bash.quote(&format!("ai: cannot run {tool} in its container: {exe} is not here; hint: install ai, then ai install --shims"));
    format!("{MARK}test -x {program} && exec {program} run {tool} -- \"$@\"\nprintf '%s\\n' {missing} >&2\nexit 127\n")
}

/// Whether the file is one of these scripts.
pub fn is_shim(path: &Path) -> bool {
    files::read_within(path, LONGEST).is_ok_and(|found| found.is_some_and(|(bytes, _)| bytes.starts_with(MARK.as_bytes())))
}

/// Writes a script; `false` if something else has the name. Returns the errors of the file system.
pub fn make(path: &Path, exe: &Path, script: &str) -> io::Result<bool> {
    if path.look_at_link().is_ok() && !is_ours(path, exe) {
        return Ok(false);
    }
    files::write(path, script.as_bytes(), 0o755)?;
    Ok(true)
}

/// Returns what of a directory is ours, links as earlier versions made them among it.
pub fn all(directory: &Path, exe: &Path) -> Vec<PathBuf> {
    let Ok(entries) = own::entries(directory) else { return Vec::new() };
    let mut shims: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| !path.ends_with("ai") && is_ours(path, exe)).collect();
    shims.sort_unstable();
    shims
}

pub fn remove(path: &Path) -> io::Result<()> {
    own::remove(path)
}

/// Whether it is a script of ours, or a link to `exe` or to an `ai` that was there before.
fn is_ours(path: &Path, exe: &Path) -> bool {
    let same = |a: &Path, b: &Path| a == b || a.resolved().is_ok_and(|a| b.resolved().is_ok_and(|b| a == b));
    match path.link_target() {
        Ok(found) => same(&found, exe) || found.file_name() == Some("ai".as_ref()),
        Err(_) => is_shim(path),
    }
}

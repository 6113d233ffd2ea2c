//! What is never mounted unless it is forced: what is not a project, or holds more than one.

use std::path::Path;

use crate::core::facts::Facts;

/// Directories whose contents no tool should see as a whole: mounting them, or what is above them, is a mistake.
const SYSTEM: [&str; 26] = [
    "/Applications",
    "/Library",
    "/System",
    "/Users",
    "/Volumes",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/private",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/var",
    "/workspace",
];

/// Directories that are the system's down to their last file.
const SYSTEM_WHOLE: [&str; 33] = [
    "/Applications",
    "/Library",
    "/System",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/lost+found",
    "/nix",
    "/private/etc",
    "/private/var/db",
    "/private/var/root",
    "/private/var/run",
    "/proc",
    "/run",
    "/sbin",
    "/snap",
    "/sys",
    "/usr/bin",
    "/usr/lib",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/sbin",
    "/usr/share",
    "/var/db",
    "/var/lib",
    "/var/log",
    "/var/run",
];

/// Directories in the home that hold keys.
const KEYS: [&str; 6] = [".ssh", ".gnupg", ".aws", ".kube", ".docker", ".password-store"];

/// Other directories in the home that programs keep their data in, or that the person's shell runs programs from. So is every hidden one.
const PROGRAMS: [&str; 4] = ["Library", "bin", "sbin", "snap"];

/// Whether a directory is the system's, or is above what is.
pub fn is_system(root: &Path) -> bool {
    let is = |system: &str| root == Path::new(system);
    let is_around = |system: &str| root.starts_with(system) || Path::new(system).starts_with(root);
    root.parent().is_none() || SYSTEM.iter().any(|system| is(system)) || SYSTEM_WHOLE.iter().any(|system| is_around(system))
}

/// Returns why `root` must not be mounted, if it must not.
pub(super) fn refusal(root: &Path, facts: &Facts) -> Option<String> {
    if root.parent().is_none() {
        return Some("it is the whole file system".into());
    }
    if is_system(root) {
        return Some("it is a system directory".into());
    }
    if root.starts_with(&facts.store) {
        return Some("it is inside the store of `ai`".into());
    }
    if let Some(home) = &facts.home {
        if root == home {
            return Some("it is your home directory".into());
        }
        if let Some(keys) = KEYS.iter().find(|keys| root.starts_with(home.join(keys))) {
            return Some(format!("it holds keys (`~/{keys}`)"));
        }
        let first = root.strip_prefix(home).ok().and_then(|below| below.components().next()?.as_os_str().to_str());
        if let Some(first) = first.filter(|first| first.starts_with('.') || PROGRAMS.contains(first)) {
            return Some(format!("programs keep settings, logins or themselves in `~/{first}`"));
        }
        if home.starts_with(root) {
            return Some("your home directory is below it".into());
        }
    }
    facts.store.starts_with(root).then(|| "the store of `ai` is below it".into())
}

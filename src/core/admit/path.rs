//! Paths of the host that a plan asks about, and which of them must stay outside.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use crate::core::admit::cloud::Cloud;
use crate::core::admit::mount::MountRule;
use crate::core::config::{Config, Origin, Setting};
use crate::core::facts::{Env, Facts};

/// What is at a path that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    pub path: PathBuf,
    pub found: Option<Thing>,
    /// A link on the way that leads to nothing.
    pub broken: Option<BrokenLink>,
}

/// Where a link leads that leads to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokenLink {
    To(PathBuf),
    /// To itself, maybe by others.
    Circle,
}

impl Looked {
    /// Says why nothing is at a path where nothing was found.
    pub fn absence(&self) -> String {
        match &self.broken {
            Some(BrokenLink::To(end)) => format!("it is a link, and `{}`, to which it leads, is not there", end.display()),
            Some(BrokenLink::Circle) => "its links lead in a circle".into(),
            None => "it is not there".into(),
        }
    }
}

/// A directory, file or something else, with all links resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    pub real: PathBuf,
    pub kind: PathKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    Directory,
    File,
    /// A socket, pipe or device: nothing that can be let in.
    Special,
}

/// From where the paths of a run are meant.
#[derive(Clone, Copy, Debug)]
pub struct Bases<'a> {
    pub home: Option<&'a Path>,
    pub cwd: &'a Path,
    /// Root of the project.
    pub root: &'a Path,
}

impl Bases<'_> {
    /// Returns the absolute path that a rule means: what is typed is relative to where it is typed, what stands in a file to the
    /// project.
    pub fn absolute(&self, rule: &Setting<MountRule>) -> Option<PathBuf> {
        let is_typed = matches!(rule.origin, Origin::Flag(_) | Origin::Env(_));
        rule.value.absolute(self.home, if is_typed { self.cwd } else { self.root })
    }

    /// Returns the absolute path of a word that was typed, if it may be one.
    pub fn of_word(&self, word: &OsStr) -> Option<PathBuf> {
        let text = word.to_str().filter(|text| !text.is_empty() && !text.contains('\n') && text.len() < 4096)?;
        MountRule { path: text.into(), access: crate::core::plan::mount::Access::ReadOnly, at: None }.absolute(self.home, self.cwd)
    }
}

/// Returns every path that a plan of this configuration wants to know about.
pub fn wanted(config: &Config, env: &Env, bases: &Bases, words: &[OsString]) -> Vec<PathBuf> {
    let rules: Vec<(PathBuf, PathBuf)> =
        config.admitted.mounts.iter().filter_map(|rule| bases.absolute(rule).map(|path| (rule.value.place(&path), path))).collect();
    let mut paths: Vec<PathBuf> = rules.iter().map(|(_, path)| path.clone()).collect();
    // Where one is mounted inside another, a place for it must be there.
    let inner = |(at, path): &(PathBuf, PathBuf)| {
        let below = rules.iter().filter_map(|(other, _)| other.strip_prefix(at).ok().filter(|below| !below.as_os_str().is_empty()));
        below.map(|below| path.join(below)).collect::<Vec<_>>()
    };
    paths.extend(rules.iter().flat_map(inner));
    for cloud in config.admitted.cloud.iter().map(|cloud| cloud.value) {
        paths.extend(cloud_paths(cloud, env, bases));
    }
    paths.extend(authority_files(config, env));
    paths.extend(words.iter().filter_map(|word| bases.of_word(word)));
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn cloud_paths(cloud: Cloud, env: &Env, bases: &Bases) -> Vec<PathBuf> {
    let pieces = cloud.pieces().iter().filter_map(|piece| Some(bases.home?.join(piece.below_home)));
    let files = cloud.files().iter().filter_map(|name| env.text(name)).flat_map(|value| value.split(':')).map(PathBuf::from);
    pieces.chain(files.filter(|path| path.is_absolute())).collect()
}

/// The variables by which programs are told of certificate authorities.
pub const AUTHORITY_VARIABLES: [&str; 4] = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// Where a system keeps the authorities that its administrator added, and the bundle that holds them among all others: Debian, Fedora.
pub const SYSTEM_AUTHORITIES: [(&str, &str); 2] = [
    ("/usr/local/share/ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
    ("/etc/pki/ca-trust/source/anchors", "/etc/pki/tls/certs/ca-bundle.crt"),
];

/// Returns the files that may hold the certificate authorities of the person's network, as the configuration wants it.
pub fn authority_files(config: &Config, env: &Env) -> Vec<PathBuf> {
    match config.settings.ca.value.as_str() {
        "off" => Vec::new(),
        "auto" => {
            let named = AUTHORITY_VARIABLES.iter().filter_map(|name| env.text(name)).map(PathBuf::from);
            named.filter(|path| path.is_absolute()).collect()
        }
        path => match path.strip_prefix("~/").zip(env.text("HOME")) {
            Some((below, home)) => vec![PathBuf::from(home).join(below)],
            None => vec![PathBuf::from(path)],
        },
    }
}

/// Directories of keys below the home: what is in them, and what they are in, is not let in.
const KEYS: [&str; 4] = [".ssh", ".gnupg", ".password-store", ".local/share/keyrings"];
/// Where the store is, unless a variable says otherwise: the logins of all tools.
const OWN_STORE: &str = ".docker-ai-config";

/// Says that none of these paths below the home is in a directory of keys, or may be above one: a `*` may stand for any name.
pub fn no_keys(paths: &[&String]) -> Result<(), String> {
    let may_be = |(one, key): (&OsStr, &OsStr)| one.eq_ignore_ascii_case(key) || one.as_encoded_bytes().contains(&b'*');
    let holds = |path: &str| KEYS.into_iter().chain([OWN_STORE]).find(|keys| Path::new(path).iter().zip(Path::new(keys)).all(may_be));
    match paths.iter().find_map(|path| Some((path, holds(path)?))) {
        Some((path, keys)) => Err(format!("nothing comes from `{path}`: your keys are there (`~/{keys}`)")),
        None => Ok(()),
    }
}

/// Returns why a path must not be let in, if it must not. Links were resolved.
pub fn refusal(real: &Path, facts: &Facts) -> Option<String> {
    if facts.store.starts_with(real) || real.starts_with(&facts.store) {
        return Some("the store of `ai` is there, with the logins of all tools".into());
    }
    if let Some(home) = &facts.home {
        let holds = |keys: &Path| keys.starts_with(real) || real.starts_with(keys);
        if let Some(keys) = KEYS.iter().find(|keys| holds(&home.join(keys))) {
            return Some(format!("your keys are there (`~/{keys}`)"));
        }
    }
    if real.starts_with("/run") {
        return Some("sockets of engines and agents are there".into());
    }
    if crate::core::workspace::is_system(real) && real.components().count() <= 2 {
        return Some("it is a directory of the system".into());
    }
    None
}

/// Returns whether a place in the container can take a mount of the person's: it is nothing of ours or of the kernel's, and hides
/// neither the programs of the image nor what is mounted below.
pub fn takes_mounts(at: &Path) -> bool {
    const OURS: [&str; 6] = ["/ai", "/proc", "/sys", "/dev", "/etc", "/run"];
    const PROGRAMS: [&str; 14] = [
        "/usr",
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib",
        "/usr/lib64",
        "/usr/local",
        "/usr/local/bin",
        "/usr/local/lib",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/opt",
        "/opt/ai-tools",
    ];
    const ABOVE: [&str; 3] = ["/home", "/var", "/workspace"];
    let is_plain = at.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let is_text = at.to_str().is_some_and(|at| !at.contains(char::is_control));
    at.is_absolute()
        && is_plain
        && is_text
        && at.components().count() > 1
        && !OURS.iter().any(|ours| at.starts_with(ours))
        && !PROGRAMS.iter().chain(&ABOVE).any(|place| at == Path::new(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_ours_or_of_the_image_takes_no_mount() {
        for (at, takes) in [
            ("/data", true),
            ("/usr/local/share/data", true),
            ("/opt/data", true),
            ("/home/ai/.aws", true),
            ("/workspace/p", true),
            ("/tmp", true),
            ("/", false),
            ("", false),
            ("data", false),
            ("/ai", false),
            ("/ai/shared/x", false),
            ("/x/../ai", false),
            ("/etc/passwd", false),
            ("/usr", false),
            ("/usr/bin", false),
            ("/lib64", false),
            ("/home", false),
            ("/workspace", false),
            ("/a\nb", false),
        ] {
            assert_eq!(takes_mounts(Path::new(at)), takes, "{at:?}");
        }
    }
}

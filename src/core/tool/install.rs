//! `[install]` of a manifest: what the image of a tool has beside what all images have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::image::{is_package, is_runnable};

/// What installs a tool into an image of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstallRules {
    /// The image that it begins with, where that of the other tools lacks what the program needs: Debian or Ubuntu with node.
    pub base: Option<String>,
    /// Packages of Debian.
    pub apt: Vec<String>,
    /// `NAME@VERSION` of npm. Its install scripts do not run; a line in `run` can.
    pub npm: Option<String>,
    /// The integrity of the npm package, as its registry spells it: `sha512-…`.
    pub integrity: Option<String>,
    /// `NAME==VERSION` of PyPI, installed into an environment of its own.
    pub pip: Option<String>,
    /// A program or an archive, by machine: `x64`, `arm64`.
    pub url: BTreeMap<String, Download>,
    /// Lines for `sh`, run as root after all else.
    pub run: Vec<String>,
    /// The command that must succeed, as an ordinary user; `COMMAND --version` if absent.
    pub check: Vec<String>,
    /// The version, where neither npm nor pip says it.
    pub version: Option<String>,
}

/// A file from the network, by its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    pub from: String,
    pub sha256: String,
}

/// The machines for which a program may be downloaded, and Debian's words for them.
pub const MACHINES: [(&str, &str); 2] = [("x64", "amd64"), ("arm64", "arm64")];

impl InstallRules {
    /// Fails for what a step of a build could not mean, or would take for something else.
    pub fn check(&self) -> Result<(), String> {
        self.base.as_deref().map_or(Ok(()), is_runnable).map_err(|why| format!("`install.base`: {why}"))?;
        if let Some(odd) = self.apt.iter().find(|name| !is_package(name)) {
            return Err(format!("`install.apt`: `{odd}` is no package"));
        }
        if let Some(npm) = &self.npm {
            pinned(npm, "@").ok_or_else(|| format!("`install.npm`: `{npm}` is no `NAME@VERSION` with one exact version"))?;
        }
        if let Some(pip) = &self.pip {
            pinned(pip, "==").ok_or_else(|| format!("`install.pip`: `{pip}` is no `NAME==VERSION` with one exact version"))?;
        }
        if let Some(integrity) = &self.integrity {
            let is_sound = integrity.strip_prefix("sha512-").is_some_and(|hash| hash.len() == 88 && hash.bytes().all(is_base64));
            if !is_sound || self.npm.is_none() {
                return Err(format!("`install.integrity`: `{integrity}` is no `sha512-…` of a package in `npm`"));
            }
        }
        for (machine, download) in &self.url {
            let is_known = MACHINES.iter().any(|(known, _)| known == machine);
            let is_sound = download.sha256.len() == 64 && download.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            match () {
                () if !is_known => return Err(format!("`install.url.{machine}`: there are x64 and arm64")),
                () if !is_url(&download.from) => return Err(format!("`install.url.{machine}.from`: `{}` is no URL", download.from)),
                () if !is_sound => return Err(format!("`install.url.{machine}.sha256`: `{}` is no SHA-256", download.sha256)),
                () => {}
            }
        }
        if let Some(odd) = self.version.as_ref().filter(|version| !is_version(version)) {
            return Err(format!("`install.version`: `{odd}` is no version"));
        }
        if self.run.iter().chain(&self.check).any(|line| line.contains('\0')) {
            return Err("`install`: no command has a NUL in it".into());
        }
        let is_empty = self.apt.is_empty() && self.npm.is_none() && self.pip.is_none() && self.url.is_empty() && self.run.is_empty();
        if is_empty { Err("`install` needs one of `apt`, `npm`, `pip`, `url` and `run`".into()) } else { Ok(()) }
    }

    /// Returns the version that is installed; empty where it does not say.
    pub fn version(&self) -> &str {
        let npm = self.npm.as_deref().and_then(|npm| pinned(npm, "@"));
        let pip = || self.pip.as_deref().and_then(|pip| pinned(pip, "=="));
        npm.or_else(pip).map(|(_, version)| version).or(self.version.as_deref()).unwrap_or_default()
    }

    /// Returns the same with another version, and the integrity of that if it is known.
    pub fn at(&self, version: &str, integrity: Option<&str>) -> Result<Self, String> {
        let mut other = self.clone();
        let named = |text: &Option<String>, mark: &str| {
            let (name, _) = pinned(text.as_deref()?, mark)?;
            Some(format!("{name}{mark}{version}"))
        };
        match (named(&self.npm, "@"), named(&self.pip, "==")) {
            (None, None) => return Err("neither npm nor pip installs it: its version is in its manifest".into()),
            (npm, pip) if npm != self.npm || pip != self.pip => {
                (other.npm, other.pip) = (npm, pip);
                other.integrity = integrity.map(str::to_owned);
            }
            _ => {}
        }
        other.check().map(|()| other)
    }

    /// Returns what it brings, in one line.
    pub fn brings(&self) -> String {
        let packages = self.npm.iter().chain(&self.pip).cloned();
        let mut parts: Vec<String> = packages.chain(self.url.values().take(1).map(|download| download.from.clone())).collect();
        parts.extend(self.base.iter().map(|base| format!("on {base}")));
        parts.extend((!self.apt.is_empty()).then(|| self.apt.join(" ")));
        parts.extend((!self.run.is_empty()).then(|| self.run.join("; ")));
        parts.join(", ")
    }

    /// Returns the name of its npm package.
    pub fn npm_name(&self) -> Option<&str> {
        pinned(self.npm.as_deref()?, "@").map(|(name, _)| name)
    }

    /// Returns the name of its package of PyPI.
    pub fn pip_name(&self) -> Option<&str> {
        pinned(self.pip.as_deref()?, "==").map(|(name, _)| name)
    }
}

/// Takes a package with its version apart; `None` for what no registry has, or what names more than one version.
fn pinned<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let (name, version) = text.rsplit_once(mark)?;
    let parts = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').map(|(scope, name)| vec![scope, name])?,
        None => vec![name],
    };
    let is_part = |part: &&str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    (parts.iter().all(is_part) && is_version(version)).then_some((name, version))
}

/// Returns whether it is one version, which begins with a number.
fn is_version(version: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_digit())
        && version.contains('.')
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+._!".contains(&byte))
        && !version.ends_with(".x")
}

/// Returns whether it is a URL that a shell takes for one word, too. Its content is known, so a machine's own server may do without TLS.
fn is_url(url: &str) -> bool {
    let rest = ["https://", "http://127.0.0.1:", "http://localhost:"].iter().find_map(|start| url.strip_prefix(start));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#@&+,;=%".contains(&byte)))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let complaint = toml::from_str::<InstallRules>(text).unwrap().check().unwrap_err();
        assert!(complaint.contains(expected), "{text}: {complaint}");
    }

    // TO-01
    #[test]
    fn one_package_is_one_exact_version() {
        for npm in ["opencode-ai@1.18.33", "@github/copilot@1.0.102", "@ampcode/cli@0.0.1790142911-g7618fb"] {
            let rules = InstallRules { npm: Some(npm.into()), ..InstallRules::default() };
            assert_eq!(rules.check(), Ok(()), "{npm}");
        }
        for npm in [
            "x",
            "x@latest",
            "x@^1.0.0",
            "x@1",
            "x@1.x",
            "x@1.0.0 || 2",
            "@x@1.0.0",
            "x@npm:y@1.0.0",
            "git+https://x@1.0.0",
            "@1.0.0",
            "-g@1.0.0",
        ] {
            refused(&format!("npm = '{npm}'"), "one exact version");
        }
        for pip in ["x", "x>=1.0", "x==*", "x==1.*", "x @ https://y==1.0", "-r==1.0"] {
            refused(&format!("pip = '{pip}'"), "one exact version");
        }
    }

    // TO-01: no name, version or address is more than one word of a shell.
    #[test]
    fn what_a_shell_would_take_for_more_is_none() {
        for evil in ["x;id@1.0.0", "x@1.0.0;id", "x@1.0.0\nRUN id", "$(id)@1.0.0", "x@1.0.0`id`", "x'@1.0.0"] {
            let rules = InstallRules { npm: Some(evil.into()), ..InstallRules::default() };
            assert!(rules.check().is_err(), "{evil:?}");
            assert!(InstallRules { npm: Some("x@1.0.0".into()), ..InstallRules::default() }.at(evil, None).is_err(), "{evil:?}");
        }
        refused("apt = ['x;id']", "is no package");
        refused("apt = ['--purge']", "is no package");
        let hash = "a".repeat(64);
        for url in [
            "ftp://x",
            "http://x.example/y",
            "https://x.example/$(id)",
            "https://x.example/ y",
            "https://x.example/'y",
            "file:///etc/passwd",
        ] {
            refused(&format!("[url.x64]\nfrom = \"{url}\"\nsha256 = '{hash}'"), "is no URL");
        }
        refused(&format!("[url.x86]\nfrom = 'https://x.example/y'\nsha256 = '{hash}'"), "x64 and arm64");
        refused("[url.x64]\nfrom = 'https://x.example/y'\nsha256 = 'abc'", "is no SHA-256");
        refused("version = '1.0;id'\nrun = ['true']", "is no version");
        refused("npm = 'x@1.0.0'\nintegrity = 'sha1-x'", "`install.integrity`");
        refused("check = ['x']", "needs one of");
        for base in ["", "-v", "a b", "a\\nRUN id", "x:$TAG", "x#y", "scratch"] {
            refused(&format!("base = \"{base}\"\nrun = ['true']"), "`install.base`: ");
        }
        refused("base = 'node:22-trixie-slim'", "needs one of");
        assert!(toml::from_str::<InstallRules>("pnpm = 'x@1.0.0'").is_err());
    }

    #[test]
    fn another_version_is_of_the_same_package_and_not_of_the_same_content() {
        let integrity = format!("sha512-{}==", "a".repeat(86));
        let rules = InstallRules { npm: Some("@x/y@1.0.0".into()), integrity: Some(integrity.clone()), ..InstallRules::default() };
        assert_eq!((rules.version(), rules.npm_name()), ("1.0.0", Some("@x/y")));
        let other = rules.at("2.0.0", None).unwrap();
        assert_eq!((other.npm.as_deref(), other.integrity), (Some("@x/y@2.0.0"), None));
        assert_eq!(rules.at("1.0.0", None).unwrap().integrity, Some(integrity));
        assert!(InstallRules { run: vec!["true".into()], ..InstallRules::default() }.at("2.0.0", None).is_err());
    }
}

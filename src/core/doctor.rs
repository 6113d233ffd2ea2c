//! What is wrong, and what to do about it. Pure: the host looks, this judges.

use std::path::PathBuf;

use serde::Serialize;

use crate::core::config::Settings;
use crate::core::config::value::KeysPlace;
use crate::core::engine::proof::ProbeVerdict;
use crate::core::facts::Facts;

mod engine;
pub mod probe;
pub mod setup;
pub mod shell;
mod store;

/// How much a finding matters. The worst one is the exit code of `ai doctor`: [`Level::exit_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Ok,
    /// Good to know, nothing to do.
    Note,
    /// Runs work, but something is worse than it could be.
    Warning,
    /// Runs fail.
    Error,
}

impl Level {
    /// 0 for what is well, 1 for warnings, 2 for errors.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok | Self::Note => 0,
            Self::Warning => 1,
            Self::Error => 2,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: Level,
    pub title: String,
    pub cause: String,
    /// What somebody else said about it, such as a parser.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    pub hint: Option<String>,
}

impl Finding {
    pub fn new(level: Level, title: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { level, title: title.into(), cause: cause.into(), details: Vec::new(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What the host found when it looked around.
#[derive(Debug)]
pub struct Checkup<'a> {
    pub facts: &'a Facts,
    pub settings: &'a Settings,
    /// Such as `Debian GNU/Linux 12 (x86_64)`.
    pub system: String,
    pub wsl: bool,
    /// The image of the tools, and whether it is there.
    pub image: String,
    pub reach: Reach,
    /// Paths in the store that others can read or write.
    pub open: Vec<PathBuf>,
    pub repaired: usize,
    /// What stands where a directory of the store must be, and what it is.
    pub broken: Vec<(PathBuf, &'static str)>,
    /// Whether a file can be made in the store; the reason if not.
    pub writable: Result<(), String>,
    /// Percent of the store's file system that is used, and bytes that are free.
    pub disk: Option<(u8, u64)>,
    pub git: Option<PathBuf>,
    /// `https://` remotes of the project.
    pub https: Vec<String>,
    pub agent_keys: Option<u32>,
    /// Sessions and containers that nobody answers for, and containers kept on request.
    /// `None` where it was not looked.
    pub dead: Option<usize>,
    pub kept: usize,
    pub notes: Vec<Finding>,
    /// The line in the files of the person's shell that loads the functions.
    pub loading: Option<String>,
}

/// What became of asking the engine.
#[derive(Debug)]
pub enum Reach {
    Answers { image: ImageState },
    Fails { why: String, hint: Option<String> },
}

/// What stands behind the image's name.
#[derive(Debug)]
pub enum ImageState {
    Image,
    /// Something else than what was built or pinned, in words, and what to do.
    Moved(String, &'static str),
    Nothing,
}

/// Returns everything that there is to say, worst first within its topic.
pub fn examine(checkup: &Checkup) -> Vec<Finding> {
    let mut findings = vec![Finding::new(Level::Ok, "system", checkup.system.clone())];
    if checkup.wsl {
        let cause = "WSL: projects below /mnt are slow, and their locks do not reach Windows";
        findings.push(Finding::new(Level::Note, "system", cause).hint("keep projects in the Linux file system"));
    }
    findings.push(shell(checkup));
    engine::examine(checkup, &mut findings);
    store::examine(checkup, &mut findings);
    agent(checkup, &mut findings);
    keys(checkup, &mut findings);
    git(checkup, &mut findings);
    orphans(checkup, &mut findings);
    findings.extend(checkup.notes.iter().cloned());
    findings
}

/// Returns the worst level of all.
pub fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

fn shell(checkup: &Checkup) -> Finding {
    match checkup.facts.env.text("SHELL") {
        Some(shell) if ["zsh", "bash", "fish"].iter().any(|known| shell.ends_with(known)) => match &checkup.loading {
            Some(place) => Finding::new(Level::Ok, "shell", format!("`{shell}`; {place} loads the functions"))
                .hint("ai doctor shell asks a new one whether that works"),
            None => Finding::new(
                Level::Note,
                "shell",
                format!(
                    "no line in the files of `{shell}` loads the functions, so `claude` runs in no container unless a plugin loads them"
                ),
            )
            .hint("ai install"),
        },
        Some(shell) => Finding::new(Level::Note, "shell", format!("`{shell}` has no integration")).hint("ai run TOOL works in every shell"),
        None => Finding::new(Level::Note, "shell", "SHELL is not set"),
    }
}

fn agent(checkup: &Checkup, findings: &mut Vec<Finding>) {
    use crate::core::engine::agent::{Way, way};
    use crate::core::facts::SshAgent;
    if !checkup.settings.ssh_agent.value {
        return findings.push(Finding::new(Level::Ok, "ssh agent", "switched off (`ssh_agent = false`)"));
    }
    findings.push(match &checkup.facts.ssh_agent {
        SshAgent::Absent => Finding::new(Level::Note, "ssh agent", "SSH_AUTH_SOCK is not set: ssh remotes do not work in the container")
            .hint("eval \"$(ssh-agent)\" && ssh-add"),
        SshAgent::Broken(path) => {
            Finding::new(Level::Warning, "ssh agent", format!("SSH_AUTH_SOCK names `{}`, which is no socket", path.display()))
                .hint("eval \"$(ssh-agent)\" && ssh-add")
        }
        SshAgent::Socket(path) => match (way(&checkup.facts.engine, path), checkup.agent_keys) {
            (Way::None(hint), _) => {
                let cause = format!("{} cannot reach the agent", checkup.facts.engine.product.name());
                Finding::new(Level::Warning, "ssh agent", cause).hint(hint)
            }
            (_, Some(0)) => Finding::new(Level::Warning, "ssh agent", "it holds no key").hint("ssh-add"),
            (_, Some(keys)) => Finding::new(Level::Ok, "ssh agent", format!("{} with {keys} keys", path.display())),
            (_, None) => Finding::new(Level::Warning, "ssh agent", format!("`{}` does not answer", path.display())).hint("ssh-add -l"),
        },
    });
}

fn keys(checkup: &Checkup, findings: &mut Vec<Finding>) {
    if checkup.settings.keys.value == KeysPlace::Outside && checkup.facts.openssl.is_none() {
        let why = "openssl is not installed: nothing starts whose key stays outside";
        findings.push(Finding::new(Level::Warning, "keys", why).hint("install it, or keys = \"inside\""));
    }
}

fn git(checkup: &Checkup, findings: &mut Vec<Finding>) {
    findings.push(match &checkup.git {
        Some(path) => Finding::new(Level::Ok, "git", path.display().to_string()),
        None => Finding::new(Level::Note, "git", "not installed on the host: the container does not know your name and mail"),
    });
    if let (Some(remote), false) = (checkup.https.first(), checkup.settings.gh_token.value) {
        let cause = format!("the remote {remote} uses https: a push from the container has no credentials");
        let hint = "git remote set-url to ssh (git@…); or for GitHub `gh_token = true` in config.toml, with `gh auth setup-git` run inside";
        findings.push(Finding::new(Level::Note, "git", cause).hint(hint));
    }
}

fn orphans(checkup: &Checkup, findings: &mut Vec<Finding>) {
    let Some(dead) = checkup.dead else { return };
    findings.push(match dead {
        0 => Finding::new(Level::Ok, "sessions", "none is left behind"),
        count => Finding::new(Level::Warning, "sessions", format!("{count} left behind by shells that are gone")).hint("ai gc"),
    });
    if checkup.kept > 0 {
        let cause = format!("{} containers kept on request", checkup.kept);
        findings.push(Finding::new(Level::Note, "sessions", cause).hint("ai gc lists them"));
    }
}

/// Returns what a proof says, as findings: only what does not hold deserves a line of its own.
pub fn of_proof(proof: &crate::core::engine::proof::Proof) -> Vec<Finding> {
    let holds = proof.outcomes.iter().filter(|outcome| outcome.verdict == ProbeVerdict::Holds).count();
    let mut findings = vec![Finding::new(Level::Ok, "proof", format!("{holds} of {} hold with {}", proof.outcomes.len(), proof.image))];
    for outcome in &proof.outcomes {
        match outcome.verdict {
            ProbeVerdict::Holds => {}
            ProbeVerdict::Fails if crate::core::engine::proof::LOCKS.contains(&outcome.name.as_str()) => {
                let cause = format!("{}: {}; logins move into volumes of the engine (`ai-login-TOOL`)", outcome.name, outcome.detail);
                findings.push(Finding::new(Level::Warning, "proof", cause));
            }
            ProbeVerdict::Fails => findings.push(Finding::new(Level::Warning, "proof", format!("{}: {}", outcome.name, outcome.detail))),
            ProbeVerdict::Unknown => findings.push(Finding::new(Level::Note, "proof", format!("{}: {}", outcome.name, outcome.detail))),
        }
    }
    findings
}

//! `ai doctor --prove`: small containers that show what really holds on this engine, on this file system, as this user.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::container::ContainerPath;
use crate::core::container::SSH_AGENT;
use crate::core::doctor::probe::{self, Expected, PROBE_DIRECTORY, Probe};
use crate::core::engine::agent::{Way, way};
use crate::core::engine::proof::{ProbeOutcome, ProbeVerdict, Proof};
use crate::core::facts::{Facts, SshAgent};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{self, Part, Variable};
use crate::core::render;
use crate::core::store::seen::Fixed;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::clock;
use crate::host::machine::process;
use crate::host::{self, Host};

mod locks;
mod sockets;
mod terminal;

/// Longest time that one container may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs everything. The directory of the probes is in the store, since that is the file system that matters.
pub fn run(host: &Host, facts: &Facts, image: &str) -> Result<Proof> {
    let engines = host.store.root().join("engines");
    host::fs::files::private_dir(&engines)?;
    let directory = tempfile::Builder::new().prefix("prove-").tempdir_in(&engines)?;
    let bench = Bench { facts, image, directory: directory.path().to_owned() };
    bench.furnish()?;
    let mut outcomes: Vec<ProbeOutcome> =
        probe::probes(&bench.directory, bench.uid(), bench.gid()).iter().map(|probe| bench.answer(probe)).collect();
    outcomes.push(bench.owner());
    outcomes.push(bench.stop());
    outcomes.push(bench.clock());
    outcomes.push(bench.agent());
    outcomes.push(sockets::reach(&bench));
    outcomes.push(bench.rename_by_host());
    outcomes.push(bench.rename_by_container());
    outcomes.extend(locks::all(&bench));
    outcomes.extend(terminal::sizes(&bench));
    outcomes.push(bench.nothing_left());
    Ok(Proof { at: host::now(), image: image.into(), outcomes })
}

/// Where containers are tried out.
struct Bench<'a> {
    facts: &'a Facts,
    image: &'a str,
    directory: PathBuf,
}

/// Marks the containers of a proof.
const LABEL: &str = "ai.prove";

impl Bench<'_> {
    fn furnish(&self) -> std::io::Result<()> {
        let odd = self.directory.join(probe::ODD_NAME);
        host::fs::files::private_dir(&odd)?;
        if let Some(dir) = host::fs::enter(&self.directory, Path::new(probe::SCRATCH), host::fs::Absent::Make)? {
            host::fs::open_to_all(&dir).map_err(std::io::Error::from)?;
        }
        host::fs::files::write_private(&odd.join("file"), b"odd\n")?;
        host::fs::files::write_private(&self.directory.join("private"), b"private\n")
    }

    fn uid(&self) -> u32 {
        self.ids().0
    }

    fn gid(&self) -> u32 {
        self.ids().1
    }

    /// Returns what the user is inside.
    fn ids(&self) -> (u32, u32) {
        let of_flag = |flag: &Part| match flag {
            Part::User { uid, gid } => Some((*uid, *gid)),
            _ => None,
        };
        plan::user_parts(&self.facts.user, &self.facts.engine).iter().find_map(of_flag).unwrap_or_default()
    }

    /// Returns the vector of one container that runs `script`.
    fn argv(&self, flags: &[Part], script: &str) -> Vec<OsString> {
        let engine = &self.facts.engine;
        let mut all = vec![Part::Ephemeral, Part::Reaper, Part::Input, Part::NoDownload, Part::NoLog, Part::Label(LABEL, "1".into())];
        all.extend(plan::user_parts(&self.facts.user, &self.facts.engine));
        all.push(Part::Mount(Mount::bind(Fixed::of_person(&self.directory), ContainerPath::new(PROBE_DIRECTORY), Access::ReadWrite)));
        all.push(Part::Workdir(PROBE_DIRECTORY.into()));
        if !flags.iter().any(|flag| matches!(flag, Part::Network(_) | Part::HostAddress(_))) {
            // Sparing the bridge halves the time of the proof.
            all.push(Part::Network("none".into()));
        }
        all.extend(flags.iter().cloned());
        render::container(all.iter(), self.image, &["sh".into(), "-c".into(), script.into()], engine.kind)
    }

    fn engine(&self) -> OsString {
        render::program(&self.facts.engine)
    }

    /// Exit code and output of one container.
    fn run(&self, flags: &[Part], script: &str) -> Result<(u8, String, String)> {
        let (status, stdout, stderr) = process::output_within(&self.engine(), &self.argv(flags, script), PATIENCE)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        Ok((process::exit_code(status), text(&stdout), text(&stderr)))
    }

    fn answer(&self, probe: &Probe) -> ProbeOutcome {
        if probe.name == "host-name" && plan::host_name(&self.facts.engine, "bridge").is_none() {
            return outcome(probe.name, ProbeVerdict::Unknown, "this engine has its own name for the host");
        }
        let found = self.run(&probe.flags, &probe.script).map(|(code, stdout, stderr)| match &probe.expected {
            Expected::Prints(text) if code == 0 && stdout == *text => (ProbeVerdict::Holds, stdout),
            Expected::Code(expected) if code == *expected => (ProbeVerdict::Holds, format!("ends with {code}")),
            _ => (ProbeVerdict::Fails, format!("ended with {code}: {stdout} {}", last(&stderr))),
        });
        of(probe.name, found)
    }

    /// Proves that what is made inside belongs to the user outside.
    fn owner(&self) -> ProbeOutcome {
        use std::os::unix::fs::MetadataExt;
        let found = self.run(&[], "echo x >made").and_then(|(code, _, stderr)| {
            let metadata = self.directory.join("made").look().map_err(|_| failure(code, &stderr))?;
            let (is, should) = (metadata.uid(), self.facts.user.uid);
            Ok((holds(is == should), format!("made inside, it belongs to uid {is} outside")))
        });
        of("file-owner", found)
    }

    /// A container that is asked to end does, and is gone.
    fn stop(&self) -> ProbeOutcome {
        let name = format!("ai-prove-{}", process::me());
        let found = (|| {
            let mut argv = self.argv(&[Part::Name(name.clone())], "touch up; exec sleep 60");
            argv.insert(0, self.engine());
            let child = process::background(&argv)?;
            let up = wait_for(&self.directory.join("up"));
            process::output_within(&self.engine(), &["kill", "--signal", "TERM", &name], PATIENCE)?;
            let code = child.finish(PATIENCE)?;
            let there = process::output_within(&self.engine(), &["container", "inspect", &name], PATIENCE)?.0.success();
            Ok((holds(up && code == 143 && !there), format!("asked to end, it ends with {code}")))
        })();
        of("stop", found)
    }

    fn clock(&self) -> ProbeOutcome {
        let before = host::now();
        let found = self.run(&[], "date +%s").map(|(_, stdout, _)| {
            let inside = stdout.parse().unwrap_or(0);
            let off = if inside < before { before - inside } else { inside.saturating_sub(host::now()) };
            (holds(off <= 5), format!("differs by {off} s"))
        });
        of("clock", found)
    }

    fn agent(&self) -> ProbeOutcome {
        const NAME: &str = "ssh-agent";
        let SshAgent::Socket(socket) = &self.facts.ssh_agent else { return outcome(NAME, ProbeVerdict::Unknown, "no agent on the host") };
        let flags = match way(&self.facts.engine, socket) {
            Way::Mount { socket, root } => {
                let mount = Mount::bind(Fixed::of_person(socket), ContainerPath::new(SSH_AGENT), Access::ReadWrite);
                let variable = Variable::Literal("SSH_AUTH_SOCK".into(), SSH_AGENT.into());
                let mut flags = vec![Part::NoCapabilities, Part::Mount(mount), Part::Variable(variable)];
                flags.extend(root.then_some(Part::Group(0)));
                flags
            }
            Way::Flag => vec![Part::SshAgent],
            Way::Helper => return outcome(NAME, ProbeVerdict::Unknown, "the run's helper filters it"),
            Way::None(hint) => return outcome(NAME, ProbeVerdict::Fails, hint),
        };
        let script =
            "command -v ssh-add >/dev/null || { test -S \"$SSH_AUTH_SOCK\" && echo socket; exit; }; ssh-add -l >/dev/null 2>&1; echo $?";
        let found = self.run(&flags, script).map(|(code, stdout, stderr)| match stdout.as_str() {
            "0" => (ProbeVerdict::Holds, "reachable, with keys".to_owned()),
            "1" => (ProbeVerdict::Holds, "reachable, without a key".into()),
            "socket" => (ProbeVerdict::Unknown, "the socket is there; the image has no ssh-add to ask it".into()),
            _ => (ProbeVerdict::Fails, format!("ssh-add ended with {stdout} ({code}) {}", last(&stderr))),
        });
        of(NAME, found)
    }

    /// A file that the host replaces is the new one inside.
    fn rename_by_host(&self) -> ProbeOutcome {
        let found = (|| {
            let path = |name: &str| self.directory.join(name);
            host::fs::files::write_private(&path("renamed"), b"old")?;
            host::fs::files::write_private(&path("newer"), b"new")?;
            let script = "cat renamed >/dev/null; touch watching; i=0; while [ $i -lt 50 ]; do [ \"$(cat renamed)\" = new ] && exit 0; sleep 0.1; i=$((i+1)); done; exit 9";
            let mut argv = self.argv(&[], script);
            argv.insert(0, self.engine());
            let child = process::background(&argv)?;
            let ready = wait_for(&path("watching"));
            own::rename(path("newer"), path("renamed"))?;
            let code = child.finish(PATIENCE)?;
            Ok((holds(ready && code == 0), if code == 0 { "seen inside".into() } else { format!("not seen inside in 5 s ({code})") }))
        })();
        of("rename-by-host", found)
    }

    fn rename_by_container(&self) -> ProbeOutcome {
        let found = self.run(&[], "echo old >moved; echo new >newer; mv newer moved").and_then(|(code, _, stderr)| {
            let text = own::read_text(self.directory.join("moved")).map_err(|_| failure(code, &stderr))?;
            Ok((holds(text == "new\n"), "seen outside".into()))
        });
        of("rename-by-container", found)
    }

    fn nothing_left(&self) -> ProbeOutcome {
        let args = ["ps", "--all", "--quiet", "--filter", "label=ai.prove"];
        let found = process::output_within(&self.engine(), &args, PATIENCE).map(|(status, stdout, _)| {
            let left = String::from_utf8_lossy(&stdout).lines().count();
            (holds(status.success() && left == 0), format!("{left} containers are left"))
        });
        of("nothing-left", found)
    }
}

fn outcome(name: &str, verdict: ProbeVerdict, detail: impl Into<String>) -> ProbeOutcome {
    ProbeOutcome { name: name.into(), verdict, detail: detail.into() }
}

/// A probe that could not be run says nothing about the engine but that.
fn of(name: &str, found: Result<(ProbeVerdict, String)>) -> ProbeOutcome {
    match found {
        Ok((verdict, detail)) => outcome(name, verdict, detail),
        Err(failure) => outcome(name, ProbeVerdict::Fails, failure.to_string()),
    }
}

fn holds(is: bool) -> ProbeVerdict {
    if is { ProbeVerdict::Holds } else { ProbeVerdict::Fails }
}

fn last(text: &str) -> &str {
    text.lines().rfind(|line| !line.trim().is_empty() && !line.contains("--help")).unwrap_or_default()
}

fn failure(code: u8, stderr: &str) -> Failure {
    Failure::new(Kind::General, format!("the container ended with {code}: {}", last(stderr)))
}

/// Waits up to ten seconds for a file to appear.
fn wait_for(path: &Path) -> bool {
    for _ in 0..200 {
        if path.is_there() {
            return true;
        }
        clock::pause(Duration::from_millis(50));
    }
    false
}

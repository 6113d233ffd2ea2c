//! What one run can change.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::Args;

use crate::core::admit::Admitted;
use crate::core::admit::mount::MountRule;
use crate::core::admit::overlay::Overlay;
use crate::core::admit::publish::Publish;
use crate::core::config::value::Mapping;
use crate::core::config::{Layer, Origin, Setting};
use crate::core::engine::kind::EngineKind;
use crate::core::image::ImageChoice;
use crate::core::sync::HostSync;

/// Overrides for one run; each has an `AI_*` variable and a key in config.toml too.
#[derive(Clone, Debug, Default, Args)]
pub struct Overrides {
    #[arg(long, value_enum, help_heading = "Overrides for this run")]
    /// Program that runs containers
    pub engine: Option<EngineKind>,
    /// Image to run
    #[arg(long, help_heading = "Overrides for this run")]
    pub image: Option<String>,
    /// `bridge`, `guard`, `none`, `host`, or a network of the engine
    #[arg(long, help_heading = "Overrides for this run")]
    pub network: Option<String>,
    /// Where the project is mounted
    #[arg(long, value_enum, help_heading = "Overrides for this run")]
    pub workspace: Option<Mapping>,
    /// Mount the directory even if it is refused for good reason
    #[arg(long, help_heading = "Overrides for this run")]
    pub force_workspace: bool,
    /// Read-only root file system in any case, little scratch, few processes
    #[arg(long, help_heading = "Overrides for this run")]
    pub hardened: bool,
    /// No SSH agent
    #[arg(long, help_heading = "Overrides for this run")]
    pub no_ssh_agent: bool,
    /// Such as 4g
    #[arg(long, help_heading = "Overrides for this run")]
    pub memory: Option<String>,
    #[arg(long, help_heading = "Overrides for this run")]
    /// Such as 2 or 0.5
    pub cpus: Option<f64>,
    /// Most processes and threads
    #[arg(long, help_heading = "Overrides for this run")]
    pub pids: Option<u32>,
    /// Keep the container afterwards
    #[arg(long, help_heading = "Overrides for this run")]
    pub keep: bool,
    /// Let a directory or file in, read-only unless `:rw` stands behind it; may be repeated
    #[arg(long = "mount", value_name = "PATH[:rw]", help_heading = "Overrides for this run")]
    pub mounts: Vec<String>,
    /// Let a variable in, or give it a value; may be repeated
    #[arg(long = "env", value_name = "NAME[=VALUE]", help_heading = "Overrides for this run")]
    pub env: Vec<OsString>,
    /// Let a port out, to this machine only unless an address is written; may be repeated
    #[arg(long, value_name = "PORT[:INSIDE]", help_heading = "Overrides for this run")]
    pub publish: Vec<Publish>,
    /// Give the container a directory of its own in place of one of the project, such as node_modules; may be repeated
    #[arg(long = "overlay", value_name = "PATH", value_parser = overlay, help_heading = "Overrides for this run")]
    pub overlays: Vec<Overlay>,
    /// Use the settings of `[profile.NAME]`
    #[arg(long, value_name = "NAME", help_heading = "Overrides for this run")]
    pub profile: Option<String>,
    /// Directions in which the host's own settings take part
    #[arg(long, value_enum, help_heading = "Overrides for this run")]
    pub host_sync: Option<HostSync>,
}

impl Overrides {
    pub fn layer(self) -> Layer {
        fn set<T>(value: Option<T>, flag: &'static str) -> Option<Setting<T>> {
            value.map(|value| Setting::new(value, Origin::Flag(flag)))
        }
        let (given, pass) = variables(self.env);
        Layer {
            engine: set(self.engine.map(Some), "--engine"),
            image: set(self.image.map(|name| Some(ImageChoice::Named(name))), "--image"),
            network: set(self.network, "--network"),
            workspace: set(self.workspace, "--workspace"),
            force_workspace: set(self.force_workspace.then_some(true), "--force-workspace"),
            hardened: set(self.hardened.then_some(true), "--hardened"),
            ssh_agent: set(self.no_ssh_agent.then_some(false), "--no-ssh-agent"),
            memory: set(self.memory.map(Some), "--memory"),
            cpus: set(self.cpus.map(Some), "--cpus"),
            pids: set(self.pids.map(Some), "--pids"),
            keep: set(self.keep.then_some(true), "--keep"),
            host_sync: set(self.host_sync, "--host-sync"),
            admitted: Admitted {
                mounts: self.mounts.iter().map(|word| Setting::new(MountRule::from_word(word), Origin::Flag("--mount"))).collect(),
                pass: pass.into_iter().map(|name| Setting::new(name, Origin::Flag("--env"))).collect(),
                given,
                overlay: self.overlays.into_iter().map(|overlay| Setting::new(overlay, Origin::Flag("--overlay"))).collect(),
                publish: self.publish.into_iter().map(|port| Setting::new(port, Origin::Flag("--publish"))).collect(),
                ..Admitted::default()
            },
            profile: self.profile,
            ..Layer::default()
        }
    }
}

fn overlay(text: &str) -> Result<Overlay, String> {
    Overlay::try_from(text.to_owned())
}

/// Splits `NAME=VALUE` from `NAME`.
fn variables(words: Vec<OsString>) -> (Vec<(String, OsString)>, Vec<String>) {
    let (mut given, mut pass) = (Vec::new(), Vec::new());
    for word in words {
        let bytes = word.as_bytes();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match bytes.iter().position(|byte| *byte == b'=') {
            Some(at) => given.push((text(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..]).to_owned())),
            None => pass.push(text(bytes)),
        }
    }
    (given, pass)
}

//! The parts of a run: what it needs, in words of no engine. `render` spells them.

use std::borrow::Cow;
use std::ffi::OsString;
use std::net::IpAddr;

use crate::core::admit::publish::Publish;
use crate::core::config::Origin;
use crate::core::container::ContainerPath;
use crate::core::plan::Variable;
use crate::core::plan::mount::Mount;

/// One thing that a run needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The container is gone when its run is over.
    Ephemeral,
    /// Process 1 reaps and passes signals on.
    Reaper,
    /// Standard input reaches the container.
    Input,
    /// The container has a terminal.
    Terminal,
    /// No keys detach from the container.
    NoDetachKeys,
    /// The image is there already, or the run fails.
    NoDownload,
    /// The engine keeps no copy of the output.
    NoLog,
    NoCoreDump,
    NoCapabilities,
    NoNewPrivileges,
    ReadOnlyRoot,
    Name(String),
    Hostname(String),
    Label(&'static str, String),
    User {
        uid: u32,
        gid: u32,
    },
    /// A rootless engine maps the person to the same number inside.
    SameUser,
    Variable(Variable),
    Mount(Mount),
    /// A temporary file system of at most so many bytes; `exec` where programs are run from it.
    Scratch {
        target: String,
        exec: bool,
        size: u64,
    },
    Workdir(OsString),
    /// Bytes.
    Memory(u64),
    Cpus(f64),
    /// Processes and threads.
    Pids(u32),
    Network(String),
    /// `host.docker.internal`, as this address.
    HostAddress(&'static str),
    /// A name with its address.
    Host {
        name: String,
        address: String,
    },
    /// A server that answers for names.
    Dns(IpAddr),
    /// A port that the host can reach.
    Publish(Publish),
    /// Bytes of `/dev/shm`.
    SharedMemory(u64),
    /// Graphics processors, as the engine names them.
    Gpus(String),
    /// A volume of the engine's own, for what its shared folders cannot keep.
    Volume {
        name: String,
        target: ContainerPath,
    },
    /// `SELinux` lets the container use what is mounted.
    NoFileLabels,
    /// One more group of the user, by number.
    Group(u32),
    /// A program in place of the image's own entry point.
    Program(&'static str),
    /// The engine brings the SSH agent itself.
    SshAgent,
}

/// A part with the reason why it is there, and the setting that put it there.
#[derive(Clone, Debug, PartialEq)]
pub struct Reasoned {
    pub part: Part,
    pub reason: Cow<'static, str>,
    pub origin: Origin,
}

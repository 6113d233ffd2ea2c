//! The flags of Apple's `container`, as far as its command reference names them. Each container is a machine of its
//! own there, which is why much of what hardens a container elsewhere has no counterpart.

use std::ffi::OsString;

use crate::core::plan::{Part, Variable};

/// Returns the words of one part, or what it is that cannot be said.
pub(super) fn words(part: &Part) -> Result<Vec<OsString>, &'static str> {
    let pair = |name: &str, value: OsString| vec![name.into(), value];
    Ok(match part {
        Part::Ephemeral => vec!["--rm".into()],
        Part::Input => vec!["-i".into()],
        Part::Terminal => vec!["-t".into()],
        Part::Name(name) => pair("--name", name.into()),
        Part::Label(key, value) => pair("--label", format!("{key}={value}").into()),
        Part::User { uid, gid } => pair("--user", format!("{uid}:{gid}").into()),
        Part::Variable(Variable::Literal(name, value)) => pair("-e", format!("{name}={value}").into()),
        Part::Variable(Variable::Inherited(name)) => pair("-e", name.into()),
        Part::Mount(mount) => pair("--mount", mount.value()),
        Part::Scratch { target, .. } => pair("--tmpfs", target.into()),
        Part::Workdir(path) => pair("-w", path.clone()),
        // Whole MiB, and whole processors.
        Part::Memory(bytes) => pair("--memory", format!("{}M", bytes.div_ceil(1 << 20)).into()),
        Part::Cpus(cpus) => pair("--cpus", format!("{:.0}", cpus.ceil()).into()),
        Part::Network(name) => pair("--network", name.into()),
        Part::Program(name) => pair("--entrypoint", name.into()),
        Part::SshAgent => vec!["--ssh".into()],
        // Each container is a machine of its own, which ends with it: what these guard is not there.
        Part::Reaper
        | Part::NoDetachKeys
        | Part::NoDownload
        | Part::NoLog
        | Part::NoCoreDump
        | Part::NoCapabilities
        | Part::NoNewPrivileges
        | Part::ReadOnlyRoot
        | Part::Hostname(_)
        | Part::SameUser
        | Part::Pids(_)
        | Part::HostAddress(_)
        | Part::NoFileLabels
        | Part::Group(_) => Vec::new(),
        Part::Dns(server) => pair("--dns", server.to_string().into()),
        Part::Publish(port) => pair("--publish", port.to_string().into()),
        Part::Volume { .. } => return Err("a volume for the login"),
        Part::Host { .. } => return Err("addresses of names (`hosts`)"),
        Part::SharedMemory(_) => return Err("a size of `/dev/shm`"),
        Part::Gpus(_) => return Err("graphics processors"),
    })
}

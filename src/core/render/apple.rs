//! The flags of Apple's `container`, as far as its command reference names them. Each container is a machine of its
//! own there, which is why much of what hardens a container elsewhere has no counterpart.

use std::ffi::OsString;

use crate::core::plan::{Flag, Variable};

/// The words of one flag; none where there is no such flag.
pub(super) fn words(flag: &Flag) -> Vec<OsString> {
    let pair = |name: &str, value: OsString| vec![name.into(), value];
    match flag {
        Flag::Remove => vec!["--rm".into()],
        Flag::Interactive => vec!["-i".into()],
        Flag::Terminal => vec!["-t".into()],
        Flag::Name(name) => pair("--name", name.into()),
        Flag::Label(key, value) => pair("--label", format!("{key}={value}").into()),
        Flag::User { uid, gid } => pair("--user", format!("{uid}:{gid}").into()),
        Flag::Variable(Variable::Literal(name, value)) => pair("-e", format!("{name}={value}").into()),
        Flag::Variable(Variable::Inherited(name)) => pair("-e", name.into()),
        Flag::Mount(mount) => pair("--mount", mount.value()),
        Flag::Tmpfs { target, .. } => pair("--tmpfs", target.into()),
        Flag::Workdir(path) => pair("-w", path.clone()),
        // Whole MiB, and whole processors.
        Flag::Memory(bytes) => pair("--memory", format!("{}M", bytes.div_ceil(1 << 20)).into()),
        Flag::Cpus(cpus) => pair("--cpus", format!("{:.0}", cpus.ceil()).into()),
        Flag::Network(name) => pair("--network", name.into()),
        Flag::SshAgent => vec!["--ssh".into()],
        Flag::Init
        | Flag::DetachKeys
        | Flag::PullNever
        | Flag::LogNone
        | Flag::NoCore
        | Flag::DropCapabilities
        | Flag::NoNewPrivileges
        | Flag::ReadOnlyRoot
        | Flag::Hostname(_)
        | Flag::KeepId
        | Flag::Pids(_)
        | Flag::HostName(_)
        | Flag::Volume { .. }
        | Flag::LabelDisable
        | Flag::GroupAdd(_) => Vec::new(),
    }
}

//! A run as the argument vector of docker, podman or nerdctl, which share their flags.

use std::ffi::OsString;

use crate::core::engine::traits::Traits;
use crate::core::plan::{Part, Variable};

/// Returns the words of one part.
pub fn words(part: &Part, traits: &Traits) -> Vec<OsString> {
    let pair = |name: &str, value: OsString| vec![name.into(), value];
    match part {
        Part::Ephemeral => vec!["--rm".into()],
        Part::Reaper => vec!["--init".into()],
        Part::Input => vec!["-i".into()],
        Part::Terminal => vec!["-t".into()],
        Part::NoDetachKeys => traits.detach_keys.iter().map(OsString::from).collect(),
        Part::NoDownload => pair("--pull", "never".into()),
        Part::NoLog => pair("--log-driver", "none".into()),
        Part::NoCoreDump => pair("--ulimit", "core=0".into()),
        Part::NoCapabilities => pair("--cap-drop", "ALL".into()),
        Part::NoNewPrivileges => pair("--security-opt", "no-new-privileges".into()),
        Part::ReadOnlyRoot => vec!["--read-only".into()],
        Part::Name(name) => pair("--name", name.into()),
        Part::Hostname(name) => pair("--hostname", name.into()),
        Part::Label(key, value) => pair("--label", format!("{key}={value}").into()),
        Part::User { uid, gid } => pair("--user", format!("{uid}:{gid}").into()),
        Part::SameUser => pair("--userns", "keep-id".into()),
        Part::Variable(Variable::Literal(name, value)) => pair("-e", format!("{name}={value}").into()),
        Part::Variable(Variable::Inherited(name)) => pair("-e", name.into()),
        Part::Mount(mount) => pair("--mount", mount.value()),
        Part::Scratch { target, exec, size } => {
            let exec = if *exec { "exec" } else { "noexec" };
            pair("--tmpfs", format!("{target}:rw,{exec},nosuid,nodev,mode=1777,size={size}").into())
        }
        Part::Workdir(path) => pair("-w", path.clone()),
        Part::Memory(bytes) => pair("--memory", bytes.to_string().into()),
        Part::Cpus(cpus) => pair("--cpus", cpus.to_string().into()),
        Part::Pids(pids) => pair("--pids-limit", pids.to_string().into()),
        Part::Network(name) => pair("--network", name.into()),
        Part::HostAddress(address) => pair("--add-host", format!("host.docker.internal:{address}").into()),
        Part::Host { name, address } => pair("--add-host", format!("{name}:{address}").into()),
        Part::Dns(server) => pair("--dns", server.to_string().into()),
        Part::Publish(port) => pair("--publish", port.to_string().into()),
        Part::SharedMemory(bytes) => pair("--shm-size", bytes.to_string().into()),
        // A CSV record: of several devices, the list is one field.
        Part::Gpus(gpus) if gpus.starts_with("device=") && gpus.contains(',') => pair("--gpus", format!("\"{gpus}\"").into()),
        Part::Gpus(gpus) => pair("--gpus", gpus.into()),
        Part::Volume { name, target } => {
            let mut value = OsString::from(format!("type=volume,source={name},target="));
            value.push(target.as_os_str());
            pair("--mount", value)
        }
        Part::NoFileLabels => pair("--security-opt", "label=disable".into()),
        Part::Group(group) => pair("--group-add", group.to_string().into()),
        Part::Program(name) => pair("--entrypoint", name.into()),
        Part::SshAgent => Vec::new(),
    }
}

//! The plan as the engine's argument vector.

use std::ffi::OsString;

use crate::core::engine::kind::EngineKind;
use crate::core::plan::{Flag, Plan, Variable};

impl Plan {
    /// The exact vector to exec: prefix, engine, flags, image, command, the user's words.
    pub fn argv(&self) -> Vec<OsString> {
        self.prefix.iter().cloned().chain(self.vector()).collect()
    }

    /// The vector without its prefix, for whoever has the secrets already.
    pub fn vector(&self) -> Vec<OsString> {
        let mut argv = vec![self.engine_program()];
        argv.push("run".into());
        for part in &self.parts {
            argv.extend(words(&part.flag, self.engine.kind));
        }
        argv.push(self.image.clone().into());
        argv.extend(self.command.iter().cloned());
        argv.extend(self.args.iter().cloned());
        argv
    }

    fn engine_program(&self) -> OsString {
        self.engine.program.as_ref().map_or_else(|| self.engine.kind.program().into(), |path| path.clone().into_os_string())
    }
}

/// The words of one flag, as this engine spells them.
pub fn words(flag: &Flag, engine: EngineKind) -> Vec<OsString> {
    if engine == EngineKind::Container {
        return super::apple::words(flag);
    }
    let pair = |name: &str, value: OsString| vec![name.into(), value];
    match flag {
        Flag::Remove => vec!["--rm".into()],
        Flag::Init => vec!["--init".into()],
        Flag::Interactive => vec!["-i".into()],
        Flag::Terminal => vec!["-t".into()],
        Flag::DetachKeys if engine == EngineKind::Podman => vec!["--detach-keys=".into()],
        Flag::DetachKeys => pair("--detach-keys", "ctrl-^,ctrl-@,ctrl-^,ctrl-_".into()),
        Flag::PullNever => pair("--pull", "never".into()),
        Flag::LogNone => pair("--log-driver", "none".into()),
        Flag::NoCore => pair("--ulimit", "core=0".into()),
        Flag::DropCapabilities => pair("--cap-drop", "ALL".into()),
        Flag::NoNewPrivileges => pair("--security-opt", "no-new-privileges".into()),
        Flag::ReadOnlyRoot => vec!["--read-only".into()],
        Flag::Name(name) => pair("--name", name.into()),
        Flag::Hostname(name) => pair("--hostname", name.into()),
        Flag::Label(key, value) => pair("--label", format!("{key}={value}").into()),
        Flag::User { uid, gid } => pair("--user", format!("{uid}:{gid}").into()),
        Flag::KeepId => pair("--userns", "keep-id".into()),
        Flag::Variable(Variable::Literal(name, value)) => pair("-e", format!("{name}={value}").into()),
        Flag::Variable(Variable::Inherited(name)) => pair("-e", name.into()),
        Flag::Mount(mount) => pair("--mount", mount.value()),
        Flag::Tmpfs { target, exec } => {
            let exec = if *exec { "exec" } else { "noexec" };
            pair("--tmpfs", format!("{target}:rw,{exec},nosuid,nodev,mode=1777").into())
        }
        Flag::Workdir(path) => pair("-w", path.clone()),
        Flag::Memory(bytes) => pair("--memory", bytes.to_string().into()),
        Flag::Cpus(cpus) => pair("--cpus", cpus.to_string().into()),
        Flag::Pids(pids) => pair("--pids-limit", pids.to_string().into()),
        Flag::Network(name) => pair("--network", name.into()),
        Flag::HostName(address) => pair("--add-host", format!("host.docker.internal:{address}").into()),
        Flag::Volume { name, target } => {
            let mut value = OsString::from(format!("type=volume,source={name},target="));
            value.push(target.as_os_str());
            pair("--mount", value)
        }
        Flag::LabelDisable => pair("--security-opt", "label=disable".into()),
        Flag::GroupAdd(group) => pair("--group-add", group.to_string().into()),
        Flag::SshAgent => Vec::new(),
    }
}

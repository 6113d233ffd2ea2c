//! The questions of `ai doctor --prove` that one container with one script can answer.

use crate::core::container::ContainerPath;
use crate::core::plan::Part;
use crate::core::plan::mount::{Access, Mount};
use crate::core::store::seen::Fixed;

/// A script for the container's `sh`, and what it must come to.
#[derive(Debug)]
pub struct Probe {
    pub name: &'static str,
    pub flags: Vec<Part>,
    pub script: String,
    pub expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It prints exactly this, and ends with 0.
    Prints(String),
    /// It ends with this.
    Code(u8),
}

/// Where the directory of the probes is mounted.
pub const PROBE_DIRECTORY: &str = "/probe";
/// A directory whose name needs quoting everywhere.
pub const ODD_NAME: &str = "a,b \"c\":d";
/// A directory that a temporary file system is mounted on, made as a tool's private directories are.
pub const SCRATCH: &str = "scratch";

/// `directory` is mounted at [`PROBE_DIRECTORY`] in every container; `uid` and `gid` are what the plan runs as.
pub fn probes(directory: &std::path::Path, uid: u32, gid: u32) -> Vec<Probe> {
    let probe = |name, flags, script: &str, expected| Probe { name, flags, script: script.into(), expected };
    let prints = |text: &str| Expected::Prints(text.into());
    let limit = |v2: &str, v1: &str| format!("cat /sys/fs/cgroup/{v2} 2>/dev/null || cat /sys/fs/cgroup/{v1}");
    let tmpfs = Part::Scratch { target: "/t".into(), exec: false, size: 1 << 20 };
    let executable = Part::Scratch { target: "/t".into(), exec: true, size: 1 << 20 };
    let program = "printf '#!/bin/sh\\necho ran\\n' >/t/x; chmod 755 /t/x; /t/x 2>/dev/null || echo refused";
    let odd = Mount::bind(Fixed::of_person(directory.join(ODD_NAME)), ContainerPath::new("/odd"), Access::ReadWrite);
    let read_only = Mount::bind(Fixed::of_person(directory), ContainerPath::new("/ro"), Access::ReadOnly);
    vec![
        probe("start", vec![], "echo up", prints("up")),
        probe("exit-code", vec![], "exit 42", Expected::Code(42)),
        probe("exit-missing", vec![], "exec /no/such/program 2>/dev/null", Expected::Code(127)),
        probe("signal", vec![], "kill -TERM $$", Expected::Code(143)),
        probe("user", vec![], "echo $(id -u):$(id -g)", prints(&format!("{uid}:{gid}"))),
        probe(
            "capabilities",
            vec![Part::NoCapabilities],
            "grep CapEff /proc/self/status | tr -d '\\t '",
            prints("CapEff:0000000000000000"),
        ),
        probe("no-new-privileges", vec![Part::NoNewPrivileges], "grep NoNewPrivs /proc/self/status | tr -d '\\t '", prints("NoNewPrivs:1")),
        probe("no-core", vec![Part::NoCoreDump], "ulimit -c", prints("0")),
        probe("limit-memory", vec![Part::Memory(64 << 20)], &limit("memory.max", "memory/memory.limit_in_bytes"), prints("67108864")),
        probe("limit-pids", vec![Part::Pids(77)], &limit("pids.max", "pids/pids.max"), prints("77")),
        probe(
            "limit-cpus",
            vec![Part::Cpus(0.5)],
            "cut -d ' ' -f 1 /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us",
            prints("50000"),
        ),
        probe("read-only-root", vec![Part::ReadOnlyRoot], "touch /x 2>/dev/null || echo refused", prints("refused")),
        probe("read-only-mount", vec![Part::Mount(read_only)], "touch /ro/x 2>/dev/null || echo refused", prints("refused")),
        probe("odd-path", vec![Part::Mount(odd)], "cat /odd/file", prints("odd")),
        probe(
            "tmpfs-over-directory",
            vec![Part::Scratch { target: format!("{PROBE_DIRECTORY}/{SCRATCH}"), exec: false, size: 1 << 20 }],
            &format!("touch {PROBE_DIRECTORY}/{SCRATCH}/x && mkdir {PROBE_DIRECTORY}/{SCRATCH}/y && echo writable"),
            prints("writable"),
        ),
        probe("tmpfs-exec", vec![executable], program, prints("ran")),
        probe("tmpfs-noexec", vec![tmpfs], program, prints("refused")),
        probe(
            "hostname",
            vec![Part::Hostname("probe-dev-env".into())],
            "hostname 2>/dev/null || cat /etc/hostname",
            prints("probe-dev-env"),
        ),
        probe("network-none", vec![Part::Network("none".into())], "grep -vc '^ *lo:\\|^Inter\\|^ face' /proc/net/dev || true", prints("0")),
        probe(
            "dns",
            vec![Part::Network("bridge".into())],
            "grep -q '^nameserver' /etc/resolv.conf && grep -c localhost /etc/hosts >/dev/null && echo set",
            prints("set"),
        ),
        probe(
            "host-name",
            vec![Part::HostAddress("host-gateway")],
            "grep -q 'host.docker.internal' /etc/hosts && echo known",
            prints("known"),
        ),
        probe("private-file", vec![], "cat /probe/private", prints("private")),
        probe("big-output", vec![], "head -c 1048576 /dev/zero | tr '\\0' x | wc -c | tr -d ' '", prints("1048576")),
    ]
}

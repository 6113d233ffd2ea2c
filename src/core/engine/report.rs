//! What an engine said about itself, kept in the store as `engines/<endpoint>.json`.
//!
//! Written before a run and by `doctor`; a plan only reads it, so that planning never waits for an engine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::engine::Product;
use crate::core::engine::proof::Proof;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReport {
    /// The engine's own identity; with `version` it says whether a proof is still about this engine.
    pub id: String,
    pub version: String,
    pub os_type: String,
    pub operating_system: String,
    pub product: Option<Product>,
    pub security: Vec<String>,
    pub cgroup: String,
    /// Bytes.
    pub memory: u64,
    pub cpus: u32,
    #[serde(default)]
    pub limits: Limits,
    pub rootless: bool,
    pub selinux: bool,
    pub runc: Option<String>,
    /// The SSH agent's socket in the engine's machine, where it offers one.
    pub agent: Option<PathBuf>,
    /// What the endpoint looked like then; another look means that the engine was started anew.
    pub stamp: String,
    /// Seconds by which the engine's clock is ahead of ours.
    pub skew: Option<i64>,
    pub proof: Option<Proof>,
}

/// What the engine can keep a container from using up. Without root it needs the control groups of version 2, and that
/// the system delegates their controllers to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub memory: bool,
    pub cpus: bool,
    pub pids: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self::ALL
    }
}

impl Limits {
    const ALL: Self = Self { memory: true, cpus: true, pids: true };

    /// Returns what cannot be limited, in words.
    pub fn missing(self) -> Vec<&'static str> {
        let all = [(self.memory, "memory"), (self.cpus, "processors"), (self.pids, "processes")];
        all.into_iter().filter_map(|(can, name)| (!can).then_some(name)).collect()
    }
}

impl EngineReport {
    /// Returns the answer of `docker info`, or of `GET /info`.
    pub fn from_docker(info: &Value) -> Option<Self> {
        let text = |key: &str| info.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let security: Vec<String> =
            info.get("SecurityOptions")?.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let can = |key: &str| info.get(key).and_then(Value::as_bool).unwrap_or(true);
        let has = |name: &str| security.iter().any(|option| option.split(',').any(|part| part == format!("name={name}")));
        let version = text("ServerVersion");
        let operating_system = text("OperatingSystem");
        if version.is_empty() {
            return None;
        }
        Some(Self {
            id: text("ID"),
            product: product(&operating_system, &text("Name")),
            version,
            os_type: text("OSType"),
            operating_system,
            cgroup: text("CgroupVersion"),
            memory: info.get("MemTotal").and_then(Value::as_u64).unwrap_or_default(),
            cpus: info.get("NCPU").and_then(Value::as_u64).and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or_default(),
            limits: Limits { memory: can("MemoryLimit"), cpus: can("CpuCfsQuota"), pids: can("PidsLimit") },
            rootless: has("rootless"),
            selinux: has("selinux"),
            runc: info.pointer("/RuncCommit/ID").and_then(Value::as_str).filter(|id| id.contains('.')).map(str::to_owned),
            security,
            ..Self::default()
        })
    }

    /// Returns the answer of `podman info --format json`. podman has no identity of its own: its storage stands for it.
    pub fn from_podman(info: &Value) -> Option<Self> {
        let text = |pointer: &str| info.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |pointer: &str| info.pointer(pointer).and_then(Value::as_bool).unwrap_or_default();
        let version = text("/version/Version");
        if version.is_empty() {
            return None;
        }
        let runtime = text("/host/ociRuntime/version");
        let limits = info.pointer("/host/cgroupControllers").and_then(Value::as_array).map(|controllers| {
            let has = |name: &str| controllers.iter().any(|controller| controller == name);
            Limits { memory: has("memory"), cpus: has("cpu"), pids: has("pids") }
        });
        Some(Self {
            id: text("/store/graphRoot"),
            version,
            os_type: text("/host/os"),
            operating_system: text("/host/distribution/distribution"),
            cgroup: text("/host/cgroupVersion").trim_start_matches('v').to_owned(),
            memory: info.pointer("/host/memTotal").and_then(Value::as_u64).unwrap_or_default(),
            cpus: info.pointer("/host/cpus").and_then(Value::as_u64).and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or_default(),
            limits: limits.unwrap_or_default(),
            rootless: flag("/host/security/rootless"),
            selinux: flag("/host/security/selinuxEnabled"),
            runc: runtime.lines().next().and_then(|line| line.strip_prefix("runc version ")).map(str::to_owned),
            ..Self::default()
        })
    }

    /// Takes over what an earlier look had proven, if that was about the same engine.
    #[must_use]
    pub fn with_proof_of(mut self, earlier: Option<Self>) -> Self {
        let same = earlier.filter(|earlier| earlier.id == self.id && earlier.version == self.version);
        self.proof = same.and_then(|earlier| earlier.proof);
        self
    }
}

/// Seconds since 1970 of a time such as `2026-11-22T11:02:59.178Z`; engines give it in UTC or with an offset.
pub fn seconds(time: &str) -> Option<i64> {
    // No part of a time is bigger, and nothing below can overflow.
    let number = |text: &str| text.parse::<u16>().ok().map(i64::from);
    let (date, clock) = time.split_once('T')?;
    let mut date = date.split('-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let offset_at = clock.find(['Z', '+', '-'])?;
    let (clock, offset) = clock.split_at(offset_at);
    let mut clock = clock.split(':').map(|part| part.split('.').next().and_then(number));
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next()??);
    let offset = match offset.split_at_checked(1)? {
        ("Z", _) => 0,
        (sign, offset) => {
            let (hours, minutes) = offset.split_once(':')?;
            let offset = number(hours)? * 3600 + number(minutes)? * 60;
            if sign == "-" { -offset } else { offset }
        }
    };
    // Days since 1970 in the Gregorian calendar, with the year taken to begin in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hours * 3600 + minutes * 60 + seconds - offset)
}

/// Products that say who they are.
fn product(operating_system: &str, name: &str) -> Option<Product> {
    let system = operating_system.to_ascii_lowercase();
    let found = [("docker desktop", Product::DockerDesktop), ("orbstack", Product::OrbStack), ("rancher desktop", Product::RancherDesktop)];
    let by_name = || name.starts_with("colima").then_some(Product::Colima);
    found.iter().find(|(mark, _)| system.contains(mark)).map(|(_, product)| *product).or_else(by_name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rootless_docker_says_so() {
        let info = json!({
            "ID": "a", "ServerVersion": "28.2.2", "OperatingSystem": "Debian GNU/Linux 12", "OSType": "linux", "CgroupVersion": "2",
            "MemTotal": 8_000_000_000_u64, "NCPU": 4, "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
            "RuncCommit": { "ID": "v1.2.5-0-g59923ef" },
        });
        let report = EngineReport::from_docker(&info).unwrap();
        assert_eq!((report.rootless, report.selinux, report.cpus, report.memory), (true, false, 4, 8_000_000_000));
        assert_eq!((report.product, report.runc.as_deref()), (None, Some("v1.2.5-0-g59923ef")));
    }

    #[test]
    fn an_engine_says_what_it_cannot_limit() {
        let docker = |info: Value| EngineReport::from_docker(&info).unwrap().limits.missing();
        assert!(docker(json!({ "ServerVersion": "28", "SecurityOptions": [] })).is_empty());
        let without =
            json!({ "ServerVersion": "28", "SecurityOptions": [], "MemoryLimit": false, "CpuCfsQuota": true, "PidsLimit": false });
        assert_eq!(docker(without), ["memory", "processes"]);
        let podman =
            |host: Value| EngineReport::from_podman(&json!({ "version": { "Version": "4.3.1" }, "host": host })).unwrap().limits.missing();
        assert!(podman(json!({})).is_empty());
        assert_eq!(podman(json!({ "cgroupControllers": ["memory", "pids"] })), ["processors"]);
        assert_eq!(podman(json!({ "cgroupControllers": [] })), ["memory", "processors", "processes"]);
    }

    #[test]
    fn machines_are_recognised_by_what_they_say() {
        for (system, name, expected) in [
            ("Docker Desktop", "docker-desktop", Some(Product::DockerDesktop)),
            ("OrbStack", "orbstack", Some(Product::OrbStack)),
            ("Ubuntu 24.04 LTS", "colima", Some(Product::Colima)),
            ("Debian GNU/Linux 12", "box", None),
        ] {
            let info = json!({ "ServerVersion": "28", "OperatingSystem": system, "Name": name, "SecurityOptions": [] });
            assert_eq!(EngineReport::from_docker(&info).unwrap().product, expected, "{system}");
        }
    }

    #[test]
    fn times_are_seconds_since_1970() {
        for (time, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-22T11:02:59.178085418Z", Some(1_795_345_379)),
            ("2026-11-22T12:02:59.1+01:00", Some(1_795_345_379)),
            ("2024-02-29T00:00:00-00:30", Some(1_709_166_600)),
            ("now", None),
        ] {
            assert_eq!(seconds(time), expected, "{time}");
        }
    }

    #[test]
    fn what_is_no_answer_teaches_nothing() {
        assert_eq!(EngineReport::from_docker(&json!({ "message": "no" })), None);
        assert_eq!(EngineReport::from_podman(&json!({})), None);
    }

    #[test]
    fn a_proof_belongs_to_one_engine_and_version() {
        let engine = |id: &str, version: &str| EngineReport { id: id.into(), version: version.into(), ..EngineReport::default() };
        let proven = EngineReport { proof: Some(Proof::default()), ..engine("a", "1") };
        assert!(engine("a", "1").with_proof_of(Some(proven.clone())).proof.is_some());
        assert!(engine("a", "2").with_proof_of(Some(proven.clone())).proof.is_none());
        assert!(engine("b", "1").with_proof_of(Some(proven)).proof.is_none());
    }
}

//! Memory, processors and processes: what the manifest or the user wants, clamped to what the engine has.

use crate::core::config::value::parse_bytes;
use crate::core::config::{Origin, Setting, Settings};
use crate::core::plan::{Part, Parts, Request};
use crate::core::tool::manifest::LimitRules;

/// Below this even an idle tool does not fit (the largest was measured at 159 MiB while chatting).
const LEAST_MEMORY: u64 = 512 << 20;
const PIDS: u32 = 2048;
/// Processes and threads of a hardened run.
const FEW: u32 = 512;

/// The limits that hold on an engine of any size; where there is none, the engine's size is the limit.
#[derive(Debug)]
pub struct WantedLimits {
    pub memory: Option<Setting<u64>>,
    pub cpus: Option<Setting<f64>>,
    pub pids: Setting<u32>,
}

impl WantedLimits {
    /// Returns the person's values, else the manifest's, else ours.
    pub fn new(settings: &Settings, manifest: &LimitRules, tool: &str) -> Self {
        let bytes = |text: &String| parse_bytes(text).ok();
        let memory = settings.memory.value.as_ref().and_then(bytes);
        let pids = choose(settings.pids.value, &settings.pids, manifest.pids, tool).unwrap_or(Setting::new(PIDS, Origin::Default));
        let hardened = &settings.hardened;
        Self {
            memory: choose(memory, &settings.memory, manifest.memory.as_ref().and_then(bytes), tool),
            cpus: choose(settings.cpus.value, &settings.cpus, manifest.cpus, tool),
            pids: if hardened.value && pids.value > FEW { Setting::new(FEW, hardened.origin.clone()) } else { pids },
        }
    }
}

/// Pushes the limits that the engine can keep; returns a note for each that the user set otherwise than it is and does not get.
pub(super) fn push(request: &Request, parts: &mut Parts) -> Vec<String> {
    let usual = &request.tool.manifest.limits;
    let wanted = WantedLimits::new(&request.config.settings, usual, &request.tool.name);
    let machine = request.facts.machine;
    let can = request.facts.engine.report.as_ref().map(|report| report.limits).unwrap_or_default();
    let mut notes = Vec::new();

    if let Some(memory) = wanted.memory {
        let most = machine.memory.max(LEAST_MEMORY);
        let value = memory.value.clamp(LEAST_MEMORY.min(memory.value.max(6 << 20)), most);
        let is_usual = usual.memory.as_ref().and_then(|text| parse_bytes(text).ok()) == Some(memory.value);
        if can.memory && value < memory.value && is_own(&memory.origin) && !is_usual {
            notes.push(format!("memory limit lowered to {} MiB: the engine has no more", value >> 20));
        }
        if can.memory && value > memory.value && is_own(&memory.origin) {
            notes.push(format!("memory limit raised to {} MiB: no container starts with less", value >> 20));
        }
        parts.limit(can.memory, Part::Memory(value), "a runaway process ends before your machine does", memory.origin, &mut notes);
    }
    if let Some(cpus) = wanted.cpus {
        let most = f64::from(machine.cpus.max(1));
        let value = cpus.value.clamp(0.01, most);
        if can.cpus && value < cpus.value && is_own(&cpus.origin) && usual.cpus != Some(cpus.value) {
            notes.push(format!("processor limit lowered to {value}: the engine has no more"));
        }
        parts.limit(can.cpus, Part::Cpus(value), "the engine refuses more processors than it has", cpus.origin, &mut notes);
    }
    parts.limit(can.pids, Part::Pids(wanted.pids.value), "a fork bomb stays small", wanted.pids.origin, &mut notes);
    notes
}

impl Parts {
    /// Adds a limit if the engine `can` keep it. Engines that cannot would ignore it, warn at every run, or refuse to run.
    fn limit(&mut self, can: bool, flag: Part, reason: &'static str, origin: Origin, notes: &mut Vec<String>) {
        if can {
            self.push(flag, reason, origin);
        } else if is_own(&origin) {
            notes.push(format!("the limit of {origin} has no effect: the engine cannot keep it; hint: ai doctor"));
        }
    }
}

/// Whether the user asked for it.
fn is_own(origin: &Origin) -> bool {
    !matches!(origin, Origin::Manifest(_) | Origin::Default)
}

/// Returns the user's value with its origin, else the manifest's.
fn choose<T, S>(user: Option<T>, setting: &Setting<S>, manifest: Option<T>, tool: &str) -> Option<Setting<T>> {
    let user = user.map(|value| Setting::new(value, setting.origin.clone()));
    user.or_else(|| manifest.map(|value| Setting::new(value, Origin::Manifest(tool.into()))))
}

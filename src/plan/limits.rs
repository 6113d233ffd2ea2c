//! Memory, processors and processes: what the manifest or the user wants, clamped to what the engine has.

use super::{Flag, Parts, Request};
use crate::config::value::parse_bytes;
use crate::config::{Origin, Setting};

/// Below this even an idle tool does not fit (the largest was measured at 159 MiB while chatting).
const LEAST_MEMORY: u64 = 512 << 20;
const PIDS: u32 = 2048;

/// Pushes the limits; returns a note for each that the user set higher than the engine can give.
pub(super) fn push(request: &Request, parts: &mut Parts) -> Vec<String> {
    let settings = &request.config.settings;
    let wanted = &request.tool.manifest.limits;
    let machine = request.facts.machine;
    let mut notes = Vec::new();

    let bytes = |text: &String| parse_bytes(text).ok();
    let memory = choose(
        settings.memory.value.as_ref().and_then(bytes),
        &settings.memory,
        wanted.memory.as_ref().and_then(bytes),
        &request.tool.name,
    );
    if let Some(memory) = memory {
        let most = machine.memory.max(LEAST_MEMORY);
        let value = memory.value.clamp(LEAST_MEMORY.min(memory.value.max(6 << 20)), most);
        if value < memory.value && memory.origin != Origin::Manifest(request.tool.name.clone()) {
            notes.push(format!("memory limit lowered to {} MiB: the engine has no more", value >> 20));
        }
        parts.push(Flag::Memory(value), "a runaway process ends before your machine does", memory.origin);
    }
    let cpus = choose(settings.cpus.value, &settings.cpus, wanted.cpus, &request.tool.name);
    if let Some(cpus) = cpus {
        let most = f64::from(machine.cpus.max(1));
        let value = cpus.value.clamp(0.01, most);
        if value < cpus.value && cpus.origin != Origin::Manifest(request.tool.name.clone()) {
            notes.push(format!("processor limit lowered to {value}: the engine has no more"));
        }
        parts.push(Flag::Cpus(value), "the engine refuses more processors than it has", cpus.origin);
    }
    let pids = choose(settings.pids.value, &settings.pids, wanted.pids, &request.tool.name);
    let pids = pids.unwrap_or(Setting::new(PIDS, Origin::Default));
    parts.push(Flag::Pids(pids.value), "a fork bomb stays small", pids.origin);
    notes
}

/// The user's value with its origin, else the manifest's.
fn choose<T, S>(user: Option<T>, setting: &Setting<S>, manifest: Option<T>, tool: &str) -> Option<Setting<T>> {
    let user = user.map(|value| Setting::new(value, setting.origin.clone()));
    user.or_else(|| manifest.map(|value| Setting::new(value, Origin::Manifest(tool.into()))))
}

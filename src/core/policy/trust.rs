//! A project asks, a person decides. What only tightens holds at once; what loosens holds when the person agreed to this very text;
//! some things no project can ask for.

use std::fmt::Debug;
use std::path::Path;

use crate::core::admit::Admitted;
use crate::core::admit::agent::AgentWords;
use crate::core::admit::cache::{Cache, CacheScope};
use crate::core::admit::egress::EgressWords;
use crate::core::config::source::{ConfigText, Scope};
use crate::core::config::value::{ClipboardAccess, KeysPlace, parse_bytes};
use crate::core::config::{Layer, Setting, Settings};
use crate::core::guard::order::HostKeys;
use crate::core::guard::rule::EgressMode;
use crate::core::image::{ImageChoice, ImageFiles};
use crate::core::plan::guard::GUARD;
use crate::core::plan::limits::WantedLimits;
use crate::core::plan::mount::Access;
use crate::core::policy::asked::Asked;
use crate::core::text::digest::sha256;
use crate::core::text::visible::visible;

/// The file in the root of a project.
pub const FILE: &str = ".ai.toml";

/// Settings that no project can ask for, whoever agreed.
pub const NEVER: [&str; 29] = [
    "cache_scope",
    "engine",
    "engine_autostart",
    "engine_cpus",
    "engine_memory",
    "allow_insecure_engine",
    "engine_remote_paths",
    "allow_missing_guards",
    "force_workspace",
    "label_disable",
    "host_sync",
    "project_file",
    "spare",
    "gpus",
    "proxy",
    "ca",
    "commit_model",
    "commit_deadline",
    "notify_after",
    "budget_day",
    "budget_month",
    "budget_project",
    "budget_deny",
    "telemetry",
    "metrics_textfile",
    "commit_offer",
    "update_notice",
    "syslog",
    "record_runs",
];

/// Returns what agreement to a file is bound to: its path, its text, and all that its image is made from, as one hash.
pub fn seal(source: &ConfigText) -> String {
    let ConfigText { path, text, files, .. } = source;
    if *files == ImageFiles::default() {
        return sha256(format!("{path}\n{text}").as_bytes());
    }
    // No text of a configuration holds the byte between them.
    let files = files.digest(Path::new(path).parent().unwrap_or(Path::new("/")));
    sha256(format!("{path}\n{text}\0{files}").as_bytes())
}

/// What holds without a project's file, with which that is compared.
#[derive(Debug)]
pub struct Without {
    settings: Settings,
    cache: Option<Vec<Setting<Cache>>>,
    /// None where the tool's manifest is not known.
    limits: Option<WantedLimits>,
}

impl Without {
    pub fn new(layer: Layer, scope: Scope) -> Self {
        let cache = layer.admitted.cache.clone();
        let settings = layer.resolve();
        let limits = scope.limits.map(|limits| WantedLimits::new(&settings, limits, scope.tool));
        Self { settings, cache, limits }
    }

    /// Returns whether a limit is no higher than the one that holds. Where none holds, any is lower.
    fn is_lower<T: PartialOrd>(&self, asked: Option<T>, holds: impl Fn(&WantedLimits) -> Option<T>) -> bool {
        self.limits.as_ref().zip(asked).is_some_and(|(limits, asked)| holds(limits).is_none_or(|holds| asked <= holds))
    }

    /// Returns whether a cache is the project's own affair: it is there anyway, or no other project's and nobody chose.
    fn has(&self, cache: Cache) -> bool {
        match &self.cache {
            Some(chosen) => chosen.iter().any(|known| known.value == cache),
            None => self.settings.cache_scope.value == CacheScope::Project || Cache::usual().any(|usual| usual == cache),
        }
    }
}

/// Returns the part of a project's layer that is in force over what holds without it, and what it asks for.
pub fn judge(layer: Layer, without: &Without, agreed: bool) -> (Layer, Asked) {
    let own = &without.settings;
    let mut judge = TrustJudge { asked: Asked { agreed, ..Asked::default() } };
    let in_force = Layer {
        network: judge.network(layer.network, own),
        keys: judge.keys(layer.keys),
        clipboard: judge.clipboard(layer.clipboard),
        read_only_root: judge.switch("read_only_root", layer.read_only_root, true),
        image_home: judge.switch("image_home", layer.image_home, false),
        // What nobody said follows from the memory that the engine has, which is not known here.
        scratch: judge.limit("scratch", layer.scratch, |asked| {
            let holds = own.scratch.value.as_deref().and_then(parsed);
            asked.as_deref().and_then(parsed).zip(holds).is_some_and(|(asked, holds)| asked <= holds)
        }),
        hardened: judge.switch("hardened", layer.hardened, true),
        ssh_agent: judge.switch("ssh_agent", layer.ssh_agent, false),
        gh_token: judge.switch("gh_token", layer.gh_token, false),
        memory: judge.limit("memory", layer.memory, |asked| {
            without.is_lower(asked.as_deref().and_then(parsed), |limits| limits.memory.as_ref().map(|holds| holds.value))
        }),
        cpus: judge.limit("cpus", layer.cpus, |asked| without.is_lower(*asked, |limits| limits.cpus.as_ref().map(|holds| holds.value))),
        pids: judge.limit("pids", layer.pids, |asked| without.is_lower(*asked, |limits| Some(limits.pids.value))),
        workspace: judge.loosens("workspace", layer.workspace),
        image: judge.image(layer.image),
        keep: judge.loosens("keep", layer.keep),
        shm: judge.loosens("shm", layer.shm),
        cache_scope: judge.never("cache_scope", layer.cache_scope),
        spare: judge.never("spare", layer.spare),
        engine: judge.never("engine", layer.engine),
        engine_autostart: judge.never("engine_autostart", layer.engine_autostart),
        engine_cpus: judge.never("engine_cpus", layer.engine_cpus),
        engine_memory: judge.never("engine_memory", layer.engine_memory),
        allow_insecure_engine: judge.never("allow_insecure_engine", layer.allow_insecure_engine),
        engine_remote_paths: judge.never("engine_remote_paths", layer.engine_remote_paths),
        allow_missing_guards: judge.never("allow_missing_guards", layer.allow_missing_guards),
        force_workspace: judge.never("force_workspace", layer.force_workspace),
        label_disable: judge.never("label_disable", layer.label_disable),
        host_sync: judge.never("host_sync", layer.host_sync),
        project_file: judge.never("project_file", layer.project_file),
        gpus: judge.never("gpus", layer.gpus),
        proxy: judge.never("proxy", layer.proxy),
        ca: judge.never("ca", layer.ca),
        commit_persona: judge.loosens("commit_persona", layer.commit_persona),
        commit_language: judge.loosens("commit_language", layer.commit_language),
        commit_model: judge.never("commit_model", layer.commit_model),
        commit_deadline: judge.never("commit_deadline", layer.commit_deadline),
        notify_after: judge.never("notify_after", layer.notify_after),
        budget_day: judge.never("budget_day", layer.budget_day),
        budget_month: judge.never("budget_month", layer.budget_month),
        budget_project: judge.never("budget_project", layer.budget_project),
        budget_deny: judge.never("budget_deny", layer.budget_deny),
        telemetry: judge.never("telemetry", layer.telemetry),
        metrics_textfile: judge.never("metrics_textfile", layer.metrics_textfile),
        commit_offer: judge.never("commit_offer", layer.commit_offer),
        update_notice: judge.never("update_notice", layer.update_notice),
        syslog: judge.never("syslog", layer.syslog),
        record_runs: judge.never("record_runs", layer.record_runs),
        admitted: judge.admitted(layer.admitted, without),
        profile: None,
    };
    (in_force, judge.asked)
}

fn parsed(text: &str) -> Option<u64> {
    parse_bytes(text).ok()
}

struct TrustJudge {
    asked: Asked,
}

impl TrustJudge {
    /// Returns what is asked for, if the person agreed.
    fn row<T>(&mut self, row: String, asked: T) -> Option<T> {
        self.asked.rows.push(row);
        self.asked.agreed.then_some(asked)
    }

    fn never<T>(&mut self, key: &str, asked: Option<Setting<T>>) -> Option<Setting<T>> {
        self.asked.refused.extend(asked.map(|_| key.to_owned()));
        None
    }

    fn loosens<T: Debug>(&mut self, key: &str, asked: Option<Setting<T>>) -> Option<Setting<T>> {
        asked.and_then(|asked| self.row(format!("~ {key} = {}", worded(&asked.value)), asked))
    }

    /// Judges an image: each part of a recipe is a row.
    fn image(&mut self, asked: Option<Setting<Option<ImageChoice>>>) -> Option<Setting<Option<ImageChoice>>> {
        let Some(recipe) = asked.as_ref().and_then(|asked| asked.value.as_ref()?.recipe()) else { return self.loosens("image", asked) };
        self.asked.rows.extend(recipe.rows().into_iter().map(|row| format!("+ {row}")));
        asked.filter(|_| self.asked.agreed)
    }

    /// Returns where keys are: a project may only have them stay outside.
    fn keys(&mut self, asked: Option<Setting<KeysPlace>>) -> Option<Setting<KeysPlace>> {
        if asked.as_ref().is_some_and(|asked| asked.value == KeysPlace::Outside) { asked } else { self.never("keys", asked) }
    }

    /// Returns what is seen of the clipboard: a project may only have nothing of it seen.
    fn clipboard(&mut self, asked: Option<Setting<ClipboardAccess>>) -> Option<Setting<ClipboardAccess>> {
        if asked.as_ref().is_some_and(|asked| asked.value == ClipboardAccess::Off) { asked } else { self.never("clipboard", asked) }
    }

    /// Returns a switch of which `tight` takes something away.
    fn switch(&mut self, key: &str, asked: Option<Setting<bool>>, tight: bool) -> Option<Setting<bool>> {
        if asked.as_ref().is_some_and(|asked| asked.value == tight) { asked } else { self.loosens(key, asked) }
    }

    fn limit<T: Debug>(&mut self, key: &str, asked: Option<Setting<T>>, is_tight: impl Fn(&T) -> bool) -> Option<Setting<T>> {
        if asked.as_ref().is_some_and(|asked| is_tight(&asked.value)) { asked } else { self.loosens(key, asked) }
    }

    fn network(&mut self, asked: Option<Setting<String>>, own: &Settings) -> Option<Setting<String>> {
        match asked.as_ref().map(|asked| asked.value.as_str())? {
            "host" => self.never("network = \"host\"", asked),
            "none" => asked,
            GUARD if matches!(own.network.value.as_str(), "bridge" | "host") => asked,
            name if name == own.network.value => asked,
            name if name.starts_with("container:") => self.never("network of another container", asked),
            _ => self.loosens("network", asked),
        }
    }

    /// A project takes away, and adds nothing: whom it wants to reach may be who wants what is in it.
    fn egress(&mut self, asked: EgressWords) -> EgressWords {
        let EgressWords { allow, deny, mode, fields } = asked;
        self.never("egress.allow", allow.into_iter().next());
        self.never("egress.fields", fields.into_iter().next());
        let (tight, loose) = match mode {
            Some(mode) if mode.value == EgressMode::List => (Some(mode), None),
            mode => (None, mode),
        };
        self.never("egress.mode", loose);
        EgressWords { deny, mode: tight, ..EgressWords::default() }
    }

    /// A project may ask for the person's word before each signature, and for known hosts; which keys there are is not its business.
    fn agent(&mut self, asked: AgentWords) -> AgentWords {
        let AgentWords { keys, hosts, sign, confirm } = asked;
        self.never("ssh.keys", keys);
        let sign = sign.filter(|sign| sign.value.is_empty() || self.never("ssh.sign", Some(sign.clone())).is_some());
        let hosts = hosts.filter(|hosts| hosts.value == HostKeys::Known || self.never("ssh.hosts", Some(hosts.clone())).is_some());
        let confirm = confirm.filter(|confirm| confirm.value || self.never("ssh.confirm", Some(confirm.clone())).is_some());
        AgentWords { keys: None, hosts, sign, confirm }
    }

    fn admitted(&mut self, mut asked: Admitted, without: &Without) -> Admitted {
        asked.egress = self.egress(std::mem::take(&mut asked.egress));
        asked.ssh = self.agent(std::mem::take(&mut asked.ssh));
        let mut all = |rows: Vec<String>| {
            self.asked.rows.extend(rows);
        };
        all(asked
            .mounts
            .iter()
            .map(|mount| {
                let write = if mount.value.access == Access::ReadWrite { ", writable" } else { "" };
                format!(
                    "+ mount {}{write}{}",
                    visible(&mount.value.path),
                    mount.value.at.as_ref().map_or_else(String::new, |at| format!(", at {}", visible(at)))
                )
            })
            .collect());
        all(asked.pass.iter().map(|name| format!("+ variable {}", visible(&name.value))).collect());
        all(asked.set.iter().map(|(name, value)| format!("+ variable {}={}", visible(name), visible(&value.value))).collect());
        all(asked.publish.iter().map(|port| format!("+ publish {}", port.value)).collect());
        all(asked.dns.iter().map(|server| format!("+ dns {}", server.value)).collect());
        all(asked.hosts.iter().map(|(name, address)| format!("+ host {} {}", visible(name), address.value)).collect());
        all(asked.cloud.iter().map(|cloud| format!("+ cloud {}", cloud.value.name())).collect());
        all(asked.overlay.iter().map(|overlay| format!("+ overlay {}", visible(overlay.value.path()))).collect());
        let (cache, more): (Vec<_>, Vec<_>) = asked.cache.iter().flatten().cloned().partition(|cache| without.has(cache.value));
        all(more.iter().map(|cache| format!("+ cache {}", cache.value.name())).collect());
        // An empty list takes all away; one of which nothing is left says nothing.
        let cache = asked.cache.as_ref().filter(|all| all.is_empty() || !cache.is_empty()).map(|_| cache);
        if self.asked.agreed { asked } else { Admitted { cache, egress: asked.egress, ssh: asked.ssh, ..Admitted::default() } }
    }
}

fn worded(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    text.strip_prefix("Some(").and_then(|text| text.strip_suffix(')')).map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests;

//! A project asks, a person decides. What only tightens holds at once; what loosens holds when the person agreed to this very text;
//! some things no project can ask for.

use std::fmt::Debug;
use std::path::Path;

use crate::core::admit::Admitted;
use crate::core::admit::agent::AgentWords;
use crate::core::admit::cache::{Cache, CacheScope};
use crate::core::admit::egress::EgressWords;
use crate::core::config::source::{ConfigText, Scope};
use crate::core::config::value::parse_bytes;
use crate::core::config::{Layer, Setting, Settings};
use crate::core::guard::order::HostKeys;
use crate::core::guard::rule::EgressMode;
use crate::core::image::{ImageChoice, ImageFiles};
use crate::core::plan::guard::GUARD;
use crate::core::plan::limits::WantedLimits;
use crate::core::plan::mount::Access;
use crate::core::policy::asked::Asked;
use crate::core::text::digest::sha256;

/// The file in the root of a project.
pub const FILE: &str = ".ai.toml";

/// Settings that no project can ask for, whoever agreed.
pub const NEVER: [&str; 22] = [
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
        let EgressWords { allow, deny, mode } = asked;
        self.never("egress.allow", allow.into_iter().next());
        let (tight, loose) = match mode {
            Some(mode) if mode.value == EgressMode::List => (Some(mode), None),
            mode => (None, mode),
        };
        self.never("egress.mode", loose);
        EgressWords { allow: Vec::new(), deny, mode: tight }
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
                    mount.value.path.escape_debug(),
                    mount.value.at.as_ref().map_or_else(String::new, |at| format!(", at {}", at.escape_debug()))
                )
            })
            .collect());
        all(asked.pass.iter().map(|name| format!("+ variable {}", name.value.escape_debug())).collect());
        all(asked.set.iter().map(|(name, value)| format!("+ variable {}={}", name.escape_debug(), value.value.escape_debug())).collect());
        all(asked.publish.iter().map(|port| format!("+ publish {}", port.value)).collect());
        all(asked.dns.iter().map(|server| format!("+ dns {}", server.value)).collect());
        all(asked.hosts.iter().map(|(name, address)| format!("+ host {} {}", name.escape_debug(), address.value)).collect());
        all(asked.cloud.iter().map(|cloud| format!("+ cloud {}", cloud.value.name())).collect());
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
mod tests {
    use super::*;
    use crate::core::config::Config;
    use crate::core::config::source::{ConfigStanding, ConfigText};
    use crate::core::facts::Env;
    use crate::core::image::{Found, SourceFile};
    use crate::core::tool::manifest::LimitRules;

    fn config(own: &str, project: &str, standing: ConfigStanding) -> Config {
        let sources = [
            ConfigText::own("config.toml", own),
            ConfigText { path: FILE.into(), text: project.into(), standing, files: ImageFiles::default() },
        ];
        Config::new(of_claude(), &sources, &Env::default(), Layer::default()).unwrap()
    }

    /// As the manifests of the tools have them.
    const LIMITS: LimitRules = LimitRules { memory: None, cpus: Some(4.0), pids: Some(2048) };

    fn of_claude() -> Scope<'static> {
        Scope { tool: "claude", limits: Some(&LIMITS), ..Scope::default() }
    }

    /// Tries each limit: `own` is what the person says, `limits` what the manifest does; `holds` at once, `asks` needs a word.
    #[track_caller]
    fn limit(own: &str, limits: Option<&LimitRules>, project: &str, holds: bool) {
        let scope = Scope { tool: "claude", limits, ..Scope::default() };
        let of = |project: &str, standing| {
            let sources = [
                ConfigText::own("config.toml", own),
                ConfigText { path: FILE.into(), text: project.into(), standing, files: ImageFiles::default() },
            ];
            Config::new(scope, &sources, &Env::default(), Layer::default()).unwrap()
        };
        let config = of(project, ConfigStanding::Asks);
        assert_eq!(format!("{:?}{:?}", config.settings, config.admitted).contains(FILE), holds, "{own:?} {limits:?} {project}");
        assert_eq!(config.asked.rows.len(), usize::from(!holds), "{own:?} {limits:?} {project}");
        let agreed = of(project, ConfigStanding::Agreed);
        assert!(format!("{:?}{:?}", agreed.settings, agreed.admitted).contains(FILE), "{own:?} {limits:?} {project}");
    }

    // NE-05
    #[test]
    fn a_limit_is_compared_with_what_holds_without_the_file() {
        let usual = LimitRules { memory: Some("4g".into()), cpus: Some(4.0), pids: Some(2048) };
        let nothing = LimitRules::default();
        for (key, least, manifest, above, most, own) in [
            ("memory", "'1m'", "'4096m'", "'4097m'", "'64g'", "'8g'"),
            ("cpus", "0.5", "4.0", "4.01", "512.0", "8.0"),
            ("pids", "1", "2048", "2049", "4000000000", "4096"),
        ] {
            let says = |value: &str| format!("{key} = {value}");
            for (value, holds) in [(least, true), (manifest, true), (above, false), (most, false)] {
                limit("", Some(&usual), &says(value), holds);
                limit("", Some(&usual), &format!("[tool.claude]\n{}", says(value)), holds);
                // The person's own word is above the manifest's.
                limit(&says(own), Some(&usual), &says(value), value != most);
                limit(&says(least), Some(&usual), &says(value), value == least);
                limit(&says(least), Some(&nothing), &says(value), value == least);
                // The manifest is not known: nothing is certain to be less.
                limit("", None, &says(value), false);
            }
            // Without any limit the engine's size is the limit, which nobody can pass; processes have one always.
            limit("", Some(&nothing), &says(most), key != "pids");
            limit("", Some(&nothing), &says(manifest), true);
        }
        limit("hardened = true", Some(&usual), "pids = 512", true);
        limit("hardened = true", Some(&usual), "pids = 513", false);
        limit("", Some(&usual), "scratch = '1m'", false);
        limit("scratch = '1g'", Some(&usual), "scratch = '1g'", true);
        limit("scratch = '1g'", Some(&usual), "scratch = '1025m'", false);
        limit("", Some(&usual), "shm = '1m'", false);
    }

    // NE-05
    #[test]
    fn a_cache_that_others_use_or_that_the_person_left_out_is_asked_for() {
        let limit = |own: &str, project: &str, holds| limit(own, Some(&LIMITS), project, holds);
        limit("", "cache = ['cargo']", true);
        limit("", "cache = []\npids = 1", true);
        limit("cache = ['npm']", "cache = ['npm']", true);
        limit("cache = ['npm']", "cache = ['cargo']", false);
        limit("cache = []", "cache = ['npm']", false);
        limit("cache_scope = 'all'", "cache = ['npm']", true);
        limit("cache_scope = 'all'", "cache = ['cargo']", false);
        limit("cache_scope = 'all'\ncache = ['cargo']", "cache = ['cargo']", true);
        let partly = config("cache = ['npm', 'pip']", "cache = ['npm', 'go']", ConfigStanding::Asks);
        assert_eq!(partly.asked.rows, ["+ cache go"]);
        let none = config("cache = ['npm', 'pip']", "cache = []", ConfigStanding::Asks);
        assert_eq!(none.admitted.cache, Some(Vec::new()), "an empty list takes all away");
    }

    #[test]
    fn a_row_that_is_not_for_all_tools_names_those_that_it_is_for() {
        let asked = |rows: &[&str], refused: &[&str]| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            Asked { rows: owned(rows), refused: owned(refused), agreed: false }
        };
        let all = Asked::of_all(vec![
            ("claude".into(), asked(&["+ mount a", "+ mount b", "+ mount b"], &["engine"])),
            ("codex".into(), asked(&["+ mount a", "+ mount c"], &["engine", "gpus"])),
            ("exec".into(), asked(&["+ mount a", "+ mount c"], &[])),
        ]);
        assert_eq!(all, asked(&["+ mount a", "+ mount b, for claude", "+ mount c, for codex, exec"], &["engine", "gpus"]));
    }

    // NE-05
    #[test]
    fn what_only_tightens_holds_at_once() {
        let config = config(
            "memory = '4g'\n",
            "network = 'none'\nhardened = true\nssh_agent = false\nmemory = '1g'\ncpus = 1.0\npids = 100\n",
            ConfigStanding::Asks,
        );
        let settings = &config.settings;
        assert_eq!((settings.network.value.as_str(), settings.hardened.value, settings.ssh_agent.value), ("none", true, false));
        assert_eq!((settings.memory.value.as_deref(), settings.cpus.value, settings.pids.value), (Some("1g"), Some(1.0), Some(100)));
        assert!(config.asked.rows.is_empty() && config.asked.refused.is_empty(), "{:?}", config.asked);
    }

    #[track_caller]
    fn asks(project: &str, row: &str) {
        let before = config("memory = '1g'\nscratch = '1g'\nhardened = true\nssh_agent = false\n", project, ConfigStanding::Asks);
        assert_eq!(before.asked.rows, [row], "{project}");
        let plain = config("memory = '1g'\nscratch = '1g'\nhardened = true\nssh_agent = false\n", "", ConfigStanding::Asks);
        assert_eq!(format!("{:?}", before.settings), format!("{:?}", plain.settings), "{project}");
        assert_eq!(before.admitted, plain.admitted, "{project}");
        let agreed = config("", project, ConfigStanding::Agreed);
        let is_in_force = agreed.admitted != Admitted::default() || format!("{:?}", agreed.settings).contains(FILE);
        assert!(is_in_force, "{project}: {agreed:?}");
    }

    // NE-05, Z-026
    #[test]
    fn what_loosens_is_ignored_until_the_person_agreed() {
        asks("mounts = ['../shared']", "+ mount ../shared");
        asks("mounts = [{ path = '~/x', write = true, at = '/x' }]", "+ mount ~/x, writable, at /x");
        asks("publish = ['8080:80']", "+ publish 127.0.0.1:8080:80");
        asks("env = { pass = ['AWS_*'] }", "+ variable AWS_*");
        asks("env = { set = { ANTHROPIC_BASE_URL = 'http://evil' } }", "+ variable ANTHROPIC_BASE_URL=http://evil");
        asks("cloud = ['aws']", "+ cloud aws");
        asks("dns = ['10.0.0.1']", "+ dns 10.0.0.1");
        asks("[hosts]\n'github.com' = '10.0.0.1'", "+ host github.com 10.0.0.1");
        asks("image = 'evil:1'", "~ image = \"evil:1\"");
        asks("network = 'lab'", "~ network = \"lab\"");
        asks("memory = '64g'", "~ memory = \"64g\"");
        asks("hardened = false", "~ hardened = false");
        asks("read_only_root = false", "~ read_only_root = false");
        asks("image_home = true", "~ image_home = true");
        asks("scratch = '64g'", "~ scratch = \"64g\"");
        asks("ssh_agent = true", "~ ssh_agent = true");
        asks("[tool.claude]\nmounts = ['../shared']", "+ mount ../shared");
    }

    #[track_caller]
    fn never(project: &str, what: &str) {
        for standing in [ConfigStanding::Asks, ConfigStanding::Agreed] {
            let config = config("", project, standing);
            assert_eq!(config.asked.refused, [what], "{project}");
            assert!(!format!("{:?}{:?}", config.settings, config.secret).contains(FILE), "{project}");
        }
    }

    // Z-026
    #[test]
    fn some_things_no_project_can_ask_for() {
        never("network = 'host'", "network = \"host\"");
        never("network = 'container:x'", "network of another container");
        never("engine = 'podman'", "engine");
        never("gpus = 'all'", "gpus");
        never("allow_insecure_engine = true", "allow_insecure_engine");
        never("engine_remote_paths = true", "engine_remote_paths");
        never("allow_missing_guards = true", "allow_missing_guards");
        never("force_workspace = true", "force_workspace");
        never("host_sync = 'both'", "host_sync");
        never("proxy = 'http://evil'", "proxy");
        never("ca = '/evil.pem'", "ca");
        never("cache_scope = 'all'", "cache_scope");
        never("[secret.X]\ncommand = ['touch', 'PWN']", "secret");
        never("[egress]\nallow = ['evil.com']", "egress.allow");
        never("[egress]\nmode = 'open'", "egress.mode");
        never("[ssh]\nkeys = ['x']", "ssh.keys");
        never("[ssh]\nhosts = 'any'", "ssh.hosts");
        never("[ssh]\nsign = ['file']", "ssh.sign");
        never("[ssh]\nconfirm = false", "ssh.confirm");
        never("[build]\nbase = 'evil'", "build");
        never("[profile.ci]\nnetwork = 'lab'", "profile");
        never("[project.'/']\nnetwork = 'lab'", "project");
    }

    // NE-05, NE-07
    #[test]
    fn the_list_of_what_no_project_can_ask_for_is_what_is_refused() {
        for key in crate::core::config::KEYS {
            let values = ["true", "1", "'1g'", "'docker'", "'mirror'", "'all'", "'import'"];
            let asked = values.iter().find_map(|value| {
                let sources = [ConfigText {
                    path: FILE.into(),
                    text: format!("{key} = {value}"),
                    standing: ConfigStanding::Agreed,
                    files: ImageFiles::default(),
                }];
                Config::new(Scope { tool: "claude", ..Scope::default() }, &sources, &Env::default(), Layer::default()).ok()
            });
            let refused = asked.unwrap_or_else(|| panic!("no value for {key}")).asked.refused;
            assert_eq!(refused.iter().any(|word| word == key), NEVER.contains(key), "{key}");
        }
    }

    // Z-027
    #[test]
    fn agreement_is_bound_to_path_and_text() {
        let of = |path: &str, text: &str, files: &[(&str, &str)]| {
            let file = |bytes: &str| Found::File(SourceFile { bytes: bytes.into(), is_executable: false });
            let files = ImageFiles(files.iter().map(|(path, bytes)| (path.into(), file(bytes))).collect());
            seal(&ConfigText { path: path.into(), text: text.into(), standing: ConfigStanding::Asks, files })
        };
        assert_eq!(of("/p/.ai.toml", "a", &[]), of("/p/.ai.toml", "a", &[]));
        assert_ne!(of("/p/.ai.toml", "a", &[]), of("/p/.ai.toml", "b", &[]));
        assert_ne!(of("/p/.ai.toml", "a", &[]), of("/q/.ai.toml", "a", &[]));
        // Z-028: nor for a file that it names and that changed.
        assert_eq!(of("/p/.ai.toml", "a", &[("/p/D", "x")]), of("/p/.ai.toml", "a", &[("/p/D", "x")]));
        for other in [&[][..], &[("/p/D", "y")], &[("/p/E", "x")], &[("/p/D", "x"), ("/p/E", "")]] {
            assert_ne!(of("/p/.ai.toml", "a", &[("/p/D", "x")]), of("/p/.ai.toml", "a", other));
        }
    }

    #[test]
    fn the_persons_own_word_counts_more() {
        let sources = [
            ConfigText::own("c", ""),
            ConfigText { path: FILE.into(), text: "network = 'none'".into(), standing: ConfigStanding::Asks, files: ImageFiles::default() },
        ];
        let env = [("AI_NETWORK".into(), "bridge".into())].into_iter().collect();
        let config = Config::new(of_claude(), &sources, &env, Layer::default()).unwrap();
        assert_eq!(config.settings.network.value, "bridge");
    }
}

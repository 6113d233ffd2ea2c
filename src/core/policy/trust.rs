//! A project asks, a person decides. What only tightens holds at once; what loosens holds when the person agreed to this very text;
//! some things no project can ask for.

use std::fmt::Debug;

use crate::core::admit::Admitted;
use crate::core::config::value::parse_bytes;
use crate::core::config::{Layer, Setting, Settings};
use crate::core::plan::mount::Access;
use crate::core::text::digest::sha256;

/// The file in the root of a project.
pub const FILE: &str = ".ai.toml";

/// What a project's file asks for, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// What would loosen, a row each, such as `+ mount ../shared, writable`.
    pub rows: Vec<String>,
    /// What no project can ask for.
    pub refused: Vec<String>,
    /// Whether the person agreed to the rows.
    pub agreed: bool,
}

impl Asked {
    /// Returns the line that a run says, if something is asked for and not given.
    pub fn note(&self) -> Option<String> {
        let waiting = if self.agreed { 0 } else { self.rows.len() };
        let rows = self.rows.iter().take(3).map(|row| row.trim_start_matches(['+', '~', ' '])).collect::<Vec<_>>().join(", ");
        let more = if waiting > 3 { format!(" and {} more", waiting - 3) } else { String::new() };
        match (waiting, self.refused.as_slice()) {
            (0, []) => None,
            (0, refused) => Some(format!("{FILE} asks for {}, which no project can ask for; ignored", refused.join(", "))),
            (_, []) => Some(format!("{FILE} asks for {rows}{more}; ignored until you agree; hint: ai trust")),
            (_, refused) => {
                Some(format!("{FILE} asks for {rows}{more}; ignored until you agree, and {} always; hint: ai trust", refused.join(", ")))
            }
        }
    }
}

/// Returns what agreement to a file is bound to: its path and its text, as one hash.
pub fn seal(path: &str, text: &str) -> String {
    sha256(format!("{path}\n{text}").as_bytes())
}

/// Returns the part of a project's layer that is in force over the person's own settings, and what it asks for.
pub fn judge(layer: Layer, own: &Settings, agreed: bool) -> (Layer, Asked) {
    let mut judge = TrustJudge { asked: Asked { agreed, ..Asked::default() } };
    let in_force = Layer {
        network: judge.network(layer.network, own),
        read_only_root: judge.switch("read_only_root", layer.read_only_root, true),
        // What the person did not say follows from the memory limit, which is not known here.
        scratch: judge.limit("scratch", layer.scratch, |asked| {
            let own = own.scratch.value.as_deref().and_then(parsed);
            own.is_some() && lower(asked.as_deref().and_then(parsed), own)
        }),
        hardened: judge.switch("hardened", layer.hardened, true),
        ssh_agent: judge.switch("ssh_agent", layer.ssh_agent, false),
        gh_token: judge.switch("gh_token", layer.gh_token, false),
        memory: judge
            .limit("memory", layer.memory, |asked| lower(asked.as_deref().and_then(parsed), own.memory.value.as_deref().and_then(parsed))),
        cpus: judge.limit("cpus", layer.cpus, |asked| lower(*asked, own.cpus.value)),
        pids: judge.limit("pids", layer.pids, |asked| lower(*asked, own.pids.value)),
        workspace: judge.loosens("workspace", layer.workspace),
        image: judge.loosens("image", layer.image),
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
        admitted: judge.admitted(layer.admitted),
        profile: None,
    };
    (in_force, judge.asked)
}

fn parsed(text: &str) -> Option<u64> {
    parse_bytes(text).ok()
}

/// Whether a limit that is asked for is no higher than the person's own.
fn lower<T: PartialOrd>(asked: Option<T>, own: Option<T>) -> bool {
    asked.is_some_and(|asked| own.is_none_or(|own| asked <= own))
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
            name if name == own.network.value => asked,
            name if name.starts_with("container:") => self.never("network of another container", asked),
            _ => self.loosens("network", asked),
        }
    }

    fn admitted(&mut self, asked: Admitted) -> Admitted {
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
        // Caches are the project's own, so a project may say which it has.
        let cache = asked.cache.clone();
        if self.asked.agreed { asked } else { Admitted { cache, ..Admitted::default() } }
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
    use crate::core::config::source::{ConfigStanding, ConfigText, Scope};
    use crate::core::facts::Env;

    fn config(own: &str, project: &str, standing: ConfigStanding) -> Config {
        let sources = [ConfigText::own("config.toml", own), ConfigText { path: FILE.into(), text: project.into(), standing }];
        Config::new(Scope { tool: "claude", ..Scope::default() }, &sources, &Env::default(), Layer::default()).unwrap()
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
        never("[build]\nbase = 'evil'", "build");
        never("[profile.ci]\nnetwork = 'lab'", "profile");
        never("[project.'/']\nnetwork = 'lab'", "project");
    }

    // Z-027
    #[test]
    fn agreement_is_bound_to_path_and_text() {
        assert_eq!(seal("/p/.ai.toml", "a"), seal("/p/.ai.toml", "a"));
        assert_ne!(seal("/p/.ai.toml", "a"), seal("/p/.ai.toml", "b"));
        assert_ne!(seal("/p/.ai.toml", "a"), seal("/q/.ai.toml", "a"));
    }

    #[test]
    fn the_persons_own_word_counts_more() {
        let sources =
            [ConfigText::own("c", ""), ConfigText { path: FILE.into(), text: "network = 'none'".into(), standing: ConfigStanding::Asks }];
        let env = [("AI_NETWORK".into(), "bridge".into())].into_iter().collect();
        let config = Config::new(Scope { tool: "claude", ..Scope::default() }, &sources, &env, Layer::default()).unwrap();
        assert_eq!(config.settings.network.value, "bridge");
    }
}

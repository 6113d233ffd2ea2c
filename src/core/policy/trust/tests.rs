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
        "network = 'none'\nkeys = 'outside'\nhardened = true\nssh_agent = false\nmemory = '1g'\ncpus = 1.0\npids = 100\n",
        ConfigStanding::Asks,
    );
    let settings = &config.settings;
    assert_eq!(settings.keys.value, KeysPlace::Outside);
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
    never("keys = 'inside'", "keys");
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
    never("[egress]\nfields = ['x-evil']", "egress.fields");
    never("[ssh]\nkeys = ['x']", "ssh.keys");
    never("[ssh]\nhosts = 'any'", "ssh.hosts");
    never("[ssh]\nsign = ['file']", "ssh.sign");
    never("[ssh]\nconfirm = false", "ssh.confirm");
    never("[build]\nbase = 'evil'", "build");
    never("[[route]]\ntool = 'evil'\nstdin = true", "route");
    never("[profile.ci]\nnetwork = 'lab'", "profile");
    never("[project.'/']\nnetwork = 'lab'", "project");
}

// NE-05, NE-07
#[test]
fn the_list_of_what_no_project_can_ask_for_is_what_is_refused() {
    for key in crate::core::config::KEYS {
        let values = ["true", "1", "'1g'", "'docker'", "'mirror'", "'all'", "'import'", "'otlp://host'", "'outside'", "'off'"];
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

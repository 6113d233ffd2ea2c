//! The tables of docs/configuration.md, made from the code: name, type, variable, default, example, and what it means.

use std::fmt::Write as _;

use clap::{Args, Command};

use crate::cli::overrides::Overrides;
use crate::command::config::decided_by;
use crate::core::config::schema::{SchemaOf, schema};
use crate::core::config::source::{ConfigText, Scope};
use crate::core::config::{Config, Layer, VARIABLES, shapes};
use crate::core::facts::Env;
use crate::core::policy::trust::NEVER;

/// An example of each setting that has one value, as it is written into a file. Each says something else than what holds without it.
const EXAMPLES: [(&str, &str); 47] = [
    ("engine", "\"podman\""),
    ("image", "{ apt = [\"graphviz\"] }"),
    ("network", "\"guard\""),
    ("keys", "\"outside\""),
    ("clipboard", "\"image\""),
    ("workspace", "\"mirror\""),
    ("force_workspace", "true"),
    ("read_only_root", "false"),
    ("image_home", "true"),
    ("scratch", "\"8g\""),
    ("hardened", "true"),
    ("ssh_agent", "false"),
    ("memory", "\"8g\""),
    ("cpus", "2.5"),
    ("pids", "4096"),
    ("keep", "true"),
    ("spare", "true"),
    ("engine_autostart", "true"),
    ("engine_cpus", "4"),
    ("engine_memory", "\"8g\""),
    ("allow_insecure_engine", "true"),
    ("engine_remote_paths", "true"),
    ("label_disable", "true"),
    ("gh_token", "true"),
    ("allow_missing_guards", "true"),
    ("host_sync", "\"both\""),
    ("project_file", "false"),
    ("cache_scope", "\"all\""),
    ("shm", "\"1g\""),
    ("gpus", "\"all\""),
    ("proxy", "\"http://proxy.example:3128\""),
    ("ca", "\"~/company.pem\""),
    ("commit_persona", "\"a terse maintainer\""),
    ("commit_language", "\"German\""),
    ("commit_model", "\"haiku\""),
    ("commit_deadline", "60"),
    ("notify_after", "\"2m\""),
    ("budget_day", "20"),
    ("budget_month", "200.5"),
    ("budget_project", "50"),
    ("budget_deny", "true"),
    ("telemetry", "\"otlp://localhost:4317\""),
    ("metrics_textfile", "\"/var/lib/prometheus/node-exporter\""),
    ("commit_offer", "true"),
    ("record_runs", "true"),
    ("update_notice", "false"),
    ("syslog", "true"),
];

/// Where more is said of a setting.
const MORE: [(&str, &str); 23] = [
    ("engine", "engines.md"),
    ("image", "#an-image-of-ones-own"),
    ("network", "guard.md"),
    ("keys", "guard.md#keys-stay-outside"),
    ("clipboard", "guard.md#pictures-from-the-clipboard"),
    ("workspace", "workspace.md"),
    ("read_only_root", "#scratch"),
    ("image_home", "#scratch"),
    ("scratch", "#scratch"),
    ("ssh_agent", "guard.md#the-ssh-agent"),
    ("spare", "spare.md"),
    ("project_file", "#what-a-project-asks-for"),
    ("proxy", "#a-companys-network"),
    ("ca", "#a-companys-network"),
    ("commit_persona", "commit.md"),
    ("notify_after", "notify.md"),
    ("budget_day", "stats.md#budgets"),
    ("host_sync", "state.md"),
    ("telemetry", "monitoring.md#the-tools-own-reports"),
    ("metrics_textfile", "monitoring.md#counters"),
    ("commit_offer", "commit.md"),
    ("record_runs", "monitoring.md#a-run-once-more"),
    ("syslog", "monitoring.md#the-log-of-runs"),
];

/// What is let in: the key, its variables and flags, an example as it stands in a file, and what it means.
const LISTS: [(&str, &str, &str, &str); 11] = [
    (
        "mounts",
        "`AI_MOUNTS`, `--mount PATH[:rw]`",
        "mounts = [\"~/notes\", { path = \"../shared\", write = true }, { path = \"~/x\", at = \"/x\" }]",
        "read-only unless `write`; at the same path as on the host unless `at`. Relative paths are meant from the project in a file, from the working directory on a command line",
    ),
    (
        "env",
        "`AI_ENV`, `--env NAME[=VALUE]`",
        "env = { pass = [\"DATABASE_URL\", \"AWS_*\"], set = { CI = \"1\" } }",
        "`pass` inherits what is set on the host; a `*` never means what speaks of the host alone, such as `PATH` or `LD_PRELOAD`. Nothing in a value is expanded, neither `$HOME` nor `${HOME}`; who sets `PATH` spells all of it out, with `/usr/local/bin`, where our images have their programs. A value given by `--env` is in no argument vector",
    ),
    (
        "publish",
        "`AI_PUBLISH`, `--publish`",
        "publish = [\"3000\", \"8080:80\", \"0.0.0.0:8443:443\"]",
        "ports that the host reaches: this machine alone, unless an address is written. A port that is taken is said before the start",
    ),
    (
        "cache",
        "`AI_CACHE`",
        "cache = [\"npm\", \"pnpm\", \"yarn\", \"pip\", \"uv\", \"cargo\", \"go\", \"gradle\", \"playwright\"]",
        "what package managers downloaded is there in the next run. Without the key: npm, pip, uv and yarn; `[]` takes them away",
    ),
    (
        "overlay",
        "`AI_OVERLAY`, `--overlay PATH`",
        "overlay = [\"node_modules\", \".venv\"]",
        "directories of the project that are [its own inside](#installed-for-another-machine)",
    ),
    ("dns", "`AI_DNS`", "dns = [\"10.0.0.53\"]", "who answers for names"),
    ("hosts", "`AI_HOSTS`", "hosts = { \"db.internal\" = \"10.0.0.7\" }", "names with their addresses"),
    (
        "cloud",
        "`AI_CLOUD`",
        "cloud = [\"aws\", \"gcloud\", \"azure\", \"kube\"]",
        "the variables and directories of an account, read-only but for what its client must write",
    ),
    (
        "egress",
        "`AI_ALLOW`",
        "egress = { allow = [\"npm\", \"example.com\"] }",
        "what `network = \"guard\"` lets out: `allow`, `deny`, `mode`, and `fields` that go along with a key; see [the guarded network](guard.md)",
    ),
    (
        "ssh",
        "",
        "ssh = { keys = [\"~/.ssh/id.pub\"], confirm = true }",
        "what a run has of the SSH agent: `keys`, `hosts`, `sign`, `confirm`; see [the SSH agent](guard.md#the-ssh-agent)",
    ),
    (
        "secret",
        "",
        "secret = { NPM_TOKEN = { command = [\"pass\", \"show\", \"npm\"] } }",
        "[where a secret comes from](#secrets): a variable, a file below the store, a command; never its value",
    ),
];

/// Returns the flag of a run that says the same as a key.
fn flag(key: &str) -> Option<String> {
    let command = Overrides::augment_args(Command::new("ai"));
    let name = key.replace('_', "-");
    let flags = command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned));
    flags.into_iter().find(|flag| *flag == name || *flag == format!("no-{name}")).map(|flag| format!(", `--{flag}`"))
}

/// Returns the type of a key in words, as its schema has it.
fn kind(key: &str) -> String {
    let schema = &schema(SchemaOf::Config)["properties"][key];
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(|word| word.as_str()).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    match schema["type"].as_str() {
        Some("boolean") => "yes or no",
        Some("integer") => "whole number",
        Some("number") => "number",
        Some(_) => "text",
        None => "text or a table",
    }
    .into()
}

fn settings() -> String {
    let mut table = "| key | type | variable, flag | default | example | means |\n|---|---|---|---|---|---|\n".to_owned();
    let defaults = Layer::default().resolve().rows();
    for ((key, _, doc), variable) in shapes().into_iter().zip(VARIABLES) {
        let (_, default, _) = defaults.iter().find(|(known, ..)| *known == key).expect(key);
        let default = if default.is_null() { decided_by(key).trim_matches(['(', ')']).to_owned() } else { format!("`{default}`") };
        let example = EXAMPLES.iter().find(|(known, _)| *known == key).unwrap_or_else(|| panic!("no example of {key}")).1;
        let more = MORE.iter().find(|(known, _)| *known == key).map_or_else(String::new, |(_, link)| format!(" ([more]({link}))"));
        let never = if NEVER.contains(&key) { "; not in `.ai.toml`" } else { "" };
        let sentence = doc.trim().trim_end_matches('.');
        assert!(!sentence.is_empty(), "{key} has no comment in src/core/config.rs");
        writeln!(
            table,
            "| `{key}` | {} | `{variable}`{} | {default} | `{key} = {example}` | {sentence}{never}{more} |",
            kind(key),
            flag(key).unwrap_or_default()
        )
        .expect("a string takes everything");
    }
    table
}

fn lists() -> String {
    let mut table = "| key | variable, flag | example | means |\n|---|---|---|---|\n".to_owned();
    for (key, ways, example, sentence) in LISTS {
        table.push_str(&format!("| `{key}` | {ways} | `{example}` | {sentence} |\n"));
    }
    table
}

/// Puts a table between its two marks.
fn with(page: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: made from the code -->\n"), "<!-- end -->\n");
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(end).expect("an end");
    format!("{before}{begin}\n{table}\n{end}{after}")
}

// NE-07
#[test]
fn the_tables_of_keys_are_made_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = include_str!("../../../docs/configuration.md");
    let made = with(&with(page, "settings", &settings()), "lists", &lists());
    if option_env!("AI_WRITE_DOCS").is_some() {
        crate::host::fs::files::write(std::path::Path::new(path), made.as_bytes(), 0o644).unwrap();
    } else {
        assert_eq!(page, made, "AI_WRITE_DOCS=1 cargo test --bin ai tables_of_keys writes it");
    }
}

// NE-07, NE-01
#[test]
fn every_example_is_read_by_the_parser_and_says_something() {
    let read = |text: &str| {
        let source = ConfigText::own("config.toml", text);
        Config::new(Scope::default(), &[source], &Env::default(), Layer::default()).unwrap_or_else(|failure| panic!("{text}: {failure}"))
    };
    let usual = read("");
    assert_eq!(EXAMPLES.len(), shapes().len());
    for (key, example) in EXAMPLES {
        let config = read(&format!("{key} = {example}\n"));
        let changed = |(new, old): &((&str, serde_json::Value, String), (&str, serde_json::Value, String))| new.1 != old.1;
        let changed: Vec<_> = config.settings.rows().into_iter().zip(usual.settings.rows()).filter(changed).map(|(new, _)| new.0).collect();
        assert_eq!(changed, [key]);
    }
    for (key, _, example, _) in LISTS {
        let config = read(example);
        assert!(config.admitted != usual.admitted || !config.secret.is_empty(), "{key}");
    }
}

//! `ai config`: the person's file, changed without losing what it was, and the schemas of all files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::require::need;
use crate::sandbox::{Sandbox, find_program};
use crate::tidy::ROOT;

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.store().join("config.toml")).unwrap()
}

#[track_caller]
fn done(sandbox: &Sandbox, args: &[&str]) {
    let outcome = sandbox.ai(args).outcome();
    assert_eq!(outcome.code, 0, "{args:?}: {}", outcome.err());
}

const OWN: &str = "# mine\r\nmemory = '1g'  # \u{fc}ber alles\n\n[tool.glm]\nmemory = '4g'\n";

// NE-07, O-05
#[test]
fn every_change_can_be_taken_back_byte_for_byte() {
    let sandbox = Sandbox::new();
    // What a run here refuses is said before it does.
    for (wrong, said) in [("network = 'none'\npublish = ['3000']", "the network is `none`"), ("mounts = ['~/gone']", "it is not there")] {
        sandbox.config(wrong);
        let check = sandbox.ai(["config", "check"]).outcome();
        assert!(check.code == 1 && check.err().contains("runs here are refused: ") && check.err().contains(said), "{}", check.err());
    }
    sandbox.config(OWN);
    sandbox.ai(["config", "allow", "mount", "~/notes:rw"]).outcome().refused(78, &["it is not there"]);
    sandbox.write("home/notes/a", "a");
    // What every run would refuse.
    sandbox.write("home/.ssh/id", "made up");
    sandbox.ai(["config", "allow", "mount", "~/.ssh"]).outcome().refused(77, &["cannot let `~/.ssh` in: your keys are there"]);
    assert_eq!(config(&sandbox), OWN);
    done(&sandbox, &["config", "allow", "mount", "~/notes:rw"]);
    let first = config(&sandbox);
    assert!(first.contains("{ path = \"~/notes\", write = true }") && first.contains("# \u{fc}ber alles"), "{first}");
    done(&sandbox, &["config", "allow", "publish", "3000", "--project"]);
    done(&sandbox, &["config", "allow", "env", "DATABASE_URL", "--tool", "glm"]);
    let text = sandbox.ai(["resolve", "--explain", "claude"]).prints();
    assert!(text.contains("--publish 127.0.0.1:3000:3000"), "{text}");
    let history: Value = serde_json::from_str(&sandbox.ai(["config", "history", "--json"]).prints()).unwrap();
    assert_eq!(history.as_array().unwrap().iter().map(|row| row["number"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    let last = config(&sandbox);
    done(&sandbox, &["config", "rollback", "1"]);
    assert_eq!(config(&sandbox), OWN);
    done(&sandbox, &["config", "rollback"]);
    assert_eq!(config(&sandbox), last, "what was there before the rollback is kept, too");
    done(&sandbox, &["config", "rollback", "2"]);
    assert_eq!(config(&sandbox), first);
    sandbox.ai(["config", "rollback", "77"]).outcome().refused(2, &["no such copy", "ai config history"]);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(sandbox.store().join("backups/config/config.toml.1")), 0o600);
}

// NE-07
#[test]
fn what_could_not_be_used_never_becomes_the_file() {
    let sandbox = Sandbox::new();
    sandbox.config(OWN);
    for (args, why) in [
        (&["config", "allow", "publish", "99999"][..], "no port"),
        (&["config", "allow", "host", "a;id"], "cannot let in a;id; your file stays as it is"),
        (&["config", "allow", "cache", "nmp"], "cache"),
        (&["config", "allow", "cloud", "moon"], "gcloud"),
        (&["config", "allow", "env", "A-B"], "no name of a variable"),
        (&["config", "allow", "env", "A", "--tool", "claud"], "did you mean `[tool.claude]`?"),
    ] {
        sandbox.ai(args).outcome().refused(78, &[why]);
        assert_eq!(config(&sandbox), OWN, "{args:?}");
    }
    assert!(!sandbox.store().join("backups/config").exists());
}

/// An editor that writes this text over its file, as often as it is called.
fn editor(sandbox: &mut Sandbox, text: &str) {
    let text = sandbox.write("wanted", text);
    sandbox.program("my-editor", &format!("#!/bin/sh\ncp '{}' \"$2\"\n", text.display()));
    sandbox.set("EDITOR", "my-editor --wait");
}

// NE-07
#[test]
fn an_edit_counts_once_it_can_be_used() {
    let mut sandbox = Sandbox::new();
    sandbox.config(OWN);
    editor(&mut sandbox, "netwrok = 'none'\n");
    sandbox.ai(["config", "edit"]).outcome().refused(78, &["did you mean `network`?", "ai config edit goes on with it"]);
    assert_eq!(config(&sandbox), OWN);
    sandbox.program("my-editor", "#!/bin/sh\nsed -i s/netwrok/network/ \"$2\"\n");
    done(&sandbox, &["config", "edit"]);
    assert_eq!(config(&sandbox), "network = 'none'\n", "it goes on with the draft");
    done(&sandbox, &["config", "rollback"]);
    assert_eq!(config(&sandbox), OWN);
    sandbox.program("my-editor", "#!/bin/sh\nexit 3\n");
    sandbox.ai(["config", "edit"]).outcome().refused(1, &["the editor ended with 3"]);
    sandbox.set("EDITOR", "no-such-editor");
    sandbox.ai(["config", "edit"]).outcome().refused(127, &["there is no program `no-such-editor`", "export EDITOR"]);
    // A profile, a section or a value of another tool that no run of claude would see is seen here.
    for (text, why) in
        [("[tool.glm]\nmemory = 'much'", "no size"), ("[profile.ci]\ncpus = 0", "no number of processors"), ("[tool.gemni]", "gemini")]
    {
        fs::remove_dir_all(sandbox.store().join("backups")).unwrap();
        editor(&mut sandbox, text);
        sandbox.ai(["config", "edit"]).outcome().refused(78, &[why]);
        assert_eq!(config(&sandbox), OWN);
    }
}

// NE-07, O-07
#[test]
fn a_file_to_begin_with_is_all_off_and_every_line_of_it_works() {
    let sandbox = Sandbox::new();
    let before = sandbox.ai(["config", "show", "--json"]).prints();
    done(&sandbox, &["config", "init"]);
    assert_eq!(sandbox.ai(["config", "--json"]).prints(), before, "all of it is off");
    let begun = config(&sandbox);
    let mode = fs::metadata(sandbox.store().join("config.toml")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    sandbox.ai(["config", "init"]).outcome().refused(1, &["it is there", "ai config edit"]);
    let on: String =
        begun.lines().map(|line| format!("{}\n", line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))).collect();
    assert!(on.matches('\n').count() > 25 && on.contains("\nmounts = "));
    sandbox.config(&on);
    // All of it at once is no run's configuration: it has ports without a network, and directories that are not here.
    let check = sandbox.ai(["config", "check"]).outcome();
    assert!(check.code == 1 && check.err().lines().all(|line| line.contains("runs here are refused: ")), "{}", check.err());
}

// O-07: what stands there is on, and is what ran before; nothing that was there is lost.
#[test]
fn a_file_begins_with_what_a_tool_is_run_with() {
    for tool in ["claude", "codex", "glm"] {
        let mut sandbox = Sandbox::new();
        sandbox.set("ZAI_API_KEY", "made-up");
        // Who says something of a variable says it later.
        let vector = || {
            let words = sandbox.ai(["resolve", "--session", "0123456789ab", "--format", "lines", tool]).prints();
            let mut words: Vec<String> = words.lines().map(str::to_owned).collect();
            words.sort_unstable();
            words
        };
        let before = vector();
        done(&sandbox, &["config", "init", "--from", tool]);
        let begun = config(&sandbox);
        assert_eq!(vector(), before, "{begun}");
        let shown = sandbox.ai(["config", "show", tool]).prints();
        assert!(shown.lines().any(|row| row.starts_with("memory ") && row.contains("config.toml:")), "{shown}");
        sandbox.config(&begun.replace("memory = \"4g\"", "memory = \"3g\""));
        let lowered = "3221225472".to_owned();
        assert!(vector().contains(&lowered) && !before.contains(&lowered), "{begun}");
        let own = config(&sandbox);
        sandbox.ai(["config", "init", "--from", tool]).outcome().refused(1, &["it is there", "ai config init --yes"]);
        sandbox.ai(["config", "init", "--from", "claud", "--yes"]).outcome().refused(2, &["no tool `claud`", "did you mean `claude`"]);
        assert_eq!(config(&sandbox), own);
        done(&sandbox, &["config", "init", "--from", tool, "--yes"]);
        assert_eq!(config(&sandbox), begun);
        done(&sandbox, &["config", "rollback"]);
        assert_eq!(config(&sandbox), own);
        done(&sandbox, &["config", "check"]);
    }
}

// NE-07
#[test]
fn a_file_behind_a_link_stays_there_and_a_managed_one_is_left() {
    let sandbox = Sandbox::new();
    let dotfile = sandbox.write("dotfiles/ai.toml", OWN);
    fs::create_dir_all(sandbox.store()).unwrap();
    symlink(&dotfile, sandbox.store().join("config.toml")).unwrap();
    done(&sandbox, &["config", "allow", "cloud", "aws"]);
    assert!(sandbox.store().join("config.toml").is_symlink() && fs::read_to_string(&dotfile).unwrap().contains("cloud = [\"aws\"]"));
    fs::set_permissions(&dotfile, fs::Permissions::from_mode(0o444)).unwrap();
    sandbox.ai(["config", "allow", "cloud", "kube"]).outcome().refused(1, &["it is read-only"]);
}

// NE-07, P6
#[test]
fn a_key_that_lies_open_is_said_and_not_shown() {
    let sandbox = Sandbox::new();
    let key = ["ghp_", "k7Rt2Qm9Zx4Lc8Vb1Nw6Hj3Ps5Gd0Fy2Ta9E"].concat();
    sandbox.config(&format!("[tool.glm.env.set]\nANTHROPIC_AUTH_TOKEN = '{key}'\n"));
    let outcome = sandbox.ai(["config", "check"]).outcome();
    assert_eq!(outcome.code, 1);
    assert!(outcome.err().contains("config.toml:2: the value of ANTHROPIC_AUTH_TOKEN looks like a key ("), "{}", outcome.err());
    assert!(outcome.err().contains("[secret.ANTHROPIC_AUTH_TOKEN]") && !outcome.err().contains(&key));
    sandbox.config("env = { set = { MODEL = 'sk-learn', URL = 'http://x' } }");
    done(&sandbox, &["config", "check"]);
}

/// The schemas, as the program prints them.
const SCHEMAS: [&str; 4] = ["config", "project", "policy", "manifest"];

// NE-07
#[test]
fn the_published_schemas_are_those_of_the_program() {
    let sandbox = Sandbox::new();
    for name in SCHEMAS {
        let printed = sandbox.ai(["config", "schema", name]).prints();
        let path = Path::new(ROOT).join(format!("docs/schemas/{name}.json"));
        if std::env::var_os("AI_WRITE_SCHEMAS").is_some() {
            fs::write(&path, &printed).unwrap();
        }
        assert!(fs::read_to_string(&path).is_ok_and(|known| known == printed), "AI_WRITE_SCHEMAS=1 writes docs/schemas/{name}.json");
    }
}

/// Every TOML in the documents, with the schema that it is for.
fn documented() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (document, schema) in
        [("docs/configuration.md", "config"), ("docs/policy.md", "policy"), ("README.md", "config"), ("docs/recipes.md", "config")]
    {
        let text = fs::read_to_string(Path::new(ROOT).join(document)).unwrap();
        let fences = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
        // A manifest has a schema of its own kind: `ai tools` reads it.
        found.extend(fences.filter(|text| !text.contains("/tools/")).map(|text| (schema, text)));
    }
    assert!(found.len() >= 3);
    found
}

/// Files that are wrong, each in one way that the program refuses, too.
const WRONG: [(&str, &str); 15] = [
    ("config", "netwrok = 'none'"),
    ("config", "memory = 4"),
    ("config", "workspace = 'sideways'"),
    ("config", "pids = 0"),
    ("config", "mounts = [{ pth = '/x' }]"),
    ("config", "publish = ['http']"),
    ("config", "cache = ['nmp']"),
    ("config", "[tool.claude]\nhardend = true"),
    ("config", "[tool.claude.tool.x]\nkeep = true"),
    ("config", "[secret.X]\nvalue = 'hush'"),
    ("config", "[build]\nmirror = 'https://registry.example/hub'"),
    ("policy", "[[rules]]"),
    ("policy", "[[rule]]\ntool = ['claude']"),
    ("policy", "[[rule]]\nforbid = ['natve']"),
    ("policy", "[[rule]]\nmounts = ['notes']"),
];

// NE-07: a validator that is not ours agrees with the program about what is right and what is wrong.
#[test]
fn a_validator_that_is_not_ours_says_the_same_as_the_program() {
    let sandbox = Sandbox::new();
    let check = |schema: &str, text: &str| {
        let path = sandbox.write("file.toml", text);
        let path = path.to_str().unwrap().to_owned();
        let word = if schema == "policy" { "policy" } else { "config" };
        sandbox.ai([word, "check", &path]).outcome().code
    };
    for (schema, text) in documented() {
        assert_ne!(check(schema, &text), 78, "{text}");
    }
    for (schema, text) in WRONG {
        assert_eq!(check(schema, text), 78, "{text}");
    }
    let has_module =
        |python: &PathBuf| Command::new(python).args(["-c", "import jsonschema, tomllib"]).output().is_ok_and(|out| out.status.success());
    let Some(python) = need("jsonschema", find_program("python3").filter(has_module)) else { return };
    let mut all: Vec<(&str, String, bool)> = documented().into_iter().map(|(schema, text)| (schema, text, true)).collect();
    all.extend(WRONG.map(|(schema, text)| (schema, text.to_owned(), false)));
    all.push(("project", "network = 'none'\nmounts = ['../shared']\n[tool.claude]\nmemory = '1g'".to_owned(), true));
    for folder in ["src/core/tool", "src/core/tool/more"] {
        let files = fs::read_dir(Path::new(ROOT).join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let manifests = files.filter(|path| path.extension().is_some_and(|end| end == "toml"));
        all.extend(manifests.map(|path| ("manifest", fs::read_to_string(path).unwrap(), true)));
    }
    let no_manifest = ["abuot = 'x'", "[env]\nsett = {}", "[[sync]]\npath = 'x'", "[secret.X]\ndeliver = 'mail'", "[limits]\npids = 0"];
    all.extend(no_manifest.map(|text| ("manifest", text.to_owned(), false)));
    let not_of_a_project = ["engine = 'podman'", "[secret.X]\nenv = ['A']", "[build]\nbase = 'x'", "[project.'/']", "proxy = 'off'"];
    all.extend(not_of_a_project.map(|text| ("project", text.to_owned(), false)));
    let texts: Vec<(&str, &str)> = all.iter().map(|(schema, text, _)| (*schema, text.as_str())).collect();
    let texts = sandbox.write("texts.json", serde_json::to_vec(&texts).unwrap());
    let output =
        Command::new(&python).args(["-c", VALIDATOR, concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas")]).arg(texts).output().unwrap();
    let said: Vec<Vec<String>> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(said.len(), all.len());
    for ((schema, text, fits), said) in all.iter().zip(said) {
        assert_eq!(said.is_empty(), *fits, "{schema}: {text}: {said:?}");
    }
}

/// Prints for each pair of a schema's name and a text what is wrong with that.
const VALIDATOR: &str = "import json, sys, tomllib, jsonschema
names = {name for name, text in json.load(open(sys.argv[2]))}
schemas = {name: json.load(open(f'{sys.argv[1]}/{name}.json')) for name in names}
for schema in schemas.values(): jsonschema.Draft202012Validator.check_schema(schema)
check = {name: jsonschema.Draft202012Validator(schema) for name, schema in schemas.items()}
print(json.dumps([[error.message for error in check[name].iter_errors(tomllib.loads(text))] for name, text in json.load(open(sys.argv[2]))]))
";

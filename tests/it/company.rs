//! A company's network: a proxy with an authority of its own between the container and everything; and models in its cloud account.

use std::fs;

use crate::bed::{Bed, Image};
use crate::mock::Mock;
use crate::require::need;
use crate::sandbox::Sandbox;
use crate::shells::Shell;

/// What asks a registry or a server of repositories, and what it says in the end.
const PROGRAMS: [(&str, &str); 8] = [
    ("curl -fsS https://pypi.org/simple/told/ | grep -o '>told.*whl'", ">told-1.0.0-py3-none-any.whl"),
    ("node -e \"fetch('https://registry.npmjs.org/told').then(it => it.json()).then(it => console.log(it.name))\"", "told"),
    ("npm install --silent --prefix /tmp/npm told && /tmp/npm/node_modules/.bin/told", "told by npm"),
    ("python3 -m venv /tmp/v && /tmp/v/bin/pip install -q told && /tmp/v/bin/python -m told", "told by pip"),
    ("uv pip install -q --target /tmp/uv told && python3 /tmp/uv/told.py", "told by pip"),
    ("git clone -q https://github.com/mock/told.git /tmp/git && cat /tmp/git/told", "told by git"),
    ("cd needs && ../cargo vendor -q >/dev/null && cat vendor/told/src/lib.rs", "// told by cargo"),
    ("cat vendor/told-git/src/lib.rs", "// told by git to cargo"),
];

/// A crate with a dependency from the registry of crates and one from a repository.
const CRATE: &str = "[package]\nname = 'needs'\nversion = '0.0.0'\nedition = '2021'\n\
    [dependencies]\ntold = '1'\ntold-git = { git = 'https://github.com/mock/told.git' }\n";

fn bed(user: u32) -> Option<Bed> {
    let mut bed = Bed::new(Image::Tools)?;
    (!rustix::process::getuid().is_root() || bed.as_user(user)).then_some(bed)
}

// NE-03
#[test]
fn everything_works_through_a_proxy_with_an_authority_of_its_own() {
    let Some(mut bed) = bed(1000) else { return };
    let Some(mock) = Mock::company(&mut bed.sandbox) else { return };
    // The cargo of rustup's toolchains runs on any Linux.
    let Some(cargo) = need("rustup", Some(env!("CARGO")).filter(|cargo| cargo.contains("/toolchains/"))) else { return };
    fs::copy(cargo, bed.project().join("cargo")).unwrap();
    bed.write("work/proj/needs/Cargo.toml", CRATE);
    bed.write("work/proj/needs/src/lib.rs", "");
    let script: String = PROGRAMS.iter().map(|(script, _)| format!("{script} || echo 'failed: '$?\n")).collect();
    let outcome = bed.ai(["exec", "--shell", &script]).outcome();
    assert_eq!(mock.stats()["paths"]["/told"], 2, "node and npm have asked the proxy, not the world: {}", mock.stats());
    let said: Vec<String> = outcome.out().lines().map(str::to_owned).collect();
    assert_eq!(said, PROGRAMS.map(|(_, expected)| expected), "{}", outcome.err());
    for (line, expected) in [
        ("claude -p hello", "mock-anthropic heard: hello"),
        ("gemini -p hello", "mock-gemini heard: hello"),
        ("codex exec --skip-git-repo-check hello", "mock-openai heard: hello"),
    ] {
        let outcome = bed.shell(Shell::Bash, line).outcome();
        assert!(outcome.out().contains(expected), "{line}: {outcome:?}");
    }
    assert!(mock.stats()["paths"].get("/v1/messages").is_some(), "it went through the proxy: {}", mock.stats());
    bed.nothing_left();
}

// NE-04: the account is the person's: a profile that is chosen by a variable, with its keys in the home.
#[test]
fn claude_asks_the_models_of_a_cloud_account() {
    let Some(mut bed) = bed(1000) else { return };
    let Some(mock) = Mock::serve(&mut bed.sandbox) else { return };
    bed.write("home/.aws/config", "[profile work]\nregion = eu-central-1\n");
    bed.write("home/.aws/credentials", "[work]\naws_access_key_id = AKIAMADEUP\naws_secret_access_key = made-up\n");
    bed.config(&format!(
        "cloud = ['aws']\n[env]\npass = ['AWS_PROFILE']\nset = {{ CLAUDE_CODE_USE_BEDROCK = '1', ANTHROPIC_BEDROCK_BASE_URL = '{}' }}\n",
        mock.url
    ));
    bed.set("AWS_PROFILE", "work");
    let outcome = bed.shell(Shell::Bash, "claude -p --model anthropic.mock hello").outcome();
    assert!(outcome.out().contains("mock-anthropic heard: hello"), "{outcome:?}");
    assert_eq!(mock.asked().last().unwrap()["model"], "anthropic.mock");
    bed.nothing_left();
}

// NE-03: said once, of the image that all share and of what a manifest begins with; what a person names is taken as it stands.
#[test]
fn a_company_s_mirror_is_asked_for_what_an_image_begins_with() {
    let sandbox = Sandbox::new();
    sandbox.program("docker", "#!/bin/sh\n[ \"$1\" = build ] || exit 1\nprintf '%s\\n' \"$@\" >\"$HOME/argv\"\nexit 9\n");
    let begins = |config: &str, base: &str, words: &[&str]| {
        sandbox.config(&format!("[build]\nmirror = 'registry.example/hub'\n{config}"));
        sandbox.manifest("told", &format!("command = ['told']\n[install]\nnpm = 'told@1.0.0'\n{base}"));
        sandbox.ai(["image", "build"].iter().chain(words)).fails_with(69);
        let argv = fs::read_to_string(sandbox.home().join("argv")).unwrap();
        let base = argv.lines().find_map(|word| word.strip_prefix("BASE="));
        base.map(str::to_owned)
    };
    let hub = |image: &str| Some(format!("registry.example/hub/{image}"));
    let trixie = "base = 'node:22-trixie-slim'";
    assert_eq!(begins("", "", &[]), hub("library/node:22-bookworm-slim"));
    assert_eq!(begins("", "", &["told"]), hub("library/node:22-bookworm-slim"));
    assert_eq!(begins("", trixie, &["told"]), hub("library/node:22-trixie-slim"));
    assert_eq!(begins("base = 'mine:1'", trixie, &["told"]), hub("library/node:22-trixie-slim"));
    assert_eq!(begins("", "base = 'ghcr.io/acme/node:1'", &["told"]).as_deref(), Some("ghcr.io/acme/node:1"));
    assert_eq!(begins("base = 'mine:1'", "", &[]).as_deref(), Some("mine:1"));
    assert_eq!(begins("base = 'mine:1'", "", &["told"]).as_deref(), Some("mine:1"));
    assert_eq!(begins("", trixie, &["told", "--base", "mine:2"]).as_deref(), Some("mine:2"));
    sandbox.config("network = 'none'\n[build]\nmirror = 'https://registry.example'\n");
    sandbox.ai(["image", "build"]).outcome().refused(78, &["config.toml:2", "`build.mirror`: `https://registry.example` is no registry"]);
}

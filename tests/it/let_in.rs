//! What is let in where it could do harm, and what a run leaves of it: places that are taken, places in the project, values that no
//! program could be given.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use crate::bed::{Bed, Image};
use crate::sandbox::{Sandbox, tree};

fn with(config: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("home/notes/a.md", "a\n");
    sandbox.write("home/other/b.md", "b\n");
    sandbox.config(config);
    sandbox
}

#[track_caller]
fn refused(config: &str, said: &[&str]) {
    with(config).ai(["resolve", "claude"]).outcome().refused(78, said);
}

// NE-01: an engine refuses two mounts at one place when all else has begun, and makes what is missing as root.
#[test]
fn no_two_things_are_at_one_place() {
    for at in ["/workspace/proj", "/home/ai/.claude", "/home/ai/.claude/cache", "/ai/../home/ai/.claude/"] {
        refused(&format!("mounts = [{{ path = '~/notes', at = '{at}' }}]"), &["config.toml:1", "that place is taken", "hint: choose"]);
    }
    let two = "mounts = [{ path = '~/notes', at = '/data' }, { path = '~/other', at = '/data/' }]";
    refused(two, &["/data", "that place is taken: let in by you"]);
    let inner = "mounts = [{ path = '~/notes', at = '/data' }, { path = '~/other', at = '/data/in' }]";
    refused(inner, &["`/data/in` is mounted inside it, where nothing is", "hint: mkdir -p", "notes/in"]);
    let sandbox = with(inner);
    fs::create_dir(sandbox.home().join("notes/in")).unwrap();
    assert_eq!(sandbox.ai(["resolve", "claude"]).outcome().code, 0);
    // The place is judged as the engine will understand it.
    for at in ["/x/../ai/shared", "/x/../etc/passwd", "//ai/sock", "/usr", "/usr/bin/", "/workspace", "/home/", "/a\\nb"] {
        refused(&format!("mounts = [{{ path = '~/notes', at = \"{at}\" }}]"), &["nothing can be mounted at"]);
    }
    // What a person mounts by name is there in place of what a cloud's account would.
    let sandbox = with("cloud = ['aws']\nmounts = [{ path = '~/notes', at = '/home/ai/.aws' }]");
    sandbox.write("home/.aws/config", "x");
    let lines = sandbox.ai(["resolve", "--format", "lines", "claude"]).prints();
    assert_eq!(lines.matches("target=/home/ai/.aws,").count(), 1, "{lines}");
}

// NE-01: the link is there to be seen; what is not, is where it leads.
#[test]
fn a_link_that_leads_nowhere_says_where_it_leads() {
    let sandbox = with("");
    for (link, to) in [("first", "second"), ("second", "gone/away"), ("round", "about"), ("about", "round")] {
        symlink(to, sandbox.home().join(link)).unwrap();
    }
    let said = |path: &str, why: &str| {
        sandbox.ai(["run", "--mount", path, "claude"]).outcome().refused(78, &[&format!("`{path}` (--mount): {why}")]);
        sandbox.ai(["config", "allow", "mount", path]).outcome().refused(78, &[&format!("`{path}` in: {why}")]);
    };
    let leads = format!("it is a link, and `{}`, to which it leads, is not there", sandbox.home().join("gone/away").display());
    for path in ["~/first", "~/second", "~/first/below"] {
        said(path, &leads);
    }
    said("~/round", "its links lead in a circle");
    said("~/nothing/below", "it is not there");
}

// NE-01, NE-03
#[test]
fn a_value_that_nobody_can_mean_is_refused_with_its_line() {
    for (config, said) in [
        ("env = { pass = [''] }", "no name of a variable"),
        ("env = { set = { '' = '1' } }", "no name of a variable"),
        ("env = { set = { A = \"a\\u0000b\" } }", "zero byte"),
        ("hosts = { 'a b' = '10.0.0.1' }", "no name of a host"),
        ("hosts = { \"a\\n10.0.0.2 bank\" = '10.0.0.1' }", "no name of a host"),
        ("gpus = '--privileged'", "no name"),
        ("proxy = 'proxy.corp:3128'", "http://proxy.corp:3128 is one"),
        ("proxy = ''", "neither auto, off"),
        ("publish = ['3000', '0.0.0.0:3000:80']", "this port for all addresses"),
        ("publish = ['3000:1', '3000:2']", "127.0.0.1:3000:1 has this port of your machine"),
        ("mounts = ['']", "it names nothing"),
        ("overlay = ['../x']", "directory of the project"),
        ("overlay = ['.git']", "what git keeps"),
        ("overlay = ['a', 'a/b']", "it is in `a`"),
    ] {
        refused(config, &[said, "config.toml"]);
    }
    let long = format!("env = {{ set = {{ A = '{}' }} }}", "x".repeat(200_000));
    let outcome = with(&long).ai(["resolve", "claude"]).outcome();
    assert!(outcome.code == 78 && outcome.err().contains("128 KiB") && outcome.err().len() < 1000, "{}", outcome.err().len());
    let sandbox = with("gpus = 'device=0,1'");
    assert!(sandbox.ai(["resolve", "--format", "lines", "claude"]).prints().contains("\"device=0,1\""));
    sandbox.config("proxy = 'http://u:hush@proxy.corp'");
    for args in [&["config", "show"][..], &["config", "check"], &["doctor"], &["resolve", "--explain", "claude"]] {
        let outcome = sandbox.ai(args).outcome();
        assert!(!(outcome.out() + &outcome.err()).contains("hush"), "{args:?}");
    }
}

// NE-01: nothing is expanded, and what was meant to be is said at its line.
#[test]
fn a_variable_in_a_value_is_said_to_stay_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.config("[env.set]\nNOTES = '${HOME}/notes'\n");
    let outcome = sandbox.ai(["config", "check"]).outcome();
    let said = "config.toml:2: `$HOME` in the value of NOTES stays these letters";
    assert!(outcome.code == 1 && outcome.err().contains(said), "{}", outcome.err());
    sandbox.config("[env.set]\nPRICE = '$5'\nTEMPLATE = '$NAME of nobody'\n");
    assert_eq!(sandbox.ai(["config", "check"]).outcome().code, 0);
}

// NE-01: a way to programs that misses those of the image is said before the engine says it, and only of an image that is known.
#[test]
fn a_path_without_the_programs_of_the_image_is_refused() {
    let mut sandbox = with("[env]\nset = { PATH = '$PATH:/opt/x/bin' }");
    for image in ["ai-tools:1", "theirs:1"] {
        let outcome = sandbox.ai(["run", "claude"]).env("AI_IMAGE", image).outcome();
        outcome.refused(
            78,
            &["cannot run claude: PATH (", "config.toml:2) holds `$PATH`, which stays these letters", "nothing in it is expanded"],
        );
    }
    sandbox.config("[env]\nset = { PATH = '/opt/x/bin' }");
    let outcome = sandbox.ai(["run", "claude"]).env("AI_IMAGE", "ai-tools:1").outcome();
    outcome.refused(78, &["cannot run claude: PATH (", "config.toml:2) lacks `/usr/local/bin`, where ai-tools:1", "hint: PATH = "]);
    assert!(sandbox.calls().is_empty());
    let code =
        |sandbox: &Sandbox, image: &str, words: &[&str]| sandbox.ai(["run"].iter().chain(words)).env("AI_IMAGE", image).outcome().code;
    assert_eq!(code(&sandbox, "theirs:1", &["claude"]), 0);
    sandbox.config("[env]\nset = { PATH = '/opt/x/bin:/usr/local/bin:/bin' }");
    assert_eq!(code(&sandbox, "ai-tools:1", &["claude"]), 0);
    assert_eq!(code(&sandbox, "ai-tools:1", &["--env", "PATH=/bin", "claude"]), 78);
    sandbox.config("[env]\npass = ['PATH']");
    sandbox.set("PATH", format!("{}:/usr/bin:/bin", sandbox.root().join("bin").display()));
    assert_eq!(code(&sandbox, "ai-tools:1", &["claude"]), 78);
    sandbox.set("PATH", format!("{}:/usr/local/bin", sandbox.root().join("bin").display()));
    assert_eq!(code(&sandbox, "ai-tools:1", &["claude"]), 0);
}

// NE-01: lists from variables, and what is nearly one of ours.
#[test]
fn every_list_has_a_variable() {
    let sandbox = with("");
    sandbox.write("home/.aws/config", "x");
    for (name, value, word) in [
        ("AI_CACHE", "cargo go", "CARGO_HOME=/ai/cache/cargo"),
        ("AI_DNS", "10.0.0.53", "10.0.0.53"),
        ("AI_HOSTS", "db.internal=10.0.0.7", "db.internal:10.0.0.7"),
        ("AI_CLOUD", "aws", "target=/home/ai/.aws,readonly"),
        ("AI_OVERLAY", "node_modules 'a b'", "overlay/a b,target=/workspace/proj/a b"),
        ("AI_PUBLISH", "3000", "127.0.0.1:3000:3000"),
    ] {
        let lines = sandbox.ai(["resolve", "--explain", "claude"]).env(name, value).prints();
        let row = lines.lines().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{name}: {lines}"));
        assert!(row.ends_with(&format!("(${name})")), "{row}");
        sandbox.ai(["resolve", "claude"]).env(name, "?/../x").outcome().refused(78, &[name, "hint: "]);
    }
    let note = sandbox.ai(["resolve", "claude"]).env("AI_NETWROK", "none").env("AI_API_KEY", "x").outcome().err();
    assert_eq!(note, "ai: AI_NETWROK has no effect; did you mean AI_NETWORK?\n");
    sandbox.config("env = { set = { HOME = '/x' } }");
    let note = sandbox.ai(["resolve", "claude"]).outcome().err();
    assert!(note.contains("HOME of ") && note.contains("config.toml:1 has no effect"), "{note}");
}

// NE-03
#[test]
fn a_proxy_says_the_same_in_both_cases() {
    let mut sandbox = with("proxy = 'http://proxy.corp:3128'");
    let lines = |sandbox: &Sandbox| sandbox.ai(["resolve", "--format", "lines", "claude"]).prints();
    assert!(lines(&sandbox).contains("\nno_proxy=localhost,127.0.0.1,::1\n"));
    sandbox.set("no_proxy", ".corp");
    assert!(lines(&sandbox).contains("\nNO_PROXY=.corp\n") && lines(&sandbox).contains("\nno_proxy=.corp\n"));
    sandbox.config("proxy = 'http://proxy.corp:3128'\nenv = { set = { NO_PROXY = 'mine' } }");
    assert!(lines(&sandbox).contains("\nNO_PROXY=mine\n") && lines(&sandbox).contains("\nno_proxy=mine\n"));
    sandbox.config("");
    for name in ["http_proxy", "ALL_PROXY"] {
        let note = sandbox.ai(["resolve", "claude"]).env(name, "http://u:hush@localhost:3128").outcome().err();
        assert!(note.contains("localhost:3128 is your machine's own loopback") && !note.contains("hush"), "{name}: {note}");
    }
}

// NE-03: a file that holds no certificate is named before every program inside fails for it.
#[test]
fn authorities_are_certificates() {
    let mut sandbox = with("");
    sandbox.unset("AI_CA");
    let bytes: Vec<u8> = [0x30, 0x82, 0, 200].into_iter().chain([7; 200]).collect();
    fs::write(sandbox.home().join("company.der"), bytes).unwrap();
    sandbox.write("home/hello.pem", "hello\n");
    sandbox.config("ca = '~/hello.pem'");
    sandbox.ai(["run", "claude"]).outcome().refused(78, &["config.toml:1", "holds no certificate", "hint: openssl"]);
    sandbox.config("ca = '~/company.der'");
    assert_eq!(sandbox.ai(["run", "claude"]).outcome().code, 0);
    let bundle = || fs::read_to_string(sandbox.store().join("global_state/user/ca.pem")).unwrap();
    assert!(bundle().starts_with("-----BEGIN CERTIFICATE-----\nMIIAyAcH"), "{}", bundle());
    sandbox.config("");
    let outcome = sandbox.ai(["run", "claude"]).env("SSL_CERT_FILE", sandbox.home().join("hello.pem")).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("holds no certificate, and is left out"), "{}", outcome.err());
    assert!(!bundle().contains("hello"));
}

/// Things of the project but those of git.
fn project(sandbox: &Sandbox) -> Vec<String> {
    let paths = tree(sandbox.project()).into_keys();
    paths.map(|path| path.strip_prefix(sandbox.project()).unwrap().display().to_string()).collect()
}

// NE-01, P2: the directories are the project's own inside, and what the host has is as it was.
#[test]
fn what_is_installed_inside_stays_inside() {
    let Some(mut bed) = Bed::new(Image::Busybox).filter(|_| rustix::process::getuid().is_root()) else { return };
    if !bed.as_user(1000) {
        return;
    }
    bed.write("home/notes/a.md", "note\n");
    bed.write("home/file", "one file\n");
    bed.write("work/proj/.venv/of-host", "x");
    let config = "overlay = ['node_modules', 'packages/web/node_modules', '.venv']\nhosts = { 'db.internal' = '10.0.0.7' }\ncache = ['cargo']\n\
        mounts = [{ path = '~/notes', at = '/workspace/proj/docs/notes', write = true }, { path = '~/file', at = '/workspace/proj/made.txt' }]\n\
        env = { pass = ['MINE'], set = { MULTI = \"a\\nb\" } }";
    bed.config(config);
    let before = project(&bed);
    let script = "id -u; ls .venv; echo in >node_modules/x; echo in >packages/web/node_modules/y; cat made.txt docs/notes/a.md; echo out >docs/notes/b.md
        grep db.internal /etc/hosts | cut -f1; printf '%s' \"$MINE$MULTI\"; mkdir $CARGO_HOME; echo warm >$CARGO_HOME/w";
    let outcome = bed.ai(["exec", "--", "sh", "-c", script]).env("MINE", "1\n2").outcome();
    assert_eq!((outcome.out().as_str(), outcome.code), ("1000\none file\nnote\n10.0.0.7\n1\n2a\nb", 0), "{}", outcome.err());
    assert_eq!(project(&bed), before, "nothing of the mounts is left in the project");
    assert_eq!(fs::read_to_string(bed.home().join("notes/b.md")).unwrap(), "out\n");
    let kept: Vec<_> = tree(&bed.store()).into_keys().filter(|path| path.to_string_lossy().contains("overlay/")).collect();
    let file = kept.iter().find(|path| path.ends_with("packages%2Fweb%2Fnode_modules/y")).unwrap_or_else(|| panic!("{kept:?}"));
    assert_eq!(fs::metadata(file).unwrap().uid(), 1000);
    // The next run finds it; what the tool or the person put there meanwhile stays.
    let outcome = bed.ai(["exec", "--", "sh", "-c", "cat node_modules/x $CARGO_HOME/w"]).outcome();
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("in\nwarm\n", ""));
    bed.nothing_left();
    std::os::unix::fs::symlink("/etc", bed.project().join("node_modules")).unwrap();
    bed.ai(["exec", "true"]).outcome().refused(78, &["node_modules", "no plain directory is there", "hint: "]);
}

// NE-01: two sessions, and one that dies.
#[test]
fn the_last_session_takes_its_places_away() {
    let sandbox = with("overlay = ['node_modules', 'a/b']");
    let begin = || sandbox.ai(["sync", "in", "--", "claude"]).prints().trim().to_owned();
    let (first, second) = (begin(), begin());
    let is_there = || sandbox.project().join("node_modules").is_dir() && sandbox.project().join("a/b").is_dir();
    assert!(is_there());
    assert_eq!(sandbox.ai(["sync", "out", &first]).outcome().code, 0);
    assert!(is_there(), "the other one has it mounted");
    fs::write(sandbox.project().join("a/mine"), "x").unwrap();
    assert_eq!(sandbox.ai(["sync", "out", &second]).outcome().code, 0);
    assert_eq!(project(&sandbox), ["a", "a/mine"]);
}

// NE-01
#[test]
fn what_was_installed_for_another_machine_is_said_once() {
    let sandbox = with("");
    sandbox.write("work/proj/node_modules/@esbuild/darwin-arm64/bin/esbuild", "x");
    sandbox.write("work/proj/.venv/pyvenv.cfg", "home = /opt/homebrew/bin\n");
    let run = |sandbox: &Sandbox| sandbox.ai(["run", "claude"]).outcome().err();
    let said = run(&sandbox);
    assert!(said.contains("`node_modules` does not work in the container: it was installed on macOS"), "{said}");
    assert!(said.contains("`.venv` does not") && said.contains("hint: ai config allow overlay .venv --project"), "{said}");
    assert_eq!(run(&sandbox), "");
    let doctor = |sandbox: &Sandbox| sandbox.ai(["doctor"]).outcome().out();
    assert!(doctor(&sandbox).contains("installed on macOS"), "{}", doctor(&sandbox));
    assert_eq!(sandbox.ai(["config", "allow", "overlay", "node_modules", ".venv", "--project"]).outcome().code, 0);
    assert!(!doctor(&sandbox).contains("macOS"));
    assert!(run(&sandbox).is_empty() && sandbox.store().join("global_state/projects").is_dir());
    // Of a project that is gone, nothing is kept that can be installed again.
    fs::rename(sandbox.project(), sandbox.root().join("work/gone")).unwrap();
    fs::create_dir(sandbox.project()).unwrap();
    assert!(doctor(&sandbox).contains("hint: ai gc"), "{}", doctor(&sandbox));
    let said = sandbox.ai(["gc"]).outcome().err();
    assert!(said.contains("removed ") && said.contains("/overlay"), "{said}");
    assert!(!doctor(&sandbox).contains("hint: ai gc"));
}

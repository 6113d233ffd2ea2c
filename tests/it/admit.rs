//! What a person lets in: directories, variables, ports, caches, names; and what stays outside.

use std::net::TcpListener;

use crate::sandbox::Sandbox;

/// The words of `ai resolve claude`, one a line, with what else is written behind `ai resolve`.
fn words(sandbox: &Sandbox, more: &[&str]) -> Vec<String> {
    let args = ["resolve", "--format", "lines"].iter().chain(more).chain(&["claude"]);
    sandbox.ai(args).prints().lines().map(str::to_owned).collect()
}

#[track_caller]
fn has(words: &[String], expected: &str) {
    assert!(words.iter().any(|word| word == expected), "{expected} in {words:#?}");
}

#[track_caller]
fn has_not(words: &[String], part: &str) {
    assert_eq!(words.iter().find(|word| word.contains(part)), None);
}

fn with_notes() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.write("home/notes/a.md", "a\n");
    let notes = sandbox.home().join("notes").display().to_string();
    (sandbox, notes)
}

// NE-01
#[test]
fn every_layer_lets_a_directory_in_at_its_own_path() {
    let (sandbox, notes) = with_notes();
    let mount = format!("type=bind,source={notes},target={notes},readonly");
    let project = sandbox.project().display().to_string();
    for text in [
        "mounts = ['~/notes']".to_owned(),
        "[tool.claude]\nmounts = ['~/notes']".into(),
        format!("[project.'{project}']\nmounts = ['~/notes']"),
        format!("[project.'{}/*']\nmounts = ['~/notes']", sandbox.project().parent().unwrap().display()),
    ] {
        sandbox.config(&text);
        has(&words(&sandbox, &[]), &mount);
    }
    sandbox.config("[profile.x]\nmounts = ['~/notes']\n[tool.gemini]\nmounts = ['~/notes']\n[project.'/other']\nmounts = ['~/notes']");
    has_not(&words(&sandbox, &[]), "notes");
    has(&words(&sandbox, &["--profile", "x"]), &mount);
    sandbox.config("");
    has(&words(&sandbox, &["--mount", "~/notes"]), &mount);
    has(&words(&sandbox, &["--mount", "../../home/notes:rw"]), mount.trim_end_matches(",readonly"));
    let lines = sandbox.ai(["resolve", "--format", "lines", "claude"]).env("AI_MOUNTS", "'~/notes:rw'").prints();
    assert!(lines.contains(mount.trim_end_matches(",readonly")), "{lines}");
}

// NE-01
#[test]
fn each_is_explained_with_the_line_that_let_it_in() {
    let (sandbox, _) = with_notes();
    sandbox.config("# mine\nmounts = ['~/notes']\npublish = ['3000']\ncache = ['cargo']\ndns = ['10.0.0.1']\n[env]\npass = ['DATABASE_*']\n[hosts]\ndb = '10.0.0.2'\n");
    let text = sandbox.ai(["resolve", "--explain", "claude"]).env("DATABASE_URL", "postgres://secret").prints();
    for (part, line) in [
        ("/notes", 2),
        ("--publish 127.0.0.1:3000:3000", 3),
        ("CARGO_HOME=/ai/cache/cargo", 4),
        ("--dns 10.0.0.1", 5),
        ("-e DATABASE_URL", 7),
        ("--add-host db:10.0.0.2", 9),
    ] {
        let row = text.lines().find(|row| row.contains(part)).unwrap_or_else(|| panic!("{part} in {text}"));
        assert!(row.ends_with(&format!("config.toml:{line})")), "{row}");
    }
    assert!(!text.contains("postgres"), "a value is in no vector");
}

#[test]
fn the_later_of_two_entries_counts() {
    let (sandbox, notes) = with_notes();
    sandbox.config("mounts = ['~/notes']\n[tool.claude]\nmounts = [{ path = '~/notes', write = true, at = '/notes' }]\n");
    let words = words(&sandbox, &[]);
    has(&words, &format!("type=bind,source={notes},target=/notes"));
    has_not(&words, &format!("target={notes}"));
}

#[track_caller]
fn refused(sandbox: &Sandbox, more: &[&str], code: i32, said: &[&str]) {
    let args = ["resolve"].iter().chain(more).chain(&["claude"]);
    sandbox.ai(args).outcome().refused(code, said);
}

// NE-01, Z-026
#[test]
fn what_must_stay_outside_is_refused_with_its_reason() {
    let (sandbox, _) = with_notes();
    sandbox.write("home/.ssh/id_ed25519", "KEY");
    sandbox.write("home/.docker-ai-config/config.toml", "");
    let _socket = std::os::unix::net::UnixListener::bind(sandbox.home().join("engine.sock")).unwrap();
    std::os::unix::fs::symlink(sandbox.home().join(".ssh"), sandbox.home().join("harmless")).unwrap();
    for (path, why) in [
        ("~", "store of `ai`"),
        ("~/.docker-ai-config", "store of `ai`"),
        ("~/.docker-ai-config/global_state", "not there"),
        ("~/.ssh", "your keys"),
        ("~/.ssh/id_ed25519", "your keys"),
        ("~/harmless", "your keys"),
        ("/", "store of `ai`"),
        ("/etc", "directory of the system"),
        ("/run", "sockets"),
        ("~/engine.sock", "neither a directory nor a file"),
        ("~/no such thing", "not there"),
    ] {
        let code = if why.contains("not there") || why.contains("neither") { 78 } else { 77 };
        refused(&sandbox, &["--mount", path], code, &[why, "--mount"]);
    }
    let inside = sandbox.project().join("src");
    std::fs::create_dir(&inside).unwrap();
    refused(&sandbox, &["--mount", "src"], 78, &["in the project", "/workspace/proj/src"]);
    refused(&sandbox, &["--mount", "..:rw"], 78, &["the project is below it"]);
}

#[test]
fn places_of_ours_take_no_mounts() {
    let (sandbox, _) = with_notes();
    for at in ["/ai/shared", "/proc/x", "/etc/passwd", "/", "relative"] {
        sandbox.config(&format!("mounts = [{{ path = '~/notes', at = '{at}' }}]"));
        refused(&sandbox, &[], 78, &["nothing can be mounted at", "config.toml:1"]);
    }
}

#[test]
fn a_path_of_odd_characters_arrives() {
    let sandbox = Sandbox::new();
    for name in ["a b", "a,b", "a\"b", "a'b", "ü", "--x", "a:b", "a:rw:ro"] {
        let path = sandbox.write(format!("home/{name}/file"), "x").parent().unwrap().to_owned();
        sandbox.config(&format!("mounts = ['''{}''']", path.display()));
        let words = words(&sandbox, &[]);
        let csv = path.display().to_string().replace('"', "\"\"");
        assert!(words.iter().any(|word| word.contains(&csv) && word.ends_with("readonly")), "{name}: {words:#?}");
    }
}

// NE-01
#[test]
fn a_star_never_means_what_speaks_of_the_host() {
    let sandbox = Sandbox::new();
    sandbox.config("env = { pass = ['*'] }");
    let run =
        sandbox.ai(["resolve", "--format", "lines", "claude"]).env("MINE", "1").env("LD_PRELOAD", "").env("DOCKER_TLS", "").env("A-B", "x");
    let run = run.env("LANG", "de_DE.UTF-8").env("LC_ALL", "de_DE.UTF-8").env("LANGUAGE", "de");
    let words: Vec<String> = run.prints().lines().map(str::to_owned).collect();
    has(&words, "MINE");
    for name in ["PATH", "LD_PRELOAD", "DOCKER_HOST", "TMPDIR", "A-B", "LANG", "LC_ALL", "LANGUAGE"] {
        assert!(!words.iter().any(|word| word == name), "{name}");
    }
}

#[test]
fn a_value_that_is_given_reaches_the_container_and_no_vector() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.ai(["run", "--env", "TOKEN=hush=1", "claude", "x"]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    let recorded = |name: &str| {
        let calls = crate::sandbox::tree(&sandbox.root().join("engine"));
        let files = calls.into_iter().filter(|(path, _)| path.ends_with(name));
        files.map(|(_, (_, bytes))| String::from_utf8_lossy(&bytes).into_owned()).collect::<String>()
    };
    assert!(recorded("argv").contains("-e\0TOKEN\0") && !recorded("argv").contains("hush"), "{}", recorded("argv"));
    assert!(recorded("env").contains("TOKEN=hush=1\0"));
    sandbox.ai(["resolve", "--env", "TOKEN=hush", "claude"]).outcome().refused(2, &["cannot print the value of TOKEN"]);
}

// NE-01
#[test]
fn a_port_that_is_taken_is_said_before_the_start() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    sandbox.ai(["run", "--publish", &port, "claude"]).outcome().refused(75, &["is taken", "hint: "]);
    sandbox.ai(["run", "--publish", &port, "--network", "none", "claude"]).outcome().refused(78, &["the network is `none`"]);
    drop(taken);
    assert_eq!(sandbox.ai(["run", "--publish", &port, "claude"]).outcome().code, 0);
}

// NE-02
#[test]
fn a_path_among_the_words_that_is_not_there_is_named() {
    let (sandbox, notes) = with_notes();
    let said = |args: &[&str]| sandbox.ai(["resolve", "claude", "--"].iter().chain(args)).outcome().err();
    let shot = format!("{notes}/a.md");
    for args in
        [&["--add-dir", "../../home/notes"][..], &["--add-dir=../../home/notes"], &["look at", &shot], &["--mcp-config", "~/notes/a.md"]]
    {
        let text = said(args);
        assert!(text.contains("is not in the container; hint: AI_MOUNTS="), "{args:?}: {text}");
    }
    for args in [&["look at notes"][..], &["--add-dir", "src"], &["/no/such/thing"], &["/clear"], &["-p", "what is /etc/passwd for"]] {
        assert_eq!(said(args), "", "{args:?}");
    }
    let text = sandbox.ai(["resolve", "--mount", "~/notes", "claude", "--", "look at", &shot]).outcome().err();
    assert_eq!(text, "");
    let root = sandbox.project().join("file");
    std::fs::write(&root, "x").unwrap();
    assert!(said(&["read", root.to_str().unwrap()]).contains("`/workspace/proj/file` in the container"));
}

#[test]
fn an_unknown_profile_and_nested_sections_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.config("[profile.ci]\nnetwork = 'none'\n");
    refused(&sandbox, &["--profile", "cj"], 78, &["no `[profile.cj]`", "did you mean `ci`?"]);
    sandbox.config("[profile.ci.tool.claude]\nnetwork = 'none'\n");
    refused(&sandbox, &[], 78, &["has sections of its own"]);
    sandbox.config("[env]\npass = ['A B']\n");
    refused(&sandbox, &[], 78, &["config.toml:2", "no name of a variable"]);
    sandbox.config("cache = ['apt']\n");
    refused(&sandbox, &[], 78, &["there is no cache `apt`"]);
    sandbox.config("publish = ['http']\n");
    refused(&sandbox, &[], 78, &["is no port such as"]);
}

// NE-04
#[test]
fn an_account_of_a_cloud_comes_with_its_variables_and_directories() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.aws/config", "[default]\n");
    sandbox.write("home/.aws/sso/cache/x.json", "{}");
    let key = sandbox.write("home/key.json", "{}").display().to_string();
    sandbox.config("cloud = ['aws', 'gcloud']\n");
    let run = sandbox.ai(["resolve", "--format", "lines", "claude"]).env("AWS_PROFILE", "work").env("GOOGLE_APPLICATION_CREDENTIALS", &key);
    let words: Vec<String> = run.prints().lines().map(str::to_owned).collect();
    let aws = sandbox.home().join(".aws").display().to_string();
    has(&words, &format!("type=bind,source={aws},target=/home/ai/.aws,readonly"));
    has(&words, &format!("type=bind,source={aws}/sso/cache,target=/home/ai/.aws/sso/cache"));
    has(&words, &format!("type=bind,source={key},target={key},readonly"));
    has(&words, "AWS_PROFILE");
    has(&words, "GOOGLE_APPLICATION_CREDENTIALS");
}

// NE-03
#[test]
fn the_proxy_and_the_authorities_of_the_host_come_along() {
    let mut sandbox = Sandbox::new();
    let ca = sandbox.write("home/company.pem", "-----BEGIN CERTIFICATE-----\nMADEUP\n-----END CERTIFICATE-----\n");
    sandbox.unset("AI_CA");
    sandbox.set("NODE_EXTRA_CA_CERTS", &ca);
    sandbox.set("https_proxy", "http://user:hush@proxy.example:3128");
    let lines = words(&sandbox, &[]);
    has(&lines, "https_proxy");
    has(&lines, "SSL_CERT_FILE=/ai/user/ca.pem");
    has_not(&lines, "hush");
    has(&lines, "NODE_USE_ENV_PROXY=1");
    has(&lines, "NODE_OPTIONS=--dns-result-order=ipv4first --disable-warning=UNDICI-EHPA");
    let codex = |image: &str| sandbox.ai(["resolve", "--format", "lines", "codex"]).env("AI_IMAGE", image).prints();
    assert!(codex("").contains("\nNODE_OPTIONS=--disable-warning=UNDICI-EHPA\n") && !codex("node:18").contains("NODE_OPTIONS"));
    assert_eq!(sandbox.ai(["run", "claude"]).outcome().code, 0);
    let bundle = std::fs::read_to_string(sandbox.store().join("global_state/user/ca.pem")).unwrap();
    assert!(bundle.contains("MADEUP"), "{bundle}");
    sandbox.config("proxy = 'off'\nca = 'off'\n");
    let lines = words(&sandbox, &[]);
    assert!(!["proxy", "_PROXY", "ca.pem"].iter().any(|word| lines.iter().any(|line| line.contains(word))), "{lines:#?}");
    sandbox.config("proxy = 'http://u:p@x'\n");
    refused(&sandbox, &[], 78, &["password would be in an argument"]);
    sandbox.config("ca = '/no/such.pem'\n");
    refused(&sandbox, &[], 78, &["there is no such file"]);
    sandbox.config("proxy = 'http://127.0.0.1:3128'\n");
    let text = sandbox.ai(["resolve", "claude"]).outcome().err();
    assert!(text.contains("which the container does not reach"), "{text}");
}

#[test]
fn literals_of_an_older_file_are_read_as_before() {
    let sandbox = Sandbox::new();
    sandbox.config("[tool.claude.env]\nFIRST = '1'\n[tool.claude.env.set]\nSECOND = '2'\n");
    let words = words(&sandbox, &[]);
    has(&words, "FIRST=1");
    has(&words, "SECOND=2");
}

// NE-03: the proxy is named, never spelled, and the company's certificates are among the steps.
#[test]
fn the_build_of_an_image_goes_through_the_network_of_the_host() {
    let mut sandbox = Sandbox::new();
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", "QUJD".repeat(16));
    let ca = sandbox.write("home/company.pem", format!("# ours\n{certificate}"));
    sandbox.unset("AI_CA");
    sandbox.set("SSL_CERT_FILE", &ca);
    sandbox.set("HTTPS_PROXY", "http://user:hush@proxy.example:3128");
    sandbox.program(
        "docker",
        "#!/bin/sh\n[ \"$1\" = build ] || exit 1\nprintf '%s\\n' \"$@\" >\"$HOME/argv\"\ncat >\"$HOME/dockerfile\"\nexit 9\n",
    );
    sandbox.ai(["image", "build"]).outcome().refused(69, &["the engine ended with 9", "it went through your proxy"]);
    let read = |name: &str| std::fs::read_to_string(sandbox.home().join(name)).unwrap();
    let argv = read("argv");
    assert!(argv.contains("--build-arg\nHTTPS_PROXY\n") && !argv.contains("hush"), "{argv}");
    let (before, after) = read("dockerfile").split_once("QUJDQUJD").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(before.contains("FROM ${BASE}") && before.contains("ARG NODE_EXTRA_CA_CERTS=") && after.contains("apt-get update"));
    sandbox.config("proxy = 'off'\nca = 'off'\n");
    sandbox.ai(["image", "build"]).fails_with(69);
    assert!(!read("argv").contains("PROXY") && !read("dockerfile").contains("QUJD"));
}

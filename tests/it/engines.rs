//! Engines that differ: where they listen, what they can, and what gets into their containers.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;

use crate::bed::{Bed, Image};
use crate::require::need;
use crate::sandbox::Sandbox;

// M-03
#[test]
fn an_engine_that_everybody_could_use_is_refused() {
    let mut sandbox = Sandbox::new();
    sandbox.set("DOCKER_HOST", "tcp://192.0.2.1:2375");
    sandbox.set("AI_ENGINE_REMOTE_PATHS", "1");
    sandbox.ai(["resolve", "claude"]).outcome().refused(77, &["without TLS", "AI_ALLOW_INSECURE_ENGINE=1"]);
    sandbox.ai(["run", "claude"]).outcome().refused(77, &["without TLS"]);
    sandbox.ai(["resolve", "claude"]).env("AI_ALLOW_INSECURE_ENGINE", "1").prints();
    sandbox.ai(["resolve", "claude"]).env("DOCKER_TLS_VERIFY", "1").prints();
}

// BO-20, Z-035
#[test]
fn an_engine_on_another_machine_is_refused_before_anything_is_touched() {
    let mut sandbox = Sandbox::new();
    for host in ["tcp://192.0.2.1:2376", "ssh://u@192.0.2.1", "tcp://127.0.0.1.evil.example:1"] {
        sandbox.set("DOCKER_HOST", host);
        for line in
            [&["run", "claude"][..], &["exec", "--", "true"], &["sync", "in", "claude"], &["resolve", "claude"], &["login", "claude"]]
        {
            sandbox.ai(line).outcome().refused(78, &["another machine", "unset DOCKER_HOST", "AI_ENGINE_REMOTE_PATHS=1"]);
        }
    }
    assert!(!sandbox.store().exists() && sandbox.calls().is_empty());
}

// M-03, Z-035
#[test]
fn a_context_is_honoured_and_one_that_is_missing_is_an_error() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("DOCKER_HOST");
    sandbox.set("DOCKER_CONTEXT", "lab");
    sandbox.ai(["resolve", "claude"]).outcome().refused(69, &["context `lab`", "docker context ls"]);
    // Docker names the directory by the hash of the context's name.
    let hash: String = {
        use sha2::Digest;
        sha2::Sha256::digest(b"lab").iter().map(|byte| format!("{byte:02x}")).collect()
    };
    sandbox.write(
        format!("home/.docker/contexts/meta/{hash}/meta.json"),
        json!({ "Name": "lab", "Endpoints": { "docker": { "Host": "ssh://lab.example" } } }).to_string(),
    );
    sandbox.ai(["resolve", "claude"]).outcome().refused(78, &["another machine", "docker context use default"]);
    sandbox.set("AI_ENGINE_REMOTE_PATHS", "1");
    sandbox.ai(["resolve", "claude"]).prints();
    let report = sandbox.ai(["doctor"]).outcome().out();
    assert!(report.contains("ssh://lab.example (context lab)"), "{report}");
}

// M-02
#[test]
fn an_engine_is_started_only_where_that_is_allowed() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    if need("root", rustix::process::getuid().is_root().then_some(())).is_none() {
        return;
    }
    let real = std::env::var("DOCKER_HOST").unwrap_or_default();
    let real = real.strip_prefix("unix://").unwrap_or("/var/run/docker.sock").to_owned();
    let socket = bed.root().join("tmp/docker.sock");
    bed.sandbox.set("DOCKER_HOST", format!("unix://{}", socket.display()));
    bed.ai(["run", "claude", "true"]).outcome().refused(69, &["the daemon is not running", "hint: sudo systemctl start docker"]);
    bed.program("systemctl", &format!("#!/bin/sh\n[ \"$*\" = 'start docker' ] && PATH=/usr/bin:/bin ln -s {real} {}\n", socket.display()));
    let outcome = bed.ai(["run", "claude", "true"]).env("AI_ENGINE_AUTOSTART", "1").outcome();
    assert!(outcome.code == 0 && outcome.err().contains("starting the engine: systemctl start docker"), "{}", outcome.err());
    fs::remove_file(&socket).unwrap();
    bed.program("systemctl", "#!/bin/sh\necho 'no such unit' >&2; exit 5\n");
    let outcome = bed.ai(["run", "claude", "true"]).env("AI_ENGINE_AUTOSTART", "1").outcome();
    outcome.refused(69, &["cannot start the engine", "ended with 5", "no such unit"]);
}

// M-02: Colima's machine is as large as was wished, and containers get the agent's socket that it offers.
#[test]
fn colima_is_started_with_the_agent_and_the_size_that_was_wished() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    let real = std::env::var("DOCKER_HOST").unwrap_or_default();
    let real = real.strip_prefix("unix://").unwrap_or("/var/run/docker.sock").to_owned();
    let socket = bed.home().join(".colima/default/docker.sock");
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    let agent = bed.root().join("agent");
    let _listener = std::os::unix::net::UnixListener::bind(&agent).unwrap();
    let log = bed.root().join("colima.log");
    bed.program(
        "colima",
        &format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\necho \"$@\" >>{log}\ncase $1 in start) ln -s {real} {socket} ;; ssh) echo {agent} ;; esac\n",
            log = log.display(),
            socket = socket.display(),
            agent = agent.display()
        ),
    );
    bed.set("DOCKER_HOST", format!("unix://{}", socket.display()));
    bed.set("SSH_AUTH_SOCK", &agent);
    bed.config("engine_autostart = true\nengine_cpus = 4\nengine_memory = '6g'\n");
    let outcome = bed.ai(["run", "claude", "sh", "-c", "test -S \"$SSH_AUTH_SOCK\" && echo agent"]).outcome();
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "agent\n"), "{}", outcome.err());
    let calls = fs::read_to_string(&log).unwrap();
    assert_eq!(calls, "start --ssh-agent --profile default --cpu 4 --memory 6\nssh --profile default -- printenv SSH_AUTH_SOCK\n");
    fs::remove_file(&socket).unwrap();
    bed.config("engine_memory = 'much'\n");
    bed.ai(["run", "claude", "true"]).env("AI_ENGINE_AUTOSTART", "1").outcome().refused(78, &["config.toml:1", "`much` is no size"]);
    bed.config("engine_autostart = false\n");
    bed.ai(["run", "claude", "true"]).outcome().refused(69, &["hint: colima start --ssh-agent"]);
}

/// Answers one request on loopback, as a server of local models does.
pub fn model() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nllama3\n").unwrap();
    });
    port
}

#[test]
fn a_model_on_this_machine_answers_from_inside() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let url = format!("http://host.docker.internal:{}/api/tags", model());
    let answer = bed.ai(["run", "--network", "host", "claude", "wget", "-q", "-O", "-", &url]).prints();
    assert_eq!(answer, "llama3\n");
    let hosts = bed.ai(["exec", "--", "cat", "/etc/hosts"]).prints();
    assert!(hosts.contains("host.docker.internal"), "{hosts}");
}

// M-01: the same on a podman of the machine's own.
#[test]
fn podman_runs_a_tool_and_leaves_nothing() {
    let Some(bed) = Bed::podman() else { return };
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", "echo in; pwd"]).prints(), "in\n/workspace/proj\n");
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", "exit 42"]).outcome().code, 42);
    assert_eq!(bed.ai(["ps", "--json"]).prints(), "[]\n");
    let hog = ["run", "--memory", "16m", "claude", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=2"];
    let outcome = bed.ai(hog).outcome();
    assert!(outcome.code == 137 && outcome.err().contains("limit of 16 MiB"), "{}", outcome.err());
    bed.ai(["run", "--image", "no-such", "claude"]).outcome().refused(69, &["the image no-such is not there"]);
    bed.nothing_left();
}

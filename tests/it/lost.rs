//! A run that something outside of it ends: the engine goes away, the container or the program is killed.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::bed::{Bed, Image};
use crate::process::{finish, wait_for};
use crate::sandbox::tree;

const CANARY: &str = "canary-8d1f60c2";

/// A bed of an ordinary user.
fn bed_of_a_user() -> Option<Bed> {
    let mut bed = Bed::new(Image::Busybox)?;
    bed.as_user(1000).then_some(bed)
}

// Z-066, Z-065, Q-01: whoever may call the engine is root, and sees the environment of a container; nobody sees more.
#[test]
fn a_killed_run_leaves_its_secret_nowhere_but_where_it_was() {
    let Some(mut bed) = bed_of_a_user() else { return };
    let kept = bed.write("home/.docker-ai-config/secrets/zai_key", format!("{CANARY}\n"));
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).unwrap();
    bed.set("AI_IMAGE", std::env::var("AI_BED_BUSYBOX").unwrap());
    let holders = |bed: &Bed| -> Vec<PathBuf> {
        let holds = |(path, (_, content)): (PathBuf, (u32, Vec<u8>))| String::from_utf8_lossy(&content).contains(CANARY).then_some(path);
        tree(&bed.root()).into_iter().filter_map(holds).collect()
    };
    let script = "[ \"$ANTHROPIC_AUTH_TOKEN\" ] && touch ready; sleep 600";
    // Nothing of its own output: the engine's client, which outlives it, would keep us.
    let mut command = bed.ai(["run", "glm", "--", "sh", "-c", script]).command();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let ready = bed.project().join("ready");
    wait_for("the container", || ready.exists().then_some(()));
    assert_eq!(holders(&bed), [kept.clone()], "while it runs");
    let lease = fs::read_dir(bed.store().join("sessions")).unwrap().next().unwrap().unwrap().path();
    let lease: serde_json::Value = serde_json::from_slice(&fs::read(lease).unwrap()).unwrap();
    let (name, image) = (lease["container"].as_str().unwrap(), std::env::var("AI_BED_BUSYBOX").unwrap());
    let words = ".Path .Args .Name .Config.Cmd .Config.Entrypoint .Config.Labels .Config.Hostname .HostConfig .Mounts .GraphDriver .NetworkSettings";
    let template: String = words.split(' ').map(|word| format!("{{{{json {word}}}}} ")).collect();
    let inspected = bed.run("docker").args(["inspect", "--format", &template, name]).prints();
    assert!(inspected.contains("touch ready"), "{inspected}");
    let logs = bed.run("docker").args(["logs", name]).outcome();
    let history = bed.run("docker").args(["history", "--no-trunc", &image]).prints();
    for seen in [inspected, logs.out(), logs.err(), history, command_lines()] {
        assert!(!seen.contains(CANARY), "{seen}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(holders(&bed), [kept.clone()], "after it was killed");
    bed.ai(["gc"]).succeeds();
    assert_eq!(holders(&bed), [kept], "after it was cleared away");
    bed.nothing_left();
}

/// What `ps` shows of all processes of this machine.
fn command_lines() -> String {
    let lines = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    let lines: Vec<String> = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect();
    assert!(lines.iter().any(|line| line.contains("touch ready")), "{lines:?}");
    lines.join("\n")
}

/// A socket in front of the engine's that can be cut.
struct Relay {
    path: PathBuf,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Relay {
    fn new(path: PathBuf, engine: PathBuf) -> Self {
        let listener = UnixListener::bind(&path).unwrap();
        let relay = Self { path, cut: Arc::default(), open: Arc::default() };
        let (cut, open) = (Arc::clone(&relay.cut), Arc::clone(&relay.open));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Nobody hears the connection that only wakes this thread.
                let Ok(engine) = UnixStream::connect(&engine) else { return };
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                open.lock().unwrap().extend([client.try_clone().unwrap(), engine.try_clone().unwrap()]);
                for (mut from, mut to) in [(client.try_clone().unwrap(), engine.try_clone().unwrap()), (engine, client)] {
                    std::thread::spawn(move || {
                        let mut buffer = [0; 1 << 16];
                        while let Ok(length @ 1..) = from.read(&mut buffer) {
                            if to.write_all(&buffer[..length]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        relay
    }

    /// The engine is gone: every connection ends, and no other is answered.
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

/// Where the bed's engine listens.
fn engine_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    Path::new(host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock")).to_owned()
}

// the engine is lost, then the network: the tool says what it says, with its own exit code.
#[test]
fn an_engine_that_goes_away_in_the_middle_is_said_and_the_next_run_clears_away() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    let relay = Relay::new(bed.root().join("engine.sock"), engine_socket());
    bed.set("DOCKER_HOST", format!("unix://{}", relay.path.display()));
    let child = bed.ai(["run", "claude", "--", "sh", "-c", "echo kept >/home/ai/.claude/kept; touch ready; sleep 600"]).spawn();
    let ready = bed.project().join("ready");
    wait_for("the container", || ready.exists().then_some(()));
    relay.cut();
    let outcome = finish(child);
    assert!(outcome.code != 0 && outcome.err().contains("ai: ") && outcome.err().contains("hint: "), "{outcome:?}");
    let meanwhile = bed.ai(["run", "claude", "--", "true"]).outcome();
    meanwhile.refused(69, &["hint: "]);
    relay.mend();
    fs::remove_file(&ready).unwrap();
    let script = "cd /home/ai/.claude; cat kept; [ -e /sys/class/net/eth0 ] || exit 8; echo more >more; touch $OLDPWD/ready; \
        while [ -e /sys/class/net/eth0 ]; do sleep 0.1; done; wget -q -O - http://192.0.2.1/ || exit 9";
    let child = bed.ai(["run", "--network", "bridge", "claude", "--", "sh", "-c", script]).spawn();
    wait_for("the network", || ready.exists().then_some(()));
    bed.docker(&["network", "disconnect", "bridge", &bed.containers()[0]]);
    let outcome = finish(child);
    assert!(outcome.code == 9 && outcome.out() == "kept\n" && outcome.err().contains("wget: "), "{outcome:?}");
    let more = tree(&bed.store()).into_iter().find(|(path, _)| path.ends_with("more"));
    assert_eq!(more.map(|(_, (_, bytes))| bytes), Some(b"more\n".to_vec()));
    bed.nothing_left();
}

// the tool renews its login all the time, as tools do, and is killed at any moment.
#[test]
fn a_container_that_is_killed_at_any_moment_leaves_a_whole_login() {
    let Some(bed) = bed_of_a_user() else { return };
    let login = bed.write("home/.docker-ai-config/global_state/claude/shared/login/.credentials.json", token(0));
    let renew = "l=/ai/shared/login; [ -d $l ] || l=$(dirname \"$(readlink -f /home/ai/.claude/.credentials.json)\"); i=1; touch ready; \
        while :; do printf '{\"claudeAiOauth\":{\"accessToken\":\"a%d\",\"refreshToken\":\"r%d\",\"expiresAt\":9999999999999}}' $i $i \
        >$l/.new && mv $l/.new $l/.credentials.json; i=$((i + 1)); done";
    let ready = bed.project().join("ready");
    for round in 0..10_u64 {
        let child = bed.ai(["run", "claude", "--", "sh", "-c", renew]).spawn();
        wait_for("the container", || ready.exists().then_some(()));
        std::thread::sleep(std::time::Duration::from_millis(round * 7 % 50));
        let name = bed.containers().pop().unwrap();
        bed.docker(&["kill", &name]);
        assert_eq!(finish(child).code, 137);
        fs::remove_file(&ready).unwrap();
        let text = fs::read_to_string(&login).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(value["claudeAiOauth"]["refreshToken"].as_str().is_some_and(|token| token.starts_with('r')), "{text}");
    }
    assert_ne!(fs::read_to_string(&login).unwrap(), token(0), "no run renewed it");
    bed.nothing_left();
}

fn token(number: u32) -> String {
    format!("{{\"claudeAiOauth\":{{\"accessToken\":\"a{number}\",\"refreshToken\":\"r{number}\",\"expiresAt\":9999999999999}}}}")
}

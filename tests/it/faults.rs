//! What is said when the engine, the image or the configuration is not as it should be, and that nothing is made then.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use crate::bed::{Bed, Image};
use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;

/// Runs claude in every way there is; asserts the code, what was said, and that the home is as it was.
#[track_caller]
fn refuses(sandbox: &Sandbox, code: i32, said: &[&str]) {
    for shell in Shell::all() {
        sandbox.bare(shell, "true").prints();
    }
    let home = tree(&sandbox.home());
    for command in [&["run", "claude", "x"][..], &["sync", "in", "claude"], &["exec", "--", "true"]] {
        sandbox.ai(command).outcome().refused(code, said);
    }
    for shell in Shell::all() {
        sandbox.shell(shell, "claude x").outcome().refused(code, said);
    }
    assert_eq!(tree(&sandbox.home()), home);
    assert!(sandbox.calls().iter().all(|call| call.argv[0] != "run"));
}

/// A socket that answers every request with `status`.
fn daemon(sandbox: &mut Sandbox, status: &'static str) -> PathBuf {
    let path = sandbox.root().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = BufReader::new(&stream).lines().map_while(Result::ok);
            request.find(String::is_empty);
            let _ = write!(stream, "HTTP/1.0 {status}\r\n\r\n");
        }
    });
    listen_at(sandbox, &path);
    path
}

fn listen_at(sandbox: &mut Sandbox, path: &Path) {
    sandbox.set("DOCKER_HOST", format!("unix://{}", path.display()));
}

// M-01, Z-086
#[test]
fn no_engine() {
    let sandbox = Sandbox::new();
    sandbox.without("docker");
    refuses(&sandbox, 69, &["cannot run containers: `docker` is not installed", "hint: install Docker or podman"]);
}

// M-01, Z-086
#[test]
fn a_daemon_that_is_down() {
    let mut sandbox = Sandbox::new();
    let path = sandbox.root().join("engine.sock");
    listen_at(&mut sandbox, &path);
    let said = ["cannot reach Docker at `", "engine.sock`: the daemon is not running", "hint: sudo systemctl start docker"];
    refuses(&sandbox, 69, &said);
    drop(UnixListener::bind(&path).unwrap());
    refuses(&sandbox, 69, &said);
}

// M-01, Z-086
#[test]
fn a_daemon_that_is_closed_to_us() {
    let mut sandbox = Sandbox::new();
    let socket = daemon(&mut sandbox, "200 OK");
    if !sandbox.as_user(1000, 1000) {
        return;
    }
    chown(&socket, Some(0), Some(0)).unwrap();
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();
    refuses(&sandbox, 69, &["you may not use it", "hint: sudo usermod -aG docker"]);
}

// M-01
#[test]
fn a_daemon_that_hangs() {
    let mut sandbox = Sandbox::new();
    let path = sandbox.root().join("engine.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    listen_at(&mut sandbox, &path);
    sandbox.ai(["run", "claude"]).outcome().refused(69, &["it does not answer", "hint: docker info"]);
    assert!(!sandbox.store().exists());
}

// M-04
#[test]
fn an_image_that_is_not_there() {
    let mut sandbox = Sandbox::new();
    daemon(&mut sandbox, "404 Not Found");
    refuses(&sandbox, 69, &["the image ai-tools:1 is not there", "hint: ai image build"]);
    sandbox.set("AI_IMAGE", "mine:2");
    refuses(&sandbox, 69, &["the image mine:2 is not there", "hint: docker pull mine:2"]);
}

// M-04
#[test]
fn an_image_that_a_real_engine_does_not_have() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    bed.sandbox.set("AI_IMAGE", "ai-bed/no-such-image:1");
    refuses(&bed, 69, &["the image ai-bed/no-such-image:1 is not there"]);
}

// Z-086
#[test]
fn podman_alone_is_enough_and_says_what_it_lacks() {
    let sandbox = Sandbox::new();
    sandbox.without("docker");
    sandbox.program("podman", "#!/bin/sh\ncase $1 in image) exit 1 ;; esac\n");
    refuses(&sandbox, 69, &["the image ai-tools:1 is not there", "hint: ai image build"]);
    sandbox.program("podman", "#!/bin/sh\necho 'cannot connect' >&2\nexit 125\n");
    refuses(&sandbox, 69, &["cannot use podman", "cannot connect", "hint: podman info"]);
    sandbox.link("podman", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/fake-docker"));
    sandbox.ai(["run", "claude", "x"]).prints();
    assert_eq!(sandbox.the_run().argv.last().unwrap(), "x");
}

// M-01: the messages differ, so that a person knows which it is.
#[test]
fn an_engine_that_answers_is_used() {
    let mut sandbox = Sandbox::new();
    daemon(&mut sandbox, "200 OK");
    for shell in Shell::all() {
        sandbox.shell(shell, "claude x").prints();
    }
    assert_eq!(sandbox.calls().len(), Shell::all().len());
}

// O-02
#[test]
fn a_mistake_in_a_file_is_shown_where_it_is() {
    let sandbox = Sandbox::new();
    sandbox.manifest("claude", "about = 'x'\ncommand = ['claude']\nprnit = ['-p']\n");
    refuses_file(&sandbox, &["tools/claude.toml`", "line 3", "3 | prnit = ['-p']\n    | ^^^^^", "unknown field `prnit`"]);
    let sandbox = Sandbox::new();
    sandbox.config("network = 'none'\n[tool.claude]\nmemroy = '1g'\n");
    refuses_file(&sandbox, &["config.toml`", "line 3", "^^^^^^", "unknown field `memroy`", "`memory`"]);
    sandbox.config("pids = 'many'\n");
    refuses_file(&sandbox, &["config.toml`", "line 1", "^^^^^^"]);
}

#[track_caller]
fn refuses_file(sandbox: &Sandbox, said: &[&str]) {
    let home = tree(&sandbox.home());
    for command in ["resolve", "run"] {
        sandbox.ai([command, "claude"]).outcome().refused(78, said);
    }
    assert_eq!(tree(&sandbox.home()), home);
    assert!(sandbox.calls().is_empty());
}

// Z-098
#[test]
fn a_name_that_no_shell_function_can_have_is_no_tool() {
    let sandbox = Sandbox::new();
    for name in ["a b", "rm -rf", "claude();id", "-x", "Upper", "ü", ".hidden"] {
        sandbox.manifest(name, "command = ['true']\n");
        sandbox.ai(["resolve", "--", name]).outcome().refused(2, &["there is no tool `"]);
        sandbox.ai(["run", "--", name]).outcome().refused(2, &["there is no tool `"]);
    }
    for shell in ["zsh", "bash", "fish"] {
        let plain = Sandbox::new().ai(["init", shell]).prints();
        let functions = |script: &str| script.lines().filter(|line| line.starts_with("function")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(functions(&sandbox.ai(["init", shell]).prints()), functions(&plain));
    }
}

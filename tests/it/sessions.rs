//! `ai ps`, `ai stop`, `ai gc`, and what is said after a run, on a real engine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::bed::{Bed, Image};
use crate::process::{finish, wait_for};
use crate::sandbox::Sandbox;

/// A session of `tool` that does nothing for a minute, once its container runs.
fn live(bed: &Bed, tool: &str) -> (Child, String) {
    live_as(bed, tool, "trap 'exit 0' TERM; while :; do sleep 0.1; done")
}

/// A session of `tool` in which a script runs, once its container does.
fn live_as(bed: &Bed, tool: &str, script: &str) -> (Child, String) {
    let before = running(bed);
    let child = bed.ai(["run", tool, "--", "sh", "-c", script]).spawn();
    let name = wait_for("the session", || running(bed).into_iter().find(|name| !before.contains(name)));
    (child, name)
}

fn running(bed: &Bed) -> Vec<String> {
    let rows: Value = serde_json::from_str(&bed.ai(["ps", "--json"]).prints()).unwrap();
    let running = rows.as_array().unwrap().iter().filter(|row| row["running"] == true && row["age_seconds"].is_u64());
    running.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

fn end(mut child: Child) {
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
}

/// Returns what a server on this machine answers with, once there is one.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").filter(|(head, _)| head.contains(" 200 ")).map(|(_, body)| body.to_owned())
}

// E-05, NE-01: and what is let in is reached, from outside and inside.
#[test]
fn live_sessions_are_listed_with_what_they_use() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    let notes = bed.write("home/notes/a", "a").parent().unwrap().to_owned();
    bed.set("AI_MOUNTS", "~/notes:rw");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    bed.set("AI_PUBLISH", format!("{port}:8000"));
    bed.write(bed.project().join("page"), "served from inside");
    let (child, name) = live_as(&bed, "claude", "httpd -p 8000; trap 'exit 0' TERM; while :; do sleep 0.1; done");
    let rows: Value = serde_json::from_str(&bed.ai(["ps", "--json"]).prints()).unwrap();
    let row = &rows[0];
    assert_eq!((row["name"].as_str(), row["tool"].as_str(), row["state"].as_str()), (Some(name.as_str()), Some("claude"), Some("live")));
    assert_eq!(row["root"].as_str(), bed.project().to_str());
    assert!(row["cpu"].as_str().unwrap().ends_with('%') && row["memory"].as_str().unwrap().contains('/'), "{row}");
    assert!(row["age_seconds"].as_u64().unwrap() < 60);
    let (published, let_in) = (format!("127.0.0.1:{port}:8000"), format!("{} (writable)", notes.display()));
    assert_eq!((&row["ports"], &row["let_in"]), (&serde_json::json!([published]), &serde_json::json!([let_in])));
    assert_eq!(wait_for("the server inside", || get(port, "/page")), "served from inside");
    let table = bed.ai(["ps"]).prints();
    assert!(table.contains(&published) && table.contains(&format!(" + {let_in}")), "{table}");
    assert!(table.lines().next().unwrap().contains("PROJECT") && table.contains(&name), "{table}");
    bed.ai(["stop", &name]).succeeds();
    finish(child).succeeds();
    let none = bed.ai(["ps"]).outcome();
    assert_eq!((none.code, none.out().as_str(), none.err().as_str()), (0, "", "ai: no session is running\n"));
    assert_eq!(bed.ai(["ps", "--json"]).prints(), "[]\n");
    bed.nothing_left();
}

// E-06
#[test]
fn a_session_is_asked_to_end_by_name_by_tool_or_all() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    for which in ["name", "--tool", "--mine"] {
        let (child, name) = live(&bed, "claude");
        let (other, _) = live(&bed, "gemini");
        let args = match which {
            "name" => vec![name.as_str()],
            "--tool" => vec!["--tool", "claude"],
            _ => vec!["--mine"],
        };
        let outcome = bed.ai(["stop"]).args(args).outcome();
        assert!(outcome.code == 0 && outcome.err().contains(&format!("stopped {name}")), "{}", outcome.err());
        // It left by itself: its trap ended it with 0.
        assert_eq!(finish(child).code, 0);
        assert_eq!(running(&bed).len(), usize::from(which != "--mine"), "{which}");
        if which != "--mine" {
            bed.ai(["stop", "--mine"]).succeeds();
        }
        finish(other).succeeds();
    }
    bed.ai(["stop", "nobody"]).outcome().refused(1, &["cannot stop `nobody`", "hint: ai ps"]);
    bed.ai(["stop", "--tool", "claude"]).outcome().refused(1, &["no session of it runs"]);
    bed.ai(["stop"]).outcome().refused(2, &[]);
    bed.nothing_left();
}

// E-04, E-09
#[test]
fn what_a_killed_run_leaves_is_counted_and_removed_and_nothing_else() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let (killed, dead) = live(&bed, "claude");
    let (child, name) = live(&bed, "gemini");
    end(killed);
    let report = bed.ai(["doctor"]).outcome().out();
    assert!(report.contains("sessions: 1 left behind") && report.contains("hint: ai gc"), "{report}");
    let dry = bed.ai(["gc", "--dry-run"]).outcome();
    assert!(dry.err().contains(&format!("would remove {dead}")) && dry.err().contains("would finish session"), "{}", dry.err());
    assert_eq!(running(&bed).len(), 2);
    assert_eq!(bed.ai(["gc"]).outcome().code, 0);
    assert_eq!(running(&bed), [name.clone()]);
    bed.ai(["stop", &name]).succeeds();
    finish(child).succeeds();
    bed.nothing_left();
}

// E-07
#[test]
fn nothing_of_somebody_else_is_touched() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let image = std::env::var("AI_BED_BUSYBOX").unwrap();
    let foreign = [&["--label", "ai.session=0123456789ab", "--label", "ai.owner=4242"][..], &[]];
    for (n, labels) in foreign.iter().enumerate() {
        let name = format!("foreign-{n}-{}", std::process::id());
        bed.run("docker").args(["run", "--detach", "--name", &name]).args(*labels).args([&image, "sleep", "60"]).prints();
        assert_eq!(bed.ai(["gc"]).outcome().err(), "ai: nothing is left behind\n");
        assert_eq!(bed.ai(["ps", "--json"]).prints(), "[]\n");
        bed.ai(["stop", &name]).outcome().refused(1, &["cannot stop"]);
        assert_eq!(bed.docker(&["inspect", "--format", "{{.State.Running}}", &name]), "true\n");
        bed.docker(&["rm", "--force", &name]);
    }
}

// E-06, E-09: an engine that says yes and does nothing.
#[test]
fn what_the_engine_says_it_did_is_looked_at() {
    let sandbox = Sandbox::new();
    let plan = sandbox.ai(["resolve", "--format", "lines", "claude"]).prints();
    let label = |name: &str| plan.lines().find_map(|word| word.strip_prefix(&format!("{name}="))).unwrap().to_owned();
    for (running, args, message) in [(true, ["stop", "--mine"], "cannot stop ai-x: "), (false, ["gc", "--"], "cannot remove ai-x: ")] {
        let container = serde_json::json!([{
            "Name": "/ai-x",
            "Config": { "Labels": { "ai.session": "0123456789ab", "ai.owner": label("ai.owner"), "ai.store": label("ai.store") } },
            "State": { "Running": running },
        }]);
        sandbox.program("docker", &format!("#!/bin/sh\ncase $1 in ps) echo x ;; container) echo '{container}' ;; esac\n"));
        let outcome = sandbox.ai(args).outcome();
        assert!(!outcome.err().contains("stopped") && !outcome.err().contains("removed"), "{}", outcome.err());
        outcome.refused(1, &[message, "hint: docker rm --force ai-x"]);
    }
}

// E-08
#[test]
fn a_kept_container_is_named_and_stays_until_it_is_removed() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    bed.sandbox.set("AI_KEEP", "1");
    let outcome = bed.ai(["run", "claude", "--", "sh", "-c", "exit 3"]).outcome();
    assert_eq!(outcome.code, 3);
    let name = bed.containers().remove(0);
    assert!(outcome.err().contains(&format!("docker start -ai {name}")) && outcome.err().contains(&format!("docker rm {name}")));
    let gc = bed.ai(["gc"]).outcome();
    assert!(gc.err().contains(&format!("kept on request: {name}")), "{}", gc.err());
    assert_eq!(bed.containers(), [name.clone()]);
    bed.docker(&["rm", &name]);
}

// Z-072, Q-08
#[test]
fn the_memory_limit_is_named_when_it_ended_the_tool() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let hog = ["run", "--memory", "16m", "claude", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=2"];
    // Of a container that ends in the same moment, a busy engine now and then forgets to note why: then nothing is claimed.
    let said = (0..5).find_map(|_| {
        let outcome = bed.ai(hog).outcome();
        assert_eq!(outcome.code, 137);
        Some(outcome.err()).filter(|said| !said.is_empty())
    });
    let said = said.expect("five times, the engine did not say why");
    assert!(said.contains("out of memory") && said.contains("limit of 16 MiB"), "{said}");
    bed.nothing_left();
}

// M-04, Z-086
#[test]
fn what_the_engine_refuses_is_told_from_what_the_tool_says() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let outcome = bed.ai(["run", "--network", "no-such-network", "claude"]).outcome();
    assert_eq!(outcome.code, 125);
    assert!(outcome.err().contains("refused to start the container"), "{}", outcome.err());
    bed.manifest("absent", "about = 'x'\ncommand = ['no-such-program']\n");
    let outcome = bed.ai(["run", "absent"]).outcome();
    assert_eq!(outcome.code, 127);
    assert!(outcome.err().contains("has no program `no-such-program`"), "{}", outcome.err());
    bed.nothing_left();
}

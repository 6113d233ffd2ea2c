//! A container that waits for the next run: that run is what it would have been, one run takes it, and whatever is not equal is a run as
//! any other.

use std::fs;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::{Bed, Image, owner};
use crate::guarded::static_program;
use crate::process::{Outcome, finish, wait_for};
use crate::sandbox::find_program;
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// Says whether it runs in a container that waited: only there is a gate.
const WHERE: &str = "{ [ -d /ai/gate ] && echo waited || echo cold; }";

/// A bed that wants spares, with a project that has been run in.
fn wanting(bed: Option<Bed>) -> Option<Bed> {
    let mut bed = bed?;
    bed.sandbox.use_program(static_program()?);
    bed.ai(["image", "pin"]).succeeds();
    assert_eq!(bed.ai(["exec", "--shell", WHERE]).prints(), "cold\n");
    bed.set("AI_SPARE", "1");
    Some(bed)
}

/// Makes one by hand, which the end of a run does by itself.
#[track_caller]
fn make(bed: &Bed, more: &[&str]) {
    let outcome = bed.ai(["spare"].iter().chain(more).chain(&["exec"])).succeeds();
    assert!(outcome.err().contains("waits for the next run of exec"), "{}", outcome.err());
}

/// Waits until nobody makes one in this sandbox any more. Of a process that has just become our program nothing else can be read yet.
fn settle(bed: &Bed) {
    let program = fs::canonicalize(bed.root().join("bin/ai")).unwrap();
    let home = format!("HOME={}", bed.home().display());
    let makes = |pid: &str| {
        let read = |what: &str| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        let (words, environment) = (read("cmdline"), read("environ"));
        fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program)
            && (words.is_empty() || words.split(|byte| *byte == 0).any(|word| word == b"spare"))
            && (environment.is_empty() || String::from_utf8_lossy(&environment).contains(&home))
    };
    wait_for("the end of what is made", || {
        let mut pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        (!pids.any(|pid| makes(&pid))).then_some(())
    });
}

/// Removes what waits, and asserts that nothing at all is left.
#[track_caller]
fn clear(bed: &Bed) {
    settle(bed);
    bed.ai(["gc"]).succeeds();
    wait_for("the end of containers", || bed.containers().is_empty().then_some(()));
    bed.nothing_left();
    let left: Vec<_> = fs::read_dir(bed.store().join("spare")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

/// Runs this line, as it is whether or not somebody waited for it.
fn run(bed: &Bed, line: &str) -> Outcome {
    bed.ai(["exec", "--shell", line]).outcome()
}

fn waiting(bed: &Bed) -> Option<String> {
    bed.containers().into_iter().find(|name| name.ends_with("-spare"))
}

/// Runs until the engine was asked what it knows of the container: its answer, and what the run printed.
fn held(bed: &Bed) -> (String, String) {
    for file in ["begun", "go"] {
        let _ = fs::remove_file(bed.project().join(file));
    }
    let line = format!("touch begun; until [ -e go ]; do sleep 0.05; done; echo $CANARY; {WHERE}");
    let child = bed.ai(["exec", "--shell", &line]).spawn();
    wait_for("the run", || bed.project().join("begun").exists().then_some(()));
    let shown = bed.docker(&["inspect", &bed.containers()[0]]);
    fs::write(bed.project().join("go"), "").unwrap();
    (shown, finish(child).out())
}

// D-02, D-04, Z-083: streams, codes, words and signals; Z-066: no secret in what the engine shows.
#[test]
fn a_run_that_was_waited_for_is_as_any_other() {
    let Some(mut bed) = wanting(Bed::new(Image::Busybox)) else { return };
    bed.set("AI_ENV", "CANARY");
    bed.set("CANARY", "made-up-secret");
    make(&bed, &[]);
    let name = waiting(&bed).unwrap();
    let shown = bed.ai(["ps", "--json"]).prints();
    assert!(shown.contains(&name) && shown.contains("\"waiting\""), "{shown}");
    assert!(bed.ai(["resolve", "--explain", "exec", "--", "true"]).prints().contains("a container waits for the next"));

    let (shown, out) = held(&bed);
    assert_eq!(out, "made-up-secret\nwaited\n");
    assert!(!shown.contains("made-up-secret"), "{shown}");
    settle(&bed);
    bed.ai(["gc"]).succeeds();
    bed.set("AI_SPARE", "0");
    let (shown, out) = held(&bed);
    assert_eq!(out, "made-up-secret\ncold\n");
    assert!(shown.contains("made-up-secret"), "a scan that finds nothing is none");
    bed.set("AI_SPARE", "1");

    // The end of that one asked for none; from here on each run is waited for by the one before.
    make(&bed, &[]);
    let bytes: Vec<u8> = (0..1_usize << 20).map(|n| (n * 2_654_435_761 >> 11) as u8).collect();
    let outcome = bed.ai(["exec", "--shell", &format!("cat; {WHERE} >&2; exit 7")]).stdin(bytes.clone()).outcome();
    assert!(outcome.code == 7 && outcome.stdout == bytes && outcome.err().starts_with("waited\n"), "{}", outcome.err());
    settle(&bed);
    let outcome = run(&bed, &format!("{WHERE} >&2; exec head -c 52428800 /dev/zero"));
    assert_eq!((outcome.code, outcome.stdout.len(), outcome.err().as_str()), (0, 50 << 20, "waited\n"));
    settle(&bed);
    let script = format!("gexec sh -c '{WHERE}; printf \"<%s>\" \"$@\"; pwd; exit 3' sh '' 'a b' \"x\ny\"; echo $?");
    let outcome = bed.shell(Shell::Bash, &script).cwd(bed.project()).outcome();
    assert_eq!(outcome.out(), "waited\n<><a b><x\ny>/workspace/proj\n3\n", "{}", outcome.err());
    settle(&bed);
    let line = format!("{WHERE}; trap 'echo told; exit 9' TERM; touch ready; sleep 600 & wait");
    let child = bed.ai(["exec", "--shell", &line]).spawn();
    wait_for("the run", || bed.project().join("ready").exists().then_some(()));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let outcome = finish(child);
    assert_eq!((outcome.code, outcome.out().as_str()), (9, "waited\ntold\n"), "{}", outcome.err());
    settle(&bed);
    // A reader that goes away, and a program that is none: the codes that the engine's client has.
    let script = format!("ai exec --shell '{WHERE} >&2; yes' | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}");
    let outcome = bed.shell(Shell::Bash, &script).cwd(bed.project()).outcome();
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("1\n", "waited\n"));
    settle(&bed);
    assert_eq!(bed.ai(["exec", "--", "/tmp"]).outcome().code, 126);
    clear(&bed);
}

// K-05, D-04, D-06: its size, what is typed, Ctrl-Z, Ctrl-C, another size.
#[test]
fn a_terminal_that_waited_is_one() {
    let Some(bed) = wanting(Bed::new(Image::Busybox)) else { return };
    make(&bed, &["--terminal"]);
    for program in ["stty", "tty"] {
        bed.link(program, find_program(program).unwrap());
    }
    let line = format!(
        "trap 'stty size >sizes' WINCH; {WHERE}; stty size; read x; echo \"<$x>\"; trap 'echo stopped; exit 9' INT; touch asks; while :; do sleep 0.1; done"
    );
    bed.write("home/line", line);
    let mut terminal = on_terminal(bed.bare(Shell::Bash, "stty rows 33 cols 99; tty; ai exec --shell \"$(cat ~/line)\"; echo code=$?"));
    let (_, path) = terminal.exp_regex("/dev/pts/[0-9]+").unwrap();
    terminal.exp_string("waited").unwrap();
    terminal.exp_string("33 99").unwrap();
    terminal.send_control('z').unwrap();
    terminal.send_line("words").unwrap();
    terminal.exp_string("<words>").unwrap();
    wait_for("the loop", || bed.project().join("asks").exists().then_some(()));
    let size = bed.run("stty").args(["-F", &path, "rows", "40", "cols", "111"]).outcome();
    assert_eq!(size.code, 0, "{}", size.err());
    wait_for("the other size", || fs::read_to_string(bed.project().join("sizes")).is_ok_and(|size| size == "40 111\n").then_some(()));
    terminal.send_control('c').unwrap();
    terminal.exp_string("stopped").unwrap();
    terminal.exp_string("code=9").unwrap();
    clear(&bed);
}

// E-04, Z-080: whatever changed while it waited, and whatever died, the next run works.
#[test]
fn whatever_is_not_equal_is_a_run_as_any_other() {
    let Some(mut bed) = wanting(Bed::new(Image::Busybox)) else { return };
    let cold = |bed: &Bed, what: &str| {
        let outcome = run(bed, &format!("{WHERE}; [ ! -e old ]"));
        assert_eq!((outcome.code, outcome.out().as_str()), (0, "cold\n"), "{what}: {}", outcome.err());
        settle(bed);
    };
    make(&bed, &[]);
    bed.set("AI_PIDS", "64");
    cold(&bed, "a limit");
    bed.unset("AI_PIDS");
    bed.ai(["gc"]).succeeds();

    make(&bed, &[]);
    let passwd = bed.store().join("global_state/user/passwd");
    fs::copy(&passwd, bed.root().join("passwd")).unwrap();
    fs::rename(bed.root().join("passwd"), &passwd).unwrap();
    cold(&bed, "another list of users");
    bed.ai(["gc"]).succeeds();

    make(&bed, &[]);
    let gate = waiting(&bed).unwrap();
    bed.docker(&["kill", &gate]);
    cold(&bed, "a gate that died");

    bed.ai(["gc"]).succeeds();
    make(&bed, &["--seconds", "1"]);
    wait_for("the end of its time", || bed.containers().is_empty().then_some(()));
    cold(&bed, "one whose time was over");

    bed.ai(["gc"]).succeeds();
    make(&bed, &[]);
    bed.ai(["image", "pin"]).succeeds();
    assert!(waiting(&bed).is_some(), "the same image again");
    bed.ai(["image", "pin", "--off"]).succeeds();
    wait_for("the end of what waited", || waiting(&bed).is_none().then_some(()));
    bed.ai(["image", "pin"]).succeeds();

    make(&bed, &[]);
    bed.write("work/proj/old", "");
    fs::rename(bed.project(), bed.root().join("elsewhere")).unwrap();
    fs::create_dir(bed.project()).unwrap();
    cold(&bed, "another project at the same place");
    clear(&bed);
}

// E-04: kill -9 of who makes it, of who takes it; several who want it.
#[test]
fn one_run_takes_it_and_what_dies_leaves_nothing() {
    let Some(bed) = wanting(Bed::new(Image::Busybox)) else { return };
    make(&bed, &[]);
    let children: Vec<Child> = (0..8).map(|_| bed.ai(["exec", "--shell", WHERE]).spawn()).collect();
    let said: Vec<String> = children.into_iter().map(finish).map(|outcome| outcome.succeeds().out()).collect();
    assert!(said.iter().any(|said| said == "waited\n") && said.iter().all(|said| said == "waited\n" || said == "cold\n"), "{said:?}");
    settle(&bed);
    bed.ai(["gc"]).succeeds();

    make(&bed, &[]);
    let child = bed.ai(["exec", "--shell", "touch begun; sleep 600"]).spawn();
    wait_for("the run", || bed.project().join("begun").exists().then_some(()));
    let clients = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let client = clients.split_whitespace().next().unwrap().parse().unwrap();
    for pid in [Pid::from_child(&child).as_raw_pid(), client] {
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }
    assert_ne!(finish(child).code, 0);
    assert_eq!(run(&bed, WHERE).out(), "cold\n");
    clear(&bed);

    // The engine's client kills who called it, before the container is made and after.
    let docker = find_program("docker").unwrap();
    for (word, before) in [("create", ""), ("start", "DOCKER \"$@\"; ")] {
        let script = format!("#!/bin/sh\n[ \"$1\" = {word} ] && {{ {before}kill -9 $PPID; exit; }}\nexec DOCKER \"$@\"\n");
        bed.program("docker", &script.replace("DOCKER", docker.to_str().unwrap()));
        assert_ne!(bed.ai(["spare", "exec"]).outcome().code, 0);
        bed.program("docker", &format!("#!/bin/sh\nexec {} \"$@\"\n", docker.display()));
        assert_eq!(run(&bed, WHERE).out(), "cold\n", "killed at {word}");
        settle(&bed);
        clear(&bed);
    }
}

// GU-01
#[test]
fn a_guarded_run_is_waited_for_and_so_is_one_without_root() {
    let Some(mut bed) = wanting(Bed::new(Image::Busybox)) else { return };
    bed.set("AI_NETWORK", "guard");
    make(&bed, &[]);
    assert_eq!(run(&bed, &format!("[ -S /ai/sock/egress ] && ls /sys/class/net; {WHERE}")).out(), "lo\nwaited\n");
    clear(&bed);
    let Some(bed) = wanting(Bed::rootless("docker")) else { return };
    make(&bed, &[]);
    let outcome = run(&bed, &format!("touch made; {WHERE}"));
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "waited\n"), "{}", outcome.err());
    assert_eq!(owner(bed.project().join("made")), owner(bed.project()));
    clear(&bed);
}

#[test]
fn nobody_waits_without_being_asked() {
    let Some(mut bed) = wanting(Bed::new(Image::Busybox)) else { return };
    // Whoever says no has no use for that of an earlier run either.
    make(&bed, &[]);
    for (name, value) in [("AI_SPARE", "0"), ("CI", "true")] {
        bed.set(name, value);
        assert!(!bed.ai(["resolve", "--explain", "exec", "--", "true"]).prints().contains("a container waits for the next"));
        assert!(bed.ai(["spare", "exec"]).succeeds().err().contains("no container waits"));
        assert_eq!(run(&bed, WHERE).out(), "cold\n");
        bed.set("AI_SPARE", "1");
    }
    settle(&bed);
    assert_eq!(bed.containers(), Vec::<String>::new());
    bed.nothing_left();
}

//! A container that waits for the next run: that run is what it would have been. Whatever holds of streams, codes, signals and terminals
//! is asserted by the same functions as of a run that nobody waited for.

use std::fs;

use crate::bed::{Bed, Image, owner};
use crate::guarded::static_program;
use crate::process::{Outcome, finish, wait_for};
use crate::sandbox::find_program;
use crate::shells::Shell;
use crate::{stdio, terminal, terminal_keys};

/// Says whether it runs in a container that waited: only there is a gate.
pub const WHERE: &str = "{ [ -d /ai/gate ] && echo waited || echo cold; }";

/// A bed that wants spares, with a project that has been run in. Each container that is run without one having waited is noted.
pub fn wanting(bed: Option<Bed>) -> Option<Bed> {
    let mut bed = bed?;
    bed.sandbox.use_program(static_program()?);
    bed.ai(["image", "pin"]).succeeds();
    assert_eq!(bed.ai(["exec", "--shell", WHERE]).prints(), "cold\n");
    bed.set("AI_SPARE", "1");
    let (noted, docker) = (bed.root().join("tmp/cold"), find_program("docker").unwrap());
    let note = format!("[ \"$1\" = run ] && echo \"$@\" >>'{}'", noted.display());
    bed.program("docker", &format!("#!/bin/sh\n{note}\nexec {} \"$@\"\n", docker.display()));
    Some(bed)
}

/// The runs so far for which no container had waited.
fn cold_runs(bed: &Bed) -> String {
    fs::read_to_string(bed.root().join("tmp/cold")).unwrap_or_default()
}

/// Makes one by hand, which the end of a run does by itself.
#[track_caller]
pub fn make(bed: &Bed, more: &[&str]) {
    let outcome = bed.ai(["spare"].iter().chain(more).chain(&["exec"])).succeeds();
    assert!(outcome.err().contains("-spare waits for the next run of exec"), "{}", outcome.err());
}

/// Has one wait where the bed wants that.
#[track_caller]
pub fn ready(bed: &Bed, more: &[&str]) {
    if bed.env().any(|(name, _)| name == "AI_SPARE") {
        settle(bed);
        let said = bed.ai(["spare"].iter().chain(more).chain(&["exec"])).succeeds().err();
        assert!(said.contains("-spare waits for the next run of exec") || said.contains("one waits already"), "{said}");
    }
}

/// Waits until nobody makes one in this sandbox any more. Of a process that has just become our program nothing else can be read yet.
pub fn settle(bed: &Bed) {
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
pub fn clear(bed: &Bed) {
    settle(bed);
    bed.ai(["gc"]).succeeds();
    wait_for("the end of containers", || bed.containers().is_empty().then_some(()));
    bed.nothing_left();
    let left: Vec<_> = fs::read_dir(bed.store().join("spare")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

/// Runs this line, as it is whether or not somebody waited for it.
pub fn run(bed: &Bed, line: &str) -> Outcome {
    bed.ai(["exec", "--shell", line]).outcome()
}

pub fn waiting(bed: &Bed) -> Option<String> {
    bed.containers().into_iter().find(|name| name.ends_with("-spare"))
}

/// Runs until the engine was asked what it knows of the container: its answer, the variables of process 1, and what the run printed.
fn held(bed: &Bed) -> [String; 3] {
    for file in ["begun", "go", "first"] {
        let _ = fs::remove_file(bed.project().join(file));
    }
    let line = format!("cat /proc/1/environ >first; touch begun; until [ -e go ]; do sleep 0.05; done; echo $CANARY; {WHERE}");
    let child = bed.ai(["exec", "--shell", &line]).spawn();
    wait_for("the run", || bed.project().join("begun").exists().then_some(()));
    let shown = bed.docker(&["inspect", &bed.containers()[0]]);
    fs::write(bed.project().join("go"), "").unwrap();
    [shown, fs::read_to_string(bed.project().join("first")).unwrap(), finish(child).out()]
}

// D-02, D-04, D-06, Z-083: streams, codes, words and signals; Z-066: no secret in what the engine shows, nor in process 1.
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

    let [shown, first, out] = held(&bed);
    assert_eq!(out, "made-up-secret\nwaited\n");
    assert!(!shown.contains("made-up-secret") && first.contains("PATH=") && !first.contains("made-up-secret"), "{shown} {first}");
    ready(&bed, &[]);
    bed.set("AI_SPARE", "0");
    let [shown, first, out] = held(&bed);
    assert_eq!(out, "made-up-secret\ncold\n");
    assert!(shown.contains("made-up-secret") && first.contains("made-up-secret"), "a scan that finds nothing is none");
    // Whoever says no has no use for that of an earlier run either, and asks for no other one.
    wait_for("the end of what waited", || waiting(&bed).is_none().then_some(()));
    bed.set("AI_SPARE", "1");
    fs::remove_file(bed.root().join("tmp/cold")).unwrap();

    make(&bed, &[]);
    let outcome = run(&bed, &format!("{WHERE} >&2; exec head -c 52428800 /dev/zero"));
    assert_eq!((outcome.code, outcome.stdout.len(), outcome.err().as_str()), (0, 50 << 20, "waited\n"));
    // Each run is waited for by the one before.
    settle(&bed);
    let script = format!("gexec sh -c '{WHERE}; printf \"<%s>\" \"$@\"; pwd; exit 3' sh '' 'a b' \"x\ny\"; echo $?");
    let outcome = bed.shell(Shell::Bash, &script).cwd(bed.project()).outcome();
    assert_eq!(outcome.out(), "waited\n<><a b><x\ny>/workspace/proj\n3\n", "{}", outcome.err());
    settle(&bed);
    // A reader that goes away: the code that the engine's client has.
    let script = format!("ai exec --shell '{WHERE} >&2; sleep 0.5; yes' | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}");
    let outcome = bed.shell(Shell::Bash, &script).cwd(bed.project()).outcome();
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("1\n", "waited\n"));

    let mut shells = Shell::all().into_iter().cycle();
    for code in [7, 130, 255] {
        stdio::codes(&bed, shells.next().unwrap(), &[code]);
    }
    stdio::input(&bed, shells.next().unwrap());
    stdio::closed_input(&bed);
    stdio::no_program(&bed);
    terminal::signals(&bed);
    terminal_keys::ctrl_z_in_a_pipe(&bed);
    assert_eq!(cold_runs(&bed), "");
    clear(&bed);
}

// K-05, D-04, D-06, Z-084: its size and another one, what is typed, Ctrl-Z, Ctrl-C, Ctrl-\, and one that is closed.
#[test]
fn a_terminal_that_waited_is_one() {
    let Some(bed) = wanting(Bed::new(Image::Busybox)) else { return };
    // In one shell: the others are cold ones.
    let shell = Shell::all()[0];
    for check in [terminal_keys::sized, terminal_keys::ctrl_z, terminal_keys::ctrl_c, terminal_keys::ctrl_backslash] {
        check(&bed, shell);
    }
    terminal_keys::closed_terminal(&bed);
    assert_eq!(cold_runs(&bed), "");
    clear(&bed);
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

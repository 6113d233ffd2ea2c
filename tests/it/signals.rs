//! A signal while a run begins or closes: it ends at once, and nothing of it stays behind.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

use crate::process::wait_for;
use crate::sandbox::Sandbox;

const SIGNALS: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

/// What a run waits for, by the directory whose lock somebody else has, and whether it is reached before the tool starts.
const PHASES: [(&str, bool); 3] = [("control/PROJECT", true), ("control/PROJECT", false), ("sync", false)];

/// The homes of the project's runs, as seen from it.
const HOMES: &str = "../../home/.docker-ai-config/global_state/claude/projects/*/home";

fn take(sandbox: &Sandbox, directory: &str) -> fs::File {
    let project = fs::read_dir(sandbox.store().join("control")).unwrap().next().unwrap().unwrap().file_name();
    let lock = sandbox.store().join(directory.replace("PROJECT", project.to_str().unwrap())).join("lock");
    let file = fs::File::options().read(true).write(true).create(true).truncate(false).open(lock).unwrap();
    // Whoever has it for a moment gives it back.
    flock(&file, FlockOperation::LockExclusive).unwrap();
    file
}

/// Whether the process has the lock that we hold open, to wait for it.
fn waits(child: &Child, directory: &str) -> bool {
    let part = format!("/{}/", directory.split('/').next().unwrap());
    let files = fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
    let mut names = files.filter_map(|file| fs::read_link(file.path()).ok()).map(|file| file.to_string_lossy().into_owned());
    names.any(|file| file.contains(&part) && file.ends_with("/lock"))
}

// BO-06: signals end a run in every phase.
#[test]
fn a_signal_while_a_run_begins_or_closes_ends_it_and_nothing_stays() {
    let mut sandbox = Sandbox::new();
    sandbox.git_init();
    sandbox.set("FAKE_ENGINE_DO", "exit 0");
    sandbox.ai(["run", "claude"]).succeeds();
    let (started, go) = (sandbox.root().join("started"), sandbox.root().join("go"));
    for (index, (directory, is_before)) in PHASES.into_iter().enumerate() {
        for signal in SIGNALS {
            let what = format!("{signal:?} while it waits for {directory}, before the tool starts: {is_before}");
            for file in [&started, &go] {
                let _ = fs::remove_file(file);
            }
            sandbox.write("home/.claude/settings.json", format!("{{\"theme\": \"{index}{}\"}}", signal.as_raw()));
            // What a tool changes is to go out: without that, no lock is waited for.
            let change = format!("for home in {HOMES}; do echo '{{\"theme\":\"dark\"}}' >\"$home/settings.json\"; done");
            sandbox.set("FAKE_ENGINE_DO", format!("touch ../../started; until [ -e ../../go ]; do sleep 0.02; done; {change}; exit 7"));
            let held = is_before.then(|| take(&sandbox, directory));
            let child = sandbox.ai(["run", "claude"]).spawn();
            let held = held.unwrap_or_else(|| {
                wait_for("the tool", || started.exists().then_some(()));
                let held = take(&sandbox, directory);
                fs::write(&go, "").unwrap();
                held
            });
            wait_for("the lock", || waits(&child, directory).then_some(()));
            kill_process(Pid::from_child(&child), signal).unwrap();
            let mut child = child;
            let ended = wait_for("the end", || child.try_wait().unwrap());
            assert_eq!(ended.signal(), Some(signal.as_raw()), "{what}: {ended:?}");
            drop(held);
            sandbox.set("FAKE_ENGINE_DO", "exit 7");
            assert_eq!(sandbox.ai(["run", "claude"]).outcome().code, 7, "{what}");
            let leases = || fs::read_dir(sandbox.store().join("sessions")).unwrap().count();
            assert_eq!(leases(), 0, "{what}");
        }
    }
    assert_eq!(sandbox.ai(["gc"]).outcome().err(), "ai: nothing is left behind\n");
}

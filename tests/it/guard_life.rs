//! The life of the helper of a guarded run: whatever dies, nothing gets out that should not, and nothing is left.

use std::fs;

use crate::bed::{Bed, Image};
use crate::guarded::{Web, guarded};
use crate::process::{Outcome, finish};
use crate::shells::Shell;

/// One run that holds until it is told to go on, with the helper's process.
fn held(bed: &Bed, script: &str) -> (std::process::Child, i32) {
    let run = bed.ai(["exec", "--shell", &format!("touch begun; while [ ! -e go ]; do sleep 0.1; done; {script}")]).spawn();
    wait_for(|| bed.project().join("begun").exists());
    (run, helper(bed).unwrap())
}

#[track_caller]
pub fn wait_for(is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("it never came to be");
}

/// The helper of this sandbox's run.
pub fn helper(bed: &Bed) -> Option<i32> {
    let store = bed.store();
    let processes = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_ours = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("__guard") && line.contains(&*store.to_string_lossy())
    };
    processes.into_iter().find(is_ours)
}

fn kill(pid: i32) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}

const TRY: &str = "wget -q -O - http://host.docker.internal:$PORT/page 2>&1 || echo no way";

fn page(image: Image) -> Option<(Bed, Web)> {
    let mut bed = guarded(image)?;
    bed.write("work/proj/page", "through\n");
    let web = Web::serve(bed.project())?;
    bed.set("AI_ALLOW", format!("host.docker.internal:{}", web.port));
    bed.set("AI_ENV", "PORT");
    bed.set("PORT", web.port.to_string());
    Some((bed, web))
}

// GU-02, Z-078
#[test]
fn a_helper_that_is_killed_leaves_no_way_out_and_that_is_said() {
    let Some((bed, _web)) = page(Image::Busybox) else { return };
    assert_eq!(bed.ai(["exec", "--shell", TRY]).prints(), "through\n");
    let (run, helper) = held(&bed, TRY);
    kill(helper);
    bed.write("work/proj/go", "");
    let outcome = finish(run);
    assert!(outcome.code == 0 && outcome.out().ends_with("no way\n"), "{}", outcome.out());
    assert!(outcome.err().contains("the helper of this run was killed; without it nothing gets out"), "{}", outcome.err());
    bed.nothing_left();
}

// GU-02: whatever ends the client ends the helper, and what is left is removed by whoever comes next.
#[test]
fn a_client_that_is_killed_takes_its_helper_along() {
    let Some((bed, _web)) = page(Image::Busybox) else { return };
    let (run, first) = held(&bed, TRY);
    let client = fs::read_to_string(format!("/proc/{first}/stat")).unwrap();
    let parent: i32 = client.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap();
    kill(parent);
    wait_for(|| helper(&bed).is_none());
    let outcome = finish(run);
    assert_eq!(outcome.code, 137, "{}", outcome.err());
    bed.nothing_left();

    fs::remove_file(bed.project().join("begun")).unwrap();
    let (mut run, _) = held(&bed, TRY);
    // The whole of ours dies at once: a window that is closed for good.
    rustix::process::kill_process(rustix::process::Pid::from_child(&run), rustix::process::Signal::KILL).unwrap();
    assert!(!run.wait().unwrap().success());
    let gc: Outcome = bed.ai(["gc"]).outcome();
    assert_eq!(gc.code, 0, "{}", gc.err());
    wait_for(|| helper(&bed).is_none());
    bed.nothing_left();
}

// GU-02: nothing fails open.
#[test]
fn what_cannot_be_guarded_does_not_start() {
    let Some(mut bed) = guarded(Image::Busybox) else { return };
    let fails = |bed: &Bed, code: u8, words: &str| {
        let outcome = bed.ai(["exec", "--", "touch", "ran"]).outcome();
        assert!(outcome.code == i32::from(code) && outcome.err().contains(words), "{}: {}", outcome.code, outcome.err());
        assert!(!bed.project().join("ran").exists());
    };
    for (text, words) in [
        ("[egress]\nallow = ['nmp']\n", "there is no set `nmp`; did you mean `npm`?"),
        ("[egress]\nallow = ['https://a.com']\n", "a host and a port, no URL"),
        ("[egress]\nallow = ['a.com:x']\n", "its port is none"),
        ("[egress]\nallow = 'a.com'\n", "allow = 'a.com'"),
        ("[egress]\nmode = 'most'\n", "most"),
        ("[egress]\nalow = []\n", "did you mean `allow`?"),
    ] {
        bed.config(text);
        let outcome = bed.ai(["exec", "--", "touch", "ran"]).outcome();
        assert!(outcome.code == 78 && outcome.err().contains(words), "{text}: {}", outcome.err());
        assert!(!bed.project().join("ran").exists());
    }
    bed.config("");
    bed.set("HTTPS_PROXY", "socks5://127.0.0.1:1");
    fails(&bed, 125, "cannot start the helper of a guarded run; no container was started");
    bed.unset("HTTPS_PROXY");
    let outcome = bed.ai(["guard", "0123456789ab", "--", "touch", "ran"]).outcome();
    assert!(outcome.code == 125 && outcome.err().contains("the rules of session 0123456789ab cannot be read"), "{}", outcome.err());
    assert!(!bed.project().join("ran").exists());
    // A vector that a person takes by hand, of a session that was never begun.
    assert_eq!(bed.ai(["guard", "--optional", "0123456789ab", "--", "/bin/echo", "ran"]).prints(), "ran\n");
    bed.set("AI_PUBLISH", "18080");
    fails(&bed, 78, "the network is `guard`");
    bed.unset("AI_PUBLISH");
    bed.nothing_left();
    bed.sandbox.use_program(crate::sandbox::AI.into());
    fails(&bed, 78, "this `ai` is not a program that every Linux image can run");
}

// GU-01: a project may shut itself in further, and open nothing.
#[test]
fn a_project_opens_nothing() {
    let Some((mut bed, web)) = page(Image::Busybox) else { return };
    let own = format!("[egress]\nallow = ['host.docker.internal:{}']\n", web.port);
    bed.unset("AI_ALLOW");
    bed.unset("AI_NETWORK");
    bed.config(&format!("network = 'bridge'\n{own}"));
    bed.write("work/proj/.ai.toml", "network = 'guard'\n");
    assert_eq!(bed.ai(["exec", "--shell", &format!("{TRY}; ls /ai/sock")]).prints(), "through\negress\nssh_config\n");
    bed.config("network = 'guard'\n");
    bed.write("work/proj/.ai.toml", format!("network = 'bridge'\n{own}mode = 'open'\n"));
    let outcome = bed.ai(["exec", "--shell", TRY]).outcome();
    assert!(outcome.out().ends_with("no way\n"), "{}", outcome.out());
    assert!(outcome.err().contains("egress.allow, egress.mode") && outcome.err().contains("blocked 1 ×"), "{}", outcome.err());
    bed.config(&format!("network = 'guard'\n{own}"));
    bed.write("work/proj/.ai.toml", "[egress]\ndeny = ['host.docker.internal']\n");
    assert!(bed.ai(["exec", "--shell", TRY]).prints().ends_with("no way\n"));
}

// GU-01: the functions of every shell, `ai run`, links named like the tools.
#[test]
fn every_way_to_start_a_tool_is_guarded() {
    let Some((bed, _web)) = page(Image::Busybox) else { return };
    for shell in Shell::all() {
        assert_eq!(
            bed.shell(shell, &format!("claude sh -c '{TRY}; exit 7'; echo code={}", shell.text("$?", "$status"))).prints(),
            "through\ncode=7\n"
        );
    }
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", TRY]).prints(), "through\n");
    bed.link("gemini", bed.root().join("bin/ai").canonicalize().unwrap());
    assert_eq!(bed.run("gemini").args(["sh", "-c", TRY]).prints(), "through\n");
    bed.nothing_left();
}

// GU-01: test 7 of the twelve.
#[test]
fn many_runs_at_once_have_a_helper_each() {
    let Some((bed, _web)) = page(Image::Busybox) else { return };
    bed.ai(["exec", "true"]).prints();
    // As many as `make hostile` says; a few show it.
    let count = crate::hostile::tries(6, 50);
    let runs: Vec<_> = (0..count).map(|_| bed.ai(["exec", "--shell", TRY]).spawn()).collect();
    for run in runs {
        let outcome = finish(run);
        assert_eq!((outcome.code, outcome.out().as_str()), (0, "through\n"), "{}", outcome.err());
    }
    wait_for(|| helper(&bed).is_none());
    bed.nothing_left();
}

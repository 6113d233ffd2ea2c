//! The engine's argument vector, word by word.

use std::collections::BTreeSet;
use std::path::Path;

use crate::engine::Argv;
use crate::sandbox::{Sandbox, TOOLS};

/// Every tool and profile, with the program that it starts.
/// Returns every tool and `exec`, and the program that each runs when it is given the word `x`.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TOOLS.into_iter().chain([("exec", "x")])
}

/// A sandbox in which every tool can be planned, after one run of each.
fn used() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set("ZAI_API_KEY", "made-up");
    for (tool, _) in all() {
        sandbox.ai(["run", tool, "x"]).prints();
    }
    sandbox
}

// C-01
#[test]
fn the_program_is_the_tool_that_was_named() {
    let sandbox = used();
    for (tool, program) in all() {
        let argv = sandbox.plan([tool, "x"]);
        assert_eq!(argv.tail()[1], program, "{tool}");
        assert!(argv.values("--label").contains(&format!("ai.tool={tool}")), "{tool}");
        assert_eq!(argv.value("--hostname"), format!("{tool}-dev-env"));
    }
}

// C-03
#[test]
fn a_container_has_a_name_labels_and_an_end() {
    let sandbox = used();
    for (tool, _) in all() {
        let argv = sandbox.plan([tool, "x"]);
        assert!(argv.has("--rm") && argv.has("--init") && argv.has("-i"), "{argv:?}");
        let name = argv.value("--name");
        assert!(
            name.starts_with(&format!("ai-{tool}-proj-"))
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)),
            "{name}"
        );
        let session = name.rsplit_once('-').unwrap().1;
        let labels = argv.values("--label");
        assert!(labels.contains(&format!("ai.session={session}")), "{labels:?}");
        assert!(labels.contains(&format!("ai.owner={}", rustix::process::getuid().as_raw())), "{labels:?}");
        assert!(labels.iter().any(|label| label.starts_with("ai.project=proj-")), "{labels:?}");
    }
}

// C-04
#[test]
fn no_two_runs_have_the_same_name() {
    let sandbox = Sandbox::new();
    let children: Vec<_> = (0..200).map(|_| sandbox.ai(["resolve", "--format", "argv0", "claude"]).spawn()).collect();
    let names: BTreeSet<String> =
        children.into_iter().map(|child| Argv(crate::engine::words_of(&crate::process::finish(child).stdout)).value("--name")).collect();
    assert_eq!(names.len(), 200);
}

// C-05, H-02
#[test]
fn what_is_not_there_is_not_mounted() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.ai(["run", "claude"]).env("SSH_AUTH_SOCK", "/nonexistent").outcome();
    assert_eq!((outcome.code, outcome.err().matches("no SSH agent: SSH_AUTH_SOCK names `/nonexistent`").count()), (0, 1));
    let argv = Argv(sandbox.the_run().argv);
    for (source, target, _) in argv.mounts() {
        assert!(Path::new(&source).exists(), "{source} at {target}");
    }
    assert!(!argv.has("-v") && argv.source_of("/ai/ssh-agent.sock").is_none() && !argv.variables().contains_key("SSH_AUTH_SOCK"));
    let fresh = Sandbox::new().plan(["claude"]);
    for optional in ["/etc/passwd", "/home/ai/.ssh", "/ai/gh"] {
        assert!(argv.source_of(optional).is_some() && fresh.source_of(optional).is_none(), "{optional}");
    }
}

// C-06
#[test]
fn no_tool_sees_the_state_of_another() {
    let sandbox = used();
    let state = sandbox.store().join("global_state");
    for (tool, _) in all() {
        for (source, target, _) in sandbox.plan([tool, "x"]).mounts() {
            let source = Path::new(&source);
            let own = [tool, "user", "ssh", "projects", "cache"].map(|name| state.join(name));
            assert!(source == sandbox.project() || own.iter().any(|own| source.starts_with(own)), "{tool}: {source:?} at {target}");
        }
    }
}

// C-06
#[test]
fn every_tool_has_its_login_and_its_home() {
    let sandbox = used();
    for (tool, home, login) in [
        ("claude", "/home/ai/.claude", "/ai/shared"),
        ("gemini", "/home/ai/.gemini", "/ai/shared"),
        ("codex", "/home/ai/.codex", "/ai/shared"),
        ("glm", "/home/ai/.claude", "/ai/shared"),
    ] {
        let argv = sandbox.plan([tool]);
        let state = sandbox.store().join("global_state").join(tool);
        assert_eq!(argv.source_of(login).unwrap(), state.join("shared").to_str().unwrap());
        let home = argv.source_of(home).unwrap();
        assert!(Path::new(&home).starts_with(state.join("projects")) && home.ends_with("/home"), "{home}");
        assert!(
            argv.mounts().iter().all(|(source, target, read_only)| *read_only || Path::new(source).is_dir() || target.ends_with(".sock"))
        );
    }
}

// C-10, C-12
#[test]
fn a_container_may_do_little() {
    let sandbox = used();
    for (tool, _) in all() {
        let argv = sandbox.plan([tool, "x"]);
        assert_eq!((argv.value("--cap-drop").as_str(), argv.value("--security-opt").as_str()), ("ALL", "no-new-privileges"), "{tool}");
        assert_eq!((argv.value("--ulimit").as_str(), argv.value("--log-driver").as_str()), ("core=0", "none"), "{tool}");
        assert_eq!(argv.value("--pull"), "never", "{tool}");
        for limit in ["--memory", "--cpus", "--pids-limit"] {
            assert!(argv.value(limit).parse::<f64>().unwrap() > 0.0, "{tool} {limit}");
        }
        assert!(argv.has("--read-only"), "{tool}");
        let hardened = sandbox.plan_with(&["--hardened", "--pids", "600"], [tool, "x"]);
        assert!(hardened.has("--read-only") && scratch(&hardened).contains(&("/tmp".into(), 256 << 20)), "{tool}");
        assert_eq!(hardened.value("--pids-limit"), "512", "{tool}");
    }
}

/// The places in memory that programs may be run from, each with its size.
fn scratch(argv: &Argv) -> Vec<(String, u64)> {
    let place = |value: String| {
        let (target, options) = value.split_once(':')?;
        let size = options.split(',').find_map(|option| option.strip_prefix("size="));
        options.contains(",exec,").then(|| (target.to_owned(), size.expect("bounded").parse().unwrap()))
    };
    argv.values("--tmpfs").into_iter().filter_map(place).collect()
}

// C-10
#[test]
fn what_can_be_written_beside_mounts_is_bounded_scratch_in_memory() {
    let mut sandbox = used();
    let sized = |bytes: u64| {
        let places = [("/tmp", bytes), ("/var/tmp", bytes), ("/run", 64 << 20), ("/home/ai", bytes)];
        places.map(|(place, size)| (place.to_owned(), size)).to_vec()
    };
    for (tool, _) in all() {
        let argv = sandbox.plan([tool, "x"]);
        assert_eq!(scratch(&argv), sized(argv.value("--memory").parse::<u64>().unwrap() / 2), "{tool}");
        assert!(argv.values("--tmpfs").iter().all(|value| value.contains(",size=")), "{tool}");
    }
    sandbox.set("AI_SCRATCH", "3g");
    assert_eq!(scratch(&sandbox.plan(["claude", "x"])), sized(3 << 30));
    sandbox.config("read_only_root = false\n");
    let open = sandbox.plan(["claude", "x"]);
    assert!(!open.has("--read-only") && scratch(&open).is_empty());
    // An image of the person's own may have no home that everybody can write.
    assert_eq!(scratch(&sandbox.plan_with(&["--image", "own"], ["claude", "x"])), [("/home/ai".to_owned(), 3 << 30)]);
    assert!(sandbox.plan_with(&["--hardened"], ["claude", "x"]).has("--read-only"));
    sandbox.config("image = 'own'\nimage_home = true\n");
    let open = sandbox.plan(["claude", "x"]);
    assert!(!open.has("--read-only") && scratch(&open).is_empty());
    sandbox.config("image = 'own'\nimage_home = true\nread_only_root = true\n");
    let closed = sandbox.plan(["claude", "x"]);
    assert!(closed.has("--read-only") && scratch(&closed).iter().all(|(place, _)| place != "/home/ai"), "{closed:?}");
}

#[test]
fn what_is_let_in_at_a_place_of_scratch_is_there_instead() {
    let sandbox = used();
    sandbox.write("notes/x", "");
    sandbox.config(&format!("mounts = [{{ path = '{}', at = '/tmp', write = true }}]\n", sandbox.root().join("notes").display()));
    let argv = sandbox.plan(["claude", "x"]);
    assert!(argv.source_of("/tmp").is_some() && scratch(&argv).iter().all(|(place, _)| place != "/tmp"), "{argv:?}");
}

#[test]
fn a_container_that_is_kept_can_be_written() {
    let sandbox = used();
    assert!(!sandbox.plan_with(&["--keep"], ["claude", "x"]).has("--read-only"));
    sandbox.config("read_only_root = true\n");
    assert!(sandbox.plan_with(&["--keep"], ["claude", "x"]).has("--read-only"));
}

/// The value of `flag` for claude with these arguments of `ai resolve`, and what was said about it.
fn limit(args: &[&str], flag: &str) -> (f64, String) {
    let outcome = Sandbox::new().ai(["resolve", "--format", "argv0"]).args(args).args(["--", "claude"]).outcome();
    (Argv(crate::engine::words_of(&outcome.stdout)).value(flag).parse().unwrap(), outcome.err())
}

// C-11, C-12
#[test]
fn limits_are_never_above_what_the_engine_has() {
    let cpus = std::thread::available_parallelism().unwrap().get() as f64;
    let (most, note) = limit(&["--cpus", "4096"], "--cpus");
    assert!(most == cpus && note.contains("processor limit lowered"), "{most} {note}");
    let (most, note) = limit(&["--memory", "4096t"], "--memory");
    assert!(most < 4096.0 * f64::from(1 << 20) * f64::from(1 << 20) && note.contains("memory limit lowered"), "{most} {note}");
    let (least, note) = limit(&["--memory", "1"], "--memory");
    assert!(least == f64::from(6 << 20) && note.contains("memory limit raised to 6 MiB"), "{least} {note}");
    assert_eq!(limit(&["--memory", "700m", "--cpus", "0.5", "--pids", "99"], "--memory"), (f64::from(700 << 20), String::new()));
    assert_eq!(limit(&["--cpus", "0.5"], "--cpus"), (0.5, String::new()));
    assert_eq!(limit(&["--pids", "99"], "--pids-limit"), (99.0, String::new()));
    let (manifest, note) = limit(&[], "--cpus");
    assert!(manifest <= cpus.min(4.0) && note.is_empty(), "{manifest} {note}");
}

// C-13
#[test]
fn a_network_is_what_was_asked_for() {
    let mut sandbox = Sandbox::new();
    let network = |sandbox: &Sandbox| sandbox.plan(["claude"]).values("--network");
    assert_eq!(network(&sandbox), Vec::<String>::new());
    sandbox.config("network = 'none'\n[tool.gemini]\nnetwork = 'host'\n");
    assert_eq!((network(&sandbox), sandbox.plan(["gemini"]).values("--network")), (vec!["none".into()], vec!["host".into()]));
    sandbox.set("AI_NETWORK", "lab");
    assert_eq!(network(&sandbox), ["lab"]);
}

// C-17
#[test]
fn each_engine_gets_what_it_knows() {
    for engine in ["docker", "podman", "nerdctl"] {
        let sandbox = Sandbox::new();
        sandbox.link(engine, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/fake-docker"));
        let argv = sandbox.plan_with(&["--engine", engine, "--tty=both"], ["claude"]);
        assert!(argv.0[0].to_str().unwrap().ends_with(&format!("/bin/{engine}")));
        assert_eq!(argv.has("--detach-keys="), engine == "podman", "{engine}");
        assert_eq!(argv.has("--add-host"), engine != "podman", "{engine}");
        assert!(argv.has("-t") && argv.has("--rm") && argv.has("--init"), "{engine}");
    }
}

// C-14, C-17
#[test]
fn files_belong_to_whoever_called_on_every_engine() {
    let mut sandbox = Sandbox::new();
    if !sandbox.as_user(1000, 1000) {
        return;
    }
    sandbox.link("podman", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/fake-docker"));
    let user = |sandbox: &Sandbox, engine: &str| {
        let argv = sandbox.plan_with(&["--engine", engine], ["claude"]);
        (argv.value("--user"), argv.values("--userns"), argv.variables().contains_key("IS_SANDBOX"))
    };
    assert_eq!(user(&sandbox, "docker"), ("1000:1000".into(), vec![], false));
    assert_eq!(user(&sandbox, "podman"), ("1000:1000".into(), vec!["keep-id".into()], false));
    sandbox.set("DOCKER_HOST", "unix:///run/user/1000/docker.sock");
    assert_eq!(user(&sandbox, "docker"), ("0:0".into(), vec![], true));
}

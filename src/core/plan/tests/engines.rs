//! The plans of the engines that people have, on recorded facts: `tests/snap/engines` has each as a raw vector.

use std::path::PathBuf;

use crate::core::config::source::Scope;
use crate::core::config::{Config, Layer};
use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::engine::proof::{self, ProbeOutcome, ProbeVerdict, Proof};
use crate::core::engine::report::{EngineReport, Limits};
use crate::core::engine::{Address, Chosen, Endpoint, is_rootless, product};
use crate::core::facts::{Env, Facts, Machine, Repo, RepoKind, SshAgent, Terminal, User};
use crate::core::failure::{Kind, Result};
use crate::core::plan::{OPTIONAL_FILES, Plan, Request, RunCommand};
use crate::core::tool::{self, Tool};

/// A machine with an engine: what differs between them, and nothing else.
struct Case {
    kind: EngineKind,
    endpoint: Endpoint,
    linux: bool,
    uid: u32,
    agent: &'static str,
    report: EngineReport,
}

fn socket(path: &str, chosen: Chosen) -> Endpoint {
    Endpoint { address: Address::Socket { path: path.into(), real: path.into() }, chosen }
}

fn report(cpus: u32, gib: u64) -> EngineReport {
    EngineReport { version: "28.2.2".into(), os_type: "linux".into(), cpus, memory: gib << 30, ..EngineReport::default() }
}

fn facts(case: &Case) -> Facts {
    let home = PathBuf::from(if case.linux { "/home/jo" } else { "/Users/jo" });
    let product = product(case.kind, &case.endpoint, case.linux);
    let engine = Engine {
        kind: case.kind,
        program: Some(PathBuf::from("/usr/local/bin").join(case.kind.program())),
        rootless: is_rootless(case.kind, &case.endpoint, product, case.uid),
        endpoint: case.endpoint.clone(),
        product,
        report: None,
    };
    let store = home.join(".docker-ai-config");
    Facts {
        cwd: Some(home.join("src/proj")),
        repo: Some(Repo { root: home.join("src/proj"), kind: RepoKind::Plain, alternates: Vec::new(), trees: Vec::new() }),
        consents: Vec::new(),
        home: Some(home),
        state: store.clone(),
        store,
        user: User { uid: case.uid, gid: case.uid, name: "jo".into(), umask: 0o022, ..User::default() },
        env: Env::default(),
        terminal: Terminal { stdin: true, stdout: true, stderr: true, in_front: true },
        engine: engine.with(Some(case.report.clone())),
        machine: Machine { cpus: case.report.cpus, memory: case.report.memory },
        time_zone: Some("Europe/Berlin".into()),
        named: Vec::new(),
        writable: None,
        ssh_agent: SshAgent::Socket(case.agent.into()),
        exe: "/usr/local/bin/ai".into(),
        looked: Vec::new(),
        brought: Vec::new(),
        session_roots: Vec::new(),
        identities: Vec::new(),
        system_authorities: None,
        present: OPTIONAL_FILES.iter().map(PathBuf::from).collect(),
        inside: Some("/usr/local/bin/ai".into()),
        openssl: None,
        tokens: Vec::new(),
        native: None,
        pinned: None,
    }
}

#[track_caller]
fn plan(case: &Case, env: &[(&str, &str)]) -> Plan {
    try_plan(case, env).unwrap()
}

fn try_plan(case: &Case, env: &[(&str, &str)]) -> Result<Plan> {
    let tool = Tool::load("claude", |name| Ok(tool::built_in(name))).unwrap().unwrap();
    let env = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let config = Config::new(Scope { tool: "claude", ..Scope::default() }, &[], &env, Layer::default()).unwrap();
    let facts = facts(case);
    let session = "0123456789ab".parse().unwrap();
    let request = Request {
        tool: &tool,
        config: &config,
        facts: &facts,
        session,
        command: RunCommand::Tool(vec!["fix it".into()]),
        terminal: facts.terminal,
    };
    Plan::new(&request)
}

#[track_caller]
fn check(name: &str, case: &Case, note: Option<&str>) {
    let plan = plan(case, &[]);
    let text: String = plan.argv().iter().map(|word| format!("{}\n", word.to_str().unwrap())).collect();
    let path = format!("{}/tests/snap/engines/{name}.argv", env!("CARGO_MANIFEST_DIR"));
    snapbox::assert_data_eq!(text, snapbox::Data::read_from(path.as_ref(), Some(snapbox::data::DataFormat::Text)).raw());
    match note {
        Some(note) => assert!(plan.notes.iter().any(|found| found.contains(note)), "{:?}", plan.notes),
        None => assert!(plan.notes.is_empty(), "{:?}", plan.notes),
    }
}

const LAUNCHD: &str = "/private/tmp/com.apple.launchd.x/Listeners";

// H-04, C-14
#[test]
fn engines_on_this_kernel_get_the_agents_own_socket() {
    let linux = |kind, endpoint, uid, report| Case { kind, endpoint, linux: true, uid, agent: "/run/user/1000/agent", report };
    let default = Endpoint::default_socket("/run/docker.sock".into());
    check("docker-rootful", &linux(EngineKind::Docker, default, 1000, report(8, 16)), None);
    let of_user = socket("/run/user/1000/docker.sock", Chosen::Context("rootless".into()));
    check("docker-rootless", &linux(EngineKind::Docker, of_user, 1000, EngineReport { rootless: true, ..report(8, 16) }), None);
    let podman = Endpoint { address: Address::InProcess, chosen: Chosen::Default };
    let report = EngineReport { rootless: true, version: "5.4.2".into(), ..report(8, 16) };
    check("podman-rootless", &linux(EngineKind::Podman, podman, 1000, report), None);
}

// GU-01, GU-02: what shuts a container in, and where that cannot be done.
#[test]
fn a_guarded_network_is_none_with_one_socket_or_nothing_starts() {
    let guard = [("AI_NETWORK", "guard")];
    let case =
        |endpoint, report| Case { kind: EngineKind::Docker, endpoint, linux: true, uid: 1000, agent: "/run/user/1000/agent", report };
    let native = case(Endpoint::default_socket("/run/docker.sock".into()), report(8, 16));
    let words: Vec<String> = plan(&native, &guard).argv().iter().map(|word| word.to_str().unwrap().to_owned()).collect();
    let line = words.join(" ");
    assert!(line.starts_with("/usr/local/bin/ai guard 0123456789ab -- /usr/local/bin/docker run "), "{line}");
    let store = "/home/jo/.docker-ai-config/guard/0123456789ab/sock";
    for part in [
        "--network none".to_owned(),
        format!("--mount type=bind,source={store},target=/ai/sock,readonly"),
        "--mount type=bind,source=/usr/local/bin/ai,target=/ai/ai,readonly".into(),
        "ai-tools:1 /ai/ai forward 3128=/ai/sock/egress -- claude".into(),
    ] {
        assert!(line.contains(&part), "{part}: {line}");
    }
    assert!(!line.contains("host.docker.internal"), "{line}");

    let refused = |case: &Case, why: &str| {
        let failure = try_plan(case, &guard).unwrap_err();
        assert!(failure.kind == Kind::Config && failure.message.contains(why), "{failure}");
    };
    let desktop = case(socket("/home/jo/.docker/desktop/docker.sock", Chosen::Context("desktop-linux".into())), report(8, 16));
    refused(&desktop, "containers of Docker Desktop do not reach sockets of this machine");
    let outcome = ProbeOutcome { name: proof::SOCKETS.into(), verdict: ProbeVerdict::Fails, detail: String::new() };
    let proof = Some(Proof { outcomes: vec![outcome], ..Proof::default() });
    let proven = case(Endpoint::default_socket("/run/docker.sock".into()), EngineReport { proof, ..report(8, 16) });
    refused(&proven, "its containers were seen not to reach sockets of this machine");
}

// C-14: Debian and Ubuntu delegate memory and pids to users, and podman refuses `--cpus` there.
#[test]
fn a_limit_that_the_engine_cannot_keep_is_left_out() {
    let endpoint = Endpoint { address: Address::InProcess, chosen: Chosen::Default };
    let limits = Limits { cpus: false, ..Limits::default() };
    let case = Case {
        kind: EngineKind::Podman,
        endpoint,
        linux: true,
        uid: 1000,
        agent: "/run/user/1000/agent",
        report: EngineReport { limits, ..report(8, 16) },
    };
    let limits = |plan: &Plan| {
        let has = |name: &str| plan.argv().iter().any(|word| word == name);
        (has("--memory"), has("--cpus"), has("--pids-limit"))
    };
    let usual = plan(&case, &[]);
    assert_eq!((limits(&usual), usual.notes.len()), ((true, false, true), 0));
    let own = plan(&case, &[("AI_CPUS", "1"), ("AI_MEMORY", "1g")]);
    assert_eq!((limits(&own), own.notes.len()), ((true, false, true), 1));
    assert!(own.notes[0].contains("$AI_CPUS has no effect"), "{:?}", own.notes);
}

// H-04
#[test]
fn engines_in_a_machine_get_the_socket_that_the_machine_offers() {
    let mac = |endpoint, report| Case { kind: EngineKind::Docker, endpoint, linux: false, uid: 501, agent: LAUNCHD, report };
    let desktop = socket("/Users/jo/.docker/run/docker.sock", Chosen::Context("desktop-linux".into()));
    check("docker-desktop-mac", &mac(desktop, report(4, 4)), None);
    let orbstack = socket("/Users/jo/.orbstack/run/docker.sock", Chosen::Context("orbstack".into()));
    check("orbstack", &mac(orbstack, report(8, 16)), None);
    let colima = socket("/Users/jo/.colima/default/docker.sock", Chosen::Context("colima".into()));
    let with_agent = EngineReport { agent: Some("/tmp/ssh-x/agent.1".into()), ..report(2, 2) };
    check("colima", &mac(colima.clone(), with_agent), None);
    check("colima-without-agent", &mac(colima, report(2, 2)), Some("colima start --ssh-agent"));
}

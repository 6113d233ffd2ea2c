//! Whatever the manifest, no mount has a source that a container could lead elsewhere.

use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::core::config::source::Scope;
use crate::core::config::value::Mapping;
use crate::core::config::{Config, Layer, Setting};
use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::engine::{Chosen, Endpoint, Product};
use crate::core::facts::{Env, Facts, Machine, Repo, RepoKind, SshAgent, Terminal, User};
use crate::core::plan::mount::{Access, Mount, MountSource};
use crate::core::plan::{OPTIONAL_FILES, Part, Plan, Request, RunCommand};
use crate::core::tool::manifest::{Manifest, ManifestText};
use crate::core::tool::{self, Purpose, Tool};

pub(in crate::core::plan) fn facts(repo: Repo, below: &str) -> Facts {
    let engine = Engine {
        kind: EngineKind::Docker,
        program: None,
        rootless: false,
        endpoint: Endpoint { chosen: Chosen::Default, ..Endpoint::default_socket("/run/docker.sock".into()) },
        product: Product::Native,
        report: None,
    };
    Facts {
        cwd: Some(repo.root.join(below)),
        repo: Some(repo),
        consents: Vec::new(),
        home: Some("/home/jo".into()),
        state: "/home/jo/.docker-ai-config".into(),
        store: "/home/jo/.docker-ai-config".into(),
        user: User { uid: 1000, gid: 1000, name: "jo".into(), umask: 0o022, ..User::default() },
        env: Env::default(),
        terminal: Terminal { stdin: true, stdout: true, stderr: true, in_front: true },
        engine,
        machine: Machine { cpus: 4, memory: 8 << 30 },
        time_zone: None,
        named: Vec::new(),
        writable: None,
        ssh_agent: SshAgent::Socket("/run/agent".into()),
        exe: "/usr/bin/ai".into(),
        present: OPTIONAL_FILES.iter().map(PathBuf::from).collect(),
        inside: None,
        openssl: None,
        tokens: Vec::new(),
        native: None,
        pinned: None,
        looked: Vec::new(),
        brought: Vec::new(),
        session_roots: Vec::new(),
        identities: Vec::new(),
        system_authorities: None,
    }
}

pub(in crate::core::plan) fn plain() -> Repo {
    Repo { root: "/home/jo/src/proj".into(), kind: RepoKind::Plain, alternates: Vec::new(), trees: Vec::new() }
}

fn mounts(tool: &Tool, facts: &Facts, mapping: Mapping) -> Vec<Mount> {
    let mut config = Config::new(Scope { tool: &tool.name, ..Scope::default() }, &[], &Env::default(), Layer::default()).unwrap();
    config.settings.workspace = Setting::new(mapping, crate::core::config::Origin::Default);
    let session = "0123456789ab".parse().unwrap();
    let command = RunCommand::placeholder(tool);
    let plan = Plan::new(&Request { tool, config: &config, facts, session, command, terminal: facts.terminal }).unwrap();
    let mounts = plan.parts.into_iter().filter_map(|part| match part.part {
        Part::Mount(mount) => Some(mount),
        _ => None,
    });
    mounts.collect()
}

/// BO-01: no source lies strictly below another that is mounted read-write, but what belongs to the workspace.
#[track_caller]
fn check(mounts: &[Mount]) {
    for below in mounts {
        let mut above = mounts.iter().filter(|above| above.access == Access::ReadWrite && above.source.path() != below.source.path());
        let parent = above.find(|above| below.source.path().starts_with(above.source.path()));
        assert!(parent.is_none(), "{below:?} lies below {parent:?}");
        let is_store = below.source.path().starts_with("/home/jo/.docker-ai-config");
        assert_eq!(is_store || below.source.path() == Path::new("/run/agent"), matches!(below.source, MountSource::Fixed(_)), "{below:?}");
    }
}

// BO-01
#[test]
fn no_built_in_tool_mounts_what_a_container_can_lead_elsewhere() {
    for name in tool::built_in_names().chain([tool::EXEC]) {
        let mut tool = Tool::load(name, |name| Ok(tool::built_in(name))).unwrap().unwrap();
        // A secret that is not there would be refused before.
        tool.manifest.secret.clear();
        for tool in [tool.clone(), tool.at_login()] {
            check(&mounts(&tool, &facts(plain(), ""), Mapping::Adaptive));
        }
    }
}

/// Plain relative paths, some of them below others.
fn paths() -> impl Strategy<Value = Vec<String>> {
    vec(vec(prop_oneof![Just("a"), Just("b"), Just("login"), Just("a%2Fb"), Just("plugins")], 1..4).prop_map(|parts| parts.join("/")), 0..5)
}

proptest! {
    // BO-01
    #[test]
    fn no_manifest_mounts_what_a_container_can_lead_elsewhere(
        shared in paths(),
        private in paths(),
        at in prop_oneof![Just("login"), Just("login/deep"), Just("a/b")],
        at_home in any::<bool>(),
        purpose in prop_oneof![Just(Purpose::Work), Just(Purpose::Login)],
        mapping in prop_oneof![Just(Mapping::Adaptive), Just(Mapping::Named), Just(Mapping::Flat), Just(Mapping::Mirror)],
        below in prop_oneof![Just(""), Just("x"), Just("proj"), Just("a/b")],
    ) {
        let text = format!(
            "command = ['x']\n[state]\nhome = {{ at = '/home/ai/.x' }}\nlogin = {{ at = '/ai/shared/{at}', files = ['f'], at_home = {at_home} }}\nshared = {shared:?}\nprivate = {private:?}\n"
        );
        let manifest = Manifest::parse(&ManifestText::own(&text, "x.toml")).unwrap();
        let tool = Tool { name: "x".into(), base: "x".into(), manifest, purpose, is_own: true, installed_as: "x".into() };
        check(&mounts(&tool, &facts(plain(), below), mapping));
    }
}

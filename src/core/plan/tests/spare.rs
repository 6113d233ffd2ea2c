//! What a container that waits must have in common with its run, and what may come late.

use crate::core::config::source::Scope;
use crate::core::config::{Config, Layer};
use crate::core::engine::{Address, Product};
use crate::core::facts::{Facts, SshAgent, Terminal};
use crate::core::plan::tests::sources::{facts, plain};
use crate::core::plan::{Plan, Request, RunCommand};
use crate::core::spare::{GateOrder, MountGround, key, key_of, refusal, sources};
use crate::core::tool::{self, Tool};

/// A run, and what may differ between two of them.
struct Case {
    facts: Facts,
    variables: Vec<(&'static str, &'static str)>,
    tool: &'static str,
    words: Vec<&'static str>,
    session: &'static str,
    /// Changes what was found on the host.
    ground: fn(&mut MountGround),
}

impl Case {
    fn new() -> Self {
        let mut facts = facts(plain(), "");
        facts.ssh_agent = SshAgent::Absent;
        facts.inside = Some("/usr/bin/ai".into());
        facts.pinned = Some("sha256:a".into());
        Self { facts, variables: Vec::new(), tool: "claude", words: vec!["hello"], session: "0123456789ab", ground: |_| {} }
    }

    fn tool(&self) -> Tool {
        Tool::load(self.tool, |name| Ok(tool::built_in(name))).unwrap().unwrap()
    }

    fn plan(&self) -> Plan {
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let tool = self.tool();
        let env = variables.into_iter().collect();
        let config = Config::new(Scope { tool: self.tool, ..Scope::default() }, &[], &env, Layer::default()).unwrap();
        let command = RunCommand::of(&tool, self.words.iter().map(Into::into).collect()).unwrap();
        let session = self.session.parse().unwrap();
        Plan::new(&Request { tool: &tool, config: &config, facts: &self.facts, session, command, terminal: self.facts.terminal }).unwrap()
    }

    fn grounds(&self, plan: &Plan) -> Vec<MountGround> {
        let sources = sources(plan, &self.facts).into_iter().enumerate();
        let ground = |(at, source): (usize, &std::path::Path)| {
            let mut ground = MountGround { source: source.to_owned(), identity: format!("1:{at}"), below: Vec::new() };
            (self.ground)(&mut ground);
            ground
        };
        sources.map(ground).collect()
    }

    fn key(&self) -> Option<String> {
        let plan = self.plan();
        key(&plan, &self.facts, &self.grounds(&plan))
    }
}

#[track_caller]
fn differs(change: impl FnOnce(&mut Case)) {
    let mut case = Case::new();
    change(&mut case);
    assert_ne!(case.key().unwrap(), Case::new().key().unwrap());
}

#[track_caller]
fn is_equal(change: impl FnOnce(&mut Case)) {
    let mut case = Case::new();
    change(&mut case);
    assert_eq!(case.key().unwrap(), Case::new().key().unwrap());
}

#[test]
fn words_variables_directory_and_session_come_late() {
    is_equal(|case| case.words = vec!["--model", "x", "other words"]);
    is_equal(|case| case.session = "ffffffffffff");
    is_equal(|case| case.facts.env = [("TERM".into(), "xterm".into()), ("ANTHROPIC_API_KEY".into(), "k".into())].into_iter().collect());
    is_equal(|case| case.facts.time_zone = Some("Europe/Berlin".into()));
    let repository = facts(plain(), "");
    is_equal(|case| case.facts.repo = repository.repo);
}

#[test]
fn what_the_engine_cannot_change_is_in_the_key() {
    differs(|case| case.facts.pinned = Some("sha256:b".into()));
    differs(|case| case.facts.terminal = Terminal { stdin: false, stdout: false, stderr: false, in_front: true });
    differs(|case| case.words = vec!["-p", "hello"]);
    differs(|case| case.variables = vec![("AI_MEMORY", "1g")]);
    differs(|case| case.variables = vec![("AI_PIDS", "64")]);
    differs(|case| case.variables = vec![("AI_NETWORK", "none")]);
    differs(|case| case.variables = vec![("AI_READ_ONLY_ROOT", "0")]);
    differs(|case| case.tool = "gemini");
    differs(|case| case.facts.engine.endpoint.address = Address::Socket { path: "/other.sock".into(), real: "/other.sock".into() });
    differs(|case| case.facts.user.uid = 1001);
    differs(|case| case.facts.cwd = Some("/home/jo/src/proj/below".into()));
}

#[test]
fn another_version_takes_none_of_this_one() {
    let case = Case::new();
    let plan = case.plan();
    let of = |version: &str| key_of(version, &plan, &case.facts, &case.grounds(&plan));
    assert_eq!(of(env!("CARGO_PKG_VERSION")), case.key());
    assert_ne!(of("0.0.0"), case.key());
}

#[test]
fn what_stands_at_a_source_and_below_it_is_in_the_key() {
    differs(|case| {
        case.ground = |ground| {
            if ground.source.ends_with("proj") {
                ground.identity = "1:99".into();
            }
        }
    });
    differs(|case| case.ground = |ground| ground.below.extend((ground.source.ends_with("proj")).then(|| "30 0:5 / /x".into())));
    let case = Case::new();
    let plan = case.plan();
    for missing in sources(&plan, &case.facts) {
        let grounds: Vec<_> = case.grounds(&plan).into_iter().filter(|ground| ground.source != missing).collect();
        assert_eq!(key(&plan, &case.facts, &grounds), None, "{}", missing.display());
    }
}

#[test]
fn what_cannot_wait_says_why() {
    let check = |change: fn(&mut Case), why: Option<&str>| {
        let mut case = Case::new();
        change(&mut case);
        let said = refusal(&case.plan(), &case.tool(), &case.facts);
        assert_eq!(said.is_some(), why.is_some(), "{said:?}");
        assert!(said.unwrap_or_default().contains(why.unwrap_or_default()), "{said:?}");
    };
    check(|_| {}, None);
    check(|case| case.variables = vec![("AI_NETWORK", "guard")], None);
    check(|case| case.facts.pinned = None, Some("ai image pin"));
    check(|case| case.facts.inside = None, Some("make release"));
    check(|case| case.facts.engine.product = Product::DockerDesktop, Some("on this machine"));
    check(|case| case.variables = vec![("AI_KEEP", "1")], Some("kept"));
    check(|case| case.variables = vec![("AI_PUBLISH", "3000")], Some("ports"));
    check(|case| case.variables = vec![("AI_RECORD_RUNS", "1")], Some("record_runs"));
    check(|case| case.tool = "codex", Some("manifest"));
    // At a terminal, print mode wants none, and no input.
    check(|case| case.words = vec!["-p", "hello"], Some("no input"));
}

#[test]
fn a_secret_is_in_what_the_gate_is_told_and_nowhere_else() {
    let mut case = Case::new();
    case.facts.env = [("ANTHROPIC_API_KEY".into(), "CANARY".into())].into_iter().collect();
    let plan = case.plan();
    let order = GateOrder::of(&plan, &case.facts.env, &case.grounds(&plan));
    assert!(order.env.contains(&"ANTHROPIC_API_KEY=CANARY".into()), "{order:?}");
    assert!(order.words.ends_with(&["hello".into()]) && order.workdir == "/workspace/proj", "{order:?}");
    assert!(order.places.iter().any(|(place, identity)| place == "/workspace/proj" && identity == "1:0"), "{order:?}");
    let store = crate::core::store::Store::new("/s");
    let argv = plan.waiting("name", &store, "/usr/bin/ai".as_ref(), vec!["as-job".into()], 60);
    let argv: Vec<String> = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    assert!(argv.join("\n").ends_with("sha256:a\ngate\n60\n--\nas-job"), "{argv:#?}");
    assert!(
        !argv.iter().any(|word| word.contains("CANARY")
            || word.contains("ANTHROPIC")
            || word == "hello"
            || word == "--init"
            || word == "-w"),
        "{argv:#?}"
    );
    assert!(argv.iter().any(|word| word.ends_with("/spare/0123456789ab/gate,target=/ai/gate,readonly")), "{argv:#?}");
}

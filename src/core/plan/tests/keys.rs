//! What a container gets where the key stays outside, and what it can reach beside the helper.

use crate::core::config::source::Scope;
use crate::core::config::{Config, Layer};
use crate::core::facts::Env;
use crate::core::guard::EgressRefusal;
use crate::core::guard::key::{KeySource, SENTINEL};
use crate::core::guard::order::GuardOrder;
use crate::core::guard::peer::Peer;
use crate::core::plan::env::Variable;
use crate::core::plan::secret::SecretSource;
use crate::core::plan::tests::sources::{facts, plain};
use crate::core::plan::{Part, Plan, Request, RunCommand};
use crate::core::tool::{self, Tool};

fn plan(name: &str, key: Option<&str>, login: bool) -> Plan {
    let tool = Tool::load(name, |name| Ok(tool::built_in(name))).unwrap().unwrap();
    let mut facts = facts(plain(), "");
    facts.inside = Some("/usr/bin/ai".into());
    facts.openssl = Some("/usr/bin/openssl".into());
    facts.env = key.iter().map(|name| ((*name).into(), "made-up".into())).collect();
    facts.present.extend(tool.login_file().filter(|_| login));
    facts.tokens.extend(tool.manifest.keys.from.iter().map(|way| way.login.clone()).filter(|at| login && !at.is_empty()));
    let env: Env = [("AI_NETWORK".into(), "guard".into()), ("AI_KEYS".into(), "outside".into())].into_iter().collect();
    let config = Config::new(Scope { tool: name, ..Scope::default() }, &[], &env, Layer::default()).unwrap();
    let session = "0123456789ab".parse().unwrap();
    let command = RunCommand::of(&tool, vec!["hello".into()]).unwrap();
    Plan::new(&Request { tool: &tool, config: &config, facts: &facts, session, command, terminal: facts.terminal }).unwrap()
}

/// Returns what the helper is told, where the container has neither the key nor a login, and reaches the vendor by the helper alone.
#[track_caller]
fn kept_out(plan: Plan, vendor: &str, key: Option<&str>) -> GuardOrder {
    let order = plan.guard.clone().unwrap().order;
    assert_eq!(order.key.as_ref().map(|key| key.peer.as_str()), Some(vendor));
    let rules = order.egress.clone().unwrap();
    assert!(rules.judge(&Peer::parse(vendor.as_bytes(), None).unwrap()).is_err(), "{rules:?}");
    let of_another_port = vendor.rsplit_once(':').map(|(host, _)| format!("{host}:80")).unwrap();
    assert_eq!(rules.judge(&Peer::parse(of_another_port.as_bytes(), None).unwrap()), Err(EgressRefusal::Denied), "{rules:?}");
    // What a person allows does not lead there, either, and of the tool's own hosts nothing is left.
    let (vendor, _) = vendor.rsplit_once(':').unwrap();
    assert!(rules.deny.iter().any(|rule| rule.to_string().starts_with(vendor)) && rules.allow.is_empty(), "{rules:?}");
    let mut has_sentinel = false;
    for part in &plan.parts {
        match &part.part {
            Part::Variable(variable) => {
                let is_key = |name: &str, value: &str| Some(name) == key && value != SENTINEL;
                assert!(!matches!(variable, Variable::Inherited(name) if is_key(name, "")), "{variable:?}");
                assert!(!matches!(variable, Variable::Literal(name, value) if is_key(name, value)), "{variable:?}");
                has_sentinel |= matches!(variable, Variable::Literal(_, value) if value == SENTINEL);
            }
            Part::Mount(mount) => assert!(!mount.target.as_path().starts_with("/ai/shared"), "{mount:?}"),
            _ => {}
        }
    }
    let is_word = plan.argv().iter().any(|word| word.to_string_lossy().contains(SENTINEL));
    assert!(has_sentinel || is_word, "{:?}", plan.argv());
    order
}

// GU-02: neither by its name nor in a login, and nothing leads to the vendor beside the helper.
#[test]
fn a_key_that_stays_outside_is_nowhere_inside() {
    for (tool, key, vendor) in [
        ("claude", "ANTHROPIC_API_KEY", "api.anthropic.com:443"),
        ("codex", "CODEX_API_KEY", "api.openai.com:443"),
        ("gemini", "GEMINI_API_KEY", "generativelanguage.googleapis.com:443"),
    ] {
        let order = kept_out(plan(tool, Some(key), false), vendor, Some(key)).key.unwrap();
        assert_eq!(order.from, KeySource::Secret(SecretSource::Env(key.into())), "{tool}");
    }
    let order = kept_out(plan("claude", None, true), "api.anthropic.com:443", None).key.unwrap();
    assert!(matches!(order.from, KeySource::Login { tool, .. } if tool == "claude"));
}

//! What is said of a guarded run whose key stays outside: before it, by the rules that will judge, and after it.

use serde_json::Value;

use crate::guard_keys::REAL;
use crate::sandbox::{Sandbox, find_program};

// GU-01: what is said of a host is what the helper is told.
#[test]
fn what_becomes_of_the_vendors_hosts_is_said() {
    let mut sandbox = Sandbox::new();
    sandbox.set("AI_KEYS", "outside");
    sandbox.link("openssl", find_program("openssl").unwrap());
    // Nothing would run, so nothing is reached.
    sandbox.ai(["egress", "list"]).outcome().refused(78, &["there is no key; looked at $ANTHROPIC_AUTH_TOKEN", "AI_KEYS=inside"]);
    sandbox.set("ANTHROPIC_API_KEY", REAL);
    sandbox.config("[egress]\nallow = ['api.anthropic.com', 'claude.ai']\nfields = ['x-team-*']\n");
    let list = sandbox.ai(["egress", "list"]).prints();
    let row = |words: &str| list.lines().any(|line| line.starts_with(words) && line.ends_with("($AI_KEYS)"));
    for words in ["never reach api.anthropic.com ", "ask api.anthropic.com:443 POST /v1/messages ", "leave out console.anthropic.com "] {
        assert!(row(words), "{words}: {list}");
    }
    assert!(list.lines().any(|line| line.starts_with("pass anthropic-beta ") && line.contains(" x-stainless-* x-team-*  ")), "{list}");
    assert!(!list.contains("leave out claude.ai") && !list.contains("leave out api.anthropic.com"), "{list}");
    let hosts = ["api.anthropic.com", "api.anthropic.com:8443", "console.anthropic.com", "claude.ai", "example.com"];
    let check = sandbox.ai([&["egress", "check"][..], &hosts].concat()).outcome();
    let (out, config) = (check.out(), sandbox.store().join("config.toml"));
    let lines: Vec<_> = out.lines().map(|line| line.split_once(' ').unwrap().1.trim().to_owned()).collect();
    let alone = "blocked: with its own words; the helper alone asks there ($AI_KEYS)";
    let asked = "the tool asks http://127.0.0.1:3128/keys, and the helper, with your ANTHROPIC_API_KEY, POST /v1/messages";
    assert!(check.code == 1 && lines[0].starts_with(&format!("{alone}; {asked}, POST")), "{out}");
    assert_eq!(lines[1], alone);
    assert_eq!(lines[2], "blocked: the set `model`, which is nobody's while the key stays outside ($AI_KEYS)");
    assert_eq!(lines[3], format!("allowed: as configured ({}:2)", config.display()));
    assert_eq!(lines[4], "blocked: on no list; ai config allow host example.com");
    let check = sandbox.ai(["egress", "check", "--json", "api.anthropic.com"]).outcome();
    let json: Value = serde_json::from_str(&check.out()).unwrap();
    assert!(
        json[0]["allowed"] == false && json[0]["origin"] == "$AI_KEYS" && json[0]["instead"].as_str().unwrap().starts_with(asked),
        "{json}"
    );
    sandbox.unset("AI_KEYS");
    let inside: Value = serde_json::from_str(&sandbox.ai(["egress", "list", "--json"]).prints()).unwrap();
    assert_eq!((&inside[0]["rule"], &inside[0]["origin"]), (&"reach api.anthropic.com".into(), &"manifest of claude".into()));
}

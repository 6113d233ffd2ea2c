use super::*;
use crate::core::config::source::Scope;
use crate::core::config::{Config, Layer};
use crate::core::facts::Env;
use crate::core::plan::mount::Access;
use crate::core::policy::rule::OsGroup;
use crate::core::policy::verdict::RunAsked;
use std::path::Path;

fn policy(text: &str) -> SystemPolicy {
    SystemPolicy::read(&ConfigText::own("policy.toml", text)).unwrap_or_else(|failure| panic!("{text}: {failure}"))
}

fn eve() -> OsUser {
    let groups = [(1000, "eve"), (4000, "interns")].map(|(id, name)| OsGroup { id, name: Some(name.into()) });
    OsUser { uid: 1000, user: Some("eve".into()), home: Some("/home/eve".into()), groups: groups.into() }
}

/// What eve gets from a policy, a configuration and variables in `/home/eve/work/p`, for claude, or for a claude of her own.
fn judged(rules: &str, own: &str, env: &[(&str, &str)], tool: &str) -> Result<Config> {
    let rules = policy(rules).of(&eve())?;
    let env: Env = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let scope = Scope { tool: "claude", ..Scope::default() };
    let config = Config::new(scope, &[ConfigText::own("config.toml", own)], &env, Layer::default())?.under(rules)?;
    let image = config.settings.image.value.as_ref().and_then(|image| image.name()).unwrap_or("ai-tools:1").to_owned();
    config.rules.judge(&RunAsked {
        tool: "claude",
        is_own: tool.starts_with("own:"),
        image: &image,
        root: Path::new("/home/eve/work/p"),
        config: &config,
    })?;
    Ok(config)
}

#[track_caller]
fn refused(rules: &str, own: &str, env: &[(&str, &str)], why: &str) {
    let rules = format!("[[rule]]\nname = 'strict'\n{rules}");
    let text = judged(&rules, own, env, "claude").map(drop).unwrap_err();
    assert_eq!(text.kind, Kind::NotAllowed, "{text}");
    let text = text.to_string();
    assert!(text.contains(why) && text.contains("policy.toml:") && text.contains("ai policy explain"), "{text}");
    let others = rules.replace("name = 'strict'", "groups = ['staff']");
    judged(&others, own, env, "claude").unwrap_or_else(|failure| panic!("a rule for others counted: {failure}"));
}

// NE-06: each kind of rule, for a member and for others.
#[test]
fn every_kind_of_rule_refuses_what_it_does_not_allow() {
    refused("tools = ['codex']", "", &[], "allows `codex`, and not `claude`");
    refused("tools = []", "", &[], "allows none, and not `claude`");
    refused("images = ['registry.corp/*']", "", &[], "and not `ai-tools:1`");
    refused("images = ['ai-tools:1']", "image = 'evil:1'", &[], "not `evil:1` (config.toml:1)");
    refused("images = ['ai-tools:1']", "", &[("AI_IMAGE", "evil:1")], "not `evil:1` ($AI_IMAGE)");
    refused("images = ['sha256:aa']", "image = 'x@sha256:bb'", &[], "not `x@sha256:bb`");
    refused("networks = ['none', 'lab-*']", "", &[], "not `bridge` (default)");
    refused("networks = ['none']", "network = 'host'", &[], "not `host` (config.toml:1)");
    refused("networks = ['none']", "[tool.claude]\nnetwork = 'lab'", &[], "not `lab` (config.toml:2)");
    refused("networks = ['bridge']", "[profile.x]\nnetwork = 'host'", &[("AI_PROFILE", "x")], "not `host`");
    refused("projects = ['~/other', '/srv']", "", &[], "not `/home/eve/work/p`");
    refused("clouds = ['kube']", "cloud = ['aws']", &[], "not `aws` (config.toml:1)");
    refused("env = ['CI', 'AWS_*']", "env = { pass = ['A*'] }", &[], "not `A*`");
    refused("env = ['CI']", "[tool.claude.env.set]\nANTHROPIC_BASE_URL = 'http://evil'", &[], "not `ANTHROPIC_BASE_URL`");
    refused("env = []", "", &[("AI_ENV", "TOKEN")], "not `TOKEN` ($AI_ENV)");
    refused("forbid = ['mounts']", "mounts = ['/data']", &[], "forbids `mounts` (config.toml:1)");
    refused("forbid = ['--mount']", "", &[("AI_MOUNTS", "/data")], "forbids `mounts` ($AI_MOUNTS)");
    refused("forbid = ['publish']", "publish = ['3000']", &[], "forbids `publish`");
    refused("forbid = ['cache']", "cache = ['npm']", &[], "forbids `cache`");
    refused("forbid = ['dns']", "dns = ['10.0.0.1']", &[], "forbids `dns`");
    refused("forbid = ['hosts']", "hosts = { a = '10.0.0.1' }", &[], "forbids `hosts`");
    refused("forbid = ['secret']", "[secret.X]\ncommand = ['pass']", &[], "forbids `secret`");
    refused("forbid = ['profile']", "[profile.x]", &[("AI_PROFILE", "x")], "forbids `profile`");
    refused("forbid = ['gpus']", "gpus = 'all'", &[], "forbids `gpus` (config.toml:1)");
    refused("forbid = ['--force-workspace']", "", &[("AI_FORCE_WORKSPACE", "1")], "forbids `force_workspace`");
    refused("fixed = { network = 'none' }", "", &[("AI_NETWORK", "host")], "fixes `network` to \"none\"");
}

// NE-06
#[test]
fn what_is_allowed_goes_on() {
    for (rules, own) in [
        ("tools = ['claude']", ""),
        ("tools = ['*']", ""),
        ("images = ['ai-tools:*']", ""),
        ("images = ['sha256:aa']", "image = 'x@sha256:aa'"),
        ("images = ['sha256:aa']", "image = 'sha256:aa'"),
        ("networks = ['lab-*']", "network = 'lab-3'"),
        ("projects = ['~/work']", ""),
        ("clouds = ['aws']", "cloud = ['aws']"),
        ("env = ['AWS_*']", "env = { pass = ['AWS_*', 'AWS_REGION'] }"),
        ("forbid = ['keep', 'mounts', 'cache']", "keep = false\ncache = []"),
        ("fixed = { network = 'none' }", "network = 'host'"),
    ] {
        judged(&format!("[[rule]]\n{rules}"), own, &[], "claude").unwrap_or_else(|failure| panic!("{rules}: {failure}"));
    }
}

// NE-06
#[test]
fn what_is_fixed_is_over_every_file_and_says_so() {
    let config =
        judged("[[rule]]\n[rule.fixed]\nhardened = true\nmemory = '1g'", "hardened = false\n[tool.claude]\nmemory = '64g'", &[], "claude")
            .unwrap();
    let settings = &config.settings;
    assert_eq!((settings.hardened.value, settings.memory.value.as_deref()), (true, Some("1g")));
    assert_eq!(settings.memory.origin.to_string(), "policy.toml:4");
    let text = judged("[[rule]]\nfixed = { hardened = true }", "", &[("AI_HARDENED", "1")], "claude").unwrap().settings.hardened.origin;
    assert_eq!(text.to_string(), "policy.toml:2", "to ask for what is fixed is no mistake");
}

// NE-06: a person's own manifest under a name of ours is not the tool that was meant.
#[test]
fn a_name_does_not_stand_for_what_a_person_wrote() {
    for (tools, fits) in [("['claude']", false), ("['*']", false), ("['own:claude']", true), ("['own:*']", true), ("['own:other']", false)]
    {
        assert_eq!(judged(&format!("[[rule]]\ntools = {tools}"), "", &[], "own:claude").is_ok(), fits, "{tools}");
    }
    assert!(judged("[[rule]]\ntools = ['own:*']", "", &[], "claude").is_err());
}

// NE-06
#[test]
fn a_mount_is_below_what_a_rule_names_and_no_more_open() {
    let rules = policy("[[rule]]\nmounts = ['~/notes', { path = '/srv/*/data', write = true }]").of(&eve()).unwrap();
    let judge =
        |path: &str, access| rules.judge_mount(Path::new(path), access, &Origin::Flag("--mount")).map_err(|failure| failure.to_string());
    assert_eq!(judge("/home/eve/notes/a", Access::ReadOnly), Ok(()));
    assert_eq!(judge("/srv/x/data/y", Access::ReadWrite), Ok(()));
    assert!(judge("/home/eve/notes", Access::ReadWrite).unwrap_err().contains("read-only, and it is asked for writable (--mount)"));
    assert!(judge("/home/eve/notesx", Access::ReadOnly).unwrap_err().contains("and not `/home/eve/notesx` (--mount)"));
    assert!(judge("/srv/data", Access::ReadOnly).is_err());
}

#[track_caller]
fn broken(text: &str, why: &str) {
    let failure = SystemPolicy::read(&ConfigText::own("policy.toml", text)).and_then(|policy| policy.of(&eve())).map(drop).unwrap_err();
    assert!(failure.kind == Kind::Config && failure.to_string().contains(why), "{text}: {failure}");
}

// NE-06
#[test]
fn a_policy_that_is_broken_or_contradicts_itself_is_none() {
    broken("[[rules]]", "did you mean `rule`?");
    broken("[[rule]]\ntool = ['claude']", "did you mean `tools`?");
    broken("[[rule]]\ntools = 'claude'", "line 2");
    broken("[[rule]]\nforbid = ['nativ']", "did you mean `native`?");
    broken("[[rule]]\nforbid = ['workspaces']", "did you mean `workspace`?");
    broken("[[rule]]\n[rule.fixed]\nnetwrok = 'none'", "did you mean `network`?");
    broken("[[rule]]\n[rule.fixed]\nmounts = ['/x']", "lets nothing in");
    broken("[[rule]]\n[rule.fixed.tool.claude]\nnetwork = 'none'", "lets nothing in");
    broken("[[rule]]\n[rule.fixed]\nmemory = 'much'", "`much` is no size");
    broken("[[rule]]\nmounts = ['notes']", "neither an absolute path");
    broken("[[rule]]\nmounts = [{ path = '/x', at = '/y' }]", "where something is mounted");
    broken("[[rule]]\nimages = ['a*b']", "`a*b` is no name");
    broken("[[rule]]\nnetworks = ['']", "no name");
    broken("[[rule]]\nclouds = ['mine']", "aws");
    broken("[[rule]]\nusers = ['eve']\nexcept_users = ['eve']", "is for `eve` and not for `eve`");
    broken("[[rule]]\nnetworks = ['none']\nfixed = { network = 'host' }", "fixes `network` to `host`");
    broken("[[rule]]\nimages = ['a:*']\nfixed = { image = 'b:1' }", "fixes `image` to `b:1`");
    broken("[[rule]]\nforbid = ['keep']\nfixed = { keep = true }", "fixes `keep`");
    broken(
        "[[rule]]\nfixed = { network = 'none' }\n[[rule]]\nfixed = { network = 'bridge' }",
        "contradicts itself: rule `1` (policy.toml:1) fixes `network`",
    );
    broken("[[rule]]\nnetworks = ['none']\n[[rule]]\nfixed = { network = 'bridge' }", "rule `2`");
    broken("[[rule]]\ntools = ['claude']\n[[rule]]\ntools = ['codex']", "no tool that both allow");
    broken("[[rule]]\nimages = ['a/*']\n[[rule]]\ngroups = ['interns']\nimages = ['b/*']", "no image that both allow");
}

// NE-06
#[test]
fn rules_for_others_contradict_nobody() {
    policy("[[rule]]\ntools = ['claude']\n[[rule]]\ngroups = ['staff']\ntools = ['codex']").of(&eve()).unwrap();
    policy("[[rule]]\nimages = ['a/*']\n[[rule]]\nimages = ['a/b*', 'sha256:aa']").of(&eve()).unwrap();
    policy("[[rule]]\nfixed = { keep = false }\nforbid = ['keep']").of(&eve()).unwrap();
    let both = policy("[[rule]]\ntools = ['claude']\n[[rule]]\ngroups = ['staff']\ntools = ['codex']");
    assert_eq!(both.clashes().len(), 1, "who checks a policy is told");
}

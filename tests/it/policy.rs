//! What the policy of a system decides: `/etc/ai/policy.toml`, which the tests have in a mount namespace of their own.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::sandbox::Sandbox;

/// A sandbox below a policy, as the user 1000 who is in the group 4000, `interns`.
#[track_caller]
fn below(policy: &str) -> Option<Sandbox> {
    below_as(policy, 4000, "")
}

#[track_caller]
fn below_as(policy: &str, group: u32, more: &str) -> Option<Sandbox> {
    let mut sandbox = Sandbox::new();
    if !sandbox.as_user(1000, group) {
        return None;
    }
    let text = sandbox.write("policy.toml", policy);
    let put = format!(
        "mkdir -p /etc/ai && cat '{}' >/etc/ai/policy.toml && printf 'interns:x:4000:\\nothers:x:5000:\\n' >>/etc/group && {{ {more}:; }}",
        text.display()
    );
    sandbox.with_etc(&put);
    Some(sandbox)
}

const INTERNS: &str = "# For people who are new.
[[rule]]
name = 'interns'
groups = ['interns']
tools = ['claude', 'exec']
networks = ['none', 'bridge']
mounts = ['~/notes']
forbid = ['native', 'publish']
[rule.fixed]
hardened = true
";

// NE-06: a member of the group, and who is none.
#[test]
fn a_rule_for_a_group_holds_for_its_members_and_names_itself() {
    let Some(sandbox) = below(INTERNS) else { return };
    let place = "rule `interns` (/etc/ai/policy.toml:2)";
    let explained = sandbox.ai(["resolve", "--explain", "claude"]).prints();
    let row = |part: &str| explained.lines().find(|row| row.contains(part)).unwrap_or_else(|| panic!("{part} in {explained}"));
    assert!(row("rule `interns`").ends_with("the policy of this system (/etc/ai/policy.toml:2)"));
    for (args, said) in [
        (&["resolve", "codex"][..], "of tools"),
        (&["run", "codex"], "of tools"),
        (&["sync", "in", "codex"], "of tools"),
        (&["resolve", "--network", "host", "claude"], "of networks"),
        (&["run", "--publish", "3000", "claude"], "forbids `publish` (--publish)"),
        (&["resolve", "claude", "--", "--native"], "forbids `native`"),
        (&["run", "claude", "--", "--local", "x"], "forbids `native`"),
        (&["run", "--native", "claude", "x"], "forbids `native`"),
    ] {
        sandbox.ai(args).outcome().refused(77, &[place, said, "hint: ai policy explain"]);
    }
    assert_eq!(sandbox.ai(["run", "claude", "x"]).outcome().code, 0);
    let Some(other) = below_as(INTERNS, 5000, "") else { return };
    for args in [&["resolve", "codex"][..], &["resolve", "--network", "host", "claude"]] {
        assert_eq!(other.ai(args).outcome().code, 0);
    }
    assert!(!other.ai(["resolve", "--explain", "claude"]).prints().contains("policy"));
    // Who is in a group that has no name could be an intern.
    let Some(unknown) = below_as(INTERNS, 70_000, "") else { return };
    unknown.ai(["run", "claude"]).outcome().refused(78, &["the system has no name for your group 70000", "getent group"]);
}

// NE-06: by layer, project, profile, manifest, environment, link.
#[test]
fn nothing_below_widens_what_a_rule_allows() {
    let rule = "[[rule]]\nname = 'all'\ntools = ['claude', 'exec', 'glm']\nnetworks = ['bridge']\nimages = ['ai-tools:1']\nmounts = ['~/notes']\n[rule.fixed]\nssh_agent = false\n";
    let Some(mut sandbox) = below(rule) else { return };
    let refused = |sandbox: &Sandbox, why: &str| sandbox.ai(["run", "claude", "x"]).outcome().refused(77, &["rule `all`", why]);
    for text in ["network = 'host'", "[tool.claude]\nnetwork = 'host'", "[project.'/**']\nnetwork = 'host'", "image = 'evil:1'"] {
        sandbox.config(text);
        refused(&sandbox, "and not `");
    }
    sandbox.config("[profile.x]\nnetwork = 'host'");
    sandbox.ai(["run", "--profile", "x", "claude"]).outcome().refused(77, &["of networks"]);
    sandbox.config("");
    sandbox.write("work/proj/.ai.toml", "image = 'evil:1'");
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    refused(&sandbox, "not `evil:1`");
    fs::remove_file(sandbox.project().join(".ai.toml")).unwrap();
    sandbox.ai(["run", "claude"]).env("AI_IMAGE", "evil:1").outcome().refused(77, &["$AI_IMAGE"]);
    sandbox.ai(["run", "claude"]).env("AI_SSH_AGENT", "1").outcome().refused(77, &["fixes `ssh_agent` to false", "/etc/ai/policy.toml:8"]);
    // Another store, and another home than the system knows, are no way round it.
    sandbox.write("elsewhere/config.toml", "network = 'host'");
    let elsewhere = sandbox.root().join("elsewhere");
    sandbox.ai(["run", "claude"]).env("AI_HOME", &elsewhere).outcome().refused(77, &["of networks"]);
    sandbox.write("home/notes/a", "a");
    sandbox.ai(["run", "--mount", "~/notes", "claude"]).outcome().refused(77, &["of mounts", "and not `"]);
    // A tool of the person's own is not the one that was meant, whatever it is called or stands on.
    sandbox.manifest("claude", "command = ['bash']");
    for tool in ["claude", "glm"] {
        sandbox.ai(["run", tool]).outcome().refused(77, &[&format!("and not `own:{tool}`")]);
    }
    fs::remove_file(sandbox.store().join("tools/claude.toml")).unwrap();
    sandbox.manifest("mine", "profile_of = 'claude'\nimage = 'evil:1'");
    sandbox.ai(["run", "mine"]).outcome().refused(77, &["and not `own:mine`"]);
    sandbox.link("codex", crate::sandbox::AI);
    sandbox.run("codex").outcome().refused(77, &["and not `codex`"]);
    sandbox.set("AI_NETWORK", "host");
    sandbox.ai(["exec", "true"]).outcome().refused(77, &["$AI_NETWORK"]);
}

// NE-06
#[test]
fn a_policy_that_cannot_be_used_lets_nothing_start() {
    for (policy, more, why) in [
        (INTERNS, "chown 1000 /etc/ai/policy.toml && ", "belongs to user 1000"),
        (INTERNS, "chmod 666 /etc/ai/policy.toml && ", "can be written by others than root (mode 666)"),
        (INTERNS, "chmod 620 /etc/ai/policy.toml && ", "mode 620"),
        (INTERNS, "chown 1000 /etc/ai && ", "`/etc/ai` belongs to user 1000"),
        (INTERNS, "chmod 777 /etc/ai && ", "`/etc/ai` can be written"),
        (INTERNS, "chmod 600 /etc/ai/policy.toml && ", "ermission denied"),
        (INTERNS, "chmod 700 /etc/ai && ", "ermission denied"),
        (INTERNS, "rm /etc/ai/policy.toml && mkdir /etc/ai/policy.toml && ", "no regular file"),
        (INTERNS, "rm /etc/ai/policy.toml && ln -s /nowhere /etc/ai/policy.toml && ", "No such file"),
        (INTERNS, "rm /etc/ai/policy.toml && mkfifo -m 600 /etc/ai/policy.toml && ", "ermission denied"),
        (INTERNS, "truncate -s 1G /etc/ai/policy.toml && ", "no regular file"),
        (
            INTERNS,
            "mkdir -m 777 /etc/open && mv /etc/ai/policy.toml /etc/open/p && ln -s /etc/open/p /etc/ai/policy.toml && ",
            "`/etc/open` can be written",
        ),
        ("[[rule]]\ntool = ['claude']\n", "", "did you mean `tools`?"),
        ("[[rule]]\nfixed = { keep = true }\n[[rule]]\nfixed = { keep = false }\n", "", "contradicts itself"),
        ("\u{0}", "", "no valid policy"),
    ] {
        let Some(sandbox) = below_as(policy, 4000, more) else { return };
        for args in [
            &["run", "claude", "x"][..],
            &["resolve", "claude"],
            &["sync", "in", "claude"],
            &["resolve", "claude", "--", "--native"],
            &["policy", "explain"],
        ] {
            sandbox.ai(args).outcome().refused(78, &[why]);
        }
        // A shell still starts, and what is there can be looked at and ended.
        assert_eq!(sandbox.ai(["init", "zsh"]).outcome().code, 0);
        assert_ne!(sandbox.ai(["doctor"]).outcome().code, 78);
    }
}

// NE-06
#[test]
fn a_link_that_only_root_could_make_is_followed() {
    let more = "mkdir /etc/ours && mv /etc/ai/policy.toml /etc/ours/p && ln -s ../ours/p /etc/ai/policy.toml && ";
    let Some(sandbox) = below_as(INTERNS, 4000, more) else { return };
    sandbox.ai(["resolve", "codex"]).outcome().refused(77, &["rule `interns`"]);
}

// NE-06
#[test]
fn what_is_for_me_is_explained_and_a_policy_is_checked_before_it_is_used() {
    let Some(sandbox) = below(INTERNS) else { return };
    let text = sandbox.ai(["policy", "explain"]).prints();
    for part in [
        "rule `interns` (/etc/ai/policy.toml:2)",
        "only claude, exec",
        "only none, bridge",
        "forbids",
        "native, publish",
        "fixes hardened",
        "true (/etc/ai/policy.toml:10)",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&sandbox.ai(["policy", "explain", "--json"]).prints()).unwrap();
    assert_eq!(json["rules"][0]["says"]["networks"], "only none, bridge");
    assert_eq!(json["groups"].as_array().unwrap().iter().filter(|name| *name == "interns").count(), 1);
    let check = |text: &str| sandbox.ai(["policy", "check", sandbox.write("new.toml", text).to_str().unwrap()]).outcome();
    let fine = check(INTERNS);
    assert_eq!((fine.code, fine.err().contains("1 rules, and none contradicts another")), (0, true), "{}", fine.err());
    let both = "[[rule]]\ngroups = ['a']\ntools = ['claude']\n[[rule]]\ngroups = ['b']\ntools = ['codex']\n";
    let clash = check(both);
    assert!(clash.code == 1 && clash.err().contains("no tool that both allow"), "{}", clash.err());
    check("[[rule]]\nforbid = ['natve']\n").refused(78, &["did you mean `native`?", "new.toml:2"]);
    sandbox.ai(["policy", "check", "/no/such"]).outcome().refused(78, &["not there"]);
    let without = Sandbox::new();
    assert!(without.ai(["policy", "explain"]).outcome().err().contains("no rule of /etc/ai/policy.toml is for you"));
}

// NE-06
#[test]
fn a_run_that_must_be_logged_is_told_to_the_system_or_does_not_start() {
    let rule = "[[rule]]\nlog = true\n";
    let Some(mut sandbox) = below(rule) else { return };
    sandbox.ai(["run", "claude", "x"]).outcome().refused(77, &["cannot tell the system's log", "/dev/log"]);
    let path = sandbox.root().join("log.sock");
    let log = UnixDatagram::bind(&path).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    log.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    sandbox.with_dev(&format!("ln -s '{}' /dev/log", path.display()));
    sandbox.program("claude-native", "#!/bin/sh\nexit 9\n");
    sandbox.link("claude", sandbox.root().join("programs/claude-native"));
    let next = || {
        let mut bytes = [0; 4096];
        let length = log.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    assert_eq!(sandbox.ai(["run", "claude", "hush"]).outcome().code, 0);
    let line = next();
    assert!(line.starts_with("<86>ai[") && line.contains("\"tool\":\"claude\"") && !line.contains("hush"), "{line}");
    // The shell's way to the host's own program leads through us.
    let native = sandbox.ai(["resolve", "--format", "lines", "claude", "--", "--native", "x"]).prints();
    assert!(native.contains("/ai\nrun\n--\nclaude\n--native\nx\n"), "{native}");
    assert_eq!(sandbox.ai(["run", "claude", "--", "--native"]).outcome().code, 9);
    assert!(next().contains("\"event\":\"native\""));
}

// NE-06: without a policy, nothing of it costs anything: one look at a path.
#[test]
fn a_system_without_a_policy_is_asked_nothing() {
    let sandbox = Sandbox::new();
    let Some(strace) = crate::require::need("strace", crate::sandbox::find_program("strace")) else { return };
    let trace = sandbox.root().join("trace");
    sandbox.link("strace", strace);
    let run = sandbox.run("strace").args(["-f", "-o"]).args([&trace]).args(["ai", "resolve", "claude"]);
    assert_eq!(run.outcome().code, 0);
    let trace = fs::read_to_string(trace).unwrap();
    assert_eq!(trace.lines().filter(|line| line.contains("/etc/ai/policy")).count(), 1);
    assert!(!trace.contains("getent") && !trace.contains("/etc/passwd"));
}

//! Which variables reach the container, and how secrets do without being seen.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::engine::Argv;
use crate::sandbox::{Sandbox, tools, tree};
use crate::shells::Shell;

/// Nobody's key, easy to search for.
const CANARY: &str = "canary-8f1c2e";

/// One variable of each tool's, and some that are nobody's business.
const SET: [&str; 12] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "OPENAI_API_KEY",
    "ZAI_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "LD_PRELOAD_X",
    "AI_CANARY",
];

// C-07, Z-069
#[test]
fn only_the_tool_s_own_variables_reach_it() {
    let mut sandbox = Sandbox::new();
    for name in SET {
        sandbox.set(name, CANARY);
    }
    let inherited = |tool: &str| {
        let variables = sandbox.plan([tool, "x"]).variables();
        SET.into_iter().filter(|name| variables.get(*name) == Some(&None)).collect::<Vec<_>>()
    };
    assert_eq!(inherited("claude"), ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"]);
    assert_eq!(inherited("gemini"), ["GEMINI_API_KEY", "GOOGLE_API_KEY"]);
    assert_eq!(inherited("codex"), ["OPENAI_API_KEY"]);
    assert_eq!(inherited("glm"), ["ANTHROPIC_AUTH_TOKEN"]);
    assert_eq!(inherited("exec"), Vec::<&str>::new());
}

// C-08, Z-067
#[test]
fn no_secret_is_ever_in_a_text() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        for name in SET {
            sandbox.set(name, CANARY);
        }
        sandbox.write("home/.docker-ai-config/secrets/zai_key", format!("{CANARY}\n"));
        for tool in tools() {
            for format in ["shell", "argv0", "lines", "json"] {
                let plan = sandbox.ai(["resolve", "--format", format, "--", tool]).outcome();
                assert!(!format!("{}{}", plan.out(), plan.err()).contains(CANARY), "{tool} {format}");
            }
            let explained = sandbox.ai(["resolve", "--explain", "--", tool]).prints();
            assert!(!explained.contains(CANARY), "{explained}");
            let traced = sandbox.shell(shell, &format!("{}\n{tool} x", shell.text("set -x", "set fish_trace 1"))).outcome();
            assert!(!traced.err().contains(CANARY), "{shell:?}: {}", traced.err());
        }
        for call in sandbox.calls() {
            assert!(call.argv.iter().all(|word| !word.to_str().unwrap().contains(CANARY)), "{call:?}");
        }
        fs::remove_file(sandbox.store().join("secrets/zai_key")).unwrap();
        for (path, (_, content)) in tree(&sandbox.home()) {
            assert!(!String::from_utf8_lossy(&content).contains(CANARY), "{path:?}");
        }
    }
}

// C-08, I-03
#[test]
fn a_key_from_anywhere_reaches_the_client_and_the_plan_is_the_same() {
    let file = |sandbox: &Sandbox| {
        let path = sandbox.write("home/.docker-ai-config/secrets/zai_key", format!("{CANARY}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let command = |sandbox: &Sandbox| {
        sandbox.program("pass", &format!("#!/bin/sh\n[ \"$1 $2\" = 'show zai' ] && echo {CANARY}\n"));
        sandbox.config("[tool.glm.secret.ANTHROPIC_AUTH_TOKEN]\ncommand = ['pass', 'show', 'zai']\n");
    };
    let env = |_: &Sandbox| {};
    let mut plans = Vec::new();
    for (place, set) in [(&env as &dyn Fn(&Sandbox), true), (&file, false), (&command, false)] {
        for shell in Shell::all() {
            let mut sandbox = Sandbox::new();
            sandbox.set("ANTHROPIC_AUTH_TOKEN", "another key, of another service");
            if set {
                sandbox.set("ZAI_API_KEY", CANARY);
            }
            place(&sandbox);
            sandbox.shell(shell, "glm hello").prints();
            let call = sandbox.the_run();
            assert_eq!(call.env["ANTHROPIC_AUTH_TOKEN".as_ref() as &std::ffi::OsStr], CANARY, "{shell:?}");
            let flags = Argv(call.argv);
            plans.push(flags.variables());
        }
    }
    assert!(plans.windows(2).all(|pair| pair[0] == pair[1]), "{plans:#?}");
    assert_eq!(plans[0]["ANTHROPIC_AUTH_TOKEN"], None);
}

// I-03
#[test]
fn without_a_key_both_places_are_named_and_nothing_is_made() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.bare(shell, "true").prints();
        let home = tree(&sandbox.home());
        let outcome = sandbox.shell(shell, "glm hello").outcome();
        outcome.refused(78, &["cannot start glm", "$ZAI_API_KEY", "secrets/zai_key", "hint: export ZAI_API_KEY="]);
        assert_eq!((tree(&sandbox.home()), sandbox.calls().len()), (home, 0));
    }
}

// I-03
#[test]
fn a_secret_that_cannot_be_had_is_said_before_anything_runs() {
    let sandbox = Sandbox::new();
    sandbox.config("[tool.glm.secret.ANTHROPIC_AUTH_TOKEN]\ncommand = ['pass', 'show', 'zai']\n");
    sandbox.ai(["run", "glm"]).outcome().refused(78, &["cannot get ANTHROPIC_AUTH_TOKEN", "`pass` is not installed"]);
    sandbox.program("pass", "#!/bin/sh\necho 'no such entry' >&2\nexit 1\n");
    sandbox.ai(["run", "glm"]).outcome().refused(78, &["`pass show zai` failed", "no such entry"]);
    sandbox.program("pass", "#!/bin/sh\necho\n");
    sandbox.ai(["run", "glm"]).outcome().refused(78, &["it is empty"]);
    assert!(sandbox.calls().is_empty());
}

// I-04
#[test]
fn glm_has_its_own_server_models_and_patience() {
    let mut sandbox = Sandbox::new();
    sandbox.set("ZAI_API_KEY", CANARY);
    sandbox.set("ANTHROPIC_BASE_URL", "https://somewhere.else");
    let settings = sandbox.write("home/.claude/settings.json", "{\"theme\": \"dark\"}\n");
    sandbox.ai(["run", "glm", "x"]).prints();
    let variables = Argv(sandbox.the_run().argv).variables();
    let literal = |name: &str| variables[name].clone().unwrap();
    assert_eq!(literal("ANTHROPIC_BASE_URL"), "https://api.z.ai/api/anthropic");
    assert_eq!(literal("API_TIMEOUT_MS"), "3000000");
    for size in ["OPUS", "SONNET", "HAIKU"] {
        assert!(literal(&format!("ANTHROPIC_DEFAULT_{size}_MODEL")).starts_with("glm-"));
    }
    assert_eq!(fs::read_to_string(settings).unwrap(), "{\"theme\": \"dark\"}\n");
    sandbox.config("[tool.glm.env]\nANTHROPIC_DEFAULT_OPUS_MODEL = 'glm-9'\n");
    assert_eq!(sandbox.plan(["glm"]).variables()["ANTHROPIC_DEFAULT_OPUS_MODEL"], Some("glm-9".into()));
}

// C-09
#[test]
fn a_value_of_the_user_is_kept_and_added_to() {
    let mut sandbox = Sandbox::new();
    let options = |sandbox: &Sandbox, tool: &str| sandbox.plan([tool]).variables()["NODE_OPTIONS"].clone().unwrap();
    let own = [("claude", "--dns-result-order=ipv4first"), ("gemini", "--dns-result-order=ipv4first --max-old-space-size=2048")];
    for (tool, words) in own {
        assert_eq!(options(&sandbox, tool), words);
    }
    // The last of two counts, and that is the person's.
    sandbox.set("NODE_OPTIONS", "--max-old-space-size=99");
    for (tool, words) in own {
        assert_eq!(options(&sandbox, tool), format!("{words} --max-old-space-size=99"));
    }
}

// C-09
#[test]
fn a_cloud_project_comes_from_the_environment_or_the_configuration() {
    let mut sandbox = Sandbox::new();
    let project = |sandbox: &Sandbox| sandbox.plan(["gemini"]).variables().get("GOOGLE_CLOUD_PROJECT").cloned();
    assert_eq!(project(&sandbox), None);
    sandbox.set("GOOGLE_CLOUD_PROJECT", "mine");
    assert_eq!(project(&sandbox), Some(None));
    sandbox.unset("GOOGLE_CLOUD_PROJECT");
    sandbox.config("[tool.gemini.env]\nGOOGLE_CLOUD_PROJECT = 'configured'\n");
    assert_eq!(project(&sandbox), Some(Some("configured".into())));
}

// I-01
#[test]
fn gemini_is_told_which_account_a_run_has() {
    let mut sandbox = Sandbox::new();
    let account = |sandbox: &Sandbox, tool: &str| sandbox.plan([tool]).variables()["AI_GEMINI_AUTH"].clone().unwrap();
    assert_eq!(account(&sandbox, "gemini"), "");
    sandbox.write("home/.docker-ai-config/global_state/gemini/shared/login/oauth_creds.json", "{\"refresh_token\": \"x\"}");
    assert_eq!(account(&sandbox, "gemini"), "oauth-personal");
    sandbox.set("GEMINI_API_KEY", CANARY);
    assert_eq!(account(&sandbox, "gemini"), "gemini-api-key");
    sandbox.set("GOOGLE_GENAI_USE_VERTEXAI", "true");
    assert_eq!(account(&sandbox, "gemini"), "vertex-ai");
    sandbox.set("GOOGLE_GENAI_USE_GCA", "true");
    assert_eq!(account(&sandbox, "gemini"), "oauth-personal");
    // A profile's key is its own, and its kind is known by the tool.
    sandbox.manifest("mine", "profile_of = 'gemini'\n[secret.GEMINI_API_KEY]\nenv = ['MINE']\n");
    sandbox.set("MINE", CANARY);
    assert_eq!(account(&sandbox, "mine"), "gemini-api-key");
    // What the person says goes before.
    sandbox.config("[tool.gemini.env]\nAI_GEMINI_AUTH = 'cloud-shell'\n");
    assert_eq!(account(&sandbox, "gemini"), "cloud-shell");
}

//! A store of the first layout becomes one of this, whoever else starts or dies meanwhile; a newer one is left alone.

use std::fs;
use std::os::unix::fs::symlink;

use crate::engine::Argv;
use crate::sandbox::{Sandbox, tree};

const LOGIN: &str = "{\"claudeAiOauth\":{\"accessToken\":\"a\",\"refreshToken\":\"made-up\",\"expiresAt\":4102444800000}}";

/// A store as the first layout had it, with what a hostile container left in it.
fn first(sandbox: &Sandbox) {
    let state = "home/.docker-ai-config/global_state";
    let project = sandbox.plan(["claude"]).values("--label").iter().find_map(|label| label.strip_prefix("ai.project=").map(str::to_owned));
    let project = project.unwrap();
    sandbox.write(format!("{state}/ssh/known_hosts"), "added inside\n");
    sandbox.write(format!("{state}/ssh/config"), "old\n");
    sandbox.write(format!("{state}/gh/hosts.yml"), "github.com: made-up\n");
    sandbox.write(format!("{state}/gh/config.yml"), "aliases: evil\n");
    sandbox.write(format!("{state}/git/{project}/config"), "[user]\n\tname = inside\n");
    sandbox.write(format!("{state}/git/{project}.json"), "{}");
    sandbox.write(format!("{state}/claude/shared/plugins/cache/m/p/run"), "plugin\n");
    sandbox.write(format!("{state}/claude/shared/login/.credentials.json"), LOGIN);
    sandbox.write(format!("{state}/claude/projects/{project}/home/plugins/installed_plugins.json"), "{}");
    symlink(sandbox.home(), sandbox.root().join(state).join("claude/shared/plugins/marketplaces")).unwrap();
}

/// The source of a mount of the next run.
fn source(sandbox: &Sandbox, target: &str) -> std::path::PathBuf {
    sandbox.plan(["claude"]).source_of(target).unwrap().into()
}

#[track_caller]
fn is_second(sandbox: &Sandbox) {
    let read = |target: &str, name: &str| fs::read_to_string(source(sandbox, target).join(name)).unwrap_or_default();
    assert_eq!(fs::read_to_string(sandbox.store().join("layout")).unwrap(), "2\n");
    assert_eq!((read("/ai/gh", "hosts.yml"), read("/ai/gh", "config.yml")), ("github.com: made-up\n".into(), String::new()));
    assert!(read("/ai/git", "config").contains("name = inside"));
    assert_eq!((read("/home/ai/.ssh", "known_hosts"), read("/ai/ssh", "known_hosts")), (String::new(), String::new()));
    assert_eq!(read("/home/ai/.claude", "plugins/cache/m/p/run"), "plugin\n");
    assert!(fs::read_dir(source(sandbox, "/home/ai/.claude").join("plugins")).unwrap().all(|entry| !entry.unwrap().path().is_symlink()));
    let aside = sandbox.store().join("sync/quarantine/layout-1");
    assert_eq!(fs::read_to_string(aside.join("ssh/known_hosts")).unwrap(), "added inside\n");
    assert_eq!(fs::read_to_string(aside.join("gh/config.yml")).unwrap(), "aliases: evil\n");
}

// BO-01, BO-11
#[test]
fn an_older_store_is_brought_to_this_layout_by_the_next_run() {
    let sandbox = Sandbox::new();
    first(&sandbox);
    let outcome = sandbox.ai(["run", "claude", "x"]).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("layout-1/ssh"), "{}", outcome.err());
    is_second(&sandbox);
    assert_eq!(sandbox.ai(["run", "claude", "x"]).outcome().err(), "");
    // A new project gets the login of gh, and no plugin.
    let other = sandbox.root().join("work/other");
    fs::create_dir(&other).unwrap();
    sandbox.ai(["run", "claude", "x"]).cwd(&other).prints();
    let run = Argv(sandbox.calls().into_iter().rfind(|call| call.argv[0] == "run").unwrap().argv);
    assert!(fs::read(run.source_of("/ai/gh").unwrap() + "/hosts.yml").is_ok());
    assert!(!tree(run.source_of("/home/ai/.claude").unwrap().as_ref()).into_keys().any(|path| path.ends_with("plugins/cache")));
}

// BO-01
#[test]
fn many_that_start_at_once_bring_an_older_store_over_once() {
    let sandbox = Sandbox::new();
    first(&sandbox);
    let children: Vec<_> = (0..12).map(|_| sandbox.ai(["run", "claude", "x"]).spawn()).collect();
    for child in children {
        let outcome = crate::process::finish(child);
        assert_eq!(outcome.code, 0, "{}", outcome.err());
    }
    is_second(&sandbox);
}

// BO-01
#[test]
fn a_program_that_is_killed_on_the_way_is_finished_by_the_next() {
    let Some(strace) = crate::require::need("strace", crate::sandbox::find_program("strace")) else { return };
    // Each rename and each write of the take-over is the last act of one program.
    for nth in 1..=12 {
        let sandbox = Sandbox::new();
        first(&sandbox);
        sandbox.link("strace", &strace);
        let inject = format!("inject=renameat2,renameat,rename,fsync:signal=KILL:when={nth}");
        sandbox.run("strace").args(["-qq", "-o", "/dev/null", "-e", &inject, "ai", "run", "claude", "x"]).fails_with(137);
        sandbox.ai(["run", "claude", "x"]).succeeds();
        is_second(&sandbox);
    }
}

// BO-01
#[test]
fn a_newer_store_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude", "x"]).prints();
    sandbox.write("home/.docker-ai-config/layout", "3\n");
    // All but the log, which says what was refused.
    let files = || {
        tree(&sandbox.store())
            .into_iter()
            .filter(|(path, _)| !path.ends_with("log/events.jsonl") && !path.ends_with("log/events.end"))
            .collect::<Vec<_>>()
    };
    let before = files();
    for command in [&["run", "claude"][..], &["resolve", "claude"], &["sync", "in", "claude"], &["exec", "true"]] {
        sandbox.ai(command).outcome().refused(78, &["a newer `ai` made it", "hint: use the newer program"]);
    }
    assert!(files() == before);
    // What only looks, goes on; and a shell that starts gets its functions.
    assert_eq!(sandbox.ai(["init", "zsh"]).outcome().code, 0);
}
